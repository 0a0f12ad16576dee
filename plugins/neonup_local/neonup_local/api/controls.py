"""What tests set and read of a running server: its clock, its faults, its log of requests."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from neonup import NeonupError
from neonup_local.api import faults
from neonup_local.api.body import Unusable, json_object
from neonup_local.neon import upkeep
from neonup_local.neon.context import Neon

_LARGEST_BODY = 64 * 1024


def routes() -> list[Route]:
    """Below ``/neonup``."""
    return [
        Route("/requests", _requests, methods=["GET", "DELETE"]),
        Route("/faults", _faults, methods=["GET", "PUT"]),
        Route("/clock", _clock, methods=["GET", "PUT"]),
    ]


async def _requests(request: Request) -> JSONResponse:
    """The last thousand requests of Neon API v2, or none from now on."""
    known: faults.Faults = request.app.state.faults
    if request.method == "DELETE":
        known.seen.clear()
    return JSONResponse({"requests": known.shown()})


async def _faults(request: Request) -> JSONResponse:
    """The faults, or others from now on: ``{"faults": ["POST /projects=423x2"]}``."""
    known: faults.Faults = request.app.state.faults
    if request.method == "PUT":
        try:
            wanted = (await json_object(request, _LARGEST_BODY)).get("faults")
            if not isinstance(wanted, list):
                raise Unusable
            known.faults[:] = [faults.parse(str(text)) for text in wanted]
        except Unusable:
            return JSONResponse({"message": 'send {"faults": [...]}'}, 400)
        except NeonupError as error:
            return JSONResponse({"message": str(error)}, 400)
    return JSONResponse({"faults": [one.text for one in known.faults if one.times != 0]})


async def _clock(request: Request) -> JSONResponse:
    """The time here, or how many seconds it is ahead from now on; what is over then, expires."""
    neon: Neon = request.app.state.neon
    if request.method == "PUT":
        try:
            ahead = (await json_object(request, _LARGEST_BODY)).get("ahead_seconds")
            if not isinstance(ahead, int | float):
                raise Unusable
            neon.clock.ahead = timedelta(seconds=ahead)
        except (Unusable, OverflowError):
            return JSONResponse({"message": 'send {"ahead_seconds": 3600}'}, 400)
        await asyncio.to_thread(upkeep.expire, neon)
    return JSONResponse(
        {
            "now": neon.clock.now().isoformat(),
            "ahead_seconds": neon.clock.ahead.total_seconds(),
        }
    )
