"""The application finds its tests' database by itself, where the project opted in."""

from __future__ import annotations

import pytest

from tests.pytest.child import Child

APP = """
    import os
    URL = os.environ["DATABASE_URL"]
"""

CONFTEST = """
    import os
    import app
    SEEN = os.environ["DATABASE_URL"]
"""

SAME_EVERYWHERE = """
    import os
    import app, conftest
    import psycopg
    import pytest

    @pytest.mark.parametrize("n", range(2))
    def test_same(neon_url, neon_db, n):
        assert app.URL == conftest.SEEN == os.environ["DATABASE_URL"] == neon_url
        for name in ("DATABASE_URL_DIRECT", "DATABASE_URL_UNPOOLED"):
            assert os.environ[name] == neon_url
        print(f"url={neon_url}")

    def test_only_url(neon_url):
        print(f"url={neon_url}")
        with psycopg.connect(neon_db_url(neon_url)) as connection:
            assert connection.info.dbname in neon_url

    def neon_db_url(url):
        return url.replace("+asyncpg", "")
"""


def write_project(child: Child) -> None:
    child.write(app=APP, conftest=CONFTEST, test_it=SAME_EVERYWHERE)


def opt_in_by_ini(child: Child) -> str:
    child.ini("neon_env = DATABASE_URL")
    return "postgresql://"


def opt_in_by_ini_with_dialect(child: Child) -> str:
    child.ini("neon_env = DATABASE_URL\nneon_dialect = postgresql+asyncpg")
    return "postgresql+asyncpg://"


def opt_in_with_the_projects_scheme(child: Child) -> str:
    table = '[tool.neonup]\nprovider = "local"\nurl_scheme = "postgresql+asyncpg"\n'
    child.file("pyproject.toml", table)
    return "postgresql+asyncpg://"


def opt_in_by_pyproject(child: Child) -> str:
    child.file("pyproject.toml", '[tool.neonup]\nprovider = "local"\n')
    return "postgresql://"


def opt_in_by_env_file(child: Child) -> str:
    child.file(
        ".env",
        """
        DATABASE_URL=postgresql+asyncpg://me:secret@127.0.0.1:1/app
        # neonup: made by hand for this test
        """,
    )
    return "postgresql+asyncpg://"


@pytest.mark.parametrize(
    "opt_in",
    [
        *(opt_in_by_ini, opt_in_by_ini_with_dialect, opt_in_with_the_projects_scheme),
        *(opt_in_by_pyproject, opt_in_by_env_file),
    ],
)
def test_set_before_anything_of_the_project_is_imported(child: Child, opt_in: object) -> None:
    write_project(child)
    assert callable(opt_in)
    scheme = opt_in(child)
    run = child.pytest("-s").expect(passed=3)
    assert len({*run.said("url")}) == 1
    assert run.said("url")[0].startswith(scheme)
    child.assert_nothing_left()


def test_a_url_for_each_worker(child: Child) -> None:
    child.ini("neon_env = DATABASE_URL")
    child.write(app=APP, conftest=CONFTEST)
    child.write(
        test_it="""
        import os, app, conftest, pathlib, pytest

        @pytest.mark.parametrize("n", range(12))
        def test_it(neon_db, neon_url, n, neon_connection):
            assert app.URL == conftest.SEEN == os.environ["DATABASE_URL"] == neon_url
            neon_connection.execute("CREATE TABLE mine (i int)")
            neon_connection.commit()
            with pathlib.Path("urls").open("a") as urls:
                urls.write(neon_url + "\\n")
        """
    )
    child.pytest("-n2").expect(passed=12)
    urls = {*(child.folder / "urls").read_text().split()}
    assert len(urls) == 2
    assert len({url.rpartition("/")[0] for url in urls}) == 1  # one server
    child.assert_nothing_left()


def test_several_variables_and_those_for_a_direct_connection(child: Child) -> None:
    child.ini("neon_env = A_URL B_URL")
    child.write(
        test_it="""
        import os

        def test_it(neon_url):
            names = [n + s for n in ("A_URL", "B_URL") for s in ("", "_DIRECT", "_UNPOOLED")]
            assert {os.environ[name] for name in [*names, "DIRECT_URL"]} == {neon_url}
            assert "DATABASE_URL" not in os.environ
        """
    )
    child.pytest(DIRECT_URL="postgresql://me@127.0.0.1:1/app").expect(passed=1)


