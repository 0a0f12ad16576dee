"""Where a test run's data goes: memory where there is room, else the disk."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

VARIABLE = "NEONUP_TEST_FOLDER"
"""Names the folder to use, e.g. a tmpfs of one's own."""

_MEMORY = Path("/dev/shm")  # noqa: S108 - looked at first, and what goes there has a name of its own
_ROOM = 512 << 20
"""Bytes that a run may come to need: a cluster and some dozen databases of 10 MB."""


def choose(disk: Path, need: int = _ROOM) -> Path:
    """The folder to make a run's own folder in.

    A tmpfs counts against the memory of the machine and of the container, so both are looked at.

    Args:
        disk: the folder to take where memory is short.
        need: how much room there should be, in bytes.
    """
    if chosen := os.environ.get(VARIABLE):
        return Path(chosen).absolute()
    if sys.platform == "linux" and room(_MEMORY) >= need and _free_memory() >= 2 * need:
        return _MEMORY
    return disk


def memory() -> Path:
    """The folder that is in memory, on platforms that have one."""
    return _MEMORY


def room(folder: Path) -> int:
    """How many bytes may be written there; 0 where none may."""
    if not os.access(folder, os.W_OK | os.X_OK):
        return 0
    if sys.platform == "win32":
        return shutil.disk_usage(folder).free
    file_system = os.statvfs(folder)
    return file_system.f_bavail * file_system.f_frsize


def _free_memory() -> int:
    """What the machine has, and what the control group leaves, the smaller of both, in bytes.

    https://docs.kernel.org/admin-guide/cgroup-v2.html (``memory.max``, ``memory.stat``)
    """
    free = _machine_memory()
    for folder in _cgroups():
        limit, used = _number(folder / "memory.max"), _number(folder / "memory.current")
        if limit is not None and used is not None:
            free = min(free, limit - used + _reclaimable(folder))
    return free


def _machine_memory() -> int:
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0


def _cgroups() -> list[Path]:
    """The control groups, version 2, that this process is in, from the inner to the outer."""
    root = Path("/sys/fs/cgroup")
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    own = next((line[3:] for line in lines if line.startswith("0::")), "/")
    inner = root / own.lstrip("/")
    return [folder for folder in (inner, *inner.parents) if folder.is_relative_to(root)]


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):  # none there, or "max"
        return None


def _reclaimable(folder: Path) -> int:
    try:
        text = (folder / "memory.stat").read_text(encoding="ascii")
    except OSError:
        return 0
    return sum(
        int(line.split()[1]) for line in text.splitlines() if line.startswith("inactive_file ")
    )
