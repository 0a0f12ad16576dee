"""An agent's project: its connection string, its claim, and its deletion."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request

from neonup_emulator.api.agents.envelope import bearer_of
from neonup_emulator.api.v2 import serializers
from neonup_emulator.api.web.page import address
from neonup_emulator.neon.claimable import (
    agent_claims,
    agent_tokens,
    agents,
    capabilities,
    claim_codes,
)
from neonup_emulator.neon.claimable.agent_claims import AgentClaimState
from neonup_emulator.neon.claimable.agent_errors import AgentRefused
from neonup_emulator.neon.claimable.agent_tokens import Bearer
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.errors import NotFound
from neonup_emulator.neon.model import Branch, BranchDatabase, Endpoint, Role


def bearer(request: Request, neon: LocalNeon) -> Bearer:
    """The agent whose access token the request has, for the project in its address.

    Raises:
        AgentRefused: the request has no valid access token, or one of another project.
    """
    agent = bearer_of(request, neon)
    if agent.registration.project_id != request.path_params["project_id"]:
        raise AgentRefused("route_not_allowed", "an access token is for its own project alone")
    return agent


def credentials(request: Request, neon: LocalNeon, body: bytes) -> Any:
    """How to reach the database."""
    holder = bearer(request, neon)
    registration = holder.registration
    project = agent_tokens.require_unclaimed(neon, registration)
    holder.require(capabilities.READ)
    branch = neon.store.get(Branch, registration.branch_id)
    endpoints = neon.store.all(Endpoint, branch_id=registration.branch_id)
    if branch is None or not endpoints:
        raise NotFound("the branch has no endpoint")
    roles = neon.store.all(Role, branch_id=branch.id)
    databases = neon.store.all(BranchDatabase, branch_id=branch.id)
    role = next((role for role in roles if role.name == registration.role), None)
    if role is None or registration.database not in {database.name for database in databases}:
        raise NotFound("the role or the database is gone: see roles and databases")
    bearer(request, neon)  # a password that a claim has renewed meanwhile is not told
    return {
        "project_id": project.id,
        "branch_id": branch.id,
        "database_url": serializers.uri(project, endpoints[0], role, registration.database),
        "expires_at": serializers.moment(registration.expires_at),
        "services": {},  # the local Neon has none beside Postgres
    }


def begin_claim(request: Request, neon: LocalNeon, body: bytes) -> Any:
    """A code for the person who claims the project."""
    registration = bearer(request, neon).registration
    issued = agent_claims.begin(neon, registration)
    page = address(request, "/claim")
    lifetime = issued.row.expires_at - issued.row.created_at
    return {
        "user_code": issued.text,
        "verification_uri": page,
        "verification_uri_complete": f"{page}?{urlencode({'code': issued.text})}",
        "expires_in": max(1, int(lifetime.total_seconds())),
        "interval": claim_codes.INTERVAL_SECONDS,
    }


def claim_status(request: Request, neon: LocalNeon, body: bytes) -> Any:
    """How far the claim is; any token of the project's may ask, also after its end."""
    claim = agent_claims.status(neon, bearer(request, neon).registration)
    return {
        "state": claim.state,
        "expires_at": serializers.moment(claim.expires_at),
        "reconciled": claim.state is AgentClaimState.RECONCILED,
    }


def delete(request: Request, neon: LocalNeon, body: bytes) -> Any:
    """Delete the project, which nobody has claimed."""
    holder = bearer(request, neon)
    agent_tokens.require_unclaimed(neon, holder.registration)
    holder.require(capabilities.WRITE)
    agents.delete(neon, holder.registration)
