"""Connections and engines for tests. A driver is imported when one is asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from importlib import import_module
from typing import TYPE_CHECKING, Any

from neonup import NeonupError, drivers

if TYPE_CHECKING:
    import psycopg
    from sqlalchemy import Engine
    from sqlalchemy.ext.asyncio import AsyncEngine
    from sqlalchemy.orm import Session

_PACKAGES = {
    "psycopg": "psycopg[binary]",
    "sqlalchemy": "sqlalchemy",
    "greenlet": "sqlalchemy[asyncio]",
}
_SYNC = ("psycopg", "psycopg2", "pg8000")
_ASYNC = ("asyncpg", "psycopg")
"""SQLAlchemy's drivers, the first one that is installed."""

_SAVEPOINT = "neonup_test"


@contextmanager
def connection(url: str, *, rolled_back: bool) -> Iterator[psycopg.Connection[Any]]:
    """A psycopg connection.

    Args:
        url: the database.
        rolled_back: whether all is one transaction that is rolled back; ``commit()`` is refused
            then, and ``with connection.transaction()`` makes savepoints.
    """
    psycopg = _need("psycopg")
    with psycopg.connect(url) as psycopg_connection, _transaction(psycopg_connection, rolled_back):
        yield psycopg_connection
        if _is_interrupted(psycopg_connection):
            psycopg_connection.close()


@asynccontextmanager
async def async_connection(
    url: str, *, rolled_back: bool
) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    """As `connection`, asynchronous."""
    psycopg = _need("psycopg")
    async with (
        await psycopg.AsyncConnection.connect(url) as psycopg_connection,
        _transaction(psycopg_connection, rolled_back),
    ):
        yield psycopg_connection
        if _is_interrupted(psycopg_connection):
            await psycopg_connection.close()


def _transaction(connection: Any, rolled_back: bool) -> Any:
    """The transaction that a connection is in for a test, as a context manager of its own kind."""
    return connection.transaction(force_rollback=True) if rolled_back else nullcontext()


def _is_interrupted(connection: Any) -> bool:
    """Whether a statement still runs, whose test was ended in it: by pytest-timeout, or Ctrl-C.

    Nothing can be committed or rolled back then, but closing the connection rolls it back.
    """
    status = connection.info.transaction_status
    return bool(status == type(status).ACTIVE)


@contextmanager
def engine(url: str, *, rolled_back: bool) -> Iterator[Engine]:
    """A SQLAlchemy engine that keeps no connection, or the one that is rolled back."""
    sqlalchemy = _need("sqlalchemy")
    sqlalchemy_engine = sqlalchemy.create_engine(**_arguments(url, _SYNC, rolled_back))
    if rolled_back:
        _use_savepoints(sqlalchemy_engine)
    try:
        yield sqlalchemy_engine
    finally:
        sqlalchemy_engine.dispose()


def async_engine(url: str, *, rolled_back: bool = False) -> AsyncEngine:
    """As `engine`, asynchronous."""
    _need("greenlet")
    _need("sqlalchemy")
    from sqlalchemy.ext.asyncio import create_async_engine

    sqlalchemy_engine = create_async_engine(**_arguments(url, _ASYNC, rolled_back))
    if rolled_back:
        _use_savepoints(sqlalchemy_engine.sync_engine)
    return sqlalchemy_engine


@contextmanager
def session(engine: Engine) -> Iterator[Session]:
    """A SQLAlchemy session."""
    from sqlalchemy.orm import Session

    with Session(engine) as sqlalchemy_session:
        yield sqlalchemy_session


def _arguments(url: str, candidates: tuple[str, ...], rolled_back: bool) -> dict[str, Any]:
    from sqlalchemy.pool import NullPool, StaticPool

    arguments = drivers.engine_arguments(url, driver=_driver(candidates))
    if rolled_back:
        # A ping would end the transaction that all is to stay in.
        pooling = {"poolclass": StaticPool, "pool_reset_on_return": None, "pool_pre_ping": False}
        return {**arguments, **pooling}
    return {**arguments, "poolclass": NullPool}


def _use_savepoints(engine: Engine) -> None:
    """Make each transaction of an engine's one connection a savepoint.

    The connection's own transaction is never committed, so closing it undoes everything.
    """
    dialect: Any = engine.dialect  # each engine has one of its own
    really_roll_back = dialect.do_rollback
    used = begun = False

    def execute(connection: Any, statement: str) -> None:
        cursor = connection.cursor()
        cursor.execute(statement)
        cursor.close()

    def begin(connection: Any) -> None:
        nonlocal used, begun
        execute(connection, f"SAVEPOINT {_SAVEPOINT}")
        used = begun = True

    def commit(connection: Any) -> None:
        nonlocal begun
        execute(connection, f"RELEASE SAVEPOINT {_SAVEPOINT}")
        begun = False

    def roll_back(connection: Any) -> None:
        nonlocal begun
        if not used:  # what SQLAlchemy itself has asked a new connection
            really_roll_back(connection)
        elif begun:
            execute(connection, f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}")
            begun = False

    dialect.do_begin, dialect.do_commit, dialect.do_rollback = begin, commit, roll_back


def _driver(candidates: tuple[str, ...]) -> str:
    for name in candidates:
        try:
            import_module(name)
        except ModuleNotFoundError:
            continue
        return name
    raise NeonupError(
        f"SQLAlchemy has no driver for Postgres here: {', '.join(candidates)} are not installed.",
        remedy='pip install "psycopg[binary]"',
    )


def _need(module: str) -> Any:
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        raise NeonupError(
            f"This fixture needs {module}, which is not installed.",
            remedy=f'pip install "{_PACKAGES[module]}"',
        ) from None
