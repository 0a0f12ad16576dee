"""What libraries of this process hold open, which must reconnect after the database was replaced.

A library is touched only where the application has imported it.
"""

from __future__ import annotations

import sys
from typing import Any

_DRIVERS = ("psycopg", "asyncpg", "pg8000")
_MARK = "neonup_swaps"

_swaps = 0
_prepared: set[str] = set()


def forget() -> None:
    """Say that every open connection to the tests' database has been ended."""
    global _swaps  # noqa: PLW0603 - the process has one database behind its URL
    _swaps += 1
    prepare()


def prepare() -> None:
    """Teach the libraries that were imported since the last time."""
    for module, teach in _LIBRARIES.items():
        if module not in _prepared and module in sys.modules:
            _prepared.add(module)
            teach()
    if "django.db" in sys.modules:
        _close_django()


def _teach_sqlalchemy() -> None:
    """A pooled connection from before the swap is replaced when it is asked for.

    https://docs.sqlalchemy.org/en/20/core/pooling.html#custom-legacy-pessimistic-ping
    """
    from sqlalchemy import event, exc
    from sqlalchemy.pool import Pool

    def connected(connection: Any, record: Any) -> None:
        record.info[_MARK] = _swaps

    def asked_for(connection: Any, record: Any, proxy: Any) -> None:
        if record.info.get(_MARK) != _swaps and _is_postgres(connection):
            raise exc.DisconnectionError("The test database was replaced between two tests.")

    event.listen(Pool, "connect", connected)
    event.listen(Pool, "checkout", asked_for)


def _is_postgres(connection: Any) -> bool:
    driver = getattr(connection, "driver_connection", connection)
    return type(driver).__module__.split(".")[0].startswith(_DRIVERS)


def _teach_psycopg_pool() -> None:
    """A connection that was ended is given back to its pool, which then makes another.

    The pool's own check at that moment would do, but waits a second after each one that is lost.
    https://www.psycopg.org/psycopg3/docs/advanced/pool.html#connection-quality
    """
    import psycopg
    import psycopg_pool

    kind: Any = psycopg_pool.ConnectionPool
    async_kind: Any = psycopg_pool.AsyncConnectionPool
    get, get_async = kind.getconn, async_kind.getconn

    def getconn(pool: Any, timeout: float | None = None) -> Any:
        while _is_old(connection := get(pool, timeout)):
            try:
                kind.check_connection(connection)
                connection.__dict__[_MARK] = _swaps
                break
            except psycopg.Error:
                pool.putconn(connection)
        return connection

    async def getconn_async(pool: Any, timeout: float | None = None) -> Any:
        while _is_old(connection := await get_async(pool, timeout)):
            try:
                await async_kind.check_connection(connection)
                connection.__dict__[_MARK] = _swaps
                break
            except psycopg.Error:
                await pool.putconn(connection)
        return connection

    kind.getconn, async_kind.getconn = getconn, getconn_async


def _is_old(connection: Any) -> bool:
    """Whether a connection was not yet looked at since the last swap."""
    return bool(connection.__dict__.get(_MARK) != _swaps)


def _close_django() -> None:
    from django.conf import settings
    from django.db import connections

    if not settings.configured:
        return
    connections.close_all()
    for connection in connections.all(initialized_only=True):
        if hasattr(connection, "close_pool"):  # its pool holds what was ended, from Django 5.1 on
            connection.close_pool()


_LIBRARIES = {"sqlalchemy": _teach_sqlalchemy, "psycopg_pool": _teach_psycopg_pool}
