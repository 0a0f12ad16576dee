"""`Connections`: what an application uses, opened when it is first asked for."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, Literal
from weakref import WeakKeyDictionary

from neonup import Database, NeonupError
from neonup_web.loop_connections import ConnectionOptions, LoopConnections
from neonup_web.requirements import requires
from neonup_web.source import DatabaseSource

if TYPE_CHECKING:
    from psycopg import AsyncConnection
    from sqlalchemy import Engine
    from sqlalchemy.ext.asyncio import AsyncSession
    from sqlalchemy.orm import Session

Resource = Literal["connection", "session", "sync_session"]
"""What `Connections.lifespan` opens before it is asked for."""


class Connections:
    """An application's connections: a pool and an engine for each event loop, one for all threads.

    Constructing it opens nothing. A database that was stopped, killed or suspended is woken by
    whoever connects next.

    Args:
        source: finds the database.
        driver: what `session` uses.
        pool: options of ``psycopg_pool.AsyncConnectionPool`` for `connection`.
        engine: options of SQLAlchemy's ``create_engine`` for `session` and `sync_session`.
        name: what the application calls the adapter, for errors.
    """

    def __init__(
        self,
        source: DatabaseSource,
        *,
        driver: Literal["psycopg", "asyncpg"] = "psycopg",
        pool: Mapping[str, Any] | None = None,
        engine: Mapping[str, Any] | None = None,
        name: str = "connections",
    ):
        self.source = source
        self._options = ConnectionOptions(source, driver, pool or {}, engine or {}, name)
        self._loops: WeakKeyDictionary[asyncio.AbstractEventLoop, LoopConnections] = (
            WeakKeyDictionary()
        )
        self._lock = threading.Lock()
        self._in_use_by_threads: Database | None = None
        self._engine: Engine | None = None
        self._process = os.getpid()

    async def database(self) -> Database:
        """The database itself.

        Raises:
            NeonupError: there is none.
        """
        return await (await self._of_this_loop()).database()

    async def database_in_use(self) -> Database:
        """The database that is open already, also if by threads; else as `database`.

        For whoever only looks: where the open one is lost, none is created in its place.
        """
        connections = await self._of_this_loop()
        return connections.in_use or self._in_use_by_threads or await connections.database()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection[Any]]:
        """A psycopg connection from a pool; what is not committed is rolled back."""
        pool = await (await self._of_this_loop()).pool()
        async with pool.connection() as connection:
            yield connection

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        """SQLAlchemy's ``AsyncSession``; what is not committed is rolled back."""
        engine = await (await self._of_this_loop()).engine()
        from sqlalchemy.ext.asyncio import AsyncSession

        # What was committed is still there to answer with; reading it again would need an await.
        async with AsyncSession(engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def sync_session(self) -> Iterator[Session]:
        """SQLAlchemy's ``Session``, for threads; what is not committed is rolled back."""
        engine = self.sync_engine()
        from sqlalchemy.orm import Session

        with Session(engine) as session:
            yield session

    def sync_engine(self) -> Engine:
        """The engine of this process's threads; a forked process gets one of its own.

        Raises:
            NeonupError: SQLAlchemy or psycopg is not installed, or there is no database.
        """
        with self._lock:
            if self._engine is not None and self._process != os.getpid():
                self._engine.dispose(close=False)  # its connections are the parent's
                self._engine = None
            if self._engine is None:
                with requires(
                    f"{self._options.name}.sync_session", "sqlalchemy", "psycopg[binary]"
                ):
                    from neonup_web.engines import waking_engine

                    database = self.source.ensure()
                    self._engine = waking_engine(self.source, database, self._options.engine)
                self._in_use_by_threads, self._process = database, os.getpid()
            return self._engine

    @asynccontextmanager
    async def lifespan(self, resources: Collection[Resource] = ()) -> AsyncIterator[None]:
        """The life of an application on the running event loop.

        At its start the database is found, woken, or created where this is development; at the end
        everything is closed.

        Args:
            resources: what the application will ask for, opened now.

        Raises:
            NeonupError: there is no database, or a driver is not installed.
        """
        connections = await self._of_this_loop()
        try:
            await self._open(connections, resources)
            yield
        finally:
            await connections.close()
            self.close()

    def close(self) -> None:
        """Close the threads' engine; a session requested afterwards opens another."""
        with self._lock:
            engine, self._engine, self._in_use_by_threads = self._engine, None, None
            if engine is not None:
                engine.dispose(close=self._process == os.getpid())

    async def _of_this_loop(self) -> LoopConnections:
        loop = asyncio.get_running_loop()
        connections = self._loops.get(loop)
        if connections is None:
            connections = LoopConnections(self._options)
            self._loops[loop] = connections
            await connections.close_with_the_loop()
        return connections

    async def _open(self, connections: LoopConnections, resources: Collection[Resource]) -> None:
        try:
            await connections.database()
            if "connection" in resources:
                await connections.pool()
            if "session" in resources:
                await connections.engine()
            if "sync_session" in resources:
                await asyncio.to_thread(self.sync_engine)
        except NeonupError as error:
            raise error.with_traceback(None) from None  # the message says it all
