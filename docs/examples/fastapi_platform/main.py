"""Each user of this application has a Postgres database of their own, at Neon.

With NEON_API_KEY and NEON_ORG_ID of your organization, or with those of `neonup serve`:

    pip install neonup "fastapi[standard]" itsdangerous
    fastapi dev main.py
"""

import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.middleware.sessions import SessionMiddleware

from neonup import NeonupError
from neonup_cloud import AsyncNeonClient
from neonup_cloud.fleets import declared, errors

WAIT = timedelta(days=30)
STATUS = {errors.NoProject: 404, errors.DeletionPending: 409, errors.ProjectGone: 410}

routes = APIRouter(prefix="/database")


def user(request: Request) -> str:
    # Here every browser is a user of its own. An application with a login has its users' ids.
    return str(request.session.setdefault("user", str(uuid4())))


def fleet(request: Request) -> Any:
    return request.app.state.fleet


User = Annotated[str, Depends(user)]
Fleet = Annotated[Any, Depends(fleet)]


@routes.post("")
async def provision(request: Request, fleet: Fleet, user: User) -> dict[str, Any]:
    project = await fleet.provision(user, "free", project_id=request.session.get("project_id"))
    request.session["project_id"] = project.project_id
    return {"tier": project.tier, "created": project.created}


@routes.get("")
async def usage(fleet: Fleet, user: User) -> dict[str, Any]:
    used = await fleet.usage(user)
    return {"tier": used.project.tier, **{name: one.amount for name, one in used.figures.items()}}


@routes.get("/url")
async def url(fleet: Fleet, user: User) -> dict[str, str]:
    return {"url": await fleet.connection(user)}


@routes.delete("")
async def delete(fleet: Fleet, user: User) -> dict[str, Any]:
    deletion = await fleet.delete(user, wait=WAIT)
    return {"due": deletion.due if deletion else None}


@routes.post("/keep")
async def keep(fleet: Fleet, user: User) -> dict[str, Any]:
    return {"lifecycle": (await fleet.undelete(user)).lifecycle}


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with AsyncNeonClient() as neon:
        app.state.fleet = declared(neon)
        yield


app = FastAPI(lifespan=lifespan)
app.add_middleware(SessionMiddleware, secret_key=os.environ.get("SECRET_KEY", secrets.token_hex()))
app.include_router(routes)


@app.exception_handler(NeonupError)
async def refused(request: Request, error: NeonupError) -> JSONResponse:
    return JSONResponse({"error": error.code}, STATUS.get(type(error), 503))
