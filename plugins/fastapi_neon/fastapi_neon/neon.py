"""`Neon`: a lifespan that has the database ready, and dependencies that talk to it."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack, cast

from neonup import Arguments, Database
from neonup_web.connections import Connections, Resource
from neonup_web.requirements import requires
from neonup_web.source import DatabaseSource, uvicorn_signs

if TYPE_CHECKING:
    from psycopg import AsyncConnection
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
        source = DatabaseSource(project, pooled, settings, uvicorn_signs)
        self._connections = Connections(
            source, driver=driver, pool=pool, engine=engine, name="neon"
        )
        self._used: set[Resource] = set()

    @asynccontextmanager
    async def lifespan(self, app: Any) -> AsyncIterator[None]:
        """The application's lifespan: ``FastAPI(lifespan=neon.lifespan)``.

        At the start the database is found, woken, or created where this is development; at the end
        what was opened is closed.

        Raises:
            NeonupError: there is none, and the application does not start.
        """
        async with self._connections.lifespan(self._used):
            yield

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
        return await self._connections.database()

    @property
    def connection(self) -> Callable[[], AsyncIterator[AsyncConnection[Any]]]:
        """A dependency: a psycopg connection from a pool; what is not committed is rolled back."""
        self._used.add("connection")
        return self._connection

    @property
    def session(self) -> Callable[[], AsyncIterator[AsyncSession]]:
        """A dependency: SQLAlchemy's ``AsyncSession``; what is not committed is rolled back."""
        self._used.add("session")
        return self._session

    @property
    def sync_session(self) -> Callable[[], Iterator[Session]]:
        """A dependency: SQLAlchemy's ``Session``; what is not committed is rolled back."""
        self._used.add("sync_session")
        return self._sync_session

    def install(self, app: Any, path: str = "/_neon") -> None:
        """Add a health check and, in development and for this machine only, a page.

        Args:
            app: a FastAPI or Starlette application.
            path: of the page; the health check is ``path/health``: 200, or 503.

        Raises:
            NeonupError: Starlette is not installed.
        """
        with requires("neon.install", "starlette"):
            from fastapi_neon.routes import routes
        # In front, since an application often ends with a route that takes everything.
        app.router.routes[:0] = routes(self._connections, path)

    # FastAPI tells a dependency that has an end by its being a generator function.

    async def _connection(self) -> AsyncIterator[AsyncConnection[Any]]:
        async with self._connections.connection() as connection:
            yield connection

    async def _session(self) -> AsyncIterator[AsyncSession]:
        async with self._connections.session() as session:
            yield session

    def _sync_session(self) -> Iterator[Session]:
        with self._connections.sync_session() as session:
            yield session


def _context(lifespan: Lifespan | Generator) -> Lifespan:
    """A lifespan as frameworks take it: perhaps a bare generator function."""
    if inspect.isasyncgenfunction(lifespan):
        return asynccontextmanager(lifespan)
    return cast("Lifespan", lifespan)
