"""The one server of a home ends at once, or one of its processes does."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import psutil

from tests.waiting import wait_until


def _postmaster(home: Path) -> psutil.Process:
    [found] = home.glob("databases/*/data/postmaster.pid")
    return psutil.Process(int(found.read_text().split("\n", 1)[0]))


def kill(home: Path) -> None:
    """End the server with all its processes, which for a moment outlive it, and answer."""
    server = _postmaster(home)
    family = [server, *server.children(recursive=True)]
    for process in family:
        with suppress(psutil.NoSuchProcess):  # its children end by themselves, too
            process.kill()
    psutil.wait_procs(family, timeout=60)


def crash(home: Path) -> None:
    """End one of the server's processes, so that it ends them all and begins anew."""
    family = wait_until(_postmaster(home).children, "the server's processes")
    family[0].kill()
    psutil.wait_procs(family, timeout=60)
