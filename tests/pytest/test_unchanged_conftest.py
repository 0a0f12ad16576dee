"""A project whose conftest makes its own engine, pool or application works as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.environments import asks_an_index
from tests.pytest.child import Child

FASTAPI = {
    "app__main": """
        import os
        from collections.abc import AsyncIterator

        from fastapi import Depends, FastAPI
        from sqlalchemy import text
        from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
        from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
        from sqlalchemy.pool import NullPool

        engine = create_async_engine(os.environ["DATABASE_URL"], poolclass=NullPool)
        sessions = async_sessionmaker(engine)
        app = FastAPI()

        class Base(DeclarativeBase):
            pass

        class Item(Base):
            __tablename__ = "items"
            id: Mapped[int] = mapped_column(primary_key=True)

        async def session() -> AsyncIterator[AsyncSession]:
            async with sessions() as opened:
                yield opened

        @app.post("/items")
        async def create(session: AsyncSession = Depends(session)) -> int:
            session.add(Item())
            await session.commit()
            return (await session.scalar(text("SELECT count(*) FROM items")))
    """,
    "tests__conftest": """
        import httpx
        import pytest
        import pytest_asyncio
        from app.main import Base, app, engine

        @pytest_asyncio.fixture(scope="session", loop_scope="session", autouse=True)
        async def tables():
            async with engine.begin() as connection:
                await connection.run_sync(Base.metadata.create_all)
            yield
            async with engine.begin() as connection:
                await connection.run_sync(Base.metadata.drop_all)

        @pytest_asyncio.fixture
        async def client():
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                yield client
    """,
    "tests__test_items": """
        async def test_first(client):
            assert (await client.post("/items")).json() >= 1

        async def test_second(client):
            assert (await client.post("/items")).json() >= 1
    """,
}

FLASK = {
    "shop": """
        import os

        from flask import Flask
        from sqlalchemy import create_engine, text

        engine = create_engine(
            os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:")
        )

        def create_app():
            app = Flask("shop")

            @app.post("/orders")
            def order():
                with engine.begin() as connection:
                    connection.execute(text("INSERT INTO orders DEFAULT VALUES"))
                    return str(connection.scalar(text("SELECT count(*) FROM orders")))

            return app
    """,
    "conftest": """
        import pytest
        from sqlalchemy import text
        from shop import create_app, engine

        @pytest.fixture(scope="module")
        def app():
            with engine.begin() as connection:
                connection.execute(text("CREATE TABLE orders (id serial PRIMARY KEY)"))
            yield create_app()
            with engine.begin() as connection:
                connection.execute(text("DROP TABLE orders"))
            engine.dispose()
    """,
    "test_orders": """
        def test_first(app):
            assert int(app.test_client().post("/orders").text) >= 1

        def test_second(app):
            assert int(app.test_client().post("/orders").text) >= 1
    """,
    "test_more": """
        from test_orders import test_first, test_second
    """,
}

POOL = {
    "app": """
        import os
        from psycopg_pool import ConnectionPool

        pool = ConnectionPool(os.environ["DATABASE_URL"], min_size=1, timeout=60, open=True)

        def ask():
            with pool.connection() as connection:
                return connection.execute("SELECT current_database()").fetchone()[0]
    """,
    "conftest": """
        import pytest
        import app

        @pytest.fixture(scope="session", autouse=True)
        def closed():
            yield
            app.pool.close()
    """,
    "test_pool": """
        import os
        import app

        def test_first():
            assert app.ask() in os.environ["DATABASE_URL"]

        def test_second():
            assert app.ask() in os.environ["DATABASE_URL"]
    """,
}

INI = "neon_env = DATABASE_URL\nfilterwarnings = error\npythonpath = ."
PROJECTS = {
    "fastapi, asyncpg": (
        FASTAPI,
        f"{INI}\nneon_dialect = postgresql+asyncpg\nasyncio_mode = auto",
    ),
    "fastapi, psycopg": (
        FASTAPI,
        f"{INI}\nneon_dialect = postgresql+psycopg\nasyncio_mode = auto",
    ),
    "flask": (FLASK, INI),
    "psycopg_pool": (POOL, INI),
}


def write_project(child: Child, name: str) -> int:
    """Write one of the projects; returns how many tests it has."""
    modules, ini = PROJECTS[name]
    child.ini(ini)
    child.write(**modules)
    return sum(text.count("def test_") for text in modules.values()) + 2 * ("test_more" in modules)


@pytest.mark.parametrize("name", [*PROJECTS])
def test_it_passes_as_it_is(child: Child, name: str) -> None:
    count = write_project(child, name)
    child.pytest().expect(passed=count)
    child.assert_nothing_left()


@pytest.mark.parametrize("name", ["fastapi, asyncpg", "flask", "psycopg_pool"])
def test_in_parallel_and_a_test_alone(child: Child, name: str) -> None:
    count = write_project(child, name)
    child.pytest("-n2").expect(passed=count)
    child.pytest("-k", "test_second").expect(passed=count // 2, deselected=count // 2)
    child.assert_nothing_left()


USES_THE_APPLICATION = """
    import os
    import psycopg

    def test_with_a_fixture(neon_connection):
        neon_connection.execute("INSERT INTO items VALUES ('own')")
        neon_connection.commit()

    def test_without():
        with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
            connection.execute("INSERT INTO items VALUES ('shared')")
            print("names=", *[name for (name,) in connection.execute("SELECT name FROM items")])

    class TestThat:
        def setup_class(cls):
            cls.connection = psycopg.connect(os.environ["DATABASE_URL"])

        def teardown_class(cls):
            cls.connection.close()

        def test_asks_for_nothing(self):
            print("names=", *[n for (n,) in self.connection.execute("SELECT name FROM items")])
