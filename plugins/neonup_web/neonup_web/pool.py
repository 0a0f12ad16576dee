"""psycopg's pool, whose connections are tested before use and replaced if they are broken."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Self
from weakref import WeakSet

from psycopg import AsyncConnection, Error, OperationalError
from psycopg_pool import AsyncConnectionPool, PoolTimeout

import neonup
from neonup import Database
from neonup_web.source import DatabaseSource

Connection = AsyncConnection[Any]

RECONNECT_SECONDS = 5.0
"""Seconds that a request waits for a database that refuses every new connection."""


class ConnectionPool:
    """A pool on one event loop.

    Args:
        source: wakes the database where it does not answer.
        database: where to connect.
        options: of ``AsyncConnectionPool``; its ``kwargs`` are psycopg's.
    """

    def __init__(self, source: DatabaseSource, database: Database, options: Mapping[str, Any]):
        self._source = source
        self._failure: Exception | None = None
        self._connections: WeakSet[Connection] = WeakSet()
        arguments = neonup.drivers.psycopg_arguments(database.url, pooled=source.pooled or None)
        self._move(database)
        arguments.pop("conninfo")
        pool_options = {"min_size": 1, "max_size": 10, **options}
        pool_options["kwargs"] = arguments | pool_options.get("kwargs", {})
        self._pool = AsyncConnectionPool(
            connection_class=self._connection_class(), open=False, **pool_options
        )

    def _move(self, database: Database) -> None:
        """Connect there from now on."""
        url = neonup.libpq.hardened(database.url, database.own)
        self._own = database.own
        self._conninfo = neonup.drivers.libpq(url)

    async def open(self) -> None:
        """Begin with the first connection.

        Raises:
            NeonupError: psycopg cannot use the running event loop; the pool would go on trying.
        """
        self._check_loop()
        await self._pool.open()
        self._closing = asyncio.create_task(self._close_with_the_loop())

    @staticmethod
    def _check_loop() -> None:
        if sys.platform == "win32" and isinstance(
            asyncio.get_running_loop(), asyncio.ProactorEventLoop
        ):
            from neonup_web.platforms import ANY_LOOP

            raise ANY_LOOP.refused()

    async def close(self) -> None:
        """Close all connections."""
        self._closing.cancel()
        try:
            await self._pool.close()
        finally:  # it gives up where the loop has ended its workers already
            for connection in list(self._connections):
                await connection.close()

    async def _close_with_the_loop(self) -> None:
        """Close when `asyncio.run` cancels all tasks at the loop's end.

        A worker of the pool takes a cancellation for a connection that could not be made and goes
        on, which `asyncio.run` waits for: it ends when the pool is closed.
        """
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            with suppress(asyncio.CancelledError):  # of the workers that ended
                await self._pool.close()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection that answers; what was not committed is rolled back.

        Raises:
            psycopg_pool.PoolTimeout: all are in use for too long.
            Exception: why no connection can be made, the driver's or neonup's own.
        """
        connection = await self._answering()
        autocommit = connection.autocommit
        try:
            yield connection
        finally:
            with suppress(Error):  # a connection that broke is replaced by the pool
                await connection.rollback()
                await connection.set_autocommit(autocommit)
            await self._pool.putconn(connection)

    async def _answering(self) -> Connection:
        """A connection that was tried just now.

        Not by the pool's own ``check``, which waits longer and longer for each dead connection:
        when a server goes, all of its connections are dead.
        """
        connection = await self._next()
        try:
            await self._pool.check_connection(connection)
        except OperationalError:
            await self._pool.putconn(connection)
            await self._pool.check()
            return await self._next()
        except BaseException:
            await self._pool.putconn(connection)
            raise
        return connection

    async def _next(self) -> Connection:
        """The pool's next connection; where none can be made, the reason, and no long wait."""
        timeout = self._pool.timeout
        try:
            return await self._pool.getconn(min(timeout, RECONNECT_SECONDS))
        except PoolTimeout:
            if self._failure is not None:
                raise self._failure.with_traceback(None) from None
            if timeout <= RECONNECT_SECONDS:
                raise
        return await self._pool.getconn(timeout - RECONNECT_SECONDS)

    def _connection_class(self) -> type[Connection]:
        """A class of connections that wake their database where they cannot connect."""
        pool = self

        class WakingConnection(AsyncConnection[Any]):
            @classmethod
            async def connect(cls, conninfo: str = "", **arguments: Any) -> Self:
                try:
                    try:
                        with neonup.libpq.service_hidden(pool._own):
                            connection = await super().connect(pool._conninfo, **arguments)
                    except OperationalError:
                        pool._move(await pool._source.aensure())
                        with neonup.libpq.service_hidden(pool._own):
                            connection = await super().connect(pool._conninfo, **arguments)
                except Exception as failure:
                    pool._failure = failure
                    raise
                pool._failure = None
                pool._connections.add(connection)
                return connection

        return WakingConnection
