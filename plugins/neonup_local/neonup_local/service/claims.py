"""What neon.new is, without HTTP: databases that are nobody's until they are claimed or expire."""

from __future__ import annotations

import hashlib
import secrets
import string
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from neonup import NeonupError, State
from neonup_local.service import home as homes
from neonup_local.service import upkeep
from neonup_local.service.databases import Databases
from neonup_local.service.records import Record

KIND: Literal["neon.new"] = "neon.new"
UNCLAIMED, CLAIMED = "UNCLAIMED", "CLAIMED"
LIFETIME = timedelta(hours=72)
"""https://neon.com/docs/reference/claimable-postgres#limits"""
_REMEMBERED = timedelta(days=30)
"""How long the claim page of an expired database can say so."""
_AT_A_TIME = 4
"""Servers that are started or stopped at the same moment."""
_ADJECTIVES = ("bold", "calm", "cool", "fancy", "gentle", "late", "proud", "quiet", "super", "wild")
_NOUNS = ("breeze", "cloud", "dawn", "field", "forest", "hill", "leaf", "mode", "scene", "water")


@dataclass(frozen=True)
class Claim:
    """A database of this neon.new and whose it is; times are aware, UTC, whole milliseconds.

    Args:
        connection_string: how to reach it; None once it is claimed.
    """

    id: str
    status: str
    project_id: str
    connection_string: str | None = field(repr=False)
    created_at: datetime
    updated_at: datetime
    expires_at: datetime

    @property
    def claimed(self) -> bool:
        """Whether it is somebody's."""
        return self.status == CLAIMED


