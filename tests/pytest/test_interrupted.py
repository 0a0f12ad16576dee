"""Tests that are ended in the middle of a statement, and tests that are run again."""

from __future__ import annotations

import signal
from pathlib import Path
from types import FrameType

import pytest

import neonup
from neonup.plugin.postgres import ServerLost
from neonup_pytest.servers.local import LocalServer
from tests.pytest.child import Child

SLOW = """
    import pytest
    from sqlalchemy import text

    SLEEP = "SELECT pg_sleep(60)"

    def test_connection(neon_connection):
        neon_connection.execute("CREATE TABLE mine (i int)")
        neon_connection.execute(SLEEP)

    def test_session(neon_session):
        neon_session.execute(text(SLEEP))

    def test_engine(neon_engine):
        neon_engine.connect().execute(text(SLEEP))

    async def test_async_connection(neon_async_connection):
        await neon_async_connection.execute(SLEEP)

    @pytest.mark.timeout(60)
    def test_that_comes_afterwards(neon_connection):
        assert neon_connection.execute("SELECT to_regclass('mine')").fetchone() == (None,)
"""


@pytest.mark.parametrize("isolation", ["database", "transaction"])
def test_a_timeout_within_a_statement_is_one_failure(child: Child, isolation: str) -> None:
    child.ini(f"neon_env =\nneon_isolation = {isolation}\nasyncio_mode = auto")
    child.write(test_it=SLOW)
    run = child.pytest("--timeout=2", "-o", "timeout_func_only=true", "--neon-keep=none")
    run.expect(1, failed=4, passed=1)
    child.assert_nothing_left()


class Interrupted(BaseException):
    """What pytest-timeout raises is no Exception either."""


def test_an_answer_that_nobody_waited_for_is_not_the_next_ones(
    tmp_path: Path, neonup_home: Path
) -> None:
    def interrupt(number: int, frame: FrameType | None) -> None:
        raise Interrupted

    server = LocalServer("0badcafe", neonup.resolve(tmp_path))
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        server.start()
        admin = server.connect()
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(Interrupted):
            admin.run("SELECT 'first', pg_sleep(60)")
        with pytest.raises(ServerLost):
            admin.run("SELECT 'second'")
        admin.close()
    finally:
        signal.signal(signal.SIGALRM, before)
        server.leave()


FLAKY = """
    import itertools

    attempts = itertools.count()

    def test_flaky(neon_connection):
        attempt = next(attempts)
        neon_connection.execute(f"CREATE TABLE attempt_{attempt} (i int)")
        neon_connection.commit()
        found = neon_connection.execute("SELECT relname FROM pg_class WHERE relname ~ '^attempt_'")
        assert found.fetchall() == [(f"attempt_{attempt}",)]
        assert attempt == 2
"""


@pytest.mark.parametrize("args", [(), ("-n1",)], ids=["alone", "-n1"])
def test_a_flaky_test_that_passes_in_the_end_passes(child: Child, args: tuple[str, ...]) -> None:
    """The database of each attempt that failed is kept under a name of its own, and named."""
    child.ini("neon_env =")
    child.write(test_it=FLAKY)
    run = child.pytest("--reruns=2", *args).expect(passed=1, rerun=2)
    kept = [line for line in run.output.splitlines() if "psql postgresql://" in line]
    assert len({*kept}) == len(kept) == 2, run.output
    assert run.output.count("a failed attempt of test_it.py::test_flaky") == 2


def test_a_test_that_fails_each_time_keeps_each_attempts_database(child: Child) -> None:
    child.ini("neon_env =")
    child.write(test_it=FLAKY)
    run = child.pytest("--reruns=1").expect(1, failed=1, rerun=1)
    kept = [line for line in run.output.splitlines() if "psql postgresql://" in line]
    assert len({*kept}) == len(kept) == 2, run.output


def test_an_attempt_that_has_no_database_keeps_none(child: Child) -> None:
    """The second attempt fails before it has one: its report names no database."""
    child.ini("neon_env =")
    child.write(
        conftest="""
        import itertools, pytest
        attempts = itertools.count()

        @pytest.fixture(autouse=True)
        def first():
            assert next(attempts) == 0
        """,
        test_it="def test_it(first, neon_db): assert False",
    )
    run = child.pytest("--reruns=1").expect(1, errors=1, rerun=1)
    assert run.output.count("psql postgresql://") == 1, run.output


@pytest.mark.parametrize("args", [(), ("-n1",)], ids=["alone", "-n1"])
def test_no_database_of_an_attempt_is_kept_where_none_shall_be(
    child: Child, args: tuple[str, ...]
) -> None:
    child.ini("neon_env =")
    child.write(test_it=FLAKY)
    run = child.pytest("--reruns=2", "--neon-keep=none", *args).expect(passed=1, rerun=2)
    assert "psql postgresql://" not in run.output
    child.assert_nothing_left()


def test_the_server_has_logical_replication_where_the_project_asks_for_it(child: Child) -> None:
    child.file("pyproject.toml", "[tool.neonup]\nlogical_replication = true\n")
    child.write(
        test_it="""
        import psycopg, pytest

        @pytest.mark.parametrize("n", range(3))
        def test_it(neon_db, n):
            with psycopg.connect(neon_db.url, autocommit=True) as connection:
                assert connection.execute("SHOW wal_level").fetchone() == ("logical",)
                connection.execute("CREATE TABLE items (i int)")
                connection.execute("CREATE PUBLICATION p FOR TABLE items")
                connection.execute("SELECT pg_create_logical_replication_slot('s', 'pgoutput')")
                connection.execute("INSERT INTO items VALUES (1)")
                read = "pg_logical_slot_get_binary_changes('s', NULL, NULL, 'proto_version', '1', "
                read += "'publication_names', 'p')"
                changes = connection.execute(f"SELECT count(*) FROM {read}").fetchone()
                assert changes > (0,)
                connection.execute("SELECT pg_drop_replication_slot('s')")
        """
    )
    child.pytest().expect(passed=3)
    child.assert_nothing_left()
