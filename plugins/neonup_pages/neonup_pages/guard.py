"""Who may ask: programs of this machine, and pages of this server; no web site from elsewhere.

Any page in the user's browser can send requests to 127.0.0.1. So a request must name this server
by a name that only this machine answers to (a page elsewhere whose name is made to point here, DNS
rebinding, gives its own), and one that changes anything must not come from another site.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_READING = frozenset({"GET", "HEAD"})
_HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


def plain(_scope: Scope, reason: str) -> dict[str, Any]:
    """What a refused request is answered."""
    return {"message": "Forbidden", "hint": reason}


class Guard:
    """Refuses what a page from elsewhere could have sent.

    Args:
        app: the application behind.
        hosts: names of this server beside those of loopback, and patterns of them such as
            ``*.neon.test``, for one label; None: any, for a server that was opened to the network
            in so many words.
        content: makes the JSON of a refusal, of the request's scope and the reason.
    """

    def __init__(
        self,
        app: ASGIApp,
        hosts: frozenset[str] | None = frozenset(),
        content: Callable[[Scope, str], dict[str, Any]] = plain,
    ):
        self._app = app
        self._hosts = hosts
        self._content = content

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or let the application answer."""
        reason = self._refusal(scope) if scope["type"] in {"http", "websocket"} else None
        if reason is None:
            await self._app(scope, receive, send)
            return
        if scope["type"] == "websocket":
            await WebSocketClose(reason=reason)(scope, receive, send)  # answers 403
            return
        answer = JSONResponse(self._content(scope, reason), 403, _HEADERS)
        await answer(scope, receive, send)

    def _refusal(self, scope: Scope) -> str | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._is_own(host):
            return (
                "The request names a host that is not this machine. Use 127.0.0.1, or start "
                "the server with --allow-host and that name."
            )
        if scope.get("method") in _READING:  # a WebSocket has no method, and sends what it likes
            return None
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            return "The request comes from a page of another site."
        if headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
            return "The request comes from a page of another site."
        return None

    def _is_own(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if self._hosts is None:
            return bool(name)
        if name in LOOPBACK or name.endswith(".localhost"):
            return True
        return not self._hosts.isdisjoint((name, f"*.{name.partition('.')[2]}"))
