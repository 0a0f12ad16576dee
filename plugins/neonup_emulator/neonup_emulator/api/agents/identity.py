"""Registration and tokens of agents."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct
from starlette.requests import Request

from neonup_emulator.api.agents.discovery import JWT_BEARER
from neonup_emulator.api.agents.envelope import form, origin
from neonup_emulator.api.v2.serializers import moment
from neonup_emulator.neon.claimable import agent_tokens, agents, capabilities
from neonup_emulator.neon.claimable.agent_errors import AgentRefused
from neonup_emulator.neon.claimable.capabilities import Decision
from neonup_emulator.neon.context import LocalNeon

_Capability = Annotated[str, Meta(min_length=1, max_length=100)]


class _Identity(Struct, forbid_unknown_fields=True):
    """Body of a registration.

    Args:
        data_api: settings of the Data API, which the local Neon has not.
    """

    type: Literal["anonymous"]
    capabilities: Annotated[list[_Capability], Meta(max_length=20)] = []
    source: Annotated[str, Meta(min_length=1, max_length=100)] = "raw_api"
    data_api: dict[str, Any] | None = None


def register(request: Request, neon: LocalNeon, body: bytes) -> Any:
    """Register an agent: it gets a project, and the secret with which it asks for tokens."""
    try:
        wanted = msgspec.json.decode(body, type=_Identity)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise AgentRefused("invalid_request", f"invalid request body: {error}") from None
    registered = agents.register(neon, wanted.capabilities, wanted.source, origin(request))
    request.app.state.used.set()  # another data directory is prepared for the next one
    registration = registered.registration
    return {
        "registration_id": registration.id,
        "identity_assertion": registered.assertion,
        "assertion_expires": int(registration.expires_at.timestamp()),
        "scopes": capabilities.scopes(registration.granted),
        "project": {
            "id": registration.project_id,
            "branch_id": registration.branch_id,
            "expires_at": moment(registration.expires_at),
        },
        "capabilities": [_decision(decision) for decision in registered.decisions],
    }


def token(request: Request, neon: LocalNeon, body: bytes) -> Any:
    """An access token for an identity assertion (RFC 7523)."""
    fields = form(body)
    if fields.get("grant_type") != JWT_BEARER:
        raise AgentRefused("invalid_request", f"the grant_type here is {JWT_BEARER}")
    if not fields.get("assertion"):
        raise AgentRefused("invalid_request", "the field assertion is missing")
    here = origin(request)
    resource = fields.get("resource")
    if resource is not None and _same_name(resource) != agent_tokens.audience(here):
        # Not invalid_grant: the assertion is good, and must not be thrown away.
        raise AgentRefused("invalid_target", f"the resource here is {agent_tokens.audience(here)}")
    token = agent_tokens.exchange(neon, fields["assertion"], here)
    return {
        "access_token": token.token,
        "token_type": "Bearer",
        "expires_in": token.seconds,
        "scope": " ".join(token.scopes),
    }


def revoke(request: Request, neon: LocalNeon, body: bytes) -> Any:
    """Revoke either token (RFC 7009); one that is not known is no error."""
    fields = form(body)
    if not fields.get("token"):
        raise AgentRefused("invalid_request", "the field token is missing")
    agent_tokens.revoke(neon, fields["token"])


def _decision(decision: Decision) -> dict[str, Any]:
    shown: dict[str, Any] = {"capability": decision.capability, "granted": decision.granted}
    if decision.granted:
        return shown | {"scopes": capabilities.scopes([decision.capability])}
    return shown | {"reason": decision.reason, "message": decision.message}


def _same_name(resource: str) -> str:
    return resource.replace("//127.0.0.1", "//localhost", 1).rstrip("/") + "/"
