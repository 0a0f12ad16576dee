"""Child projects as a new user writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.project import Project, clean_environ

MAIN = """
from typing import Annotated

from fastapi import Depends, FastAPI
from fastapi_neon import Neon
from psycopg import AsyncConnection
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

neon = Neon()
app = FastAPI(lifespan=neon.lifespan)
neon.install(app)

NAME = "SELECT current_database()"


@app.get("/")
async def name(connection: Annotated[AsyncConnection, Depends(neon.connection)]):
    return (await (await connection.execute(NAME)).fetchone())[0]


@app.get("/session")
async def by_session(session: Annotated[AsyncSession, Depends(neon.session)]):
    return await session.scalar(text(NAME))


@app.get("/sync")
def by_sync_session(session: Annotated[Session, Depends(neon.sync_session)]):
    return session.scalar(text(NAME))
"""

STARLETTE = """
from contextlib import asynccontextmanager

from fastapi_neon import Neon
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

neon = Neon()
connecting = asynccontextmanager(neon.connection)


async def name(request):
    async with connecting() as connection:
        row = await (await connection.execute("SELECT current_database()")).fetchone()
    return JSONResponse(row[0])


app = Starlette(routes=[Route("/", name)], lifespan=neon.lifespan)
neon.install(app)
"""


def new_project(folder: Path, home: Path) -> Project:
    """A FastAPI project in which nothing was started yet."""
    project = Project(folder / "shop", clean_environ(home))
    project.folder.mkdir()
    (project.folder / "main.py").write_text(MAIN)
    return project


@pytest.fixture
def project(tmp_path: Path, neonup_home: Path) -> Project:
    """A FastAPI project in which nothing was started yet."""
    return new_project(tmp_path, neonup_home)


@pytest.fixture
def starlette_project(project: Project) -> Project:
    """The same without FastAPI."""
    (project.folder / "main.py").write_text(STARLETTE)
    return project
