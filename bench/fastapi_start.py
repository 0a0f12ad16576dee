"""The rows of FastAPI: ``uvicorn`` from its start to its first answered request."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dotenv import dotenv_values

from bench import servers, world
from bench.figures import Case, Pair
from bench.servers import Program
from bench.world import Home

_APPLICATION = """
from typing import Annotated

from fastapi import Depends, FastAPI
from psycopg import AsyncConnection
{database}

@app.get("/")
async def answer(connection: Annotated[AsyncConnection, Depends({dependency})]):
    return (await (await connection.execute("SELECT 42")).fetchone())[0]
"""

_OURS = """
from fastapi_neon import Neon

neon = Neon()
app = FastAPI(lifespan=neon.lifespan)
"""

# As psycopg's documentation does it:
# https://www.psycopg.org/psycopg3/docs/advanced/pool.html#other-ways-to-create-a-pool
_THEIRS = """
from contextlib import asynccontextmanager

from psycopg_pool import AsyncConnectionPool

pool = AsyncConnectionPool({url!r}, open=False, min_size=1, max_size=10)


@asynccontextmanager
async def lifespan(app):
    async with pool:
        yield


async def lend():
    async with pool.connection() as connection:
        yield connection


app = FastAPI(lifespan=lifespan)
"""
_HARD_CODED = "the same with a hard-coded URL"


def start(repeats: int) -> Pair:
    """With the database there."""
    with world.home() as home, _ready(home) as (ours, theirs):
        return servers.side_by_side(servers.always(ours), servers.always(theirs), repeats * 2)


def first_start(repeats: int) -> Pair:
    """With no database yet, on a machine that had one before."""

    @contextmanager
    def ours() -> Iterator[Program]:
        with world.project(home) as folder:
            home.settle()
            yield _program(folder, home, _OURS, "neon.connection")

    with world.home() as home, _ready(home) as (_, theirs):
        return servers.side_by_side(ours, servers.always(theirs), repeats)


@contextmanager
def _ready(home: Home) -> Iterator[tuple[Program, Program]]:
    """A project of neonup's with its database running, and the same with a hard-coded URL."""
    with world.project(home) as folder, world.folder("plain-") as plain:
        home.run("--yes", cwd=folder)
        home.settle()
        hard_coded = _THEIRS.format(url=dotenv_values(folder / ".env")["DATABASE_URL"])
        yield (
            _program(folder, home, _OURS, "neon.connection"),
            _program(plain, home, hard_coded, "lend"),
        )


def _program(folder: Path, home: Home, database: str, dependency: str) -> Program:
    text = _APPLICATION.format(database=database, dependency=dependency)
    (folder / "main.py").write_text(text)
    command = [sys.executable, "-m", "uvicorn", "main:app", "--port", "{port}"]
    return Program(command, folder, {**home.environ, "NEONUP_ENV": "development"})


CASES = (
    Case("uvicorn", "uvicorn, first answer", _HARD_CODED, "ms", 1.1, start),
    Case("uvicorn-first", "uvicorn, first run, first answer", _HARD_CODED, "ms", 2.0, first_start),
)
