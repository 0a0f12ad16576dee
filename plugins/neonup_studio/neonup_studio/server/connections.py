"""Connections to what is looked at; one stays open for a moment, since a page follows the other.

A connection that stays would keep a database of Neon's from being suspended, and a local one from
being replaced: after a few seconds it is closed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, LiteralString

import psycopg
from psycopg.pq import TransactionStatus

from neonup import drivers, libpq, urls

Connection = psycopg.Connection[tuple[Any, ...]]

SECONDS = 10
"""How long a page's statement may run."""
_CONNECT = 15
"""Seconds for a connection: a suspended database in the cloud takes some to wake."""
_SPARE = 8.0
"""Seconds for which a connection that is not used stays open."""

# Nothing of a page waits long for a lock, and what it sets ends with its transaction.
_READ: LiteralString = f"""
SET TRANSACTION READ ONLY;
SET LOCAL statement_timeout = '{SECONDS}s';
SET LOCAL lock_timeout = '2s';
SET LOCAL idle_in_transaction_session_timeout = '30s'
"""


class SpareConnections:
    """The connections of one studio."""

    def __init__(self) -> None:
        self._spare: dict[str, tuple[Connection, float]] = {}
        self._lock = threading.Lock()

    @contextmanager
    def reading(self, url: str, *, own: bool) -> Iterator[Connection]:
        """A connection in a transaction that only reads, and of which nothing stays.

        Args:
            url: of the database.
            own: whether neonup created it, so that libpq's variables lead nowhere else.

        Raises:
            psycopg.Error: nobody answers; or, in the block, a statement failed.
        """
        with (
            self.connected(url, own=own) as connection,
            connection.transaction(force_rollback=True),
        ):
            connection.execute(_READ)
            yield connection

    @contextmanager
    def connected(self, url: str, *, own: bool) -> Iterator[Connection]:
        """A connection in no transaction, for those who begin and end theirs themselves.

        Args:
            url: as `reading`.
            own: as `reading`.

        Raises:
            psycopg.Error: as `reading`.
        """
        connection = self._take(url)
        if connection is None:
            with libpq.service_hidden(own):
                connection = psycopg.connect(
                    **arguments(url, own=own), client_encoding="utf8", autocommit=True
                )
        kept = False
        try:
            yield connection
            kept = connection.info.transaction_status == TransactionStatus.IDLE
        finally:
            if not kept or not self._keep(url, connection):
                connection.close()

    def _take(self, url: str) -> Connection | None:
        with self._lock:
            connection, _ = self._spare.pop(url, (None, 0))
        if connection is None:
            return None
        try:
            connection.execute("")  # its server may have been stopped or replaced meanwhile
        except psycopg.Error:
            connection.close()
            return None
        return connection

    def _keep(self, url: str, connection: Connection) -> bool:
        with self._lock:
            if url in self._spare:
                return False
            self._spare[url] = (connection, time.monotonic())
            return True

    def close_idle(self, *, every: bool = False) -> None:
        """Close those that nobody has used for a moment; or all."""
        now = time.monotonic()
        with self._lock:
            old = [url for url, (_, since) in self._spare.items() if every or now - since > _SPARE]
            closed = [self._spare.pop(url)[0] for url in old]
        for connection in closed:
            with suppress(psycopg.Error):
                connection.close()


def arguments(url: str, *, own: bool) -> dict[str, Any]:
    """How psycopg connects.

    Args:
        url: of the database, in any form.
        own: whether neonup created it.
    """
    return {
        "connect_timeout": _CONNECT,
        **drivers.psycopg_arguments(libpq.hardened(url, own), pooled=True),
        "application_name": "neonup studio",
    }


def reason(error: psycopg.Error) -> str:
    """What went wrong, without a password."""
    return urls.mask(error.diag.message_primary or str(error).strip() or "The connection was lost.")
