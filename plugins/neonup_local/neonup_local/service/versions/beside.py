"""Databases beside another one that begin with a copy: its branches."""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from neonup import EngineError, VersionBranch
from neonup_local.engine import cluster
from neonup_local.service import home as homes
from neonup_local.service import ports, records
from neonup_local.service.databases import Databases, new_password
from neonup_local.service.records import Record


def make(
    databases: Databases,
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
        branch_of=parent.id,
        expires_at=expires_at.astimezone(UTC).isoformat() if expires_at else None,
    )
    return branch(databases, begin(databases, record, fill))


def begin(databases: Databases, record: Record, fill: Callable[[Path], None]) -> Record:
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
        databases.remove(record.id)
        raise


def branch(databases: Databases, record: Record) -> VersionBranch:
    """A branch's record as the rest of neonup knows it."""
    expires = datetime.fromisoformat(record.expires_at) if record.expires_at else None
    return VersionBranch(record.id, record.name, databases.url(record), expires)
