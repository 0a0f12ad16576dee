"""psycopg's pool, whose connections are tried before use and made anew where they died."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Self

from psycopg import AsyncConnection, Error, OperationalError
from psycopg_pool import AsyncConnectionPool

import neonup
from fastapi_neon.source import Source
from neonup import Database

Pool = AsyncConnectionPool[AsyncConnection[Any]]


async def open_pool(source: Source, database: Database, options: Mapping[str, Any]) -> Pool:
    """A pool on this event loop, whose first connection is under way.

    Args:
        source: wakes the database where it does not answer.
        database: where to connect.
        options: of ``AsyncConnectionPool``; its ``kwargs`` are psycopg's.
    """
    arguments = neonup.psycopg_arguments(database.url, pooled=source.pooled or None)
    conninfo = arguments.pop("conninfo")
    chosen = {"min_size": 1, "max_size": 10, **options}
    chosen["kwargs"] = arguments | chosen.get("kwargs", {})
    pool = AsyncConnectionPool(
        conninfo, connection_class=_waking(source, conninfo), open=False, **chosen
    )
    await pool.open()
    return pool


@asynccontextmanager
async def lent(pool: Pool) -> AsyncIterator[AsyncConnection[Any]]:
    """A connection that answers; what was not committed is rolled back."""
    connection = await _answering(pool)
    autocommit = connection.autocommit
    try:
        yield connection
    finally:
        with suppress(Error):  # a connection that broke is replaced by the pool
            await connection.rollback()
            await connection.set_autocommit(autocommit)
        await pool.putconn(connection)


async def _answering(pool: Pool) -> AsyncConnection[Any]:
    """A connection that was tried just now.

    Not by the pool's own ``check``, which waits longer and longer for each dead connection: when
    a server goes, all of its connections are dead.
    """
    connection = await pool.getconn()
    try:
        await pool.check_connection(connection)
    except OperationalError:
        await pool.putconn(connection)
        await pool.check()
        return await pool.getconn()
    except BaseException:
        await pool.putconn(connection)
        raise
    return connection


def _waking(source: Source, conninfo: str) -> type[AsyncConnection[Any]]:
    """A class of connections that wake their database where they cannot connect."""
    current = conninfo

    class WakingConnection(AsyncConnection[Any]):
        @classmethod
        async def connect(cls, conninfo: str = "", **arguments: Any) -> Self:
            nonlocal current
            try:
                return await super().connect(current, **arguments)
            except OperationalError:
                current = neonup.psycopg_arguments((await source.aensure()).url)["conninfo"]
                return await super().connect(current, **arguments)

    return WakingConnection
