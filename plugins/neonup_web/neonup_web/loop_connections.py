"""What is open on one event loop. A pool belongs to the loop that opened it, and to no other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from neonup import Database
from neonup_web.requirements import requires
from neonup_web.source import DatabaseSource

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from neonup_web.pool import ConnectionPool


@dataclass(frozen=True)
class ConnectionOptions:
    """How connections are opened; see `neonup_web.connections.Connections`."""

    source: DatabaseSource
    driver: str
    pool: Mapping[str, Any]
    engine: Mapping[str, Any]
    name: str


class LoopConnections:
    """The database, the pool and the engine of one event loop, each opened on its first use.

    Args:
        options: how.
    """

    def __init__(self, options: ConnectionOptions):
        self._options = options
        self._lock = asyncio.Lock()
        self.in_use: Database | None = None
        self._pool: ConnectionPool | None = None
        self._engine: AsyncEngine | None = None
        self._closing: AsyncGenerator[None] | None = None

    async def database(self) -> Database:
        """The database; looked for on the first call."""
        async with self._lock:
            return await self._find()

    async def pool(self) -> ConnectionPool:
        """psycopg's pool."""
        async with self._lock:
            if self._pool is None:
                options = self._options
                with requires(f"{options.name}.connection", "psycopg[binary,pool]>=3.2"):
                    from neonup_web.pool import ConnectionPool
                pool = ConnectionPool(options.source, await self._find(), options.pool)
                await pool.open()
                self._pool = pool
            return self._pool

    async def engine(self) -> AsyncEngine:
        """SQLAlchemy's engine."""
        async with self._lock:
            if self._engine is None:
                options = self._options
                driver = "psycopg[binary]" if options.driver == "psycopg" else options.driver
                with requires(f"{options.name}.session", "sqlalchemy[asyncio]", driver):
                    from neonup_web.engines import waking_async_engine

                    self._engine = waking_async_engine(
                        options.source, await self._find(), options.driver, options.engine
                    )
            return self._engine

    async def close(self) -> None:
        """Close everything; anything requested afterwards is opened again."""
        async with self._lock:
            pool, engine = self._pool, self._engine
            self.in_use = self._pool = self._engine = None
            async with AsyncExitStack() as stack:
                if engine is not None:
                    stack.push_async_callback(engine.dispose)
                if pool is not None:
                    stack.push_async_callback(pool.close)

    async def close_with_the_loop(self) -> None:
        """Close when the loop ends (asyncio closes its generators then), if nobody did before."""
        self._closing = self._close_at_the_end()
        await anext(self._closing)

    async def _close_at_the_end(self) -> AsyncGenerator[None]:
        try:
            yield
        finally:
            self._closing = None  # it knows its loop, which is to be forgotten
            with suppress(asyncio.CancelledError):
                await self.close()

    async def _find(self) -> Database:
        if self.in_use is None:
            self.in_use = await self._options.source.aensure()
        return self.in_use
