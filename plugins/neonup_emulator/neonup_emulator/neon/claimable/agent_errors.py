"""Why agents are refused: the codes of the agent identity API."""

from __future__ import annotations

from typing import Literal

from neonup_emulator.neon.errors import Refused

Code = Literal[
    "capability_requires_claim",
    "claim_in_progress",
    "internal_error",
    "invalid_grant",
    "invalid_request",
    "invalid_target",
    "not_found",
    "project_claimed",
    "project_expired",
    "route_not_allowed",
    "scope_insufficient",
    "token_expired",
    "unauthorized",
]

_STATUS: dict[Code, int] = {
    "capability_requires_claim": 403,
    "claim_in_progress": 409,
    "internal_error": 500,
    "invalid_grant": 400,
    "invalid_request": 400,
    "invalid_target": 400,
    "not_found": 404,
    "project_claimed": 409,
    "project_expired": 410,
    "route_not_allowed": 403,
    "scope_insufficient": 403,
    "token_expired": 401,
    "unauthorized": 401,
}


class AgentRefused(Refused):
    """An agent's request is not carried out.

    Only `invalid_grant`, `project_expired` and `project_claimed` tell a client that its identity
    assertion is worth nothing any more.

    Args:
        code: which the client goes by.
        message: for people.
        required_scope: the scope that the token lacks.
    """

    def __init__(self, code: Code, message: str, *, required_scope: str | None = None):
        super().__init__(message)
        self.code = code
        self.status = _STATUS[code]
        self.retryable = code == "token_expired"  # after a new exchange
        self.required_scope = required_scope
