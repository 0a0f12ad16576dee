"""The state of the local Neon: rows as JSON documents in one SQLite file.

A row that somebody has read is only good for showing: it may be changed or deleted before they
write. So a row is inserted, which fails where it exists; or changed by a function that is given
the row as it is then, which fails where it is gone; or deleted. What has to hold for a change is
looked at in the same transaction.
"""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from neonup import ProviderError
from neonup_emulator.neon import model as _rows  # noqa: F401 - the modules that define rows
from neonup_emulator.neon.accounts import model as _accounts_rows  # noqa: F401
from neonup_emulator.neon.claimable import model as _claimable_rows  # noqa: F401
from neonup_emulator.neon.data import model as _data_rows  # noqa: F401
from neonup_emulator.neon.errors import Conflict, NotFound
from neonup_emulator.neon.oauth import model as _oauth_rows  # noqa: F401
from neonup_emulator.neon.state import consumption_tables, natural_keys
from neonup_emulator.neon.state.row import Row
from neonup_emulator.neon.transfer import model as _transfer_rows  # noqa: F401

Kind = TypeVar("Kind", bound=Row)

_VERSION = 2
"""Counted up when rows of an older store cannot be read any more, or an older version of neonup
must not write into a newer store."""
_READABLE = (0, 1, 2)
"""Versions that are made this one when they are opened; 0 is a new file."""
KINDS = tuple(Row.__subclasses__())
"""Every kind of row, each in a table of its own: all that the modules of rows define."""


def setting(**values: object) -> Callable[[Kind], Kind]:
    """A change for `Store.update` that sets fields and leaves the others as they are."""
    return lambda row: replace(row, **values)


