"""neon.new's API (https://neon.com/docs/reference/claimable-postgres#api) over local databases."""

from __future__ import annotations

import logging
import uuid
from datetime import datetime
from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from neonup import NeonupError
from neonup_local.api.body import Unusable, json_object
from neonup_local.service.claims import Claim, Claims

log = logging.getLogger(__name__)

_LARGEST_BODY = 64 * 1024
_NO_STORE = {"cache-control": "no-store"}
_MISSING_REFERRER = {
    "message": "Missing referrer",
    "hint": 'Identify the caller: {"ref": "your-app-name"} in the body.',
}
_NOT_FOUND = {"message": "Database not found"}
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
    if await to_thread.run_sync(_claims(request).has_expired, name):
        return _answer(_NOT_FOUND, 400)
    try:
        return await _made(request, await json_object(request, _LARGEST_BODY), name)
    except Unusable:
        return _answer(_FAILED, 500)


async def _made(request: Request, body: dict[str, Any], name: str | None) -> JSONResponse:
    replication = body.get("enable_logical_replication", False)
    if not isinstance(replication, bool):
        raise Unusable
    claims = _claims(request)
    try:
        made = await to_thread.run_sync(
            lambda: claims.create(name=name, logical_replication=replication)
        )
    except NeonupError as error:
        log.error("A database could not be created: %s", error)
        return _answer(_FAILED | {"hint": error.message}, 500)
    request.app.state.used.set()
    return _answer(_shown(made, request))


async def _get(request: Request) -> JSONResponse:
    found = await to_thread.run_sync(_claims(request).get, request.path_params["id"])
    return _answer(_NOT_FOUND, 400) if found is None else _answer(_shown(found, request))


def _claims(request: Request) -> Claims:
    claims: Claims = request.app.state.claims
    return claims


def _shown(claim: Claim, request: Request) -> dict[str, Any]:
    base = f"{request.url.scheme}://{request.url.netloc}"  # the guard knows the name
    return {
        "id": claim.id,
        "status": claim.status,
        "neon_project_id": claim.project_id,
        "connection_string": claim.connection_string,
        "claim_url": f"{base}/claim/{claim.id}",
        "expires_at": iso(claim.expires_at),
        "created_at": iso(claim.created_at),
        "updated_at": iso(claim.updated_at),
    }


def iso(moment: datetime) -> str:
    """A moment as the API writes it: UTC, milliseconds, ``Z``."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _answer(content: dict[str, Any], status: int = 200) -> JSONResponse:
    return JSONResponse(content, status, _NO_STORE)
