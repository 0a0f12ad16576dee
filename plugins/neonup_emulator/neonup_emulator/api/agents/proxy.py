"""The operations of Neon API v2 that an agent may use for its own project, and no others.

At Neon, too, a service in front lets a list of operations through. What is on it there, and that
an agent creates no branches and changes no quotas, is in the service's published source
(neondatabase/claimable-neon); databases and roles are here as well, which the agent can create in
SQL anyway.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType
from starlette.requests import Request

from neonup_emulator.api.agents.projects import bearer
from neonup_emulator.api.v2 import routes as _registers  # noqa: F401
from neonup_emulator.api.v2.operations import OPERATIONS, ApiOperation, RequestContext
from neonup_emulator.neon.claimable import agent_tokens, holding
from neonup_emulator.neon.claimable.agent_errors import AgentRefused
from neonup_emulator.neon.claimable.capabilities import READ, WRITE
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.errors import NotFound
from neonup_emulator.neon.requests.fields import Name, PgName, Timeout, Units


class _BranchName(Struct, forbid_unknown_fields=True, omit_defaults=True):
    name: Name | UnsetType = UNSET


class _RenameBranch(Struct, forbid_unknown_fields=True):
    branch: _BranchName


class _Scaling(Struct, forbid_unknown_fields=True, omit_defaults=True):
    autoscaling_limit_min_cu: Units | UnsetType = UNSET
    autoscaling_limit_max_cu: Units | UnsetType = UNSET
    suspend_timeout_seconds: Timeout | UnsetType = UNSET


class _ScaleEndpoint(Struct, forbid_unknown_fields=True):
    endpoint: _Scaling


class _Database(Struct, forbid_unknown_fields=True):
    name: PgName
    owner_name: PgName


class _CreateDatabase(Struct, forbid_unknown_fields=True):
    database: _Database


class _Role(Struct, forbid_unknown_fields=True):
    name: PgName
    no_login: bool = False


class _CreateRole(Struct, forbid_unknown_fields=True):
    role: _Role


@dataclass(frozen=True)
class _Rule:
    """What an operation takes.

    Args:
        scope: the token's.
        body: what the body may hold; None: nothing. Unlike Neon API v2's own, it may not hold
            anything else, so that no field slips through.
    """

    scope: str
    body: type[Any] | None = None


_ALLOWED = {
    "getProject": _Rule(READ),
    "listProjectOperations": _Rule(READ),
    "getProjectOperation": _Rule(READ),
    "getConnectionURI": _Rule(READ),
    "listProjectBranches": _Rule(READ),
    "countProjectBranches": _Rule(READ),
    "getProjectBranch": _Rule(READ),
    "updateProjectBranch": _Rule(WRITE, _RenameBranch),
    "listProjectBranchEndpoints": _Rule(READ),
    "listProjectEndpoints": _Rule(READ),
    "getProjectEndpoint": _Rule(READ),
    "updateProjectEndpoint": _Rule(WRITE, _ScaleEndpoint),
    "listProjectBranchDatabases": _Rule(READ),
    "getProjectBranchDatabase": _Rule(READ),
    "createProjectBranchDatabase": _Rule(WRITE, _CreateDatabase),
    "deleteProjectBranchDatabase": _Rule(WRITE),
    "listProjectBranchRoles": _Rule(READ),
    "getProjectBranchRole": _Rule(READ),
    "getProjectBranchRolePassword": _Rule(READ),
    "createProjectBranchRole": _Rule(WRITE, _CreateRole),
    "deleteProjectBranchRole": _Rule(WRITE),
    "getProjectBranchSchema": _Rule(READ),
}
_ABSENT = {"auth": "Neon Auth", "data-api": "Data API"}
"""Services of a branch that the local Neon has not: who asks hears that they are off."""
_AFTER_CLAIM = {
    "ai-gateway",
    "ai_gateway",
    "buckets",
    "credentials",
    "functions",
    "storage",
    "triggers",
}


def operations() -> list[ApiOperation]:
    """The operations that an agent may use."""
    return [operation for operation in OPERATIONS if operation.id in _ALLOWED]


def carry_out(operation: ApiOperation, request: Request, neon: LocalNeon, body: bytes) -> Any:
    """Carry out an operation, as Neon API v2 does it, limited to the agent's project.

    Raises:
        Refused: the agent may not, or the operation refuses.
    """
    rule = _ALLOWED[operation.id]
    holder = bearer(request, neon)
    registration = holder.registration
    agent_tokens.require_unclaimed(neon, registration)
    holder.require(rule.scope)
    caller = holding.caller(neon.store, registration.id, project_id=registration.project_id)
    content = _checked(body, rule)
    call = RequestContext(neon, caller, request.path_params, dict(request.query_params), content)
    answer = operation.handler(call)
    bearer(request, neon)  # a password that a claim has renewed meanwhile is not told
    if operation.id == "getProject":
        answer["project"] = _without_owner(answer["project"])
    return answer


def refuse(request: Request, neon: LocalNeon, body: bytes) -> Any:
    """Refuse an operation of the project that agents may not use.

    Raises:
        AgentRefused: always.
    """
    holder = bearer(request, neon)
    agent_tokens.require_unclaimed(neon, holder.registration)
    holder.require(READ)
    parts = request.path_params.get("rest", "").split("/")
    service = parts[2] if len(parts) > 2 and parts[0] == "branches" else ""
    absent = _ABSENT.get(service)
    if absent and request.method == "GET":
        raise NotFound(f"the branch has no {absent}")
    if absent:
        message = f"this local Neon has no {absent}, so no token of it has the scope for that"
        raise AgentRefused("scope_insufficient", message)
    if service in _AFTER_CLAIM:
        raise AgentRefused("capability_requires_claim", f"{service}: claim the project first")
    raise AgentRefused("route_not_allowed", "this cannot be done before the project is claimed")


def _checked(body: bytes, rule: _Rule) -> bytes:
    if rule.body is None:
        if body.strip():
            raise AgentRefused("invalid_request", "this takes no body")
        return b""
    try:
        return msgspec.json.encode(msgspec.json.decode(body, type=rule.body))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise AgentRefused("invalid_request", f"invalid request body: {error}") from None


def _without_owner(project: dict[str, Any]) -> dict[str, Any]:
    """A project, without whom it belongs to: that is nobody's business."""
    hidden = ("owner", "owner_id", "org_id")
    return {name: value for name, value in project.items() if name not in hidden}
