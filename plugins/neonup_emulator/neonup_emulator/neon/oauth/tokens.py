"""What users allowed applications: grants, and their codes, access tokens and refresh tokens.

Of codes and tokens only the digests are kept. A grant is revoked by deleting it, whereupon every
code and token of it is worth nothing.
"""

from __future__ import annotations

import hashlib
import secrets
import uuid
from datetime import datetime, timedelta

from msgspec.structs import replace

from neonup_emulator.neon.accounts.identity import Caller
from neonup_emulator.neon.accounts.model import User
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.oauth.model import OAuthCode, OAuthGrant, OAuthToken
from neonup_emulator.neon.state.store import setting

ACCESS = timedelta(hours=1)
REFRESH = timedelta(days=30)
CODE = timedelta(seconds=60)

_ACCESS_PREFIX = "noa_"
_REFRESH_PREFIX = "nor_"


def new_code() -> str:
    """An authorization code."""
    return secrets.token_urlsafe(32)


def new_access_token() -> str:
    """An access token."""
    return _ACCESS_PREFIX + secrets.token_urlsafe(32)


def new_refresh_token() -> str:
    """A refresh token."""
    return _REFRESH_PREFIX + secrets.token_urlsafe(32)


def grant(
    neon: LocalNeon,
    user: User,
    code: str,
    *,
    client_id: str,
    redirect_uri: str,
    redirect_uri_sent: bool,
    scope: str,
    nonce: str | None,
    challenge: str | None,
) -> OAuthGrant:
    """A user allows an application what it asked for; it can exchange the code within a minute.

    Args:
        redirect_uri_sent: whether the application named the address, and so has to repeat it.
        challenge: PKCE's, by S256.
    """
    now = neon.clock.now()
    given = OAuthGrant(
        id=str(uuid.uuid4()), client_id=client_id, user_id=user.id, scope=scope, granted_at=now
    )
    row = OAuthCode(
        id=_digest(code),
        grant_id=given.id,
        client_id=client_id,
        user_id=user.id,
        redirect_uri=redirect_uri,
        redirect_uri_sent=redirect_uri_sent,
        scope=scope,
        expires_at=now + CODE,
        nonce=nonce,
        challenge=challenge,
    )
    neon.store.insert(given, row)
    return given


def take_code(neon: LocalNeon, code: str, client_id: str) -> OAuthCode | None:
    """The code's row, once: whatever comes of it, it is used up.

    Used again, it has been in two hands: what came of it is revoked (RFC 6749, 4.1.2).
    """
    with neon.store.transaction():
        row = neon.store.get(OAuthCode, _digest(code))
        if row is None or row.client_id != client_id:
            return None
        if row.used:
            revoke(neon, row.grant_id)
            return None
        neon.store.update(OAuthCode, row.id, setting(used=True))
        alive = row.expires_at > neon.clock.now() and neon.store.get(OAuthGrant, row.grant_id)
        return row if alive else None


def take_refresh_token(neon: LocalNeon, token: str, client_id: str) -> OAuthToken | None:
    """A refresh token's row where it is of use; one that was exchanged already revokes its grant.

    Either the application or somebody else had a copy; nobody can tell which (RFC 9700, 4.14).
    """
    row = find(neon, token)
    if row is None or row.kind != "refresh" or row.client_id != client_id:
        return None
    if row.used:
        revoke(neon, row.grant_id)
        return None
    return row if row.expires_at > neon.clock.now() else None


def use_up(neon: LocalNeon, token: OAuthToken) -> None:
    """A refresh token was exchanged for the next.

    Raises:
        NotFound: it is gone.
    """
    neon.store.update(OAuthToken, token.id, setting(used=True))


def issue(
    neon: LocalNeon, given: OAuthGrant, *, access: str, scope: str, refresh: str | None = None
) -> None:
    """Write tokens down.

    Args:
        scope: of the access token; a refresh token has all of the grant's.
    """
    now = neon.clock.now()
    token = OAuthToken(
        id=_digest(access),
        kind="access",
        grant_id=given.id,
        client_id=given.client_id,
        user_id=given.user_id,
        scope=scope,
        expires_at=now + ACCESS,
    )
    tokens = [token]
    if refresh is not None:
        end = now + REFRESH
        tokens.append(
            replace(token, id=_digest(refresh), kind="refresh", scope=given.scope, expires_at=end)
        )
    neon.store.insert(*tokens)


def find(neon: LocalNeon, token: str) -> OAuthToken | None:
    """The row of a token whose grant was not revoked, used and expired ones among them."""
    row = neon.store.get(OAuthToken, _digest(token))
    if row is None or neon.store.get(OAuthGrant, row.grant_id) is None:
        return None
    return row


def caller(neon: LocalNeon, token: str) -> Caller | None:
    """The caller whose access token it is; None if the token is not valid."""
    if not token.startswith(_ACCESS_PREFIX):
        return None
    row = find(neon, token)
    if row is None or row.kind != "access" or row.expires_at <= neon.clock.now():
        return None
    user = neon.people.user(row.user_id)
    if user is None:
        return None
    scopes = frozenset(row.scope.split())
    return neon.identity.personal(user, "oauth", row.grant_id, scopes=scopes)


def forget(neon: LocalNeon, token: OAuthToken) -> None:
    """Revoke a token: an access token alone, a refresh token with all of its grant."""
    if token.kind == "refresh":
        revoke(neon, token.grant_id)
    else:
        neon.store.delete(token)


def revoke(neon: LocalNeon, grant_id: str) -> None:
    """End what a user allowed."""
    with neon.store.transaction():
        given = neon.store.get(OAuthGrant, grant_id)
        if given is not None:
            neon.store.delete(given)


def revoke_all(neon: LocalNeon, client_id: str) -> None:
    """End what all users allowed an application."""
    with neon.store.transaction():
        grants = neon.store.all(OAuthGrant)
        neon.store.delete(*(grant for grant in grants if grant.client_id == client_id))


def forget_expired(neon: LocalNeon) -> None:
    """Delete what can be of no use any more.

    A used code is known for as long as a token that was issued from it may be valid.
    """
    now = neon.clock.now()
    with neon.store.transaction():
        grants = {grant.id for grant in neon.store.all(OAuthGrant)}
        alive: set[str] = set()
        rows: list[tuple[OAuthCode | OAuthToken, datetime]] = [
            *((code, code.expires_at + ACCESS) for code in neon.store.all(OAuthCode)),
            *((token, token.expires_at) for token in neon.store.all(OAuthToken)),
        ]
        for row, over in rows:
            if over <= now or row.grant_id not in grants:
                neon.store.delete(row)
            else:
                alive.add(row.grant_id)
        neon.store.delete(*(grant for grant in neon.store.all(OAuthGrant) if grant.id not in alive))


def _digest(secret: str) -> str:
    # They are random and long: what makes a password's hash slow would add nothing. A row is found
    # by the digest, so how long that takes tells nothing of the token.
    return hashlib.sha256(secret.encode()).hexdigest()
