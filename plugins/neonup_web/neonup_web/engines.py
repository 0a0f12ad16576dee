"""SQLAlchemy's engines, which wake their database where they cannot connect."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util import await_only

import neonup
from neonup import Database
from neonup_web.source import DatabaseSource


def waking_async_engine(
    source: DatabaseSource, database: Database, driver: str, options: Mapping[str, Any]
) -> AsyncEngine:
    """An engine for this event loop; it connects on its first use.

    Args:
        source: wakes the database where it does not answer.
        database: where to connect.
        driver: ``psycopg`` or ``asyncpg``.
        options: of ``create_async_engine``.
    """
    engine = create_async_engine(**_arguments(source, database, driver, options))

    def wake() -> Database:
        return await_only(source.aensure())  # within SQLAlchemy's greenlet

    _wake_on_connect(engine.sync_engine, database, driver, wake)
    return engine


def waking_engine(source: DatabaseSource, database: Database, options: Mapping[str, Any]) -> Engine:
    """As `waking_async_engine`, for threads, with psycopg."""
    engine = create_engine(**_arguments(source, database, "psycopg", options))
    _wake_on_connect(engine, database, "psycopg", source.ensure)
    return engine


def _arguments(
    source: DatabaseSource, database: Database, driver: str, options: Mapping[str, Any]
) -> dict[str, Any]:
    arguments = neonup.drivers.engine_arguments(
        database.url, driver=driver, pooled=source.pooled or None
    )
    connect_args = {
        **arguments.get("connect_args", {}),
        **_stronger(database, driver),
        **options.get("connect_args", {}),
    }
    return {**arguments, **options, "connect_args": connect_args}


def _stronger(database: Database, driver: str) -> dict[str, str]:
    """Arguments that outweigh libpq's variables; SQLAlchemy drops empty ones from a URL."""
    if driver != "psycopg" or not database.own:
        return {}
    return neonup.libpq.stronger(neonup.urls.parse(database.url), os.environ)


def _hidden(database: Database, driver: str) -> AbstractContextManager[None]:
    """Hides the variables that no argument of the driver outweighs."""
    if driver == "asyncpg":
        return neonup.libpq.variables_hidden(database.own)
    return neonup.libpq.service_hidden(database.own)


def _wake_on_connect(
    engine: Engine, database: Database, driver: str, wake: Callable[[], Database]
) -> None:
    """Have each connection of an engine that cannot be made tried once more, on an awake server."""
    current = database

    @event.listens_for(engine, "do_connect")
    def connect(dialect: Any, record: Any, words: list[Any], names: dict[str, Any]) -> Any:
        nonlocal current
        if current.url != database.url:
            _move(dialect, words, names)
        try:
            with _hidden(current, driver):
                return dialect.connect(*words, **names)
        except Exception:  # each driver has its own
            current = wake()
            _move(dialect, words, names)
            with _hidden(current, driver):
                return dialect.connect(*words, **names)

    def _move(dialect: Any, words: list[Any], names: dict[str, Any]) -> None:
        url = make_url(neonup.drivers.sqlalchemy_url(current.url, driver=driver))
        words[:], new = dialect.create_connect_args(url)
        names |= {**new, **_stronger(current, driver)}
