"""Which ports of 127.0.0.1 a database may have."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterator

FIRST, LAST = 20000, 32767
"""Below the ports that Linux (32768) and others (49152) give to outgoing connections."""

TRIES = 50


def preferred(id: str) -> int:  # noqa: A002
    """The port that a new database tries first: always the same, so that URLs stay."""
    number = int.from_bytes(hashlib.sha256(id.encode()).digest()[:4], "big")
    return FIRST + number % (LAST - FIRST + 1)


def from_port(port: int) -> Iterator[int]:
    """That port, then others."""
    yield port
    for step in range(1, TRIES):
        yield FIRST + (port - FIRST + step) % (LAST - FIRST + 1)


def free() -> int:
    """A port of 127.0.0.1 that nothing has now, for a server that nobody has the address of."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
