"""What tests set and read of a running server: its clock, its faults, its log of requests, and
the people in it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from neonup import NeonupError
from neonup_emulator.api import default_user, faults
from neonup_emulator.api.body import Unusable, content, json_object
from neonup_emulator.api.oauth import clients
from neonup_emulator.neon import upkeep
from neonup_emulator.neon.accounts.identity import Caller
from neonup_emulator.neon.accounts.model import Plan
from neonup_emulator.neon.claimable import agent_claims, neon_new
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.errors import Forbidden, Refused
from neonup_emulator.neon.transfer import transfer_requests

Wanted = TypeVar("Wanted")

_LARGEST_BODY = 64 * 1024


def routes() -> list[Route]:
    """Below ``/neonup``."""
    return [
        Route("/requests", default_user.only(_requests), methods=["GET", "DELETE"]),
        Route("/faults", default_user.only(_faults), methods=["GET", "PUT"]),
        Route("/clock", default_user.only(_clock), methods=["GET", "PUT"]),
        Route("/users", _create_user, methods=["POST"]),
        Route("/organizations", _create_organization, methods=["POST"]),
        *clients.routes(),
        Route("/claim", _claim, methods=["POST"]),
    ]


async def _requests(request: Request) -> JSONResponse:
    """Get or clear the log of the last thousand requests of Neon API v2."""
    known: faults.Faults = request.app.state.faults
    if request.method == "DELETE":
        known.seen.clear()
    return JSONResponse({"requests": known.shown()})


async def _faults(request: Request) -> JSONResponse:
    """Get or replace the faults: ``{"faults": ["POST /projects=423x2"]}``."""
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
    return JSONResponse({"faults": [fault.text for fault in known.faults if fault.times != 0]})


async def _clock(request: Request) -> JSONResponse:
    """Get or set how far the clock is ahead; what is due by then is carried out."""
    neon: LocalNeon = request.app.state.neon
    if request.method == "PUT":
        try:
            ahead = (await json_object(request, _LARGEST_BODY)).get("ahead_seconds")
            if not isinstance(ahead, int | float):
                raise Unusable
            neon.clock.ahead = timedelta(seconds=ahead)
        except (Unusable, OverflowError):
            return JSONResponse({"message": 'send {"ahead_seconds": 3600}'}, 400)
        await asyncio.to_thread(upkeep.catch_up, neon)
    return JSONResponse(
        {
            "now": neon.clock.now().isoformat(),
            "ahead_seconds": neon.clock.ahead.total_seconds(),
        }
    )


class _NewUser(Struct, forbid_unknown_fields=True):
    email: str
    name: str | None = None


class _Claim(Struct, forbid_unknown_fields=True):
    """Body of a claim.

    Args:
        id: of a database of neon.new.
        code: of an agent's project.
        only_continue: stop before the console, so that the window can lapse.
    """

    id: str | None = None
    code: str | None = None
    only_continue: bool = False
    org_id: str | None = None


class _NewOrganization(Struct, forbid_unknown_fields=True):
    name: str
    plan: Plan = "scale"


async def _create_user(request: Request) -> JSONResponse:
    """A new user, with an organization and a key of their own: ``{"email": "ada@example.com"}``."""
    neon: LocalNeon = request.app.state.neon

    def create(wanted: _NewUser) -> dict[str, Any]:
        user, organization = neon.people.create_user(wanted.email, wanted.name)
        _, key = neon.identity.create_key(user, "default")
        return {"id": user.id, "email": user.email, "org_id": organization.id, "api_key": key}

    return await _created(request, _NewUser, create)


async def _create_organization(request: Request) -> JSONResponse:
    """A new organization of the user whose key it is: ``{"name": "Free", "plan": "free"}``."""
    neon: LocalNeon = request.app.state.neon

    def create(wanted: _NewOrganization) -> dict[str, Any]:
        admin = _person(request, neon).user
        organization = neon.people.create_organization(wanted.name, admin=admin, plan=wanted.plan)
        return {"id": organization.id, "name": organization.name, "plan": organization.plan}

    return await _created(request, _NewOrganization, create)


async def _claim(request: Request) -> JSONResponse:
    """What the claim pages do, by the key of who claims: ``{"id": ...}`` or ``{"code": ...}``."""
    neon: LocalNeon = request.app.state.neon

    def claim(wanted: _Claim) -> dict[str, Any]:
        caller = _person(request, neon)
        org_id = wanted.org_id or neon.identity.home_of(caller).id
        match wanted:
            case _Claim(id=None, code=str(code), only_continue=only):
                return _claim_by_code(neon, caller, code, None if only else org_id)
            case _Claim(id=str(id_), code=None, only_continue=False):
                claimed = neon_new.claim(neon, id_, caller.user, org_id)
                return {"id": id_, "neon_project_id": claimed.project_id, "org_id": org_id}
        raise Refused('send {"id": ...} or {"code": ...}')

    return await _created(request, _Claim, claim, status=200)


def _claim_by_code(
    neon: LocalNeon, caller: Caller, code: str, org_id: str | None
) -> dict[str, Any]:
    """Claim an agent's project for an organization; None: only go on to the console."""
    continued = agent_claims.proceed(neon, code, f"key of {caller.user.id}", caller.user)
    ids = continued.project_id, continued.request_id
    if org_id is not None:
        transfer_requests.accept(neon, caller, *ids, org_id)
    return {"neon_project_id": ids[0], "org_id": org_id, "transfer_request_id": ids[1]}


def _person(request: Request, neon: LocalNeon) -> Caller:
    """The user whose personal key the request has.

    Raises:
        Unauthorized: the key is unknown.
        Forbidden: the key is an organization's.
    """
    caller = neon.identity.caller(default_user.bearer(request))
    if caller.method != "api_key_user":
        raise Forbidden("that takes a personal key")
    return caller


async def _created(
    request: Request,
    kind: type[Wanted],
    create: Callable[[Wanted], dict[str, Any]],
    *,
    status: int = 201,
) -> JSONResponse:
    try:
        wanted = msgspec.json.decode(await content(request, _LARGEST_BODY), type=kind)
        return JSONResponse(await asyncio.to_thread(create, wanted), status)
    except (Unusable, msgspec.DecodeError) as error:
        return JSONResponse({"message": str(error) or "the body is too large"}, 400)
    except Refused as refused:
        return JSONResponse({"message": refused.message}, refused.status)
