"""Processes die in the middle: what they left is removed, and nothing of anybody else's."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.pytest.child import Child
from tests.waiting import PATIENCE

SLEEPER = """
    import os, time
    from pathlib import Path

    def test_it(neon_db):
        Path(f"pid-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}").write_text(str(os.getpid()))
        Path("begun").touch()
        while not Path("go").exists():
            time.sleep(0.01)
"""

QUICK = """
    def test_it(neon_connection):
        neon_connection.execute("SELECT 1")
"""


def wait_for(what: Callable[[], object], process: subprocess.Popen[str] | None = None) -> None:
    deadline = time.monotonic() + PATIENCE
    while not what():
        if process is not None and process.poll() is not None:
            raise AssertionError(process.communicate()[0])
        assert time.monotonic() < deadline
        time.sleep(0.01)


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid)


@pytest.mark.parametrize("how", ["the next run", "neonup prune"])
def test_pytest_is_killed(child: Child, how: str) -> None:
    child.write(test_it=SLEEPER, test_quick=QUICK)
    with child.started("test_it.py") as process:
        wait_for((child.folder / "begun").exists, process)
        process.kill()
    (server,) = child.servers
    assert len(child.data) == 1

    if how == "neonup prune":
        said = child.ok("prune", "--yes")
        assert "test" in said
    else:
        child.pytest("test_quick.py").expect(passed=1)
    wait_for(lambda: gone(server.pid))
    child.assert_nothing_left()


def test_a_living_run_is_left_alone(child: Child) -> None:
    child.write(test_it=SLEEPER, test_quick=QUICK)
    with child.started("test_it.py") as process:
        wait_for((child.folder / "begun").exists, process)
        (server,) = child.servers
        child.pytest("test_quick.py").expect(passed=1)  # a second run of the same project
        child.ok("prune", "--yes")
        assert child.servers == [server]
        (child.folder / "go").touch()
        output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, output
    child.assert_nothing_left()


def test_a_worker_is_killed(child: Child) -> None:
    child.ini("neon_env = DATABASE_URL")
    child.write(
        test_it="""
        import os, signal
        import pytest
        from pathlib import Path

        @pytest.mark.parametrize("n", range(12))
        def test_it(neon_connection, n):
            assert neon_connection.execute("SELECT to_regclass('mine')").fetchone() == (None,)
            neon_connection.execute("CREATE TABLE mine (i int)")
            neon_connection.commit()
            if n == 5:
                os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    run = child.pytest("-n2")
    assert run.outcomes["passed"] == 11 and run.outcomes["failed"] == 1, run.output
    child.assert_nothing_left()


def test_a_slow_worker_is_ended_in_a_run_that_another_has_refused(child: Child) -> None:
    """pytest-xdist interrupts it after five seconds, where pytest skips what would clean up."""
    child.write(
        conftest="""
        import os, time, pytest

        @pytest.hookimpl(tryfirst=True)
        def pytest_sessionfinish():
            if os.environ.get("PYTEST_XDIST_WORKER") == "gw1":
                time.sleep(60)
        """,
        test_it="def test_it(neon_db): pass",
    )
    child.file(".env", "DATABASE_URL=postgresql://me@127.0.0.1:1/app\n")
    child.pytest("-n2").refused("neon_env = DATABASE_URL")
    child.assert_nothing_left()


