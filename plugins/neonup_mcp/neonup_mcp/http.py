"""The server over streamable HTTP, for clients on this machine.

It listens on loopback alone. A web page in a browser here could still send requests to it, so the
SDK checks Host and Origin, and each request needs the token.
"""

from __future__ import annotations

import hmac
import socket

import uvicorn
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.mcpserver import MCPServer
from pydantic import AnyHttpUrl

from neonup import NeonupError

HOST = "127.0.0.1"
PATH = "/mcp"
_SECONDS_TO_FINISH = 1
"""For requests that are under way at Ctrl-C, streams included."""


class OneToken:
    """Lets in who has the token; one of the SDK's token verifiers.

    Args:
        token: the secret.
    """

    def __init__(self, token: str):
        self._token = token

    async def verify_token(self, token: str) -> AccessToken | None:
        """Who has a token; None: nobody."""
        if not hmac.compare_digest(token.encode(), self._token.encode()):
            return None
        return AccessToken(token=token, client_id="neonup mcp", scopes=[])


def bearer() -> AuthSettings:
    """The SDK's settings for a token that no authorization server has issued."""
    return AuthSettings(issuer_url=AnyHttpUrl(f"http://{HOST}"), resource_server_url=None)


def listen(port: int) -> socket.socket:
    """A socket on loopback.

    Args:
        port: 0 takes a free one.

    Raises:
        NeonupError: it is taken.
    """
    # Where the protocol is named, asyncio sends the parts of an answer at once (TCP_NODELAY).
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen()  # who has read the address may connect at once
    except OSError as error:
        listener.close()
        raise NeonupError(
            f"{HOST}:{port} cannot be used: {error.strerror}.",
            remedy="Choose another port with --port; 0 takes a free one.",
        ) from None
    return listener


def address(listener: socket.socket) -> str:
    """The URL for clients."""
    return f"http://{HOST}:{listener.getsockname()[1]}{PATH}"


async def serve(server: MCPServer, listener: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM."""
    app = server.streamable_http_app(host=HOST, streamable_http_path=PATH)
    config = uvicorn.Config(
        app,
        log_level="critical",  # else a stream that is cut at the end prints a traceback
        access_log=False,
        timeout_graceful_shutdown=_SECONDS_TO_FINISH,
    )
    await uvicorn.Server(config).serve(sockets=[listener])
