"""What the store keeps of OAuth."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from neonup_emulator.neon.state.row import Owner, Row


class OAuthClient(Row, frozen=True):
    """An application that asks users for access; its id is the `client_id`.

    Args:
        redirect_uris: where users may be sent back to.
        digest: of its secret; None: a public client, e.g. a command line.
        scopes: those that it may ask for; None: any.
    """

    OWNER: ClassVar[Owner] = None

    name: str
    redirect_uris: list[str]
    created_at: datetime
    digest: str | None = None
    scopes: list[str] | None = None


class OAuthGrant(Row, frozen=True):
    """What a user allowed an application; without it, its codes and tokens are worth nothing."""

    OWNER: ClassVar[Owner] = OAuthClient

    client_id: str
    user_id: str
    scope: str
    granted_at: datetime


class OAuthCode(Row, frozen=True):
    """An authorization code; its id is the code's digest.

    Args:
        challenge: PKCE's, by S256; None: the application sent none.
        used: whether it was exchanged, or tried to be.
    """

    OWNER: ClassVar[Owner] = OAuthGrant

    grant_id: str
    client_id: str
    user_id: str
    redirect_uri: str
    redirect_uri_sent: bool
    scope: str
    expires_at: datetime
    nonce: str | None = None
    challenge: str | None = None
    used: bool = False


class OAuthToken(Row, frozen=True):
    """An access or refresh token; its id is the token's digest.

    Args:
        used: of a refresh token: whether it was exchanged for the next one.
    """

    OWNER: ClassVar[Owner] = OAuthGrant

    kind: Literal["access", "refresh"]
    grant_id: str
    client_id: str
    user_id: str
    scope: str
    expires_at: datetime
    used: bool = False
