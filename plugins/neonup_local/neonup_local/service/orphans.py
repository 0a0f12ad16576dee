"""Databases whose project's folder is gone, and which of them nobody can miss.

A folder that is gone may also have been moved, or be on a file system that is not mounted now. So
only what is surely unused goes: `Orphan.stays` says why the others do not.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from neonup import owner
from neonup_local.engine import postmaster
from neonup_local.service import folders, records, upkeep
from neonup_local.service.databases import LocalDatabases
from neonup_local.service.records import Record


@dataclass(frozen=True)
class Orphan:
    """A database whose project's folder is gone.

    Args:
        id: the database.
        folder: the project's folder.
        stays: why it is not deleted; None: nobody can miss it.
    """

    id: str
    folder: str
    stays: str | None


def find(databases: LocalDatabases, *, given_up: Path | None = None) -> Iterator[Orphan]:
    """The databases whose project's folder is gone. One whose record is damaged is none.

    Args:
        databases: of the home.
        given_up: a folder that a person says is gone for good, whatever there is to doubt.
    """
    for record in databases.all():
        orphan = _look(databases, record, given_up)
        if orphan is not None:
            yield orphan


def remove(databases: LocalDatabases, id: str, *, given_up: Path | None = None) -> bool:  # noqa: A002
    """Delete an orphan with its data, unless somebody has come to use it since `find`.

    Returns:
        Whether it was deleted.

    Raises:
        EngineError: a file cannot be removed.
    """

    def is_still() -> bool:
        record = records.read(databases.folder(id))
        orphan = _look(databases, record, given_up) if record else None
        return orphan is not None and orphan.stays is None

    if not databases.delete(id, condition=is_still):
        return False
    owner.forget(databases.home, folders.PROVIDER, id)
    return True


def _look(databases: LocalDatabases, record: Record, given_up: Path | None) -> Orphan | None:
    if record.branch_of is not None and databases.has_data(record.branch_of):
        return None  # it goes with the database that it is a branch of
    folder = folders.project(databases.home, record)
    if folder is None:
        return None
    if not folders.is_gone(folder):
        folders.is_back(databases.folder(record.id))
        return None
    missed = folders.missed_since(databases.folder(record.id))
    stays = _named(databases, record) or _used(databases, record)
    if stays is None and (given_up is None or os.fspath(given_up) != folder):
        stays = _doubt(databases, record, folder, missed)
    return Orphan(record.id, folder, stays)


def _named(databases: LocalDatabases, record: Record) -> str | None:
    for use in folders.uses(databases.home, record):
        if owner.names(use, folders.PROVIDER, record.id):
            return f"{use.env_file} names it"
    return None


def _used(databases: LocalDatabases, record: Record) -> str | None:
    """Who uses it or one of its branches now."""
    for candidate in (record, *databases.branches_of(record.id)):
        server = postmaster.running(databases.folder(candidate.id) / "data")
        if server is None:
            continue
        of = "" if candidate is record else f" of its branch {candidate.name}"
        connected = upkeep.clients(server.pid)
        if connected:
            return f"{connected} connected to the server{of}"
        return f"the server{of} is running; `neonup stop --all` stops all"
    return None


def _doubt(databases: LocalDatabases, record: Record, folder: str, missed: float) -> str | None:
    """Why the folder may be somewhere else, or come back."""
    parent = Path(folder).parent
    uses = folders.uses(databases.home, record)
    mount = uses[0].mount if uses else "/"
    if not os.path.ismount(mount) or folders.is_gone(parent):
        missing = parent if folders.is_gone(parent) else mount
        why = "does not exist" if missing is parent else "is not mounted"
        return f"{missing} {why}: its file system may be missing (`neonup prune --of {folder}`)"
    used = last_use(databases.folder(record.id))
    vanished = min(parent.stat().st_mtime, missed)
    if used > vanished:
        when = datetime.fromtimestamp(used, UTC)
        return (
            f"it was used after the folder was gone, {when:%d %b %Y %H:%M} UTC "
            f"(`neonup prune --of {folder}`)"
        )
    return None


def last_use(folder: Path) -> float:
    """When somebody last used a database: started its project, or disconnected. 0: unknown."""
    try:
        return (folder / "log").stat().st_mtime
    except OSError:
        return 0.0
