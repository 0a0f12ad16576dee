"""``migrate_on = "start"``: the migration command at each start of a program, once."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from inotify_simple import INotify, flags  # type: ignore[import-untyped]

import neonup
from tests.core.test_one_banner_a_start import FORKED, RELOADER, WORKERS
from tests.project import Project
from tests.waiting import wait_until

COUNT = "import pathlib\nwith pathlib.Path('runs').open('a') as log:\n    log.write('run\\n')\n"

HOLD = f"""
import os, time
{COUNT}
while not os.path.exists("go"):
    time.sleep(0.01)
"""

FAIL = """
import sys
print("reading versions/", file=sys.stderr)
print("KeyError: 'a1b2c3'", file=sys.stderr)
sys.exit(3)
"""


def runs(project: Project) -> int:
    """How often the command was run since the last call."""
    log = project.folder / "runs"
    count = len(log.read_text().splitlines()) if log.exists() else 0
    log.unlink(missing_ok=True)
    return count


@pytest.fixture
def migrated(project: Project) -> Project:
    """A project with a database, and a command that counts its runs."""
    (project.folder / "migrate.py").write_text(COUNT)
    (project.folder / "pyproject.toml").write_text(
        '[tool.neonup]\nmigrate = "python migrate.py"\nmigrate_on = "start"\n'
    )
    assert "created" in project.ok()
    assert runs(project) == 1
    return project


def test_the_command_and_programs_run_it_and_questions_do_not(migrated: Project) -> None:
    migrated.ok()
    assert runs(migrated) == 1
    migrated.ok("run", "--", sys.executable, "-c", "import neonup; neonup.ensure()")
    assert runs(migrated) == 1
    assert migrated.python("import neonup; neonup.ensure(); neonup.ensure()").returncode == 0
    assert runs(migrated) == 0  # nothing says that this is development
    script = "import neonup; neonup.ensure(); neonup.ensure()"
    assert migrated.python(script, NEONUP_ENV="development").returncode == 0
    assert runs(migrated) == 1
    for question in ("status", "url", "env"):
        migrated.ok(question)
    migrated.python("import neonup; neonup.sqlalchemy_url(direct=True)", NEONUP_ENV="development")
    assert runs(migrated) == 0


def test_without_the_setting_only_a_new_database_is_migrated(migrated: Project) -> None:
    migrated.ok(NEONUP_MIGRATE_ON="new")
    migrated.ok("run", "--", "true", NEONUP_MIGRATE_ON="new")
    assert runs(migrated) == 0


@pytest.mark.parametrize("code", [RELOADER, WORKERS, FORKED], ids=["reloader", "workers", "forks"])
def test_all_processes_of_a_start_run_it_once(migrated: Project, code: str) -> None:
    (migrated.folder / "server.py").write_text(code)
    done = migrated.command([sys.executable, "server.py"], NEONUP_ENV="development")
    assert done.returncode == 0, done.stderr
    assert runs(migrated) == 1


def test_a_start_that_waits_for_another_does_not_run_it_again(migrated: Project) -> None:
    (migrated.folder / "migrate.py").write_text(HOLD)
    command = [sys.executable, "-m", "neonup", "run", "--", "true"]
    locks = Path(migrated.environ["NEONUP_HOME"], "locks")
    lock = locks / f"{neonup.resolve(migrated.folder).state_name}.lock"
    with ThreadPoolExecutor(2) as threads, INotify() as opened:
        first = threads.submit(migrated.command, command)
        try:
            wait_until((migrated.folder / "runs").exists, "the command runs")
            opened.add_watch(lock, flags.OPEN)
            second = threads.submit(migrated.command, command)
            assert opened.read(timeout=60_000), "the second start asks for the project's lock"
        finally:
            (migrated.folder / "go").touch()
        assert (first.result().returncode, second.result().returncode) == (0, 0)
    assert runs(migrated) == 1


def test_a_failure_is_shown_and_the_start_goes_on(migrated: Project) -> None:
    (migrated.folder / "migrate.py").write_text(FAIL)
    done = migrated.neonup("run", "--", sys.executable, "-c", "print('it runs')")
    assert (done.returncode, done.stdout.strip()) == (0, "it runs")
    said = "The migration command failed (3): python migrate.py\n        reading versions/\n"
    assert f"{said}        KeyError: 'a1b2c3'" in done.stderr
    for shown in (
        migrated.neonup(),
        migrated.python("import neonup; neonup.ensure()", NEONUP_ENV="development"),
    ):
        assert shown.returncode == 0
        assert said in shown.stderr + shown.stdout


def test_a_users_own_database_is_left_alone(migrated: Project) -> None:
    url = migrated.url
    migrated.env_file.unlink()
    migrated.ok("run", "--", "true", DATABASE_URL=url)
    assert runs(migrated) == 0
