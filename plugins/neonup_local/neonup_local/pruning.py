"""What ``neonup prune`` offers to delete: of this package, and of other plugins."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from neonup_local.engine import sizes
from neonup_local.servers import Leftover
from neonup_local.service import orphans
from neonup_local.service.databases import LocalDatabases
from neonup_local.service.versions import checkouts


class Prunable(Protocol):
    """A kind of thing that is left behind, as `neonup_local.servers.Servers` are one."""

    def leftovers(self) -> list[Leftover]:
        """What is offered, and what is left and why."""
        ...

    def purge(self, leftovers: Sequence[Leftover]) -> list[Leftover]:
        """Remove leftovers; those that stay all the same, and why."""
        ...


class OrphanedDatabases:
    """Databases whose project's folder is gone.

    Args:
        databases: of the home.
        given_up: a folder that a person says is gone for good.
    """

    def __init__(self, databases: LocalDatabases, given_up: Path | None):
        self._databases = databases
        self._given_up = given_up

    def leftovers(self) -> list[Leftover]:
        """Each, with its size."""
        return [
            Leftover(
                orphan.id,
                f"its project {orphan.folder} is gone",
                sizes.size(self._databases.folder(orphan.id)),
                orphan.stays,
            )
            for orphan in orphans.find(self._databases, given_up=self._given_up)
        ]

    def purge(self, leftovers: Sequence[Leftover]) -> list[Leftover]:
        """Delete them, unless somebody has come to use one."""
        return [
            Leftover(leftover.id, leftover.why, 0, "it has come to be used meanwhile")
            for leftover in leftovers
            if not orphans.remove(self._databases, leftover.id, given_up=self._given_up)
        ]


class DeletedGitBranches:
    """The data of git branches that were deleted.

    Args:
        databases: of the home.
    """

    def __init__(self, databases: LocalDatabases):
        self._databases = databases
        self._folders: dict[Leftover, Path] = {}

    def leftovers(self) -> list[Leftover]:
        """Each, with the id of its database."""
        self._folders = {
            Leftover(path.parent.parent.name, why, sizes.size(path)): path
            for path, why in checkouts.of_deleted(self._databases)
        }
        return list(self._folders)

    def purge(self, leftovers: Sequence[Leftover]) -> list[Leftover]:
        """Remove the data directories; one that is checked out again meanwhile is none any more."""
        for leftover in leftovers:
            checkouts.remove(self._databases, self._folders[leftover])
        return []
