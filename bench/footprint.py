"""What a server takes while nobody uses it: memory and disk."""

from __future__ import annotations

import re
import time
from pathlib import Path

import psutil

IDLE_SECONDS = 5.0
MIB = 1024 * 1024


def memory(*roots: psutil.Process) -> float:
    """MiB of processes and their children, by proportional set size: a shared page counts once.

    Raises:
        RuntimeError: this is no Linux, which alone tells it.
    """
    processes = {one for root in roots for one in (root, *root.children(recursive=True))}
    return sum(map(_memory_of, processes)) / MIB


def _memory_of(process: psutil.Process) -> int:
    try:
        report = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
    except FileNotFoundError:
        raise RuntimeError("the proportional set size is known on Linux alone") from None
    match = re.search(r"^Pss:\s+(\d+) kB", report, re.MULTILINE)
    assert match is not None
    return int(match[1]) * 1024


def disk(folder: Path) -> float:
    """MiB that a folder's files occupy."""
    return sum(path.lstat().st_blocks * 512 for path in (folder, *folder.rglob("*"))) / MIB


def cpu(*processes: psutil.Process) -> float:
    """Seconds that processes have used."""
    return float(sum(sum(process.cpu_times()[:2]) for process in processes))


def let_idle() -> None:
    """Long enough for the background processes to have settled."""
    time.sleep(IDLE_SECONDS)