def test_what_was_there_before_is_there_afterwards(child: Child) -> None:
    child.ini("neon_env = DATABASE_URL")
    child.write(
        test_it="def test_it(neon_db): pass",
        outer="""
        import os, pytest
        before = dict(os.environ)
        code = pytest.main(["-q", "-p", "no:cacheprovider"])
        after = dict(os.environ)
        for name in ("NEONUP_TEST_RUN", "PYTEST_VERSION", "PYTEST_CURRENT_TEST"):
            after.pop(name, None)
        assert after == before, {k: v for k, v in after.items() if before.get(k) != v}
        assert code == 0
        """,
    )
    done = child.command(
        [*child.argv([])[:1], "outer.py"], DATABASE_URL="postgresql://me@127.0.0.1:1/app"
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("ini", ["", "neon_env ="])
def test_a_project_that_does_not_use_it_sees_nothing_of_it(child: Child, ini: str) -> None:
    child.has_imports = False
    child.ini(ini)
    child.write(
        test_it="""
        import os, sys

        def test_it():
            assert os.environ["DATABASE_URL"] == "postgresql://me@127.0.0.1:1/app"
            assert not [name for name in os.environ if name.startswith("NEONUP_TEST")]
            assert "DATABASE_URL_DIRECT" not in os.environ
            assert not [name for name in sys.modules if name.startswith("neonup_local")]
            assert "psycopg" not in sys.modules and "sqlalchemy" not in sys.modules
            assert "neonup_pytest.state" not in sys.modules
        """
    )
    child.pytest(DATABASE_URL="postgresql://me@127.0.0.1:1/app").expect(passed=1)
    assert not (child.home / "tests").exists()


def test_a_project_that_reads_parts_and_programs_of_libpq_find_it(child: Child) -> None:
    child.ini("neon_migrate = psql -q --no-psqlrc -f schema.sql")
    child.file("schema.sql", "CREATE TABLE items AS SELECT 'first' AS name")
    child.file(
        "pyproject.toml",
        """
        [tool.neonup.variables]
        POSTGRES_SERVER = "{host}"
        POSTGRES_PORT = "{port}"
        POSTGRES_DB = "{database}"
        ASYNC_URL = "{asyncpg_url}"
        """,
    )
    child.write(
        conftest="import os\nBEFORE = dict(os.environ)",
        test_it="""
        import asyncio, os, subprocess
        from urllib.parse import urlsplit
        import asyncpg, conftest, psycopg

        def test_parts():
            url = urlsplit(os.environ["DATABASE_URL"])
            assert os.environ["POSTGRES_SERVER"] == url.hostname
            assert os.environ["POSTGRES_PORT"] == str(url.port)
            assert os.environ["POSTGRES_DB"] == url.path[1:]
            assert conftest.BEFORE["ASYNC_URL"] == os.environ["ASYNC_URL"]

        def test_programs():
            ask = ["psql", "--no-psqlrc", "-Atc", "SELECT current_database(), name FROM items"]
            output = subprocess.run(ask, capture_output=True, text=True, check=True).stdout
            assert output == f"{os.environ['POSTGRES_DB']}|first\\n"

        def test_drivers():
            with psycopg.connect() as connection:
                assert connection.execute("SELECT name FROM items").fetchone() == ("first",)

            async def ask(*args):
                connection = await asyncpg.connect(*args)
                assert await connection.fetchval("SELECT name FROM items") == "first"
                await connection.close()

            asyncio.run(ask())
            asyncio.run(ask(os.environ["ASYNC_URL"]))
        """,
    )
    hostile = {"PGSERVICE": "none", "PGHOSTADDR": "127.0.0.9", "PGSSLMODE": "verify-full"}
    mine = {"PGHOST": "db.invalid", "PGPORT": "1", "PGDATABASE": "app", "PGPASSWORD": "hunter2"}
    child.pytest(**hostile, **mine).expect(passed=3)
    child.assert_nothing_left()


@pytest.mark.parametrize(
    "line", ["os.environ['POSTGRES_PORT'] = '1'", "os.environ['PGDATABASE'] = 'app'"]
)
def test_a_part_that_leads_to_the_applications_database_again(child: Child, line: str) -> None:
    child.file(".env", "DATABASE_URL=postgresql://me@127.0.0.1:1/app\n# neonup: made by hand\n")
    child.file(
        "pyproject.toml",
        '[tool.neonup.variables]\nPOSTGRES_PORT = "{port}"\nPOSTGRES_USER = "{user}"\n',
    )
    child.write(
        conftest=f"import os\n{line}\nos.environ['POSTGRES_USER'] = 'me'",
        test_it="def test_it(): pass",
    )
    run = child.pytest(PGDATABASE="app")
    run.refused("to the application's own database again", line.split("'")[1])
