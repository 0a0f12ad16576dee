"""What libraries of this process hold open, made to connect anew after the database was swapped.

A library is touched only where the application has imported it.
"""

from __future__ import annotations

import gc
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
            raise exc.DisconnectionError("The database was swapped between two tests.")

    event.listen(Pool, "connect", connected)
    event.listen(Pool, "checkout", asked_for)


def _is_postgres(connection: Any) -> bool:
    driver = getattr(connection, "driver_connection", connection)
    return type(driver).__module__.split(".")[0].startswith(_DRIVERS)


def _teach_psycopg_pool() -> None:
    """A pool looks whether a connection is alive before it hands it out.

    https://www.psycopg.org/psycopg3/docs/advanced/pool.html#connection-quality
    """
    import psycopg_pool

    for kind in (psycopg_pool.ConnectionPool, psycopg_pool.AsyncConnectionPool):
        defaults = kind.__init__.__kwdefaults__ or {}
        if "check" in defaults:  # of this very function: no copy is made above
            defaults["check"] = kind.check_connection
        for pool in gc.get_referrers(kind):  # the ones that were made before
            if isinstance(pool, kind) and getattr(pool, "_check", ...) is None:
                pool._check = kind.check_connection


def _close_django() -> None:
    from django.conf import settings
    from django.db import connections

    if settings.configured:
        connections.close_all()


_LIBRARIES = {"sqlalchemy": _teach_sqlalchemy, "psycopg_pool": _teach_psycopg_pool}
