"""The ASGI application of ``neonup serve``."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from anyio import to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount

from neonup import NeonupError
from neonup_local.api import claim_page, neon_new, refusal, sql
from neonup_local.api.faults import Fault, Faults, Injector
from neonup_local.api.guard import Guard
from neonup_local.api.refusal import BASE
from neonup_local.neon.errors import Refused
from neonup_local.service.claims import Claims

if TYPE_CHECKING:
    from starlette.types import ExceptionHandler

    from neonup_local.neon.context import Neon

log = logging.getLogger(__name__)

EXPIRY_INTERVAL = 5.0
"""Seconds between two deletions of databases whose time is over; they are refused at once."""

QUIET = 2.0
"""Seconds without a new database before a spare is made for the next one."""


def create_app(
    claims: Claims,
    neon: Neon | None = None,
    *,
    hosts: frozenset[str] | None = frozenset(),
    faults: Sequence[Fault] = (),
    expiry_interval: float = EXPIRY_INTERVAL,
) -> Starlette:
    """neon.new's API and its claim page, and Neon API v2.

    Args:
        claims: the databases; while the application runs they run, and stop when it does.
        neon: what Neon API v2 works on, started; it is stopped when the application ends. None:
            the application has no such API.
        faults: what happens to requests of Neon API v2.
        hosts: names of this server beside those of loopback; None: any.
        expiry_interval: seconds between two looks for databases whose time is over.
    """

    used = asyncio.Event()
    known = Faults(list(faults))

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        work = (_wake(claims), _expire(claims, expiry_interval), _stock_up(claims, neon, used))
        tasks = [asyncio.create_task(one) for one in work]
        used.set()
        if upkeep is not None:
            upkeep.start()
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            if neon is not None and upkeep is not None:
                await to_thread.run_sync(upkeep.stop)
                await to_thread.run_sync(neon.stop)
            for name in await to_thread.run_sync(claims.stop):
                log.warning(
                    "The database %s could not be stopped: neonup stop will try again.", name
                )

    v2: list[BaseRoute] = []
    sessions, upkeep = [], None
    if neon is not None:
        from neonup_local.api import controls
        from neonup_local.api.agents import routes as agents
        from neonup_local.api.v2.routes import routes  # it needs psycopg
        from neonup_local.api.web import agent_claim_page, session, sign_in, static
        from neonup_local.neon.upkeep import Upkeep

        v2 += [Mount(BASE, routes=routes()), Mount("/neonup", routes=controls.routes())]
        v2 += [static.mount(), *sign_in.routes()]
        v2 += [*agents.routes(), *agent_claim_page.routes()]
        sessions.append(session.middleware(neon.session_secret))
        upkeep = Upkeep(neon)
    handlers: dict[Any, ExceptionHandler] = {
        HTTPException: _failed,
        NeonupError: _broken,
        Exception: _mistaken,
    }
    if neon is not None:
        handlers[Refused] = _refused
    app = Starlette(
        routes=[
            Mount("/api/v1", routes=neon_new.routes()),
            *v2,
            *sql.routes(),
            *claim_page.routes(),
        ],
        middleware=[
            Middleware(Guard, hosts=hosts),
            Middleware(Injector, faults=known),
            *sessions,
        ],
        exception_handlers=handlers,
        lifespan=lifespan,
    )
    app.state.claims = claims
    app.state.neon = neon
    app.state.faults = known
    app.state.used = used
    return app


async def _failed(request: Request, error: Exception) -> Response:
    """No such route, or not by that method: in the form of the surface."""
    assert isinstance(error, HTTPException)  # noqa: S101 - it was registered for these
    if refusal.is_v2(request.scope):
        shown = refusal.content(request.scope, error.detail)
        return JSONResponse(shown, error.status_code, error.headers)
    if request.url.path.startswith("/api/"):
        return JSONResponse({"message": error.detail}, error.status_code, error.headers)
    return claim_page.nothing(error.detail, error.status_code)


async def _refused(request: Request, error: Exception) -> Response:
    """What a page was asked for and does not do."""
    assert isinstance(error, Refused)  # noqa: S101 - it was registered for these
    from neonup_local.api.web.page import message

    return message(request, "That did not work", error.message, status=error.status)


async def _broken(request: Request, error: Exception) -> Response:
    """A database that is there but cannot be used, e.g. since its record is damaged."""
    assert isinstance(error, NeonupError)  # noqa: S101 - it was registered for these
    log.error("%s %s: %s", request.method, request.url.path, error)
    if request.url.path.startswith("/api/"):
        said = {"message": "The database cannot be used.", "hint": error.message}
        return JSONResponse(said, 500)
    return claim_page.broken(error.message)


async def _mistaken(request: Request, error: Exception) -> Response:
    """A mistake of this server's: its log has the traceback, the client an answer it can read."""
    message = f"this local Neon made a mistake: {type(error).__name__}; its log says where"
    if refusal.is_v2(request.scope):
        return JSONResponse(refusal.content(request.scope, message), 500)
    return JSONResponse({"message": message}, 500)


async def _wake(claims: Claims) -> None:
    for name in await to_thread.run_sync(claims.wake):
        log.warning("The database %s could not be started: see `neonup logs` for the reason.", name)


async def _stock_up(claims: Claims, neon: Neon | None, used: asyncio.Event) -> None:
    """Make spares once nothing was made for a moment: copying slows down what is being made."""
    while True:
        await used.wait()
        used.clear()
        await asyncio.sleep(QUIET)
        if used.is_set():
            continue
        try:
            await to_thread.run_sync(claims.stock_up)
            if neon is not None:
                await to_thread.run_sync(neon.fill)
        except (NeonupError, OSError) as error:
            log.warning("The next databases could not be prepared: %s", error)


async def _expire(claims: Claims, interval: float) -> None:
    while True:
        try:
            await to_thread.run_sync(claims.expire)
        except (NeonupError, OSError) as error:
            log.warning("An expired database could not be deleted: %s", error)
        await asyncio.sleep(interval)
