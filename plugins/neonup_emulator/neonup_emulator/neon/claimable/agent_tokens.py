"""The two tokens of an agent: the identity assertion, which it keeps, and access tokens.

Both are JSON Web Tokens of this Neon's key, which signs other tokens, too: what they are for is a
claim of its own, `token_use`, and none is believed without its registration.
"""

from __future__ import annotations

import hashlib
import hmac
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from neonup_emulator.neon.claimable import capabilities, claim_codes
from neonup_emulator.neon.claimable.agent_errors import AgentRefused
from neonup_emulator.neon.claimable.model import AgentRegistration, RegistrationState, RevokedToken
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.model import Project
from neonup_emulator.neon.state.store import setting

ACCESS = timedelta(seconds=900)
"""How long an access token lives; there are no refresh tokens."""
_ASSERTION, _ACCESS = "agent_assertion", "agent_access"


@dataclass(frozen=True)
class Access:
    """An access token.

    Args:
        seconds: how long it lives.
        scopes: what it may do; none once a person went on to the console to claim the project.
    """

    token: str
    seconds: int
    scopes: list[str]


@dataclass(frozen=True)
class Bearer:
    """Whose access token it is, and what it may do."""

    registration: AgentRegistration
    scopes: frozenset[str]

    def require(self, scope: str) -> None:
        """Raise an error unless the token has a scope.

        Raises:
            AgentRefused: `scope_insufficient`.
        """
        if scope not in self.scopes:
            raise AgentRefused(
                "scope_insufficient", f"this takes the scope {scope}", required_scope=scope
            )


def new_assertion(neon: LocalNeon, registration_id: str, expires_at: datetime, origin: str) -> str:
    """An identity assertion.

    Args:
        origin: of this server, as the agent reached it, e.g. ``http://localhost:5540``.
    """
    claims = {"token_use": _ASSERTION, "sub": registration_id}
    return _signed(neon, origin, expires_at, claims)


def exchange(neon: LocalNeon, assertion: str, origin: str) -> Access:
    """An access token for an assertion.

    The assertion's audience is not looked at: its key is this Neon's alone, and the port may have
    changed since. A refusal would make clients throw away a secret that is good.

    Raises:
        AgentRefused: `invalid_grant`, `project_expired` or `project_claimed`.
    """
    _, registration = _known(neon, assertion, _ASSERTION)
    if registration is None or not hmac.compare_digest(registration.digest, digest(assertion)):
        raise AgentRefused("invalid_grant", "this is no identity assertion of this server")
    _require_alive(neon, registration)
    if registration.revoked_at is not None:
        raise AgentRefused("invalid_grant", "the identity assertion was revoked")
    if registration.state is RegistrationState.RECONCILED:
        raise AgentRefused("project_claimed", "the project was claimed: its owner has access now")
    revoked = registration.state is RegistrationState.ACCEPTED
    scopes = [] if revoked else capabilities.scopes(registration.granted)
    now = neon.clock.now()
    until = now + ACCESS if revoked else min(now + ACCESS, registration.expires_at)
    claims = {
        "token_use": _ACCESS,
        "sub": registration.id,
        "scope": " ".join(scopes),
        "project_id": registration.project_id,
        "windows": registration.windows,
    }
    token = _signed(neon, origin, until, claims)
    return Access(token, max(1, int((until - now).total_seconds())), scopes)


def bearer(neon: LocalNeon, token: str, origin: str) -> Bearer:
    """The registration and scopes of an access token; its project may be claimed or gone by now.

    Raises:
        AgentRefused: `unauthorized` or `token_expired`.
    """
    claims, registration = _known(neon, token, _ACCESS)
    if registration is None or claims.get("project_id") != registration.project_id:
        raise AgentRefused("unauthorized", "this is no access token of this server")
    if claims.get("aud") != audience(origin):
        raise AgentRefused("unauthorized", "the access token is for another server")
    if datetime.fromtimestamp(claims["exp"], UTC) <= neon.clock.now():
        raise AgentRefused("token_expired", "the access token has expired: exchange a new one")
    if registration.revoked_at or neon.store.get(RevokedToken, digest(token)) is not None:
        raise AgentRefused("unauthorized", "the access token was revoked")
    if claims.get("windows") != registration.windows:
        raise AgentRefused(
            "unauthorized", "the access token was revoked by a claim: exchange a new one"
        )
    return Bearer(registration, frozenset(str(claims.get("scope", "")).split()))


def require_unclaimed(neon: LocalNeon, registration: AgentRegistration) -> Project:
    """The project of a registration that nobody has claimed, and nobody is claiming.

    Raises:
        AgentRefused: it has expired or was deleted, or it is being claimed or was.
    """
    project = _require_alive(neon, registration)
    if registration.is_being_claimed(neon.clock.now()):
        raise AgentRefused(
            "claim_in_progress", "the project is being claimed: only the claim's state can be read"
        )
    if registration.state is RegistrationState.RECONCILED or project is None:
        raise AgentRefused("project_claimed", "the project was claimed: its owner has access now")
    return project


def revoke(neon: LocalNeon, token: str) -> None:
    """Revoke a token; one that is not known is left alone.

    With an assertion all of its access tokens die, and the code that nobody has used; the project
    lives on until it expires.
    """
    claims, registration = _known(neon, token, None)
    if registration is None:
        return
    if claims["token_use"] == _ACCESS:
        until = datetime.fromtimestamp(claims["exp"], UTC)
        with neon.store.transaction():
            if neon.store.get(RevokedToken, digest(token)) is None:
                neon.store.insert(RevokedToken(id=digest(token), expires_at=until))
    elif hmac.compare_digest(registration.digest, digest(token)):
        with neon.store.transaction():
            if neon.store.get(AgentRegistration, registration.id) is None:
                return
            revoked = setting(revoked_at=neon.clock.now())
            current = neon.store.update(AgentRegistration, registration.id, revoked)
            claim_codes.cancel(neon, current)


def digest(token: str) -> str:
    """The hash of a token, for the store. Tokens are long and random: a fast hash is safe."""
    return hashlib.sha256(token.encode()).hexdigest()


def audience(origin: str) -> str:
    """How this server is called as a resource (RFC 8707)."""
    return f"{origin}/"


def _require_alive(neon: LocalNeon, registration: AgentRegistration) -> Project | None:
    """The project of a registration; None where its new owner has claimed and deleted it."""
    if registration.has_expired(neon.clock.now()):
        raise AgentRefused("project_expired", "the project has expired, and its data is gone")
    project = neon.store.get(Project, registration.project_id)
    if project is not None and project.deleted_at is None:
        return project
    if registration.state is RegistrationState.RECONCILED:
        return None
    raise AgentRefused("invalid_grant", "the project was deleted")


def _signed(neon: LocalNeon, origin: str, until: datetime, claims: dict[str, Any]) -> str:
    every = {
        "iss": f"{origin}/claimable",
        "aud": audience(origin),
        "jti": str(uuid.uuid4()),
        "iat": int(neon.clock.now().timestamp()),
        "exp": int(until.timestamp()),
    }
    return neon.signer.sign(every | claims)


def _known(
    neon: LocalNeon, token: str, use: str | None
) -> tuple[dict[str, Any], AgentRegistration | None]:
    """The claims and registration of a token that this Neon signed; None for any other token."""
    claims = neon.signer.claims(token) or {}
    uses = (_ASSERTION, _ACCESS) if use is None else (use,)
    if claims.get("token_use") not in uses:
        return {}, None
    return claims, neon.store.get(AgentRegistration, str(claims.get("sub")))
