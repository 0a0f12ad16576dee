"""``neonup run --test``: a command with a database of its own, which is gone with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.project import Project, clean_environ

CONFIG = """
[tool.neonup]
migrate = "{python} migrate.py"
seed = "seed.sql"
[tool.neonup.variables]
POSTGRES_SERVER = "{{host}}"
POSTGRES_PORT = "{{port}}"
POSTGRES_USER = "{{user}}"
POSTGRES_PASSWORD = "{{password}}"
POSTGRES_DB = "{{database}}"
"""
MIGRATE = """
import os, psycopg
with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
    connection.execute("CREATE TABLE IF NOT EXISTS item (name text)")
"""
SUITE = """
import os, unittest, psycopg

PARTS = {"host": "SERVER", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "DB"}


class Items(unittest.TestCase):
    def setUp(self):
        parts = {name: os.environ[f"POSTGRES_{end}"] for name, end in PARTS.items()}
        self.connection = psycopg.connect(**parts, autocommit=True)
        self.addCleanup(self.connection.close)

    def test_that_empties_a_table(self):
        count = "SELECT count(*) FROM item"
        self.assertEqual(self.connection.execute(count).fetchone(), (1,))
        self.connection.execute("TRUNCATE item")

    def test_libpq_and_the_url_lead_there(self):
        here = self.connection.info.port
        for text in ("", os.environ["DATABASE_URL"], "dbname=neondb_owner"):
            with psycopg.connect(text) as connection:
                self.assertEqual(connection.info.port, here)
"""


@pytest.fixture
def project(tmp_path: Path, neonup_home: Path) -> Iterator[Project]:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(CONFIG.format(python=sys.executable))
    (folder / "migrate.py").write_text(MIGRATE)
    (folder / "seed.sql").write_text("INSERT INTO item VALUES ('seeded');")
    (folder / "test_shop.py").write_text(SUITE)
    yield Project(folder, clean_environ(neonup_home))
    assert not runs(neonup_home), "something is left of a run"
    assert not in_memory(neonup_home)


def runs(home: Path) -> list[Path]:
    return [path for path in home.glob("tests/runs/*") if path.is_dir()]


def in_memory(home: Path) -> list[Path]:
    """The data folders in memory of runs that have their own folder in a home."""
    owners = Path("/dev/shm").glob("neonup-*/run")
    return [path.parent for path in owners if path.read_text().startswith(str(home))]


UNITTEST = (sys.executable, "-m", "unittest", "-v", "test_shop")


def test_a_suite_that_empties_tables_leaves_the_development_database_alone(
    project: Project,
) -> None:
    project.ok()
    before = project.env_file.read_bytes()
    done = project.neonup("run", "--test", "--", *UNITTEST)
    assert done.returncode == 0, done.stderr
    assert "Ran 2 tests" in done.stderr
    assert project.query("SELECT name FROM item") == "seeded"
    assert project.env_file.read_bytes() == before


def test_it_needs_no_development_database_and_makes_none(project: Project) -> None:
    done = project.neonup("run", "--test", "--", *UNITTEST)
    assert done.returncode == 0, done.stderr
    assert not project.env_file.exists()
    assert project.json("list") == []


def test_what_the_user_has_set_leads_nowhere_else(project: Project) -> None:
    (project.folder / ".env").write_text("POSTGRES_SERVER=db.example\n")
    hostile = {"POSTGRES_PORT": "1", "DATABASE_URL": "postgresql://db.example/a", "PGHOST": "no"}
    done = project.neonup("run", "--test", "--", *UNITTEST, **hostile)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("code", "status"), [("raise SystemExit(7)", 7), (
    "import os, signal; os.kill(os.getpid(), signal.SIGKILL)", 137)])  # fmt: skip
def test_the_exit_status_is_the_commands(project: Project, code: str, status: int) -> None:
    assert project.neonup("run", "--test", "--", sys.executable, "-c", code).returncode == status


def test_a_migration_that_fails_leaves_nothing_and_runs_nothing(project: Project) -> None:
    (project.folder / "migrate.py").write_text("raise SystemExit('no such column')")
    code = "open('ran', 'w').close()"
    assert "no such column" in project.fails("run", "--test", "--", sys.executable, "-c", code)
    assert not (project.folder / "ran").exists()


def test_a_command_that_does_not_exist_is_said(project: Project) -> None:
    assert "no-such-program cannot be run" in project.fails("run", "--test", "no-such-program")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_reaches_the_command_and_nothing_is_left(
    project: Project, number: signal.Signals
) -> None:
    code = (
        "import signal, sys, time\n"
        f"signal.signal({int(number)}, lambda *_: sys.exit(9))\n"
        "print('ready', flush=True)\n"
        # A signal just before it is called does not end a long sleep early.
        "for _ in range(1000): time.sleep(0.1)\n"
    )
    command = [sys.executable, "-m", "neonup", "run", "--test", "--", sys.executable, "-c", code]
    with subprocess.Popen(
        command,
        cwd=project.folder,
        env=project.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.wait(60) == 9


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_during_the_migration_leaves_nothing(
    project: Project, number: signal.Signals
) -> None:
    (project.folder / "migrate.py").write_text("import time; print('at it'); time.sleep(1)")
    command = [sys.executable, "-m", "neonup", "run", "--test", "--", "true"]
    with subprocess.Popen(
        command,
        cwd=project.folder,
        env={**project.environ, "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "at it\n"
        process.send_signal(number)
        assert process.wait(60) != 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
def test_what_a_killed_run_left_is_removed_by_the_next(project: Project, neonup_home: Path) -> None:
    code = "print('ready', flush=True); import time; time.sleep(100)"
    command = [sys.executable, "-m", "neonup", "run", "--test", "--", sys.executable, "-c", code]
    with subprocess.Popen(
        command,
        cwd=project.folder,
        env=project.environ,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        os.killpg(process.pid, signal.SIGKILL)
    assert len(runs(neonup_home)) == 1
    assert project.neonup("run", "--test", "--", "true").returncode == 0


def test_two_at_once_have_a_database_each(project: Project) -> None:
    code = "import os; print(os.environ['POSTGRES_PORT'], flush=True); input()"
    command = [sys.executable, "-m", "neonup", "run", "--test", "--", sys.executable, "-c", code]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    both = [
        subprocess.Popen(command, cwd=project.folder, env=project.environ, text=True, **pipes)  # type: ignore[call-overload]
        for _ in range(2)
    ]
    ports = {process.stdout.readline() for process in both}
    for process in both:
        process.communicate("\n", timeout=60)
    assert len(ports) == 2


def test_neonup_off_forbids_it(project: Project) -> None:
    assert "NEONUP=off" in project.fails("run", "--test", "--", "true", NEONUP="off")
