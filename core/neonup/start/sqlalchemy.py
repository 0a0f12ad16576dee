"""The project's database as a URL for SQLAlchemy: one line in alembic's ``env.py``."""

from __future__ import annotations

from neonup.postgres import drivers, urls
from neonup.start.ensure import ensure


def sqlalchemy_url(url: str | None = None, *, driver: str = "psycopg", direct: bool = False) -> str:
    """A URL for SQLAlchemy's ``create_engine`` or ``create_async_engine``, with nothing else.

    Args:
        url: a Postgres URL in any form; None: the current project's database, as
            `neonup.ensure` finds it.
        driver: ``psycopg`` (which serves both kinds of engine), ``psycopg2`` or ``asyncpg``.
        direct: past the pooler: for alembic's env.py.

    Raises:
        SettingsError: the URL or the driver is unknown.
        NeonupError: there is no database, and none may be created here.
    """
    if url is None:
        database = ensure(migrate_on="new" if direct else None)  # migrations themselves ask so
        url = database.direct if direct else database.url
    elif direct:
        url = urls.direct(url)
    return drivers.sqlalchemy_url(url, driver=driver)
