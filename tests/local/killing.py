"""Ending the one server of a home as a machine does that loses its power."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import psutil


def postmaster(home: Path) -> psutil.Process:
    [found] = home.glob("databases/*/data/postmaster.pid")
    return psutil.Process(int(found.read_text().split("\n", 1)[0]))


def kill(home: Path) -> None:
    """End the server with all its processes, which for a moment outlive it, and answer."""
    server = postmaster(home)
    family = [server, *server.children(recursive=True)]
    for process in family:
        with suppress(psutil.NoSuchProcess):  # its children end by themselves, too
            process.kill()
    psutil.wait_procs(family, timeout=60)
