"""Databases beside another one that begin with a copy: its branches."""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from neonup import DatabaseSpec, EngineError, VersionBranch
from neonup_local.engine import cluster
from neonup_local.service import home as homes
from neonup_local.service import ports, records
from neonup_local.service.databases import LocalDatabases
from neonup_local.service.records import Record, new_password
from neonup_local.service.versions import copies


def make(
    databases: LocalDatabases,
    parent: Record,
    name: str,
    fill: Callable[[Path], None],
    *,
    engine: str,
    expires_at: datetime | None,
) -> VersionBranch:
    """A branch of a database, with its own port and password, running.

    Args:
        databases: of the home.
        parent: the database; the caller holds its lock.
        name: what a person calls the branch.
        fill: makes the data directory that it is called with.
        engine: the id of the Postgres that ran the data.
        expires_at: when the upkeep deletes it.

    Raises:
        EngineError: it could not be made or started; nothing of it is left.
    """
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:20].strip("-")
    id_ = "-".join(filter(None, [parent.id[:29], slug, secrets.token_hex(3)]))
    record = Record(
        id=id_,
        name=name,
        port=ports.preferred(id_),
        password=new_password(),
        engine=engine,
        pg_major=parent.pg_major,
        project=parent.project,
        logical_replication=parent.logical_replication,
        superuser=parent.superuser,
        branch_of=parent.id,
        expires_at=expires_at.astimezone(UTC).isoformat() if expires_at else None,
    )
    return branch(databases, begin(databases, record, fill))


def copy(databases: LocalDatabases, id: str, spec: DatabaseSpec, origin: str) -> Record:  # noqa: A002
    """A project's own database that begins with the data of another one as it is now.

    Args:
        databases: of the home.
        id: the new database's.
        spec: what it is for.
        origin: the id of the other one.

    Raises:
        EngineError: there is no such database, or it could not be copied; nothing is left.
    """
    with databases.locked(origin):
        source = databases.get(origin)
        if source is None or not databases.has_data(origin):
            raise EngineError(
                f"The database {origin!r}, which is to be copied, has no data on this machine."
            )
        record = Record(
            id=id,
            name=spec.project.name,
            port=ports.preferred(id),
            password=new_password(),
            engine=source.engine,
            pg_major=source.pg_major,
            project=str(spec.project),
            key=spec.key,
            logical_replication=spec.logical_replication,
            superuser=source.superuser,
        )
        return begin(databases, record, lambda target: copies.take(databases, source, target))


def begin(databases: LocalDatabases, record: Record, fill: Callable[[Path], None]) -> Record:
    """Start a new database on data that is made for it.

    Args:
        databases: of the home.
        record: the new database's; there is none of its id yet.
        fill: makes the data directory that it is called with.

    Raises:
        EngineError: it could not be made or started; nothing of it is left.
    """
    folder = databases.folder(record.id)
    making = folder.with_name(f".making-{record.id}-{secrets.token_hex(4)}")
    try:
        homes.make_folder(making)
        fill(making / "data")
        major = cluster.major_version(making / "data")
        record = records.write(making, replace(record, pg_major=major))
        making.rename(folder)
    except OSError as error:
        raise EngineError(
            f"A database could not be created in {folder.parent}: {error.strerror}.",
            remedy="Free some space or allow writing there.",
        ) from None
    finally:
        shutil.rmtree(making, ignore_errors=True)
    try:
        return databases.wake(record)
    except EngineError:
        databases.delete(record.id)
        raise


def branch(databases: LocalDatabases, record: Record) -> VersionBranch:
    """A branch's record as the rest of neonup knows it."""
    expires = datetime.fromisoformat(record.expires_at) if record.expires_at else None
    return VersionBranch(record.id, record.name, databases.url(record), expires)
