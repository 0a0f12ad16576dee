"""Who may use the studio: the browsers that have opened its link, which works once."""

from __future__ import annotations

import hmac
import secrets
import threading

from starlette.requests import Request

_SESSION = "session"


class StudioAccess:
    """The link and the sessions of one run; both end with it."""

    secret: str
    """Signs the cookies."""

    def __init__(self) -> None:
        self.secret = secrets.token_urlsafe(32)
        self._token: str | None = secrets.token_urlsafe(32)
        self._sessions: set[str] = set()
        self._lock = threading.Lock()

    def link(self, base: str) -> str:
        """The address that lets a browser in.

        Args:
            base: of the server, e.g. ``http://127.0.0.1:50123``.
        """
        return f"{base}/enter?token={self._token}"

    def enter(self, request: Request, token: str) -> bool:
        """Begin a session for who has the token; it has no use after that."""
        with self._lock:
            known = self._token
            if known is None or not hmac.compare_digest(token.encode(), known.encode()):
                return False
            self._token = None
            id_ = secrets.token_urlsafe(32)
            self._sessions.add(id_)
        request.session.clear()
        request.session[_SESSION] = id_
        return True

    def is_known(self, request: Request) -> bool:
        """Whether a request is of a session that was begun here."""
        return request.session.get(_SESSION) in self._sessions
