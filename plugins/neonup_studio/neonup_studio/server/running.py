"""Where a project's studio is served, for others who show a link to it: Django, FastAPI, pytest.

The address is no secret: it shows nothing to who has not opened the studio's own link.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
from pathlib import Path
from urllib.parse import urlsplit

from neonup import Settings
from neonup.plugin.files import make_private

_FOLDER = "studio"
_PATIENCE = 0.5
"""Seconds: on this machine a connection is made, or refused, at once."""


def address(settings: Settings) -> str | None:
    """The address of the project's studio that runs now; None: there is none."""
    try:
        content = json.loads(_file(settings).read_text("utf-8"))
        url = str(content["url"])
        place = urlsplit(url)
        with socket.create_connection((place.hostname or "", place.port or 0), _PATIENCE):
            return url
    except (OSError, ValueError, KeyError, TypeError):
        return None


def tell(settings: Settings, url: str) -> None:
    """Note where it is; the latest one counts."""
    file = _file(settings)
    with contextlib.suppress(OSError):  # a link that others would show is not worth an error
        make_private(file.parent)
        beside = file.with_suffix(f".{os.getpid()}")
        beside.write_text(json.dumps({"url": url}), "utf-8")
        beside.replace(file)


def forget(settings: Settings, url: str) -> None:
    """It has ended; a later one's note stays."""
    file = _file(settings)
    with contextlib.suppress(OSError, ValueError):
        if json.loads(file.read_text("utf-8")) == {"url": url}:
            file.unlink()


def _file(settings: Settings) -> Path:
    return settings.home / _FOLDER / f"{settings.state_name}.json"