"""


@pytest.mark.parametrize("how", ["neon_schema = schema.sql", "neon_migrate = python make.py", ""])
def test_a_test_without_a_fixture_alone_and_after_others(child: Child, how: str) -> None:
    child.ini(f"neon_env = DATABASE_URL\n{how}")
    child.file("schema.sql", "CREATE TABLE items AS SELECT 'first' AS name")
    child.write(
        test_it=USES_THE_APPLICATION,
        make="""
        import os, pathlib, psycopg
        with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
            connection.execute(pathlib.Path("schema.sql").read_text())
        """,
    )
    if not how:
        child.write(
            conftest="""
            import pathlib, pytest

            @pytest.fixture(scope="session")
            def neon_template():
                return pathlib.Path("schema.sql")
            """
        )
    assert child.pytest("-s").expect(passed=3).said("names") == [
        " first shared",
        " first shared",
    ]
    alone = child.pytest("-s", "test_it.py::test_without").expect(passed=1)
    assert alone.said("names") == [" first shared"]  # fresh in each run
    alone = child.pytest("-s", "test_it.py::TestThat").expect(passed=1)
    assert alone.said("names") == [" first"]
    child.assert_nothing_left()


def test_each_test_has_its_own_database_where_the_ini_file_says_so(child: Child) -> None:
    child.ini("neon_env = DATABASE_URL\nneon_schema = schema.sql\nneon_autouse = database")
    child.file("schema.sql", "CREATE TABLE items (name text)")
    child.write(
        test_it="""
        import os, unittest
        import psycopg, pytest

        def add():
            with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
                connection.execute("INSERT INTO items VALUES ('new')")
                return connection.execute("SELECT count(*) FROM items").fetchone()[0]

        @pytest.mark.parametrize("n", range(3))
        def test_it(n):
            assert add() == 1

        class TestCase(unittest.TestCase):
            def test_one(self):
                assert add() == 1

            def test_two(self):
                assert add() == 1
        """
    )
    child.pytest().expect(passed=5)
    child.pytest("-n2").expect(passed=5)
    child.assert_nothing_left()
    child.ini("neon_autouse = always")
    child.pytest().refused("neon_autouse is 'always'; it is one of shared, database.")


@pytest.mark.parametrize("args", [(), ("-n2",)], ids=["alone", "-n2"])
def test_a_schema_that_fails_is_told_once_and_ends_the_run(
    child: Child, args: tuple[str, ...]
) -> None:
    child.ini("neon_env = DATABASE_URL\nneon_migrate = python broken.py")
    child.write(
        broken='import sys; sys.exit("the migration\'s own words")',
        test_it="""
        import pytest

        @pytest.mark.parametrize("n", range(30))
        def test_it(n):
            pass
        """,
    )
    run = child.pytest(*args)
    assert run.code in (1, 2), run.output
    assert 1 <= run.outcomes["errors"] <= (2 if args else 1), run.output
    assert "passed" not in run.outcomes
    assert "the migration's own words" in run.output
    assert "neonup: the tests have no database" in run.output
    child.assert_nothing_left()


STARTS_NOTHING = """
    import os
    from pathlib import Path

    def test_it():
        [run] = Path(os.environ["NEONUP_HOME"], "tests", "runs").glob("*/run.json")
        assert "port" in run.read_text() and "folder" not in run.read_text()
