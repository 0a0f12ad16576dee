"""What else runs on this machine, as plugins offer it to ``list``, ``stop --all`` and ``prune``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Leftover:
    """Something that was deleted and still takes room.

    Args:
        id: its id.
        why: why nobody can miss it, as ``neonup prune`` says it: ``it was deleted``.
        size: bytes on the disk.
        stays: why it is not offered all the same; None: it is.
    """

    id: str
    why: str
    size: int
    stays: str | None = None


class Servers(ABC):
    """A kind of servers under one home.

    Args:
        home: the folder of neonup's state.
    """

    def __init__(self, home: Path):
        self.home = home

    @abstractmethod
    def rows(self) -> list[dict[str, Any]]:
        """A row of ``neonup list`` for each: ``id``, ``state``, ``port``, ``kind``, ``project``,
        ``engine``, ``size`` (bytes), ``connections``, ``pid`` and ``problem``."""

    @abstractmethod
    def stop(self) -> list[str]:
        """Stop all that run; their data is kept.

        Returns:
            The ids of those that ran.

        Raises:
            NeonupError: one does not stop.
        """

    def leftovers(self) -> list[Leftover]:
        """What ``neonup prune`` offers to remove for good, and what it leaves and says so."""
        return []

    def purge(self, leftovers: Sequence[Leftover]) -> list[Leftover]:
        """Remove leftovers for good, with their data.

        Returns:
            Those that stay all the same.

        Raises:
            NeonupError: something could not be removed.
        """
        raise NotImplementedError(f"{type(self).__name__} tells of leftovers: it removes them, too")