class Store:
    """Rows, by kind and id; written in transactions that are on the disk when they end.

    Args:
        path: the file; created where it is missing, with mode 0600.

    Raises:
        ProviderError: it cannot be used.
    """

    def __init__(self, path: Path):
        self._path = path
        self._lock = threading.RLock()
        self._depth = 0
        try:
            path.touch(mode=0o600)
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            raise ProviderError(f"{path} cannot be used: {error}.") from None
        try:
            self._open()
        except BaseException as error:
            self.close()
            if isinstance(error, sqlite3.Error):
                raise ProviderError(f"{path} cannot be used: {error}.") from None
            raise

    def _open(self) -> None:
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version not in _READABLE:
            raise ProviderError(
                f"{self._path} was written by another version of neonup.",
                remedy="Use that version, or another folder: neonup serve --home ...",
            )
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        with self.transaction():
            for kind in KINDS:
                # "place" keeps the order in which rows were first written.
                self._connection.execute(
                    f"CREATE TABLE IF NOT EXISTS {kind.__name__} (place INTEGER PRIMARY KEY, "
                    "id TEXT UNIQUE NOT NULL, project_id TEXT, branch_id TEXT, body TEXT NOT NULL)"
                )
                self._connection.execute(
                    f"CREATE INDEX IF NOT EXISTS {kind.__name__}_project "
                    f"ON {kind.__name__} (project_id, branch_id)"
                )
            for statement in consumption_tables.TABLES:
                self._connection.execute(statement)
            for key in natural_keys.NATURAL_KEYS:
                self._index(key)
            self._connection.execute(f"PRAGMA user_version = {_VERSION}")

    def _index(self, key: natural_keys.NaturalKey) -> None:
        try:
            self._connection.execute(key.statement)
        except sqlite3.IntegrityError:
            raise ProviderError(
                f"{self._path} was written by another version of neonup: it has rows of the kind "
                f"{key.kind.__name__} with the same {' and '.join(key.fields)}.",
                remedy="Use that version, or another folder: neonup serve --home ...",
            ) from None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written in the block, or nothing of it; one at a time; may be nested.

        Raises:
            ProviderError: it could not be written, e.g. since the disk is full.
        """
        with self._lock:
            if self._depth == 0:
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
                if self._depth == 1:
                    self._connection.execute("COMMIT")
            except BaseException as error:
                if self._depth == 1 and self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                if isinstance(error, sqlite3.OperationalError):
                    raise ProviderError(f"{self._path} could not be written: {error}.") from None
                raise
            finally:
                self._depth -= 1

    def insert(self, *rows: Row) -> None:
        """Write new rows.

        Raises:
            Conflict: there is one of that id, or with the same natural key.
        """
        with self.transaction():
            for row in rows:
                self._write(
                    row,
                    f"INSERT INTO {type(row).__name__} (project_id, branch_id, body, id) "  # noqa: S608
                    "VALUES (?, ?, ?, ?)",
                )

    def update(self, kind: type[Kind], id: str, change: Callable[[Kind], Kind]) -> Kind:  # noqa: A002
        """Change a row.

        Args:
            kind: of which kind it is.
            id: which one.
            change: is given the row as it is now, within the transaction, and returns it as it
                is to be; what it raises leaves everything as it was.

        Returns:
            The row as it is now.

        Raises:
            NotFound: it is gone.
            Conflict: there is another one with the same natural key.
        """
        with self.transaction():
            row = self.get(kind, id)
            if row is None:
                raise NotFound(f"{_in_words(kind)} not found")
            changed = change(row)
            if changed.id != id:
                raise ValueError(f"the id of a row cannot be changed: {id}")
            self._write(
                changed,
                f"UPDATE {kind.__name__} SET project_id = ?, branch_id = ?, body = ? WHERE id = ?",  # noqa: S608
            )
        return changed

    def get(self, kind: type[Kind], id: str) -> Kind | None:  # noqa: A002
        """The row of that id, or None."""
        with self._lock:
            row = self._connection.execute(
                f"SELECT body FROM {kind.__name__} WHERE id = ?",  # noqa: S608
                (id,),
            ).fetchone()
        return msgspec.json.decode(row[0], type=kind) if row else None

    def all(
        self, kind: type[Kind], *, project_id: str | None = None, branch_id: str | None = None
    ) -> list[Kind]:
        """The rows of a kind, of one project or branch where that is given, oldest first."""
        wanted = {"project_id": project_id, "branch_id": branch_id}
        given = {name: value for name, value in wanted.items() if value is not None}
        where = " AND ".join(f"{name} = :{name}" for name in given) or "true"
        with self._lock:
            rows = self._connection.execute(
                f"SELECT body FROM {kind.__name__} WHERE {where} ORDER BY place",  # noqa: S608
                given,
            ).fetchall()
        decoder = msgspec.json.Decoder(kind)
        return [decoder.decode(body) for (body,) in rows]

    def dated(self, kind: type[Kind], field: str) -> list[Kind]:
        """The rows of a kind of which a field is set."""
        with self._lock:
            rows = self._connection.execute(
                f"SELECT body FROM {kind.__name__} "  # noqa: S608
                f"WHERE json_extract(body, '$.{field}') IS NOT NULL"
            ).fetchall()
        return [msgspec.json.decode(body, type=kind) for (body,) in rows]

    def _write(self, row: Row, statement: str) -> None:
        try:
            self._connection.execute(
                statement,
                (
                    getattr(row, "project_id", None),
                    getattr(row, "branch_id", None),
                    msgspec.json.encode(row).decode(),
                    row.id,
                ),
            )
        except sqlite3.IntegrityError as error:
            refusal = natural_keys.refusal(str(error))
            raise Conflict(refusal or f"{_in_words(type(row))} already exists") from None

    def delete(self, *rows: Row) -> None:
        """Remove rows; no matter whether they exist."""
        with self.transaction():
            for row in rows:
                self._connection.execute(
                    f"DELETE FROM {type(row).__name__} WHERE id = ?",  # noqa: S608
                    (row.id,),
                )

    def execute(self, statement: str, *parameters: Sequence[Any]) -> None:
        """Carry out a statement about tables that are not of rows, once for each parameters."""
        with self.transaction():
            self._connection.executemany(statement, parameters)

    def select(self, statement: str, parameters: Sequence[Any]) -> list[Any]:
        """What a query answers."""
        with self._lock:
            return self._connection.execute(statement, parameters).fetchall()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()


def _in_words(kind: type[Row]) -> str:
    """For example ``api key``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind.__name__).lower()
