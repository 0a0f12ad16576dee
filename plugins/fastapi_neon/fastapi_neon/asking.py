"""A connection of its own, outside of every pool, by whichever driver is installed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.util import find_spec
from typing import Any

import neonup
from fastapi_neon.needs import needs
from fastapi_neon.source import Source
from neonup import Database

Ask = Callable[[str], Awaitable[Sequence[Sequence[Any]]]]
"""Runs one statement and returns its rows."""

_PATIENCE = "SET LOCAL statement_timeout = '2s'"  # local: a pooler hands the session on


@asynccontextmanager
async def asking(source: Source, database: Database) -> AsyncIterator[Ask]:
    """A connection in a transaction that only reads and takes two seconds a statement at most.

    Raises:
        NeonupError: neither psycopg nor asyncpg is installed, or the database is gone.
    """
    ways = {"psycopg": _by_psycopg, "asyncpg": _by_asyncpg}
    way = next((way for name, way in ways.items() if find_spec(name)), _by_psycopg)
    async with AsyncExitStack() as stack:
        with needs("The health check", "psycopg[binary]"):
            try:
                ask = await way(stack, database, source.pooled or None)
            except ImportError:
                raise
            except Exception:  # each driver has its own
                again = await source.aensure(create=False)
                ask = await way(stack, again, source.pooled or None)
        yield ask


async def _by_psycopg(stack: AsyncExitStack, database: Database, pooled: bool | None) -> Ask:
    from psycopg import AsyncConnection

    url = neonup.libpq.hardened(database.url, database.own)
    arguments = neonup.drivers.psycopg_arguments(url, pooled=pooled)
    with neonup.libpq.service_hidden(database.own):
        made = await AsyncConnection.connect(**arguments)
    connection = await stack.enter_async_context(made)
    await connection.set_read_only(True)
    await connection.execute(_PATIENCE)

    async def ask(statement: str) -> Sequence[Sequence[Any]]:
        return await (await connection.execute(statement.encode())).fetchall()

    return ask


async def _by_asyncpg(stack: AsyncExitStack, database: Database, pooled: bool | None) -> Ask:
    import asyncpg  # type: ignore[import-untyped]

    url = neonup.libpq.hardened(database.url, database.own)
    connection = await asyncpg.connect(**neonup.drivers.asyncpg_arguments(url, pooled=pooled))
    stack.push_async_callback(connection.close)
    await stack.enter_async_context(connection.transaction(readonly=True))
    await connection.execute(_PATIENCE)
    ask: Ask = connection.fetch
    return ask
