"""The HTTP server behind the pages: uvicorn, which ends in time and is quiet while it idles."""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING, Any

from neonup import NeonupError

if TYPE_CHECKING:
    import uvicorn
    from starlette.applications import Starlette

_SECONDS_TO_FINISH = 10
"""For requests that are under way at Ctrl-C; creating a database takes less than one."""

_WITHOUT_RIGHTS = (
    "Choose a port above 1023, run it in a container or as root, or let everybody have this one: "
    "sysctl net.ipv4.ip_unprivileged_port_start={}"
)


def listen(host: str, port: int, what: str) -> socket.socket:
    """A bound socket.

    Args:
        host: the address to listen on.
        port: 0 takes a free one.
        what: who listens, e.g. ``The studio``.

    Raises:
        NeonupError: the address cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Where the protocol is named, asyncio sends the parts of an answer at once (TCP_NODELAY).
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if sys.platform != "win32":  # there it would let two servers have one port
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        reason = (error.strerror or str(error)).lower()
        raise NeonupError(
            f"{what} cannot listen on {host}, port {port}: {reason}.",
            remedy=_WITHOUT_RIGHTS.format(port)
            if isinstance(error, PermissionError)
            else f"Another one may already be running. Otherwise choose: --port {port + 1}, or "
            "--port 0 for any free one.",
        ) from None
    return listener


def run(
    listener: socket.socket,
    app: Starlette,
    ready: Callable[[Callable[[], None]], None],
    **settings: Any,
) -> None:
    """Serve until a signal asks to end; then finish what is under way, and the application ends.

    Args:
        listener: where requests come from.
        app: what answers them.
        ready: is called once requests are answered, with what ends the server.
        settings: more of uvicorn's.
    """
    import asyncio

    import uvicorn

    class Server(uvicorn.Server):
        async def serve(self, sockets: list[socket.socket] | None = None) -> None:
            self.loop, self.ended = asyncio.get_running_loop(), asyncio.Event()
            await super().serve(sockets)

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                ready(self.end)

        async def main_loop(self) -> None:
            """Look once a second, not ten times: an idle server uses no CPU to speak of."""
            while not self.should_exit:
                await self.on_tick(0)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.ended.wait(), 1)

        def end(self) -> None:
            self.should_exit = True
            self.loop.call_soon_threadsafe(self.ended.set)

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            """Without uvicorn's record of the signal, with which it would die in the end."""
            self.force_exit = self.should_exit and sig == signal.SIGINT
            self.end()

    Server(_config(app, settings)).run(sockets=[listener])


def _config(app: Starlette, settings: dict[str, Any]) -> uvicorn.Config:
    import uvicorn

    quiet = {"log_level": "warning", "access_log": False, "server_header": False}
    return uvicorn.Config(
        app, **{**quiet, "timeout_graceful_shutdown": _SECONDS_TO_FINISH, **settings}
    )
