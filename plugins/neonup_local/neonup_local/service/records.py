"""What is kept of each database: one small file in its folder, beside its data.

One folder a database; the data directory itself is the witness, so a lost record can be made
again (`service.databases.Databases.adopt`) and never costs data.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import string
import tempfile
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path

from neonup import EngineError

_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


@dataclass(frozen=True)
class Record:
    """What is known of a database. ``repr`` does not show its password.

    Args:
        id: its name: lower-case letters, digits, dashes, underscores.
        name: what a person calls it.
        port: its port on 127.0.0.1; kept between starts where it is free.
        password: ``neondb_owner``'s.
        engine: the id of the Postgres that made it.
        pg_major: the major version of its data.
        created_at: when, ISO 8601, UTC.
        project: the project's folder.
        key: the variable that holds its URL.
        logical_replication: whether ``wal_level`` is ``logical``.
        superuser: whether ``neondb_owner`` is a superuser.
        ready: whether its making was finished: its role has its password and is what it is to be.
        branch_of: the id of the database that it is a branch of.
        expires_at: when the upkeep deletes it, ISO 8601, UTC.
    """

    id: str
    name: str
    port: int
    password: str = field(repr=False)
    engine: str
    pg_major: int
    created_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat())
    project: str | None = None
    key: str | None = None
    logical_replication: bool = False
    superuser: bool = False
    ready: bool = False
    branch_of: str | None = None
    expires_at: str | None = None


def check_id(id: str) -> str:  # noqa: A002 - that is what it is called
    """``id`` itself, which becomes a folder's name.

    Raises:
        EngineError: it cannot be one.
    """
    if not _ID.fullmatch(id):
        raise EngineError(f"{id!r} cannot be the id of a local database.")
    return id


def read(folder: Path) -> Record | None:
    """The record in a database's folder; None if there is none.

    Raises:
        EngineError: there is one, but it is damaged or cannot be read.
    """
    path = folder / "database.json"
    try:
        values = json.loads(path.read_bytes())
        known = {entry.name: values[entry.name] for entry in fields(Record) if entry.name in values}
        record = Record(**known)
        if record.id != folder.name or not isinstance(record.port + record.pg_major, int):
            raise ValueError
    except FileNotFoundError:
        return None
    except OSError as error:
        raise EngineError(f"{path} cannot be read: {error.strerror}.") from None
    except (ValueError, TypeError):
        raise EngineError(
            f"The record of the database {folder.name!r} is damaged: {path}.",
            checked=[f"its data, {folder / 'data'}, was not changed"],
            remedy="Start the project that uses it: its URL in .env is enough to repair the "
            "record.",
        ) from None
    return record


def write(folder: Path, record: Record) -> Record:
    """Write the record, whole or not at all, for its owner's eyes only; returns it.

    Raises:
        EngineError: it cannot be written; the old one stays.
    """
    text = json.dumps(asdict(record), indent=1)
    temporary = None
    try:
        descriptor, name = tempfile.mkstemp(prefix=".record-", dir=folder)
        temporary = Path(name)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(folder / "database.json")
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise EngineError(
            f"The record of the database {folder.name!r} could not be written in {folder}: "
            f"{error.strerror}.",
            remedy="Free some space or allow writing there.",
        ) from None
    return record


def new_password() -> str:
    """A random password in Neon's form, which needs no quoting anywhere."""
    alphabet = string.ascii_letters + string.digits
    return f"npg_{''.join(secrets.choice(alphabet) for _ in range(20))}"
