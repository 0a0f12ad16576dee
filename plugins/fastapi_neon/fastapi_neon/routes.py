"""The routes that `NeonRoutes.install` adds: a health check, and in development a page."""

from __future__ import annotations

import asyncio
from typing import Protocol

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fastapi_neon.asking import asking
from fastapi_neon.guard import is_local
from fastapi_neon.look import Look, look
from fastapi_neon.page import page
from fastapi_neon.source import Source
from neonup import Database, NeonupError

HEALTH_SECONDS = 5.0
"""How long the database may take to answer before it counts as down."""


class NeonRoutes(Protocol):
    """What the routes need of `fastapi_neon.Neon`."""

    @property
    def source(self) -> Source:
        """Where the database comes from."""

    async def database(self) -> Database:
        """The database."""


def routes(neon: NeonRoutes, path: str) -> list[Route]:
    """The page under ``path``, and the health check under ``path/health``."""

    asked: dict[asyncio.AbstractEventLoop, asyncio.Task[str | None]] = {}

    async def health(request: Request) -> Response:
        loop = asyncio.get_running_loop()
        if loop not in asked:  # who asks meanwhile gets the same answer: one connection is enough
            asked[loop] = loop.create_task(_trouble(neon))
            asked[loop].add_done_callback(lambda _: asked.pop(loop))
        trouble = await asyncio.shield(asked[loop])
        if trouble is not None:
            return _answer({"status": "unavailable", "error": trouble}, 503)
        return _answer({"status": "ok"}, 200)

    async def show(request: Request) -> Response:
        if not is_local(request) or not await asyncio.to_thread(neon.source.is_development):
            raise HTTPException(404)  # as for any address that is none
        return page(*await _seen(neon))

    return [
        Route(f"{path}/health", health, include_in_schema=False),
        Route(path, show, include_in_schema=False),
    ]


async def _trouble(neon: NeonRoutes) -> str | None:
    """Why the database does not answer, in a word for programs; None if it does."""
    try:
        async with asyncio.timeout(HEALTH_SECONDS):
            async with asking(neon.source, await neon.database()) as ask:
                await ask("SELECT 1")
    except NeonupError as error:
        return error.code
    except Exception:  # each driver has its own
        return "database_unavailable"
    return None


async def _seen(neon: NeonRoutes) -> tuple[Database | None, Look | None, NeonupError | None]:
    database = None
    try:
        async with asyncio.timeout(2 * HEALTH_SECONDS):
            database = await neon.database()
            async with asking(neon.source, database) as ask:
                return database, await look(ask), None
    except NeonupError as error:
        return database, None, error
    except TimeoutError:
        return database, None, NeonupError(f"No answer within {2 * HEALTH_SECONDS:g} seconds.")
    except Exception as error:  # each driver has its own
        said = str(error).strip().partition("\n")[0] or type(error).__name__
        return database, None, NeonupError(f"{said}.".replace("..", "."))


def _answer(content: dict[str, str], status: int) -> Response:
    return JSONResponse(content, status, {"cache-control": "no-store"})
