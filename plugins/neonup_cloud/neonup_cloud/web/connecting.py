"""Connecting a user's Neon account, without a web framework."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from neonup import NeonupError
from neonup_cloud import oauth

log = logging.getLogger(__name__)

PENDING = "neon_connecting"
"""The session's entry between the way to Neon and back."""


class Connection:
    """What happens between the application's pages and Neon. Everything here blocks.

    Args:
        application: as it is registered at Neon.
        after: the address where users are sent when something is done.
    """

    def __init__(self, application: oauth.Application, after: str):
        self.application = application
        self._after = after

    def begin(self, session: Any) -> str:
        """The address to send the user to: Neon's, or the application's own where it failed.

        Args:
            session: the user's, a mapping; it remembers what `complete` needs.
        """
        try:
            url, pending = oauth.connect.begin(self.application)
        except NeonupError as error:
            return self._failed(error)
        session[PENDING] = pending.as_dict()
        return url

    def complete(self, session: Any, answer: Mapping[str, str], store: oauth.TokenStore) -> str:
        """Keep the tokens that Neon's answer leads to; returns where to send the user.

        Args:
            session: as `begin` had it.
            answer: the query of the address that Neon sent the user to.
            store: where the user's tokens are kept.
        """
        pending = oauth.PendingSignIn.from_dict(session.pop(PENDING, None))
        try:
            tokens = oauth.connect.complete(self.application, dict(answer), pending)
            oauth.connect.keep(self.application, store, tokens)
        except oauth.ConsentDenied:
            return self._back("denied")
        except NeonupError as error:
            return self._failed(error)
        return self._back("connected")

    def disconnect(self, store: oauth.TokenStore) -> str:
        """Revoke and forget the user's tokens; returns where to send the user."""
        try:
            oauth.connect.disconnect(self.application, store)
        except NeonupError as error:
            return self._failed(error)
        return self._back("disconnected")

    def _failed(self, error: NeonupError) -> str:
        log.warning("connecting a Neon account failed: %s", error)
        return self._back("failed")

    def _back(self, outcome: str) -> str:
        joint = "&" if "?" in self._after else "?"
        return f"{self._after}{joint}{urlencode({'neon': outcome})}"