"""


def test_an_application_that_the_conftest_leads_elsewhere_starts_nothing(child: Child) -> None:
    child.ini("neon_env = DATABASE_URL")
    child.write(
        conftest="import os\nos.environ['DATABASE_URL'] = 'sqlite://'\n",
        test_it=STARTS_NOTHING,
    )
    child.pytest().expect(passed=1)


def test_a_test_that_is_no_function_finds_it_too(child: Child) -> None:
    child.ini("neon_env = DATABASE_URL\nneon_schema = schema.sql")
    child.file("schema.sql", "CREATE TABLE items AS SELECT 'first' AS name")
    child.file("test_items.sql", "SELECT name FROM items")
    child.write(
        conftest="""
        import os
        import psycopg, pytest

        class Script(pytest.Item):
            def runtest(self):
                with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
                    assert connection.execute(self.path.read_text()).fetchone() == ("first",)

        class ScriptFile(pytest.File):
            def collect(self):
                yield Script.from_parent(self, name="script")

        def pytest_collect_file(file_path, parent):
            if file_path.name == "test_items.sql":
                return ScriptFile.from_parent(parent, path=file_path)
        """
    )
    child.pytest().expect(passed=1)
    child.assert_nothing_left()


CONNECTS = {
    "psycopg": "psycopg.connect(URL).execute('CREATE TABLE items (i int)').connection.commit()",
    "psycopg by its variables": "psycopg.connect(autocommit=True).execute('CREATE TABLE items ()')",
    "asyncpg": """asyncio.run(make())

    async def again():
        await make()
    """,
    "sqlalchemy": """sqlalchemy.MetaData().create_all(ENGINE)
    with ENGINE.begin() as connection:
        connection.execute(sqlalchemy.text("CREATE TABLE items (i int)"))
    """,
    "psycopg_pool": """POOL = psycopg_pool.ConnectionPool(URL, min_size=3, open=True)
    with POOL.connection(timeout=60) as connection:
        connection.execute("CREATE TABLE items (i int)")
    POOL.close()
    """,
}
IMPORTS = """
    import asyncio, os
    import asyncpg, psycopg, psycopg_pool, sqlalchemy

    URL = os.environ["DATABASE_URL"]
    ENGINE = sqlalchemy.create_engine(URL.replace("postgresql:", "postgresql+psycopg:"))

    async def make():
        async with asyncpg.create_pool(URL, min_size=1) as pool:
            await pool.execute("CREATE TABLE items (i int)")

    def ask():
        with psycopg.connect(URL) as connection:
            return connection.execute("SELECT count(*) FROM items").fetchone()
