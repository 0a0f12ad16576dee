"""What an application makes once, when it is imported, works with every test's database."""

from __future__ import annotations

import pytest

from tests.pytest.child import Child

SCHEMA = "CREATE TABLE items (name text PRIMARY KEY);\n"

SQLALCHEMY = """
    import os
    from sqlalchemy import create_engine, text

    engine = create_engine(
        os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+DRIVER:"), **OPTIONS
    )

    def add(name):
        with engine.begin() as connection:
            connection.execute(text("INSERT INTO items VALUES (:name)"), {"name": name})

    def names():
        with engine.connect() as connection:
            return list(connection.scalars(text("SELECT name FROM items ORDER BY name")))
"""

ASYNC_SQLALCHEMY = """
    import os
    from sqlalchemy import text
    from sqlalchemy.ext.asyncio import create_async_engine

    engine = create_async_engine(
        os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+DRIVER:"), **OPTIONS
    )

    async def add(name):
        async with engine.begin() as connection:
            await connection.execute(text("INSERT INTO items VALUES (:name)"), {"name": name})

    async def names():
        async with engine.connect() as connection:
            return list(await connection.scalars(text("SELECT name FROM items ORDER BY name")))
"""

POOL = """
    import os
    from psycopg_pool import ConnectionPool

    pool = ConnectionPool(os.environ["DATABASE_URL"], min_size=2, max_size=3, open=OPEN)

    def add(name):
        pool.open()
        with pool.connection() as connection:
            connection.execute("INSERT INTO items VALUES (%s)", [name])

    def names():
        pool.open()
        with pool.connection() as connection:
            return [name for (name,) in connection.execute("SELECT name FROM items ORDER BY name")]
"""

ASYNC_POOL = """
    import os
    from psycopg_pool import AsyncConnectionPool

    pool = AsyncConnectionPool(os.environ["DATABASE_URL"], min_size=2, max_size=3, open=False)

    async def add(name):
        await pool.open()
        async with pool.connection() as connection:
            await connection.execute("INSERT INTO items VALUES (%s)", [name])

    async def names():
        await pool.open()
        async with pool.connection() as connection:
            found = await connection.execute("SELECT name FROM items ORDER BY name")
            return [name for (name,) in await found.fetchall()]
"""

ASYNCPG = """
    import os
    import asyncpg

    async def add(name):
        async with asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=1) as pool:
            await pool.execute("INSERT INTO items VALUES ($1)", name)

    async def names():
        async with asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=1) as pool:
            return [r["name"] for r in await pool.fetch("SELECT name FROM items ORDER BY name")]
"""

DJANGO = """
    import os
    import django
    from django.conf import settings
    from urllib.parse import urlsplit

    url = urlsplit(os.environ["DATABASE_URL"])
    settings.configure(DATABASES={"default": {
        "ENGINE": "django.db.backends.postgresql", "NAME": url.path[1:], "USER": url.username,
        "PASSWORD": url.password, "HOST": url.hostname, "PORT": url.port, MORE
    }})
    django.setup()
    from django.db import connection

    def add(name):
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO items VALUES (%s)", [name])

    def names():
        with connection.cursor() as cursor:
            cursor.execute("SELECT name FROM items ORDER BY name")
            return [name for (name,) in cursor.fetchall()]
"""

USE = """
    import pytest
    import app

    @pytest.fixture(autouse=True)
    def _db(neon_db):
        pass

    @pytest.mark.parametrize("n", range(6))
    def test_own(n):
        assert app.names() == []
        app.add(f"the same name")
        assert app.names() == ["the same name"]
"""

ASYNC_USE = """
    import pytest
    import app

    @pytest.fixture(autouse=True)
    def _db(neon_db):
        pass

    @pytest.mark.parametrize("n", range(6))
    async def test_own(n):
        assert await app.names() == []
        await app.add(f"the same name")
        assert await app.names() == ["the same name"]
"""

SYNC_APPS = {
    "sqlalchemy": SQLALCHEMY.replace("DRIVER", "psycopg").replace("OPTIONS", "{}"),
    "sqlalchemy, a pool of 1": SQLALCHEMY.replace("DRIVER", "psycopg").replace(
        "OPTIONS", "{'pool_size': 1, 'max_overflow': 0, 'pool_timeout': 5}"
    ),
    "sqlalchemy with pre-ping": SQLALCHEMY.replace("DRIVER", "psycopg").replace(
        "OPTIONS", "{'pool_pre_ping': True}"
    ),
    "psycopg_pool": POOL.replace("OPEN", "False"),
    "django": DJANGO.replace("MORE", ""),
    "django with persistent connections": DJANGO.replace("MORE", "'CONN_MAX_AGE': None"),
    "django with a pool": DJANGO.replace("MORE", "'OPTIONS': {'pool': True}"),
}
ASYNC_APPS = {
    "sqlalchemy with asyncpg": ASYNC_SQLALCHEMY.replace("DRIVER", "asyncpg"),
    "sqlalchemy with psycopg": ASYNC_SQLALCHEMY.replace("DRIVER", "psycopg"),
    "psycopg_pool": ASYNC_POOL,
    "asyncpg": ASYNCPG,
}

CLOSING = """
    import pytest_asyncio
    import app

    @pytest_asyncio.fixture(scope="session", loop_scope="session", autouse=True)
    async def _closed():
        yield
        if hasattr(app, "pool"):  # else its workers may not end when their loop does
            await app.pool.close()
"""


@pytest.mark.parametrize("name", [*SYNC_APPS])
def test_synchronous(child: Child, name: str) -> None:
    child.ini("neon_env = DATABASE_URL\nneon_schema = schema.sql\nfilterwarnings = error")
    child.file("schema.sql", SCHEMA)
    child.write(app=SYNC_APPS[name], test_it=USE)
    child.pytest().expect(passed=6)
    child.assert_nothing_left()


@pytest.mark.parametrize("name", [*ASYNC_APPS])
def test_asynchronous_in_one_loop(child: Child, name: str) -> None:
    child.ini(
        """
        neon_env = DATABASE_URL
        neon_schema = schema.sql
        filterwarnings = error
        asyncio_mode = auto
        asyncio_default_fixture_loop_scope = session
        asyncio_default_test_loop_scope = session
        """
    )
    child.file("schema.sql", SCHEMA)
    app = ASYNC_APPS[name].replace("OPTIONS", "{}")
    child.write(app=app, conftest=CLOSING, test_it=ASYNC_USE)
    child.pytest().expect(passed=6)
    child.assert_nothing_left()


@pytest.mark.parametrize("name", ["sqlalchemy with asyncpg", "sqlalchemy with psycopg", "asyncpg"])
def test_asynchronous_in_a_loop_for_each_test(child: Child, name: str) -> None:
    """As the libraries' own documentation demands: an engine without a pool."""
    child.ini(
        """
        neon_env = DATABASE_URL
        neon_schema = schema.sql
        filterwarnings = error
        asyncio_mode = auto
        asyncio_default_fixture_loop_scope = function
        """
    )
    child.file("schema.sql", SCHEMA)
    app = ASYNC_APPS[name].replace("OPTIONS", "{'poolclass': NullPool}")
    child.write(app=f"    from sqlalchemy.pool import NullPool{app}", test_it=ASYNC_USE)
    child.pytest().expect(passed=6)
    child.assert_nothing_left()
