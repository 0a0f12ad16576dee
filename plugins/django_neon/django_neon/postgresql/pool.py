"""psycopg's own pool, whose connections wake the database as Django's do."""

from __future__ import annotations

from typing import Any

from psycopg import Connection, OperationalError

from django_neon import place
from django_neon.errors import DatabaseUnavailable


def wake_on_connect(pool: Any, entry: dict[str, Any]) -> None:
    """Let a pool's new connections look for the database once more where they fail.

    Args:
        pool: a ``psycopg_pool.ConnectionPool``.
        entry: the entry of ``DATABASES``.
    """
    base: type[Connection[Any]] = pool.connection_class
    if getattr(base, "wakes", False):
        return

    class Waking(base):  # type: ignore[valid-type, misc]
        wakes = True

        @classmethod
        def connect(cls, conninfo: str = "", **kwargs: Any) -> Any:
            try:
                with place.service_hidden(entry):
                    return super().connect(conninfo, **kwargs)
            except OperationalError as error:
                try:
                    place.fill(entry, again=True)
                except DatabaseUnavailable as reason:
                    raise OperationalError(f"{error}\n{reason}") from reason
            where = {name: entry[name.upper()] for name in ("host", "port", "user", "password")}
            with place.service_hidden(entry):
                return super().connect(conninfo, **{**kwargs, **where})

    pool.connection_class = Waking
