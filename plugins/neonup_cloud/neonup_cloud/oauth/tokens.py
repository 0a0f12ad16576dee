"""Tokens, and what keeps them."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from neonup_cloud.oauth.errors import AGAIN, SignInError

LEEWAY = 60.0
"""Seconds before its end at which an access token is not used any more."""


@dataclass(frozen=True)
class Tokens:
    """What an OAuth server issued.

    Args:
        access_token: what requests to the API carry.
        refresh_token: what it can be renewed with, once: the new one comes with another.
        expires_at: the access token's end in seconds since 1970; None: not known.
        scope: what it allows, parted by blanks.
    """

    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    expires_at: float | None = None
    scope: str = ""

    @property
    def is_fresh(self) -> bool:
        """Whether the access token can be used for a request now."""
        return self.expires_at is None or time.time() < self.expires_at - LEEWAY

    def as_dict(self) -> dict[str, Any]:
        """All of it, as plain data, for a store."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: object) -> Tokens:
        """What `as_dict` gave.

        Raises:
            SignInError: it is something else.
        """
        if isinstance(data, dict):
            access, refresh = data.get("access_token"), data.get("refresh_token")
            ends, scope = data.get("expires_at"), data.get("scope", "")
            if (
                (isinstance(access, str) and access)
                and isinstance(refresh, str | None)
                and isinstance(ends, int | float | None)
                and isinstance(scope, str)
            ):
                return cls(access, refresh, ends, scope)
        raise SignInError("What was kept of the sign-in at Neon is damaged.", remedy=AGAIN)


class TokenStore(Protocol):
    """Keeps the tokens of one user's connection.

    Its methods may be called from any thread.
    """

    def load(self) -> Tokens | None:
        """The stored tokens; None if there is no connection."""

    def save(self, tokens: Tokens) -> None:
        """Replace the stored tokens. When it returns, they must survive a crash."""

    def delete(self) -> None:
        """Forget them."""

    def lock(self) -> AbstractContextManager[object]:
        """Held while tokens are renewed: by one process and one thread at a time.

        A refresh token is good once, and used a second time it ends the whole connection.
        """
