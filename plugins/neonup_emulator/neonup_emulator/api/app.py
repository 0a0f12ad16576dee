"""The ASGI application of ``neonup serve``."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from anyio import to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount

from neonup import NeonupError
from neonup_emulator.api import controls, neon_new, refusal, sql, ws_proxy
from neonup_emulator.api.agents import routes as agents
from neonup_emulator.api.faults import Fault, Faults, Injector
from neonup_emulator.api.oauth import routes as oauth
from neonup_emulator.api.refusal import BASE
from neonup_emulator.api.v2 import routes as v2
from neonup_emulator.api.web import page, pages, session
from neonup_emulator.neon.claimable import neon_new as neon_new_service
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.errors import Refused
from neonup_emulator.neon.upkeep import Upkeep
from neonup_pages import look
from neonup_pages.forms import ExpiredForm
from neonup_pages.guard import Guard

if TYPE_CHECKING:
    from starlette.types import ExceptionHandler

log = logging.getLogger(__name__)

QUIET = 2.0
"""Seconds without a new project before data directories are prepared for the next ones."""


def create_app(
    neon: LocalNeon,
    *,
    hosts: frozenset[str] | None = frozenset(),
    faults: Sequence[Fault] = (),
    sign_in_seconds: float = ws_proxy.SIGN_IN_SECONDS,
) -> Starlette:
    """Neon API v2, neon.new's API, the agent identity API, OAuth, and the pages.

    Args:
        neon: what they work on, started; it is stopped when the application ends.
        hosts: names of this server beside those of loopback, as `Guard` takes them; None: any.
        faults: what happens to requests of Neon API v2.
        sign_in_seconds: for what a client of the WebSocket sends to sign in.
    """
    used = asyncio.Event()
    known = Faults(list(faults))
    oauth.recognize(neon)
    app = Starlette(
        routes=[
            Mount("/api/v1", routes=neon_new.routes()),
            Mount(BASE, routes=v2.routes()),
            Mount("/neonup", routes=controls.routes()),
            look.static(),
            *pages.routes(),
            *agents.routes(),
            *oauth.routes(),
            *sql.routes(),
            *ws_proxy.routes(),
        ],
        middleware=[
            Middleware(Guard, hosts=hosts, content=refusal.forbidden),
            Middleware(Injector, faults=known),
            session.middleware(neon.session_secret),
        ],
        exception_handlers=_EXCEPTION_HANDLERS,
        lifespan=_lifespan(neon, used),
    )
    app.state.neon = neon
    app.state.faults = known
    app.state.used = used
    app.state.sign_in_seconds = sign_in_seconds
    return app


def _lifespan(
    neon: LocalNeon, used: asyncio.Event
) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    """What runs beside the requests: upkeep, and data directories for the next projects."""
    upkeep = Upkeep(neon)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        filling = asyncio.create_task(_fill(neon, used))
        used.set()
        upkeep.start()
        try:
            yield
        finally:
            neon.prepared.close()
            filling.cancel()
            with suppress(asyncio.CancelledError):
                await filling
            await to_thread.run_sync(upkeep.stop)
            await to_thread.run_sync(neon.stop)

    return lifespan


async def _failed(request: Request, error: Exception) -> Response:
    """No such route, or not by that method: in the form of the surface."""
    assert isinstance(error, HTTPException)  # noqa: S101 - it was registered for these
    if refusal.is_v2(request.scope):
        shown = refusal.content(request.scope, error.detail)
        return JSONResponse(shown, error.status_code, error.headers)
    if request.url.path.startswith("/api/"):
        return JSONResponse({"message": error.detail}, error.status_code, error.headers)
    detail = error.detail.capitalize()
    return page.message(request, detail, "This address leads to nothing.", status=error.status_code)


async def _refused(request: Request, error: Exception) -> Response:
    """A page with the reason why a request was refused."""
    assert isinstance(error, Refused)  # noqa: S101 - it was registered for these
    return page.message(request, "That did not work", error.message, status=error.status)


async def _expired(request: Request, error: Exception) -> Response:
    """A form that no page of this session has sent."""
    assert isinstance(error, ExpiredForm)  # noqa: S101 - it was registered for these
    return page.message(request, "That did not work", error.message, status=403)


async def _broken(request: Request, error: Exception) -> Response:
    """The answer where this machine failed, e.g. since its disk is full."""
    assert isinstance(error, NeonupError)  # noqa: S101 - it was registered for these
    log.error("%s: %s", request.method, error)  # an address may be a claim link
    if request.url.path.startswith("/api/"):
        answer = {"message": "The database cannot be used.", "hint": error.message}
        return JSONResponse(answer, 500)
    return page.message(request, "This did not work", error.message, status=500)


async def _mistaken(request: Request, error: Exception) -> Response:
    """The answer to a bug of this server: a readable one; the log has the traceback."""
    message = f"this local Neon made a mistake: {type(error).__name__}; its log says where"
    if refusal.is_v2(request.scope):
        return JSONResponse(refusal.content(request.scope, message), 500)
    return JSONResponse({"message": message}, 500)


_EXCEPTION_HANDLERS: dict[Any, ExceptionHandler] = {
    ExpiredForm: _expired,
    HTTPException: _failed,
    NeonupError: _broken,
    Exception: _mistaken,
    Refused: _refused,
}


async def _fill(neon: LocalNeon, used: asyncio.Event) -> None:
    """Prepare projects and data once nothing was created for a moment: it slows down the rest."""
    while True:
        await used.wait()
        used.clear()
        await asyncio.sleep(QUIET)
        if used.is_set():
            continue
        try:
            await to_thread.run_sync(neon_new_service.fill, neon)
            await to_thread.run_sync(neon.fill)
        except (Refused, NeonupError, OSError) as error:
            log.warning("The next projects could not be prepared: %s", error)
