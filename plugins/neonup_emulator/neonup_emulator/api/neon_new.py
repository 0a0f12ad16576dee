"""neon.new's API (https://neon.com/docs/reference/claimable-postgres#api) over projects."""

from __future__ import annotations

import logging
import uuid
from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from neonup import NeonupError
from neonup_emulator.api.body import Unusable, json_object
from neonup_emulator.api.v2 import serializers
from neonup_emulator.api.web.page import address
from neonup_emulator.neon.claimable import neon_new
from neonup_emulator.neon.claimable.model import ClaimableDatabase, ClaimableState
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.errors import NotFound, Refused

log = logging.getLogger(__name__)

_LARGEST_BODY = 64 * 1024
_NO_STORE = {"cache-control": "no-store"}
_MISSING_REFERRER = {
    "message": "Missing referrer",
    "hint": 'Identify the caller: {"ref": "your-app-name"} in the body.',
}
_NOT_FOUND = {"message": "Database not found"}
_STATUSES = {ClaimableState.CLAIMING: "CLAIMING", ClaimableState.CLAIMED: "CLAIMED"}
_FAILED = {"message": "Failed to create the database."}


def routes() -> list[Route]:
    """The API's routes, below ``/api/v1``."""
    return [
        Route("/database", _create, methods=["POST"]),
        Route("/database/{id}", _create_as, methods=["POST"]),
        Route("/database/{id}", _get, methods=["GET"]),
    ]


async def _create(request: Request) -> JSONResponse:
    try:
        body = await json_object(request, _LARGEST_BODY)
        referrer = body.get("ref")
        if referrer is not None and not isinstance(referrer, str):
            raise Unusable
        if not referrer or not referrer.strip():
            return _answer(_MISSING_REFERRER, 400)
        return await _made(request, body, None)
    except Unusable:
        return _answer(_FAILED, 500)


async def _create_as(request: Request) -> JSONResponse:
    """The older form, which neon-new 0.14 uses: the client chooses the id."""
    try:
        name = str(uuid.UUID(request.path_params["id"]))
    except ValueError:
        return _answer(_NOT_FOUND, 400)
    if not request.query_params.get("referrer", "").strip():
        return _answer(_MISSING_REFERRER, 400)
    try:
        return await _made(request, await json_object(request, _LARGEST_BODY), name)
    except Unusable:
        return _answer(_FAILED, 500)


async def _made(request: Request, body: dict[str, Any], name: str | None) -> JSONResponse:
    replication = body.get("enable_logical_replication", False)
    if not isinstance(replication, bool):
        raise Unusable

    def create() -> dict[str, Any]:
        neon: LocalNeon = request.app.state.neon
        made = neon_new.create(neon, name=name, logical_replication=replication)
        return _shown(neon, made, request)

    try:
        shown = await to_thread.run_sync(create)
    except NotFound:
        return _answer(_NOT_FOUND, 400)
    except (NeonupError, Refused) as error:
        log.error("A database could not be created: %s", error)
        return _answer(_FAILED | {"hint": error.message}, 500)
    request.app.state.used.set()
    return _answer(shown)


async def _get(request: Request) -> JSONResponse:
    def get() -> dict[str, Any] | None:
        neon: LocalNeon = request.app.state.neon
        database = neon_new.find(neon, request.path_params["id"])
        return None if database is None else _shown(neon, database, request)

    shown = await to_thread.run_sync(get)
    return _answer(_NOT_FOUND, 400) if shown is None else _answer(shown)


def _shown(neon: LocalNeon, database: ClaimableDatabase, request: Request) -> dict[str, Any]:
    reached = neon_new.reach(neon, database)
    url = None
    if reached is not None:  # the pooled URL is the direct one
        url = serializers.uri(reached.project, reached.endpoint, reached.role, neon_new.DATABASE)
    return {
        "id": database.id,
        "status": _STATUSES.get(database.state, "UNCLAIMED"),
        "neon_project_id": database.project_id,
        "connection_string": url,
        "claim_url": address(request, f"/claim/{database.id}"),
        "expires_at": serializers.moment(database.expires_at),
        "created_at": serializers.moment(database.created_at),
        "updated_at": serializers.moment(database.updated_at),
    }


def _answer(content: dict[str, Any], status: int = 200) -> JSONResponse:
    return JSONResponse(content, status, _NO_STORE)
