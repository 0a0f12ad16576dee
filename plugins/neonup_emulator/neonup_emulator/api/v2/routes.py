"""The API's routes below ``/api/v2``."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator
from functools import partial

import msgspec
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from neonup import NeonupError
from neonup_emulator.api import refusal
from neonup_emulator.api.body import Unusable, content
from neonup_emulator.api.v2 import (  # noqa: F401 - they register
    account,
    branches,
    consumption,
    contents,
    history,
    levels,
    members,
    organizations,
    projects,
    scopes,
    services,
    transfers,
)
from neonup_emulator.api.v2.not_here import NOT_HERE
from neonup_emulator.api.v2.operations import OPERATIONS, Answer, ApiOperation, RequestContext
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.errors import (
    Failed,
    NoSuchMethod,
    NotFound,
    NotHere,
    Refused,
    Unauthorized,
)

log = logging.getLogger(__name__)

_LARGEST_BODY = 1024 * 1024
_CREATED = 201
_NO_CONTENT = 204
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def routes() -> list[Route]:
    """The routes of all operations, one for each path."""
    by_path: defaultdict[str, dict[str, ApiOperation]] = defaultdict(dict)
    for operation in [*_absent(), *OPERATIONS]:
        by_path[operation.path][operation.method] = operation
    # A fixed word in an address wins over a parameter in its place.
    paths = sorted(by_path, key=lambda path: [part.startswith("{") for part in path.split("/")])
    return [
        *(_route(path, by_path[path]) for path in paths),
        Route("/{rest:path}", _unknown, methods=_METHODS),
    ]


def _route(path: str, operations: dict[str, ApiOperation]) -> Route:
    async def handle(request: Request) -> Response:
        operation = operations.get(request.method)
        if operation is None:
            return _refusal(request, NoSuchMethod(f"{request.method} is not allowed here"))
        return await _carry_out(request, operation)

    return Route(path, handle, methods=_METHODS)


async def _carry_out(request: Request, operation: ApiOperation) -> Response:
    try:
        body = await content(request, _LARGEST_BODY)
        answer = await to_thread.run_sync(_call, request, operation, body)
    except Unusable:
        return _refusal(request, Refused("invalid request body"))
    except Refused as refused:
        return _refusal(request, refused)
    except NeonupError as error:
        log.error("%s: %s", operation.id, error)
        return _refusal(request, Failed(error.message))
    if operation.status == _CREATED:
        request.app.state.used.set()  # another data directory is prepared for the next one
    return _json(answer, operation.status)


def _call(request: Request, operation: ApiOperation, body: bytes) -> Answer:
    neon: LocalNeon = request.app.state.neon
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret:
        raise Unauthorized("authorization required: send Authorization: Bearer <key>")
    caller = neon.identity.caller(secret.strip())
    query = request.query_params
    scopes.check(caller, operation.id)
    call = RequestContext(neon, caller, request.path_params, dict(query), body, query.multi_items())
    if operation.id not in NOT_HERE:
        levels.check(call, operation)
    return operation.handler(call)


def _absent() -> Iterator[ApiOperation]:
    """Routes of the operations that the local Neon does not implement; they answer 501."""

    def say(call: RequestContext, *, id: str) -> Answer:  # noqa: A002
        raise NotHere(f"{id} is not part of this local Neon")

    for id, address in NOT_HERE.items():  # noqa: A001
        method, _, path = address.partition(" ")
        yield ApiOperation(id, method, path, NotHere.status, partial(say, id=id))


async def _unknown(request: Request) -> Response:
    return _refusal(request, NotFound("this path does not exist in the API"))


def _refusal(request: Request, refused: Refused) -> Response:
    shown = refusal.content(request.scope, refused.message, refused.code)
    return _json({**shown, **refused.details}, refused.status)


def _json(answer: Answer, status: int) -> Response:
    headers = {"cache-control": "no-store"}
    if answer is None:
        return Response(status_code=_NO_CONTENT, headers=headers)
    return Response(msgspec.json.encode(answer), status, headers, media_type="application/json")
