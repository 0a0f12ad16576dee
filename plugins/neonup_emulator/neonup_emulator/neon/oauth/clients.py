"""The applications that may ask users for access, and where they may send them back to."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from datetime import UTC, datetime
from urllib.parse import urlsplit

from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.errors import NotFound, Unprocessable
from neonup_emulator.neon.oauth import tokens as oauth_tokens
from neonup_emulator.neon.oauth.model import OAuthClient
from neonup_emulator.neon.oauth.scopes import SCOPES

OFFICIAL = OAuthClient(
    id="neonctl",
    name="Neon CLI",
    redirect_uris=["http://127.0.0.1/callback"],
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
)
"""The official command line, which every Neon knows."""

_LOOPBACK = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]))(?::([0-9]{1,5}))?(/[^#]*)?")
_LAST_PORT = 65535
_LONGEST = 2000
_LONGEST_NAME = 100


def find(neon: LocalNeon, client_id: str) -> OAuthClient | None:
    """The client of that id."""
    return OFFICIAL if client_id == OFFICIAL.id else neon.store.get(OAuthClient, client_id)


def registered(neon: LocalNeon) -> list[OAuthClient]:
    """All clients but the official one, oldest first."""
    return neon.store.all(OAuthClient)


def register(
    neon: LocalNeon,
    name: str,
    redirect_uris: list[str],
    *,
    public: bool = False,
    scopes: list[str] | None = None,
) -> tuple[OAuthClient, str | None]:
    """A new client, and its secret, which is shown once and not kept.

    Args:
        public: it can keep no secret, and has none.
        scopes: those that it may ask for; None: any.

    Raises:
        Unprocessable: users cannot be sent to such an address, or there is no such scope.
    """
    if not name.strip() or len(name) > _LONGEST_NAME:
        raise Unprocessable("an application needs a name of at most 100 characters")
    if not redirect_uris:
        raise Unprocessable("an application needs a redirect URI")
    for uri in redirect_uris:
        _check(uri)
    if unknown := sorted(set(scopes or ()) - set(SCOPES)):
        raise Unprocessable(f"there is no such scope: {', '.join(unknown)}")
    secret = None if public else f"ncs_{secrets.token_urlsafe(32)}"
    client = OAuthClient(
        id=secrets.token_hex(12),
        name=name.strip(),
        redirect_uris=redirect_uris,
        created_at=neon.clock.now(),
        digest=_digest(secret) if secret else None,
        scopes=scopes,
    )
    neon.store.insert(client)
    return client, secret


def remove(neon: LocalNeon, client_id: str) -> OAuthClient:
    """Delete a client; what users allowed it ends at once.

    Raises:
        NotFound: there is no client with that id.
    """
    with neon.store.transaction():
        client = neon.store.get(OAuthClient, client_id)
        if client is None:
            raise NotFound("there is no such application")
        oauth_tokens.revoke_all(neon, client.id)
        neon.store.delete(client)
    return client


def has_secret(client: OAuthClient, secret: str) -> bool:
    """Whether that is the client's secret; a public one has none."""
    return client.digest is not None and hmac.compare_digest(client.digest, _digest(secret))


def allows(client: OAuthClient, redirect_uri: str) -> bool:
    """Whether users may be sent to that address.

    An address has to be one of the registered ones to the letter; at a loopback address of a public
    client the port alone is free, since a command line takes whichever there is (RFC 8252, 7.3).
    """
    if redirect_uri in client.redirect_uris:
        return True
    wanted = _without_port(redirect_uri)
    if client.digest is not None or wanted is None:
        return False
    return any(_without_port(known) == wanted for known in client.redirect_uris)


def _without_port(uri: str) -> str | None:
    """A loopback address without its port; None for any other address."""
    match = _LOOPBACK.fullmatch(uri)
    if match is None or int(match[2] or 1) not in range(1, _LAST_PORT + 1):
        return None
    return f"{match[1]}{match[3] or ''}"


def _check(uri: str) -> None:
    try:
        parts = urlsplit(uri)
        good = bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        good = False
    plain = uri.isascii() and uri.isprintable() and not set(uri) & set(" \\\"'<>;*#,@")
    if not (good and plain and parts.scheme in ("http", "https") and len(uri) <= _LONGEST):
        raise Unprocessable(
            "a redirect URI is a whole http or https address without user, fragment and wildcard"
        )


def _digest(secret: str) -> str:
    # Secrets are random and long: what makes a password's hash slow would add nothing.
    return hashlib.sha256(secret.encode()).hexdigest()
