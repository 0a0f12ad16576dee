"""The folders of neonup's state: whoever makes one gives it its mode, whatever the umask is."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def make_home(home: Path) -> None:
    """Make the folder of neonup's state, and those above it that are missing.

    It is private to the user. Root's can be passed through, since Postgres runs as somebody else
    and has its data in there. A folder that exists keeps its mode.

    Raises:
        OSError: it cannot be made.
    """
    root = sys.platform != "win32" and os.geteuid() == 0
    _make(home, 0o711 if root else 0o700)


def make_private(folder: Path) -> None:
    """As `make_home`, for a folder in the home that only its owner may enter."""
    make_home(folder.parent)
    _make(folder, 0o700)


def _make(folder: Path, mode: int) -> None:
    if folder.is_dir():
        return
    if folder.parent != folder:
        _make(folder.parent, mode)
    try:
        folder.mkdir(mode=mode)
    except FileExistsError:
        if not folder.is_dir():
            raise
        return  # another process has made it
    if sys.platform != "win32":
        file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:  # by its descriptor: the folder above may be another user's
            os.fchmod(file, mode)
        finally:
            os.close(file)