@pytest.mark.parametrize("args", [(), ("-n2",)])
@pytest.mark.parametrize("signal_", [signal.SIGKILL, signal.SIGQUIT])
def test_the_server_is_killed(child: Child, args: tuple[str, ...], signal_: signal.Signals) -> None:
    child.ini("neon_env = DATABASE_URL\nneon_schema = schema.sql")
    child.file("schema.sql", "CREATE TABLE items (i int)")
    child.write(
        test_it=f"""
        import os, signal
        import psycopg, pytest
        from pathlib import Path

        @pytest.mark.parametrize("n", range(10))
        def test_it(neon_connection, n):
            assert neon_connection.execute("SELECT * FROM items").fetchall() == []
            neon_connection.execute("INSERT INTO items VALUES (1)")
            neon_connection.commit()
            if n == 3 and not Path("killed").exists():
                Path("killed").touch()
                data = neon_connection.execute("SHOW data_directory").fetchone()[0]
                pid = int((Path(data) / "postmaster.pid").read_text().split()[0])
                os.kill(pid, {int(signal_)})
                with pytest.raises(psycopg.OperationalError):
                    for _ in range(1000):
                        neon_connection.execute("SELECT pg_sleep(0.01)")
                        psycopg.connect(os.environ["DATABASE_URL"]).close()
                assert "the server" == "dead"
        """
    )
    run = child.pytest(*args)
    # Alone, the one test fails that it happened under. Another worker's may have failed as well.
    assert run.code == 1, run.output
    assert 1 <= run.outcomes["failed"] <= (2 if args else 1), run.output
    assert run.outcomes.get("errors", 0) <= (1 if args else 0), run.output
    assert run.outcomes["passed"] >= 8, run.output
    assert "The tests' Postgres closed all connections" in run.output, run.output
    child.assert_nothing_left()


def test_a_backend_is_killed(child: Child) -> None:
    """Postgres then ends all connections, and recovers by itself."""
    child.ini("neon_schema = schema.sql")
    child.file("schema.sql", "CREATE TABLE items (i int)")
    child.write(
        test_it="""
        import os, signal
        import psycopg, pytest

        @pytest.mark.parametrize("n", range(8))
        def test_it(neon_connection, n):
            assert neon_connection.execute("SELECT * FROM items").fetchall() == []
            neon_connection.execute("INSERT INTO items VALUES (1)")
            neon_connection.commit()
            if n == 3:
                os.kill(neon_connection.info.backend_pid, signal.SIGKILL)
                neon_connection.execute("SELECT 1")
        """
    )
    run = child.pytest()
    assert run.outcomes == {"failed": 1, "passed": 7}, run.output
    child.assert_nothing_left()  # the failed test's database was lost with its connections


def interrupt(process: psutil.Process) -> None:
    process.send_signal(signal.SIGINT)


@pytest.mark.parametrize("args", [(), ("-n2",)])
def test_ctrl_c(child: Child, args: tuple[str, ...]) -> None:
    child.ini("neon_env = DATABASE_URL")
    child.write(test_it=SLEEPER)
    with child.started(*args) as process:
        wait_for((child.folder / "begun").exists, process)
        (server,) = child.servers
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2, output
    wait_for(lambda: gone(server.pid))
    child.assert_nothing_left()


def test_the_whole_terminal_gets_ctrl_c(child: Child) -> None:
    """The signal reaches every process of the foreground, helpers and servers as well."""
    child.ini("neon_env = DATABASE_URL")
    child.write(test_it=SLEEPER)
    child.new_session = True
    with child.started() as process:
        wait_for((child.folder / "begun").exists, process)
        os.killpg(process.pid, signal.SIGINT)
        output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2, output
    child.assert_nothing_left()


def test_two_runs_and_two_projects_at_once(child: Child, tmp_path: Path) -> None:
    many = """
    import pytest

    @pytest.mark.parametrize("n", range(25))
    def test_it(neon_connection, n):
        assert neon_connection.execute("SELECT * FROM items").fetchall() == [("WHOSE",)]
        neon_connection.execute("INSERT INTO items VALUES ('mine')")
        neon_connection.commit()
    """
    second = Child(tmp_path / "second", child.environ)
    for project, whose in ((child, "first"), (second, "second")):
        project.file("schema.sql", f"CREATE TABLE items AS SELECT '{whose}' AS name")
        project.ini("neon_env = DATABASE_URL\nneon_schema = schema.sql")
        project.write(test_it=many.replace("WHOSE", whose))
    running = [project.spawned() for project in (child, child, second)]
    for process in running:
        with process:
            output, _ = process.communicate(timeout=120)
        assert process.returncode == 0, output
    child.assert_nothing_left()
