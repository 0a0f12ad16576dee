"""The local Neon of `neonup serve` on this machine: where it is, and its key.

`serve` writes both below its home: ``serve.url``, and ``neon/api-key`` with mode 0600.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

_SECONDS = 2.0


@dataclass(frozen=True)
class DiscoveredNeon:
    """A local Neon that takes connections.

    Args:
        base: the base URL of its API.
        key: its default user's key. A secret.
    """

    base: str
    key: str = field(repr=False)


def running(home: Path) -> DiscoveredNeon | None:
    """The running local Neon of a home; None if none runs."""
    try:
        root = (home / "serve.url").read_text(encoding="ascii").strip()
        key = (home / "neon" / "api-key").read_text(encoding="ascii").strip()
        place = urlsplit(root)
        with socket.create_connection((place.hostname or "", place.port or 80), _SECONDS):
            return DiscoveredNeon(f"{root}/api/v2", key)
    except (OSError, ValueError):
        return None
