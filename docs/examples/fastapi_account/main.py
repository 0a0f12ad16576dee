"""Users of this application connect their own Neon accounts: to list projects, and create one.

Registered at Neon with the callback http://127.0.0.1:8000/neon/callback. Then, with its id and
secret in NEON_CLIENT_ID and NEON_CLIENT_SECRET:

    pip install "neonup[cloud,fastapi]" "fastapi[standard]" itsdangerous
    fastapi dev main.py --host 127.0.0.1
"""

import os
import secrets
from html import escape
from pathlib import Path
from typing import Annotated
from uuid import uuid4

from fastapi import Depends, FastAPI, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.middleware.sessions import SessionMiddleware

from neonup_cloud import AsyncNeonClient
from neonup_cloud.oauth import Application, FileTokens, scopes
from neonup_cloud.web.starlette import Account

BUTTON = '<form method="post" action="{action}"><button id="{id}">{text}</button></form>'
CREATE = """<form method="post" action="/projects">
<label>Name <input id="name" name="name" required></label>
<button id="create">Create a project</button></form>"""

app = FastAPI()
# Here every browser is a user of its own. An application with a login has its users' ids instead.
app.add_middleware(SessionMiddleware, secret_key=os.environ.get("SECRET_KEY", secrets.token_hex()))


def tokens(request: Request) -> FileTokens:
    user = request.session.setdefault("user", str(uuid4()))
    return FileTokens(Path(os.environ.get("TOKENS", "tokens")) / f"{user}.json")


account = Account(
    Application(
        os.environ["NEON_CLIENT_ID"],
        redirect_uri=os.environ.get("CALLBACK", "http://127.0.0.1:8000/neon/callback"),
        client_secret=os.environ["NEON_CLIENT_SECRET"],
        scopes=(
            scopes.OPENID,
            *scopes.OFFLINE,
            scopes.PROJECTS_READ,
            scopes.PROJECTS_CREATE,
        ),
    ),
    tokens,
)
account.install(app)
Neon = Annotated[AsyncNeonClient | None, Depends(account.client)]


@app.get("/")
async def home(neon: Neon) -> HTMLResponse:
    if neon is None:
        return page(BUTTON.format(action="/neon/connect", id="connect", text="Connect Neon"))
    names = [f"<li>{escape(project.name)}</li>" async for project in neon.projects.list()]
    leave = BUTTON.format(action="/neon/disconnect", id="disconnect", text="Disconnect Neon")
    return page(f"<ul id='projects'>{''.join(names)}</ul>{CREATE}{leave}")


@app.post("/projects")
async def create(neon: Neon, name: Annotated[str, Form()]) -> RedirectResponse:
    if neon is not None:
        await neon.projects.create(name=name)
    return RedirectResponse("/", 303)


def page(content: str) -> HTMLResponse:
    return HTMLResponse(f"<!doctype html><title>My projects</title><h1>My projects</h1>{content}")
