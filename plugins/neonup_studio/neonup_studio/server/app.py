"""The ASGI application: all pages, behind the guard and the link that works once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import psycopg
from anyio import to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from neonup import NeonupError
from neonup_pages import forms, look
from neonup_pages.forms import ExpiredForm
from neonup_pages.guard import Guard
from neonup_studio import pages
from neonup_studio.server.connections import SpareConnections, reason
from neonup_studio.studio import Studio
from neonup_studio.visit import PageRefused, message

HOST = "127.0.0.1"
_DAY = 24 * 3600
_EVERY = 2.0
"""Seconds between two looks at connections that nobody uses."""

log = logging.getLogger(__name__)


def create(studio: Studio) -> Starlette:
    """All pages of a studio."""
    app = Starlette(
        routes=[
            look.static("neonup_studio"),
            Route("/", _first, methods=["GET"]),
            Route("/enter", _enter, methods=["GET"]),
            *pages.routes(),
            Route("/{place}", _first_of, methods=["GET"]),
        ],
        middleware=[
            Middleware(Busy, studio=studio),
            Middleware(Guard),
            forms.middleware(studio.access.secret, seconds=_DAY),
            Middleware(Gate, studio=studio),
        ],
        exception_handlers=_HANDLERS,
        lifespan=_lifespan,
    )
    app.state.studio = studio
    return app


class Busy:
    """Lets the studio know that it is used.

    Args:
        app: the application behind.
        studio: the studio.
    """

    def __init__(self, app: ASGIApp, studio: Studio):
        self._app = app
        self._idle = studio.idle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        self._idle.enter()
        try:
            await self._app(scope, receive, send)
        finally:
            self._idle.leave()


class Gate:
    """Answers nobody who has not opened the link, except how it looks.

    Args:
        app: the application behind.
        studio: knows the sessions.
    """

    def __init__(self, app: ASGIApp, studio: Studio):
        self._app = app
        self._studio = studio

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or say how one gets in."""
        is_open = scope["type"] != "http" or _is_open(str(scope["path"]))
        if is_open or self._studio.access.is_known(Request(scope)):
            await self._app(scope, receive, send)
            return
        scope["app"].state.studio = self._studio
        await _outside(Request(scope))(scope, receive, send)


def _is_open(path: str) -> bool:
    return path == "/enter" or path.startswith(f"{look.STATIC}/")


def _outside(request: Request) -> Response:
    return message(
        request,
        "This link was used, or is another studio's",
        "Open the link that `neonup studio` printed. It works once: for another browser, start "
        "`neonup studio` again.",
        status=401,
    )


async def _enter(request: Request) -> Response:
    studio: Studio = request.app.state.studio
    if studio.access.is_known(request):  # the link was opened again in the same browser
        return RedirectResponse("/", 303)
    if studio.access.enter(request, request.query_params.get("token", "")):
        return RedirectResponse("/", 303)
    return _outside(request)


async def _first(request: Request) -> Response:
    return RedirectResponse(f"/{request.app.state.studio.first}", 303)


async def _first_of(request: Request) -> Response:
    return RedirectResponse(f"/{request.path_params['place']}/{pages.FIRST}", 303)


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    """What runs beside the requests: the end when nobody asks, and that of connections."""
    studio: Studio = app.state.studio
    beside = [
        asyncio.create_task(studio.idle.watch()),
        asyncio.create_task(_close_idle(studio.connections)),
    ]
    try:
        yield
    finally:
        await to_thread.run_sync(studio.running.end)
        for task in beside:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await to_thread.run_sync(lambda: studio.connections.close_idle(every=True))


async def _close_idle(connections: SpareConnections) -> None:
    while True:
        await asyncio.sleep(_EVERY)
        await to_thread.run_sync(connections.close_idle)


async def _missing(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - it was registered for these
    text = "This address leads to nothing."
    return message(request, error.detail.capitalize(), text, status=error.status_code)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, PageRefused)  # noqa: S101 - it was registered for these
    return message(request, "That did not work", error.message, status=error.status)


async def _expired(request: Request, error: Exception) -> Response:
    assert isinstance(error, ExpiredForm)  # noqa: S101 - it was registered for these
    return message(request, "That did not work", error.message, status=403)


async def _unavailable(request: Request, error: Exception) -> Response:
    """The database is not there, or neonup cannot do it; its text is for people."""
    return message(request, "The database cannot be used", str(error), status=503)


async def _database_failed(request: Request, error: Exception) -> Response:
    assert isinstance(error, psycopg.Error)  # noqa: S101 - it was registered for these
    return message(request, "The database did not answer", reason(error), status=503)


async def _mistaken(request: Request, error: Exception) -> Response:
    """A bug of this program: a readable answer; the log has the traceback."""
    text = f"The studio made a mistake: {type(error).__name__}. Its terminal says where."
    return message(request, "This did not work", text, status=500)


_HANDLERS: dict[Any, Callable[[Request, Exception], Awaitable[Response]]] = {
    HTTPException: _missing,
    PageRefused: _refused,
    ExpiredForm: _expired,
    NeonupError: _unavailable,
    psycopg.Error: _database_failed,
    Exception: _mistaken,
}
