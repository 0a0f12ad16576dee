"""What the local Neon and its front talk through: a stream of JSON documents, one a line.

macOS has no packets over Unix sockets (``SOCK_SEQPACKET``), which would need no lines.
"""

from __future__ import annotations

import socket
import sys
import threading
from collections import deque
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct

T = TypeVar("T")

_CHUNK = 65_536
_SOCKETS = 16
"""How many sockets may come with what is read at once."""


def pair() -> tuple[socket.socket, socket.socket]:
    """The two ends, one of which goes to the front's process."""
    if sys.platform == "win32":
        from neonup_emulator.platforms import LOCAL_NEON  # here: the front is a small process

        raise LOCAL_NEON.refused()
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)


class Channel(Generic[T]):
    """One end.

    Args:
        sock: this end's, blocking.
        kind: the type of what the other end says.
    """

    def __init__(self, sock: socket.socket, kind: Any):
        self.sock = sock
        self._decoder: msgspec.json.Decoder[T] = msgspec.json.Decoder(kind)
        self._begun = b""
        self._sockets: deque[int] = deque()
        self._sending = threading.Lock()

    def send(self, message: Struct, with_socket: socket.socket | None = None) -> None:
        """Say something; the other end gets a socket with it, a duplicate of one here.

        Raises:
            OSError: the other end is closed.
        """
        if sys.platform == "win32":
            from neonup_emulator.platforms import LOCAL_NEON

            raise LOCAL_NEON.refused()
        content = msgspec.json.encode(message) + b"\n"
        with self._sending:
            sent = socket.send_fds(
                self.sock, [content], [with_socket.fileno()] if with_socket else []
            )
            self.sock.sendall(content[sent:])

    def receive(self) -> list[T] | None:
        """What has been said since, once there is something; None: the other end is closed.

        Raises:
            OSError: the connection was broken.
        """
        if sys.platform == "win32":
            from neonup_emulator.platforms import LOCAL_NEON

            raise LOCAL_NEON.refused()
        content, sockets, _flags, _address = socket.recv_fds(self.sock, _CHUNK, _SOCKETS)
        self._sockets.extend(sockets)
        if not content:
            return None
        *lines, self._begun = (self._begun + content).split(b"\n")
        return [self._decoder.decode(line) for line in lines]

    def next_socket(self) -> socket.socket:
        """The socket that came with the message in hand: they are handed out in their order."""
        return socket.socket(fileno=self._sockets.popleft())
