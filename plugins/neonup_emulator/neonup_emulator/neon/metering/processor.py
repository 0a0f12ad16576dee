"""The processor time of servers, from Linux's ``/proc``; 0 on other systems."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_FIELDS = slice(11, 15)  # utime, stime, cutime, cstime behind the name, proc(5)


def seconds(pid: int) -> float:
    """Seconds that a process, its children and those that have ended used; 0.0: not known."""
    if sys.platform == "win32":
        return 0.0
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        ticks = _ticks(pid) + sum(_ticks(int(child)) for child in children)
        return ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError):
        return 0.0


def _ticks(pid: int) -> int:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0  # it has just ended
    return sum(int(part) for part in stat.rpartition(")")[2].split()[_FIELDS])
