"""`Neon`: a lifespan that has the database ready, and dependencies that talk to it."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack, cast
from weakref import WeakKeyDictionary

from fastapi_neon.needs import needs
from fastapi_neon.opened import Opened
from fastapi_neon.source import Source
from neonup import Arguments, Database, NeonupError

if TYPE_CHECKING:
    from psycopg import AsyncConnection
    from sqlalchemy import Engine
    from sqlalchemy.ext.asyncio import AsyncSession
    from sqlalchemy.orm import Session

Lifespan = Callable[[Any], AbstractAsyncContextManager[Any]]
Generator = Callable[[Any], AsyncIterator[Any]]


class Neon:
    """The project's database for an ASGI application.

    Args:
        project: the project's folder; found from the current one where it is None.
        pooled: True: through the pooler, with nothing prepared by name (also for a pooler that its
            host's name does not give away); False: past it; None: as ``.env`` says.
        driver: what `session` uses.
        pool: options of ``psycopg_pool.AsyncConnectionPool`` for `connection`.
        engine: options of SQLAlchemy's ``create_engine`` for `session` and `sync_session`.
        settings: as `neonup.ensure` takes them: ``key``, ``env_file``, ``provider`` and others.
    """

    def __init__(
        self,
        project: Path | str | None = None,
        *,
        pooled: bool | None = None,
        driver: Literal["psycopg", "asyncpg"] = "psycopg",
        pool: Mapping[str, Any] | None = None,
        engine: Mapping[str, Any] | None = None,
        **settings: Unpack[Arguments],
    ):
        self.source = Source(project, pooled, settings)
        self._driver = driver
        self._pool_options = pool or {}
        self._engine_options = engine or {}
        self._opened: WeakKeyDictionary[asyncio.AbstractEventLoop, Opened] = WeakKeyDictionary()
        self._wanted: set[Literal["pool", "engine", "sync_engine"]] = set()
        self._engine: Engine | None = None
        self._engine_lock = threading.Lock()

    @asynccontextmanager
    async def lifespan(self, app: Any) -> AsyncIterator[None]:
        """The application's lifespan: ``FastAPI(lifespan=neon.lifespan)``.

        At the start the database is found, woken, or created where this is development; at the end
        what was opened is closed.

        Raises:
            NeonupError: there is none, and the application does not start.
        """
        opened = await self._here()
        try:
            await self._open_wanted(opened)
            yield
        finally:
            await opened.close()
            self._dispose()

    def lifespan_with(self, *others: Lifespan | Generator) -> Lifespan:
        """This lifespan with others within it, which find the database ready.

        Args:
            others: in the order of their start; what they yield as state is merged.
        """

        @asynccontextmanager
        async def lifespan(app: Any) -> AsyncIterator[dict[str, Any] | None]:
            state: dict[str, Any] = {}
            async with AsyncExitStack() as stack:
                await stack.enter_async_context(self.lifespan(app))
                for other in others:
                    state |= await stack.enter_async_context(_context(other)(app)) or {}
                yield state or None

        return lifespan

    async def database(self) -> Database:
        """The database itself, as a dependency or awaited.

        Raises:
            NeonupError: there is none.
        """
        return await (await self._here()).database()

    @property
    def connection(self) -> Callable[[], AsyncIterator[AsyncConnection[Any]]]:
        """A dependency: a psycopg connection from a pool; what is not committed is rolled back."""
        self._wanted.add("pool")
        return self._connection

    @property
    def session(self) -> Callable[[], AsyncIterator[AsyncSession]]:
        """A dependency: SQLAlchemy's ``AsyncSession``; what is not committed is rolled back."""
        self._wanted.add("engine")
        return self._session

    @property
    def sync_session(self) -> Callable[[], Iterator[Session]]:
        """A dependency: SQLAlchemy's ``Session``; what is not committed is rolled back."""
        self._wanted.add("sync_engine")
        return self._sync_session

    def install(self, app: Any, path: str = "/_neon") -> None:
        """Add a health check and, in development and for this machine only, a page.

        Args:
            app: a FastAPI or Starlette application.
            path: of the page; the health check is ``path/health``: 200, or 503.

        Raises:
            NeonupError: Starlette is not installed.
        """
        with needs("neon.install", "starlette"):
            from fastapi_neon.routes import routes
        # In front, since an application often ends with a route that takes everything.
        app.router.routes[:0] = routes(self, path)

    async def _connection(self) -> AsyncIterator[AsyncConnection[Any]]:
        pool = await (await self._here()).pool()
        async with pool.lent() as connection:
            yield connection

    async def _session(self) -> AsyncIterator[AsyncSession]:
        engine = await (await self._here()).engine()
        from sqlalchemy.ext.asyncio import AsyncSession

        # What was committed is still there to answer with; reading it again would need an await.
        async with AsyncSession(engine, expire_on_commit=False) as session:
            yield session

    def _sync_session(self) -> Iterator[Session]:
        engine = self._sync_engine()
        from sqlalchemy.orm import Session

        with Session(engine) as session:
            yield session

    async def _here(self) -> Opened:
        """What is open on the running event loop."""
        loop = asyncio.get_running_loop()
        found = self._opened.get(loop)
        if found is None:
            found = Opened(self.source, self._driver, self._pool_options, self._engine_options)
            self._opened[loop] = found
            await found.close_with_the_loop()
        return found

    async def _open_wanted(self, opened: Opened) -> None:
        """Find the database and open what the application's dependencies will ask for."""
        try:
            await opened.database()
            if "pool" in self._wanted:
                await opened.pool()
            if "engine" in self._wanted:
                await opened.engine()
            if "sync_engine" in self._wanted:
                await asyncio.to_thread(self._sync_engine)
        except NeonupError as error:
            raise error.with_traceback(None) from None  # the message says it all

    def _sync_engine(self) -> Engine:
        with self._engine_lock:
            if self._engine is None:
                with needs("neon.sync_session", "sqlalchemy", "psycopg[binary]"):
                    from fastapi_neon.engine import open_engine

                    database = self.source.ensure()
                    self._engine = open_engine(self.source, database, self._engine_options)
            return self._engine

    def _dispose(self) -> None:
        with self._engine_lock:
            if self._engine is not None:
                self._engine.dispose()
                self._engine = None


def _context(lifespan: Lifespan | Generator) -> Lifespan:
    """A lifespan as frameworks take it: perhaps a bare generator function."""
    if inspect.isasyncgenfunction(lifespan):
        return asynccontextmanager(lifespan)
    return cast("Lifespan", lifespan)
