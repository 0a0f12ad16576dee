"""The local Neon's end of the front: starts it, tells it about endpoints, hears of connections."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from neonup_emulator.neon.compute.front.channel import Channel, pair
from neonup_emulator.neon.compute.front.messages import (
    Close,
    Down,
    FromFront,
    Listen,
    Refusal,
    ToFront,
    Up,
    Wake,
)

log = logging.getLogger(__name__)

_BACKLOG = 512
_END_SECONDS = 5


@dataclass(frozen=True)
class Seen:
    """The last report of the front on an endpoint; `at` is its time by `time.monotonic`."""

    connections: int = 0
    received: int = 0
    sent: int = 0
    at: float = 0.0


class Front:
    """A running front.

    Args:
        wake: called in a thread for each endpoint that somebody connects to while it sleeps;
            returns the port of its server, a refusal where clients are to be told why there is
            none, or None.
    """

    def __init__(self, wake: Callable[[str], int | Refusal | None]):
        self._wake = wake
        self._seen: dict[str, Seen] = {}
        self._channel: Channel[FromFront] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process."""
        ours, theirs = pair()
        self._channel = Channel(ours, FromFront)
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "neonup_emulator.neon.compute.front.tcp_proxy",
                str(theirs.fileno()),
            ],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
        )
        theirs.close()
        threading.Thread(target=self._hear, name="neon-front", daemon=True).start()

    def listen(self, endpoint: str, address: str, port: int) -> None:
        """Take connections for an endpoint.

        Raises:
            OSError: the address cannot be used.
        """
        listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address, port))
            listener.listen(_BACKLOG)
        except OSError:
            listener.close()
            raise
        with listener:
            self._tell(Listen(endpoint), listener)

    def close(self, endpoint: str) -> None:
        """Take no more connections for an endpoint."""
        self._seen.pop(endpoint, None)
        self._tell(Close(endpoint))

    def up(self, endpoint: str, port: int) -> None:
        """Tell the front that the endpoint's server answers on that port."""
        self._tell(Up(endpoint, port))

    def down(self, endpoint: str, *, hold: bool = True, refusal: Refusal | None = None) -> None:
        """Tell the front that the server is about to stop: new clients wait, or are refused."""
        self._tell(Down(endpoint, hold, refusal))

    def seen(self, endpoint: str) -> Seen:
        """The last report on an endpoint's connections."""
        return self._seen.get(endpoint, Seen())

    def all_seen(self) -> dict[str, Seen]:
        """The last reports on all endpoints' connections."""
        return self._seen.copy()

    def stop(self) -> None:
        """End the process, and with it every connection."""
        if self._channel is None or self._process is None:
            return
        control = self._channel.sock
        with suppress(OSError):
            control.shutdown(socket.SHUT_RDWR)
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        control.close()
        self._channel = None

    def _tell(self, message: ToFront, listener: socket.socket | None = None) -> None:
        if self._channel is None:
            return
        with suppress(BrokenPipeError):  # it is ending, and so are we
            self._channel.send(message, listener)

    def _hear(self) -> None:
        channel = self._channel
        assert channel is not None  # noqa: S101 - started by `start`
        with suppress(OSError):
            while (messages := channel.receive()) is not None:
                for message in messages:
                    self._take(message)

    def _take(self, message: FromFront) -> None:
        if isinstance(message, Wake):
            threading.Thread(target=self._answer, args=[message.endpoint]).start()
        else:
            self._seen[message.endpoint] = Seen(
                message.connections, message.received, message.sent, time.monotonic()
            )

    def _answer(self, endpoint: str) -> None:
        try:
            port = self._wake(endpoint)
        except Exception:
            log.exception("The endpoint %s could not be woken", endpoint)
            port = None
        if port is None:
            self.down(endpoint, hold=False)
        elif isinstance(port, Refusal):
            self.down(endpoint, hold=False, refusal=port)
        else:
            self.up(endpoint, port)