"""


@pytest.mark.parametrize("how", [*CONNECTS])
def test_what_connects_when_it_is_imported(child: Child, how: str) -> None:
    """As applications do that make their tables at import: nothing is set up by then."""
    child.ini("neon_env = DATABASE_URL\nneon_schema = schema.sql")
    child.file("schema.sql", "CREATE TABLE before (i int)")
    child.write(
        app=f"{IMPORTS}\n    {CONNECTS[how]}",
        conftest="import app",
        test_it="""
        import app, psycopg

        def test_first():
            assert app.ask() == (0,)
            assert psycopg.connect.__func__ is psycopg.Connection.connect.__func__
            assert psycopg.Connection.connect.__func__.__closure__ is None

        def test_second():
            assert app.ask() == (0,)
        """,
    )
    args = ["-n2"] if how == "psycopg" else []
    child.pytest(*args).expect(passed=2)
    child.assert_nothing_left()


OTHER_DRIVERS = """
    import os
    import pg8000.dbapi, pg8000.native, psycopg2, sqlalchemy

    URL = os.environ["DATABASE_URL"]
    NAMES = ("host", "port", "user", "password", "database")
    PLACE = {name: os.environ[f"PG{name.upper()}"] for name in NAMES}
    TABLE = "CREATE TABLE items (i int)"

    def through_sqlalchemy(driver):
        engine = sqlalchemy.create_engine(URL.replace("postgresql:", f"postgresql+{driver}:"))
        with engine.connect() as connection:
            connection.execute(sqlalchemy.text(TABLE))
            connection.commit()
        engine.dispose()

    def through(connection):
        connection.cursor().execute(TABLE)
        connection.commit()
        connection.close()
"""
OTHERS_CONNECT = [
    "through(psycopg2.connect(URL))",
    "through(psycopg2.connect(''))",
    "through_sqlalchemy('psycopg2')",
    "through(pg8000.connect(**PLACE))",
    "through(pg8000.dbapi.connect(**PLACE))",
    "pg8000.native.Connection(**PLACE).run(TABLE)",
    "through_sqlalchemy('pg8000')",
]


@pytest.mark.thorough
@asks_an_index
def test_what_connects_by_a_driver_that_the_tests_do_not_need(child: Child, tmp_path: Path) -> None:
    packages = ["psycopg2-binary==2.9.13", "pg8000==1.31.6", "scramp==1.5.0", "asn1crypto==1.5.1"]
    child.install(tmp_path / "env", packages)
    child.ini("neon_env = DATABASE_URL")
    for connect in OTHERS_CONNECT:
        child.write(
            app=f"{OTHER_DRIVERS}\n    {connect}",
            conftest="import app",
            test_it="""
            import app, psycopg

            def test_it():
                with psycopg.connect(app.URL) as connection:
                    assert connection.execute("SELECT count(*) FROM items").fetchone() == (0,)
                assert not hasattr(app.psycopg2.connect, "__wrapped__")
                assert not hasattr(app.pg8000.core.CoreConnection.__init__, "__wrapped__")
            """,
        )
        child.pytest().expect(passed=1)
        child.assert_nothing_left()
    command = [child.program, "-m", "neonup", "run", "--test", "--", child.program, "app.py"]
    done = child.command(command)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("hook", ["pytest_configure", "pytest_sessionstart"])
def test_what_a_hook_of_the_conftest_makes(child: Child, hook: str) -> None:
    child.ini("neon_env = DATABASE_URL")
    child.write(
        app=IMPORTS,
        conftest=f"""
        def {hook}():
            import app
            with app.psycopg.connect(app.URL) as connection:
                connection.execute("CREATE TABLE items (i int)")
        """,
        test_it="""
        import app

        def test_it():
            assert app.ask() == (0,)
        """,
    )
    child.pytest().expect(passed=1)
    child.assert_nothing_left()


def test_a_schema_that_fails_is_told_where_the_application_connects(child: Child) -> None:
    child.ini("neon_env = DATABASE_URL\nneon_migrate = python broken.py")
    child.write(
        broken='import sys; sys.exit("the migration\'s own words")',
        conftest=f"{IMPORTS}\n    {CONNECTS['psycopg']}",
        test_it="def test_it(): pass",
    )
    run = child.pytest()
    assert run.code != 0 and "the migration's own words" in run.output, run.output
    child.assert_nothing_left()
