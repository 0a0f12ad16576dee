"""Queries on a connection of their own, outside of every pool, by whichever driver is installed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.util import find_spec
from typing import Any

import neonup
from neonup import Database
from neonup_web.requirements import requires
from neonup_web.source import DatabaseSource

Query = Callable[[str], Awaitable[Sequence[Sequence[Any]]]]
"""Runs one statement and returns its rows."""

# LOCAL: a pooler hands the session on to somebody else.
_STATEMENT_TIMEOUT = "SET LOCAL statement_timeout = '2s'"


@asynccontextmanager
async def read_only(source: DatabaseSource, database: Database) -> AsyncIterator[Query]:
    """A connection in a transaction that only reads and takes two seconds a statement at most.

    Raises:
        NeonupError: neither psycopg nor asyncpg is installed, or the database is gone.
    """
    drivers = {"psycopg": _by_psycopg, "asyncpg": _by_asyncpg}
    connect = next((by for name, by in drivers.items() if find_spec(name)), _by_psycopg)
    async with AsyncExitStack() as stack:
        with requires("The health check", "psycopg[binary]"):
            try:
                query = await connect(stack, database, source.pooled or None)
            except ImportError:
                raise
            except Exception:  # each driver has its own
                awake = await source.aensure(create=False)
                query = await connect(stack, awake, source.pooled or None)
        yield query


async def _by_psycopg(stack: AsyncExitStack, database: Database, pooled: bool | None) -> Query:
    from psycopg import AsyncConnection

    url = neonup.libpq.hardened(database.url, database.own)
    arguments = neonup.drivers.psycopg_arguments(url, pooled=pooled)
    with neonup.libpq.service_hidden(database.own):
        connecting = await AsyncConnection.connect(**arguments)
    connection = await stack.enter_async_context(connecting)
    await connection.set_read_only(True)
    await connection.execute(_STATEMENT_TIMEOUT)

    async def query(statement: str) -> Sequence[Sequence[Any]]:
        return await (await connection.execute(statement.encode())).fetchall()

    return query


async def _by_asyncpg(stack: AsyncExitStack, database: Database, pooled: bool | None) -> Query:
    import asyncpg  # type: ignore[import-untyped]

    arguments = neonup.drivers.asyncpg_arguments(database.url, pooled=pooled)
    with neonup.libpq.variables_hidden(database.own):
        connection = await asyncpg.connect(**arguments)
    stack.push_async_callback(connection.close)
    await stack.enter_async_context(connection.transaction(readonly=True))
    await connection.execute(_STATEMENT_TIMEOUT)
    query: Query = connection.fetch
    return query
