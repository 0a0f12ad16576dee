"""How much is in folders, and how much of it a copy has already."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from neonup.plugin.progress import HowFar


def size(folder: Path) -> int:
    """The bytes on disk of everything in a folder; what vanishes meanwhile counts nothing."""
    return sum(map(of_file, folder.rglob("*")))


def of_file(path: Path) -> int:
    """The bytes on disk of a file or a folder without its content; 0: it is gone."""
    try:
        info = path.lstat()
    except OSError:
        return 0
    return getattr(info, "st_blocks", 0) * 512 or info.st_size


def human(count: int) -> str:
    """A number of bytes for people: ``38.2 MB``."""
    value = float(count)
    for unit in ("B", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"


def of_copy(total: Callable[[], int], target: Path) -> Callable[[], HowFar]:
    """How far a copy is, by the bytes in it.

    Args:
        total: how many there will be; asked once, and only where somebody watches.
        target: the folder that is filled.
    """
    known: list[int] = []

    def how_far() -> HowFar:
        if not known:
            known.append(total())
        done = min(size(target), known[0])
        return HowFar(done, known[0], f"{human(done)} of {human(known[0])}")

    return how_far