class Claims:
    """The databases of one home that neon.new's API hands out.

    Args:
        databases: where they are made.
        lifetime: how long one lives that nobody claims.
    """

    def __init__(self, databases: Databases, home: Path, *, lifetime: timedelta = LIFETIME):
        self.lifetime = lifetime
        self._databases = databases
        self._expired = home / "expired"
        self._lock = threading.Lock()

    def prepare(self) -> bool:
        """Make beforehand what the first database needs; whether databases will speak TLS.

        Raises:
            ProviderError: no database can be made on this machine.
        """
        return self._databases.prepare(tls=True).tls

    def stock_up(self) -> None:
        """Make a spare copy of the template, so that the next database need not wait for it."""
        try:
            with homes.locked(self._databases.home, homes.UPKEEP, patience=0):
                upkeep.make_spares(self._databases.home)
        except NeonupError:
            return  # somebody is at it, or the disk is full

    def create(self, *, name: str | None = None, logical_replication: bool = False) -> Claim:
        """Make a database; it answers.

        Args:
            name: the id that the caller gives it, a UUID; the same again is the same database.
            logical_replication: whether ``wal_level`` is ``logical``.

        Raises:
            ProviderError: it could not be made.
        """
        name = name or uuid7()
        record = self._databases.get(name)
        if record is None or self._databases.state(record) is not State.READY:
            record = self._databases.create(
                name,
                kind=KIND,
                name=name,
                password=_password(),
                logical_replication=logical_replication,
                durable=True,
                tls=True,
            )
        if "expires_at" not in record.service:
            expires_at = _moment(record.created_at) + self.lifetime
            record = self._save(record, expires_at=expires_at.isoformat())
        return self._claim(record)

    def get(self, name: str) -> Claim | None:
        """A database that is there and has not expired, running; None if there is none.

        Raises:
            ProviderError: it is there but cannot be started.
        """
        record = self._record(name)
        if record is None or self._is_over(record):
            return None
        if self._databases.state(record) is not State.READY:
            record = self._databases.wake(record)
        return self._claim(record)

    def look(self, name: str) -> Claim | None:
        """`get`, but the database is left as it is, asleep or not."""
        record = self._record(name)
        return None if record is None or self._is_over(record) else self._claim(record)

    def claim(self, name: str) -> Claim | None:
        """Make a database somebody's: it does not expire any more. Doing it twice does no harm.

        Returns:
            None if it is not there, or it has expired.
        """
        with self._lock:
            record = self._record(name)
            if record is None or self._is_over(record):
                return None
            if record.service.get("status") != CLAIMED:
                now = datetime.now(UTC).isoformat()
                record = self._save(record, status=CLAIMED, updated_at=now)
            return self._claim(record)

    def has_expired(self, name: str) -> bool:
        """Whether there was such a database, and it has expired."""
        record = self._record(name)
        if record is not None:
            return self._is_over(record)
        return _is_uuid(name) and (self._expired / name).exists()

    def has_port(self, port: int) -> bool:
        """Whether a database of this neon.new listens on that port of loopback."""
        return any(record.port == port and not self._is_over(record) for record in self._all())

    def expire(self) -> list[str]:
        """Delete, with their data, the databases whose time is over; their ids."""
        over = []
        for record in self._all():
            with self._lock:
                current = self._record(record.id)
                if current is None or not self._is_over(current):
                    continue
                homes.make_folder(self._expired)
                (self._expired / current.id).touch()  # first, so that the page always knows
                self._databases.delete(current)
                over.append(current.id)
        self._forget()
        return over

    def wake(self) -> list[str]:
        """Start what is asleep, e.g. since this neon.new was stopped; the ids that would not."""

        def wake(record: Record) -> None:
            if not self._is_over(record) and self._databases.state(record) is State.STOPPED:
                self._databases.wake(record)

        return self._each(wake)

    def stop(self) -> list[str]:
        """Stop all of them, their data stays; the ids of those that would not."""
        return self._each(self._databases.stop)

    def _each(self, do: Callable[[Record], object]) -> list[str]:
        """Do something with every database, a few at a time; the ids where it failed."""

        def fails(record: Record) -> bool:
            try:
                do(record)
            except NeonupError:
                return True
            return False

        records = self._all()
        with ThreadPoolExecutor(_AT_A_TIME) as pool:
            failed = pool.map(fails, records)
        return [record.id for record, bad in zip(records, failed, strict=True) if bad]

    def _record(self, name: str) -> Record | None:
        if not _is_uuid(name):
            return None
        record = self._databases.get(name)
        return record if record is not None and record.kind == KIND else None

    def _all(self) -> list[Record]:
        return [record for record in self._databases.all() if record.kind == KIND]

    def _save(self, record: Record, **changes: str) -> Record:
        return self._databases.update(record, service={**record.service, **changes})

    def _is_over(self, record: Record) -> bool:
        return record.service.get("status") != CLAIMED and self._expires_at(record) <= datetime.now(
            UTC
        )

    def _expires_at(self, record: Record) -> datetime:
        known = record.service.get("expires_at")
        return _moment(known) if known else _moment(record.created_at) + self.lifetime

    def _claim(self, record: Record) -> Claim:
        known = record.service
        status = known.get("status", UNCLAIMED)
        created_at = _moment(record.created_at)
        updated_at = known.get("updated_at")
        return Claim(
            id=record.id,
            status=status,
            project_id=_project_id(record.id),
            connection_string=None if status == CLAIMED else self._url(record),
            created_at=created_at,
            updated_at=_moment(updated_at) if updated_at else created_at,
            expires_at=self._expires_at(record),
        )

    def _url(self, record: Record) -> str:
        url = self._databases.url(record)
        return f"{url}?sslmode=require&channel_binding=require" if record.tls else url

    def _forget(self) -> None:
        """Remove what is remembered of those that expired long ago."""
        if not self._expired.is_dir():
            return
        limit = time.time() - _REMEMBERED.total_seconds()
        for path in self._expired.iterdir():
            if path.stat().st_mtime < limit:
                path.unlink(missing_ok=True)


def uuid7() -> str:
    """A new UUID of version 7: the milliseconds since 1970, then chance (RFC 9562, 5.7)."""
    value = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    value &= ~(0xF << 76 | 0x3 << 62)
    return str(uuid.UUID(int=value | 0x7 << 76 | 0x2 << 62))


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _password() -> str:
    """A password like Neon's that ends in ``pooler``.

    neon-new puts ``-pooler`` before the first dot of a URL that does not have ``pooler`` in it,
    which would break the address 127.0.0.1; so this one has it, where it does no harm.
    """
    letters = string.ascii_letters + string.digits
    return "npg_" + "".join(secrets.choice(letters) for _ in range(20)) + "pooler"


def _project_id(name: str) -> str:
    """A project id of Neon's form, always the same for one database."""
    digest = hashlib.sha256(name.encode()).digest()
    adjective = _ADJECTIVES[digest[0] % len(_ADJECTIVES)]
    noun = _NOUNS[digest[1] % len(_NOUNS)]
    return f"{adjective}-{noun}-{int.from_bytes(digest[2:6]) % 10**8:08}"
