"""What a server takes while nobody uses it: memory and disk."""

from __future__ import annotations

import re
import time
from pathlib import Path

import psutil

IDLE_SECONDS = 5.0
MIB = 1024 * 1024


def memory(postmaster: psutil.Process) -> float:
    """MiB of the server's processes, by proportional set size: a shared page counts once.

    Raises:
        RuntimeError: this is no Linux, which alone tells it.
    """
    total = 0
    for process in (postmaster, *postmaster.children(recursive=True)):
        try:
            report = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
        except FileNotFoundError:
            raise RuntimeError("the proportional set size is known on Linux alone") from None
        match = re.search(r"^Pss:\s+(\d+) kB", report, re.MULTILINE)
        assert match is not None
        total += int(match[1]) * 1024
    return total / MIB


def disk(folder: Path) -> float:
    """MiB that a folder's files occupy."""
    return sum(path.lstat().st_blocks * 512 for path in (folder, *folder.rglob("*"))) / MIB


def let_idle() -> None:
    """Long enough for the background processes to have settled."""
    time.sleep(IDLE_SECONDS)
