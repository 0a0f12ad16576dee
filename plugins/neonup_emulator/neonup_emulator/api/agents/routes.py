"""The API's routes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from neonup_emulator.api.agents import discovery, envelope, identity, projects, proxy
from neonup_emulator.api.agents.envelope import Work
from neonup_emulator.api.v2.operations import ApiOperation
from neonup_emulator.neon.claimable.agent_errors import AgentRefused

_PROJECT = "/projects/{project_id}"
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def routes() -> list[BaseRoute]:
    """Discovery at the root, and everything else below ``/v1``."""
    own = [
        _route("POST", "/agent/identity", identity.register, status=201),
        _route("POST", "/oauth2/token", identity.token),
        _route("POST", "/oauth2/revoke", identity.revoke),
        _route("GET", f"{_PROJECT}/credentials", projects.credentials),
        _route("POST", f"{_PROJECT}/claim", projects.begin_claim),
        _route("GET", f"{_PROJECT}/claim", projects.claim_status),
        _route("DELETE", _PROJECT, projects.delete, status=204),
    ]
    rest = [
        Route(_PROJECT, _refused, methods=_METHODS),
        Route(_PROJECT + "/{rest:path}", _refused, methods=_METHODS),
        Route("/{rest:path}", _unknown, methods=_METHODS),
    ]
    return [*discovery.routes(), Mount("/v1", routes=[*own, *_proxied(), *rest])]


def _proxied() -> Iterator[Route]:
    def key(operation: ApiOperation) -> list[bool]:
        """A fixed word in an address wins over a parameter in its place."""
        return [part.startswith("{") for part in operation.path.split("/")]

    for operation in sorted(proxy.operations(), key=key):
        work = partial(proxy.carry_out, operation)
        yield _route(operation.method, operation.path, work, status=operation.status)


def _route(method: str, path: str, work: Work, *, status: int = 200) -> Route:
    async def handle(request: Request) -> Response:
        return await envelope.carry_out(request, work, status=status)

    return Route(path, handle, methods=[method])


async def _refused(request: Request) -> Response:
    return await envelope.carry_out(request, proxy.refuse)


async def _unknown(request: Request) -> Response:
    return await envelope.refuse(request, AgentRefused("not_found", "there is no such address"))
