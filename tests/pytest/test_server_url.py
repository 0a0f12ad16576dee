"""Suites that connect to a server and name its databases themselves."""

from __future__ import annotations

import pytest

from tests import postgres
from tests.pytest.child import Child

NAMES_DATABASES = """
    import os
    import psycopg, pytest

    @pytest.fixture(scope="session")
    def database(neon_server_url, worker_id):
        name = f"test_{worker_id}"
        with psycopg.connect(neon_server_url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"{neon_server_url}/{name}"

    @pytest.mark.parametrize("n", range(4))
    def test_one_of_its_own(database, n):
        with psycopg.connect(database) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS items (i int)")

    def test_what_libpq_completes_it_with(neon_server_url, monkeypatch):
        monkeypatch.delenv("PGDATABASE", raising=False)
        with psycopg.connect(neon_server_url) as connection:
            assert connection.info.dbname == connection.info.user
"""


@pytest.mark.parametrize("args", [(), ("-n2",)], ids=["alone", "-n2"])
@pytest.mark.parametrize("ini", ["neon_env = DATABASE_URL", "neon_env ="])
def test_a_suite_names_its_databases(child: Child, ini: str, args: tuple[str, ...]) -> None:
    child.ini(ini)
    child.write(test_it=NAMES_DATABASES)
    for _ in range(2):
        child.pytest(*args).expect(passed=5)
    child.assert_nothing_left()


def test_the_url_has_the_applications_dialect(child: Child) -> None:
    child.ini("neon_env = DATABASE_URL\nneon_dialect = postgresql+asyncpg")
    child.write(
        test_it="""
        import os

        def test_it(neon_server_url):
            assert neon_server_url.startswith("postgresql+asyncpg://")
            assert neon_server_url == os.environ["DATABASE_URL"].rpartition("/")[0]
        """
    )
    child.pytest().expect(passed=1)


def test_a_given_server(given: Child, server: postgres.Server) -> None:
    given.write(
        test_it="""
        import os

        def test_it(neon_server_url):
            assert neon_server_url == os.environ["NEONUP_TEST_SERVER"].rpartition("/")[0]
        """
    )
    given.pytest().expect(passed=1)
    assert server.names("ci") == ["ci"]
    assert len(server.names("neon")) == 1  # the template


def test_databases_of_a_suites_own_are_in_no_template(child: Child) -> None:
    """Where the templates are kept at the end, since others were connected when they were made."""
    child.ini("neon_env = DATABASE_URL")
    for folder in ("a", "b"):
        child.file(
            f"{folder}/conftest.py",
            f"""
            from pathlib import Path
            import psycopg, pytest

            @pytest.fixture(scope="session")
            def neon_template():
                return Path("{folder}.sql")
            """,
        )
        child.file(f"{folder}.sql", f"CREATE TABLE {folder} (i int)")
        child.file(
            f"{folder}/test_{folder}.py",
            f"""
            import psycopg

            def test_it(neon_db, neon_server_url):
                with psycopg.connect(neon_server_url, autocommit=True) as connection:
                    connection.execute("CREATE DATABASE of_{folder}")
            """,
        )
    for _ in range(2):
        child.pytest().expect(passed=2)
    child.assert_nothing_left()
