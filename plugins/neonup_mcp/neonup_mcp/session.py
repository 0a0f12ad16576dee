"""Connections for one statement each, its limits, and what Postgres says when it fails.

Every call has a connection of its own, so that no call sees what another one has set, and clients
don't wait for each other.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

import anyio
import psycopg
from psycopg import AsyncConnection, sql

from neonup import SqlError, drivers, libpq, urls
from neonup.plugin.postgres import missing_feature
from neonup_mcp import values

T = TypeVar("T")

_CONNECT = 15
"""Seconds for a connection: a suspended database in the cloud takes some to wake."""

_GRACE = 5
"""Seconds more, after which a server that says nothing is given up."""

_AT_ONCE = 10
"""Statements of one server: Postgres has 100 connections by default, for everybody."""

_REMEDIES = {
    "25006": "This tool only reads. What writes needs `neonup mcp --allow-writes` and the tool "
    "write_sql.",
    "57014": "Make it read less, or start `neonup mcp` with a longer --timeout.",
}


@dataclass(frozen=True)
class StatementLimits:
    """What one statement may take.

    Args:
        seconds: how long it may run.
        rows: how many rows are returned.
        characters: how long all values together may be, roughly.
    """

    seconds: int = 30
    rows: int = 200
    characters: int = 100_000


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[AsyncConnection]:
    """A connection whose statements commit by themselves.

    Raises:
        SqlError: there is none; or, in the block, a statement failed.
    """
    try:
        with libpq.service_hidden():
            connection = await AsyncConnection.connect(
                **{"connect_timeout": _CONNECT, **drivers.psycopg_arguments(url, pooled=False)},
                application_name="neonup mcp",
                autocommit=True,
                client_encoding="utf8",  # whatever the URL says: what is checked is what is run
                context=values.READABLE,
            )
        async with connection:
            # Ends what runs for a client that was killed; Postgres on Windows cannot do it.
            with suppress(psycopg.errors.InvalidParameterValue):
                await connection.execute("SET client_connection_check_interval = '1s'")
            yield connection
    except psycopg.Error as error:
        raise as_error(error) from None


@asynccontextmanager
async def rolled_back(
    url: str, limits: StatementLimits, *, read_only: bool = True
) -> AsyncIterator[AsyncConnection]:
    """A connection in a transaction within the limits, of which nothing stays.

    Raises:
        SqlError: as `connected`.
    """
    async with connected(url) as connection:
        # The last SELECT takes the transaction's snapshot, after which it stays read-only for good.
        await connection.execute(
            sql.SQL("BEGIN {}; SET LOCAL statement_timeout = {}; SELECT 1").format(
                sql.SQL("READ ONLY" if read_only else "READ WRITE"), limits.seconds * 1000
            )
        )
        yield connection
        await connection.execute("ROLLBACK")


@dataclass(frozen=True)
class Runner:
    """Runs the statements of one server.

    Args:
        limits: what one of them may take.
        places: as many run at once as there are places; the others wait, and leave the application
            its connections.
    """

    limits: StatementLimits
    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    async def run(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The work's result; where the call is cancelled or takes too long, its statement is ended.

        It runs in a task of its own: the SDK's scopes cancel at every await, also at those with
        which psycopg asks the server to stop.

        Raises:
            SqlError: it took too long.
        """
        async with self.places:
            task = asyncio.create_task(self._timed(work))
            try:
                return await asyncio.shield(task)
            except asyncio.CancelledError:
                task.cancel()
                with anyio.CancelScope(shield=True):
                    await asyncio.wait([task])
                raise

    async def _timed(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        seconds = _CONNECT + self.limits.seconds + _GRACE
        try:
            async with asyncio.timeout(seconds):
                return await work()
        except TimeoutError:
            raise SqlError(f"The server did not answer within {seconds} seconds.") from None


def as_error(error: psycopg.Error, *, prefix: str = "", statement: str = "") -> SqlError:
    """What Postgres says, as an error of ours.

    Args:
        error: as psycopg raised it.
        prefix: what was sent before the statement.
        statement: the caller's statement.
    """
    diagnostics = error.diag
    message = urls.mask(diagnostics.message_primary or str(error).strip())
    checked = [
        urls.mask(f"{label}: {text}")
        for label, text in [
            ("detail", diagnostics.message_detail),
            ("hint", diagnostics.message_hint),
        ]
        if text
    ]
    line = None
    if statement and diagnostics.statement_position:
        position = max(0, int(diagnostics.statement_position) - 1 - len(prefix))
        line = statement.count("\n", 0, position) + 1
        checked.append(f"line {line}: {statement.split(chr(10))[line - 1].strip()[:200]}")
    state = f" (SQLSTATE {error.sqlstate})" if error.sqlstate else ""
    return SqlError(
        f"{message}{state}",
        checked=checked,
        remedy=_REMEDIES.get(error.sqlstate or ""),
        line=line,
        missing=missing_feature(message),
    )
