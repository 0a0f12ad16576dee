"""What is open on one event loop. A pool belongs to the loop that opened it, and to no other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Any

from fastapi_neon.needs import needs
from fastapi_neon.source import Source
from neonup import Database

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from fastapi_neon.pool import ConnectionPool


class Opened:
    """The database, the pool and the engine of one event loop, each opened on its first use.

    Args:
        source: finds the database.
        driver: of the engine.
        pool: options of the pool.
        engine: options of the engine.
    """

    def __init__(
        self, source: Source, driver: str, pool: Mapping[str, Any], engine: Mapping[str, Any]
    ):
        self._source = source
        self._driver = driver
        self._pool_options = pool
        self._engine_options = engine
        self._lock = asyncio.Lock()
        self._database: Database | None = None
        self._pool: ConnectionPool | None = None
        self._engine: AsyncEngine | None = None
        self._end: AsyncGenerator[None] | None = None

    async def database(self) -> Database:
        """The database; looked for on the first call."""
        async with self._lock:
            return await self._found()

    async def pool(self) -> ConnectionPool:
        """psycopg's pool."""
        async with self._lock:
            if self._pool is None:
                with needs("neon.connection", "psycopg[binary,pool]>=3.2"):
                    from fastapi_neon.pool import ConnectionPool
                pool = ConnectionPool(self._source, await self._found(), self._pool_options)
                await pool.open()
                self._pool = pool
            return self._pool

    async def engine(self) -> AsyncEngine:
        """SQLAlchemy's engine."""
        async with self._lock:
            if self._engine is None:
                driver = "psycopg[binary]" if self._driver == "psycopg" else self._driver
                with needs("neon.session", "sqlalchemy[asyncio]", driver):
                    from fastapi_neon.engine import open_async_engine

                    database = await self._found()
                    self._engine = open_async_engine(
                        self._source, database, self._driver, self._engine_options
                    )
            return self._engine

    async def close(self) -> None:
        """Close everything; anything requested afterwards is opened again."""
        async with self._lock:
            pool, engine = self._pool, self._engine
            self._database = self._pool = self._engine = None
            async with AsyncExitStack() as stack:
                if engine is not None:
                    stack.push_async_callback(engine.dispose)
                if pool is not None:
                    stack.push_async_callback(pool.close)

    async def close_with_the_loop(self) -> None:
        """Close when the loop ends (asyncio closes its generators then), if nobody did before."""
        self._end = self._at_the_end()
        await anext(self._end)

    async def _at_the_end(self) -> AsyncGenerator[None]:
        try:
            yield
        finally:
            self._end = None  # it knows its loop, which is to be forgotten
            with suppress(asyncio.CancelledError):
                await self.close()

    async def _found(self) -> Database:
        if self._database is None:
            self._database = await self._source.aensure()
        return self._database
