"""Other data in the place of a database's own, which becomes a version that one can go back to."""

from __future__ import annotations

import contextlib
import secrets
import shutil
from collections.abc import Container
from datetime import datetime
from pathlib import Path

from neonup import EngineError
from neonup_local.engine import sizes
from neonup_local.engine.binaries import Engine
from neonup_local.service import swap
from neonup_local.service.databases import LocalDatabases
from neonup_local.service.records import Record
from neonup_local.service.swap import SwapPlan
from neonup_local.service.versions import manifest
from neonup_local.service.versions.manifest import VersionManifest

AUTOMATIC = 5
"""So many automatic versions of each kind are kept: taken before something, or by a restore."""

BEFORE_RESTORE = "before-restore"


class DoesNotStart(EngineError):
    """Postgres does not start with the other data; the database is as it was."""


def begin(databases: LocalDatabases, id: str) -> Record:  # noqa: A002
    """The record of a database that has data, once what killed runs left is gone; under its lock.

    Raises:
        EngineError: it has none.
    """
    folder = databases.folder(id)
    record = existing(databases, id)
    manifest.remove_leftovers(folder)
    swap.remove_leftovers(folder)
    return record


def existing(databases: LocalDatabases, id: str) -> Record:  # noqa: A002
    """The record of a database that has data.

    Raises:
        EngineError: it has none.
    """
    record = databases.get(id)
    if record is None or not databases.has_data(id):
        raise EngineError(
            f"The database {id!r} has no data on this machine.",
            checked=[str(databases.folder(id))],
            remedy="`neonup` creates it again.",
        )
    return record


def replace_data(
    databases: LocalDatabases, record: Record, bring: str, engine: Engine, *, before: str
) -> VersionManifest:
    """Let a database have other data, and start it; under its lock.

    Args:
        databases: of the home.
        record: the database.
        bring: the other data directory, as `swap.stage` gave it.
        engine: the Postgres for it.
        before: what the name of the version begins with that the present data becomes.

    Raises:
        DoesNotStart: Postgres does not start with it; the database is as it was.
        EngineError: the disk refused; whoever gets the lock next goes on with it.
    """
    folder = databases.folder(record.id)
    version = _expect(folder, record, before)
    databases.stop_locked(record.id)
    keep = manifest.place(folder, version.id) / "data"
    swap.carry_out(folder, SwapPlan(bring, _relative(folder, keep), engine.id))
    try:
        databases.wake_locked(existing(databases, record.id))
    except EngineError as error:
        _take_back(databases, version, record)
        raise DoesNotStart(error.message, checked=error.checked, remedy=error.remedy) from None
    limit(folder)
    return version


def _expect(folder: Path, record: Record, before: str) -> VersionManifest:
    """The version that the present data is about to become, once it is in its folder."""
    taken = {version.name for version in manifest.all_of(folder)}
    size = sizes.size(folder / "data")
    version = VersionManifest(free_name(dated(before), taken), record.engine, size, automatic=True)
    manifest.finish(folder, manifest.begin(folder), version)
    return version


def _take_back(databases: LocalDatabases, version: VersionManifest, record: Record) -> None:
    """Undo an exchange whose data does not work."""
    folder = databases.folder(record.id)
    databases.stop_locked(record.id)
    data = manifest.place(folder, version.id) / "data"
    broken = f".data-{secrets.token_hex(4)}"
    swap.carry_out(folder, SwapPlan(_relative(folder, data), broken, record.engine))
    manifest.remove_leftovers(folder)
    shutil.rmtree(folder / broken, ignore_errors=True)
    databases.wake_locked(existing(databases, record.id))


def _relative(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()


def limit(folder: Path) -> None:
    """Delete the oldest automatic versions where there are too many of their kind."""
    automatic = [version for version in manifest.all_of(folder) if version.automatic]
    of_restores = [version for version in automatic if version.name.startswith(BEFORE_RESTORE)]
    others = [version for version in automatic if version not in of_restores]
    for version in [*of_restores[AUTOMATIC:], *others[AUTOMATIC:]]:
        with contextlib.suppress(EngineError):  # what was asked for is done
            manifest.remove(folder, version.id)


def dated(what: str) -> str:
    """A name made of the time, in the time zone of whoever reads it."""
    return f"{what}-{datetime.now():%Y%m%d-%H%M%S}"


def free_name(name: str, taken: Container[str]) -> str:
    """The name, with a number where it is taken."""
    number, free = 2, name
    while free in taken:
        number, free = number + 1, f"{name}-{number}"
    return free
