"""Connecting a user's Neon account, without a web framework."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode, urlsplit, urlunsplit

from neonup import NeonupError
from neonup_cloud import oauth

log = logging.getLogger(__name__)

PENDING = "neon_connecting"
"""The session's entry between the way to Neon and back."""

RequestT = TypeVar("RequestT")


class AccountConnection(Generic[RequestT]):
    """Connects the accounts that an application's users have at Neon. Every method may block.

    Args:
        application: as it is registered at Neon; its redirect URI ends with ``/callback``.
        tokens: where the tokens of whoever makes a request are stored; None: this is nobody who
            may connect an account.
        after: where users are sent when something is done; with ``?neon=``: ``connected``,
            ``denied`` (by themselves), ``disconnected`` or ``failed``.
        base_url: of Neon's API; as `neonup_cloud.NeonClient` finds it if None.
    """

    def __init__(
        self,
        application: oauth.Application,
        tokens: Callable[[RequestT], oauth.TokenStore | None],
        *,
        after: str = "/",
        base_url: str | None = None,
    ):
        self.application = application
        self.tokens = tokens
        self.after = after
        self.base_url = base_url

    def address_after(self) -> str:
        """The address of ``after``, for frameworks that take the name of a view as well."""
        return self.after

    def begin(self, session: Any) -> str:
        """The address to send the user to: Neon's, or the application's own where it failed.

        Args:
            session: the user's, a mapping; it remembers what `complete` needs.
        """
        after = self.address_after()
        try:
            url, pending = oauth.connect.begin(self.application)
        except NeonupError as error:
            return _failed(after, error)
        session[PENDING] = pending.as_dict()
        return url

    def complete(self, session: Any, query: Mapping[str, str], store: oauth.TokenStore) -> str:
        """Store the tokens that Neon's answer leads to; returns where to send the user.

        Args:
            session: as `begin` had it.
            query: of the address that Neon sent the user to.
            store: where the user's tokens are stored.
        """
        after = self.address_after()
        pending = oauth.PendingSignIn.from_dict(session.pop(PENDING, None))
        try:
            tokens = oauth.connect.complete(self.application, dict(query), pending)
            oauth.connect.keep(self.application, store, tokens)
        except oauth.ConsentDenied:
            return _with_outcome(after, "denied")
        except NeonupError as error:
            return _failed(after, error)
        return _with_outcome(after, "connected")

    def disconnect(self, store: oauth.TokenStore) -> str:
        """Revoke and forget the user's tokens; returns where to send the user."""
        after = self.address_after()
        try:
            oauth.connect.disconnect(self.application, store)
        except NeonupError as error:
            return _failed(after, error)
        return _with_outcome(after, "disconnected")

    def stored(self, request: RequestT) -> tuple[oauth.TokenStore, oauth.Tokens] | None:
        """The tokens of whoever makes a request, and where they are; None: nobody is connected."""
        store = self.tokens(request)
        tokens = None if store is None else store.load()
        return None if store is None or tokens is None else (store, tokens)


def is_same_site(headers: Mapping[str, str]) -> bool:
    """Whether a form comes from a page of the application itself.

    Args:
        headers: of its request, under names in lower case or such that case does not matter.
    """
    origin = headers.get("origin")
    is_own = origin is None or urlsplit(origin).netloc == headers.get("host")
    return is_own and headers.get("sec-fetch-site", "same-origin") in {"same-origin", "none"}


def _failed(after: str, error: NeonupError) -> str:
    log.warning("connecting a Neon account failed: %s", error)
    return _with_outcome(after, "failed")


def _with_outcome(after: str, outcome: str) -> str:
    parts = urlsplit(after)
    query = "&".join(filter(None, (parts.query, urlencode({"neon": outcome}))))
    return urlunsplit(parts._replace(query=query))
