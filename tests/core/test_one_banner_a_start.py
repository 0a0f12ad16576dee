"""One banner a start, whatever processes a reloader or a server makes of it."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.project import Project

RELOADER = """
import os, subprocess, sys
child = [sys.executable, "-c", "import neonup; neonup.ensure()"]
for _ in range(3):
    subprocess.run(child, env={**os.environ, "RUN_MAIN": "true"}, check=True)
"""

WORKERS = """
import multiprocessing, sys
import neonup

def work():
    neonup.ensure()

if __name__ == "__main__":
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    sys.exit(max(worker.exitcode for worker in workers))
"""

FORKED = """
import os
import neonup
for _ in range(3):
    if not os.fork():
        neonup.ensure()
        os._exit(0)
    assert os.wait()[1] == 0
"""


def banners(stderr: str) -> list[str]:
    return [line for line in stderr.splitlines() if line.startswith("neonup  ")]


def test_a_reloaders_children_say_it_once(project: Project) -> None:
    for verb in ("created", "found"):
        done = project.python(RELOADER, NEONUP_ENV="development")
        assert done.returncode == 0, done.stderr
        (said,) = banners(done.stderr)
        assert said.startswith(f"neonup  {verb} a local Postgres")


def test_forked_workers_say_it_once(project: Project) -> None:
    done = project.python(FORKED, NEONUP_ENV="development")
    assert done.returncode == 0, done.stderr
    assert len(banners(done.stderr)) == 1


def test_the_workers_of_a_first_start_say_once_that_it_was_made(project: Project) -> None:
    (project.folder / "serve.py").write_text(WORKERS)
    command = [sys.executable, "serve.py"]
    done = project.command(command, NEONUP_ENV="development")
    assert done.returncode == 0, done.stderr
    (said,) = banners(done.stderr)
    assert said.startswith("neonup  created")


def test_another_database_in_the_file_is_said_again(project: Project) -> None:
    project.ok()
    change = RELOADER + (
        "open('.env', 'w').write('DATABASE_URL=postgresql://me@db.example/shop')\n"
        "subprocess.run(child, env={**os.environ, 'RUN_MAIN': 'true'}, check=True)\n"
    )
    first, second = banners(project.python(change).stderr)
    assert "a local Postgres" in first
    assert "your own database, db.example/shop" in second


def test_two_databases_are_said_once_each(project: Project) -> None:
    ensure = "import neonup; neonup.ensure(); neonup.ensure(key='STATISTICS_URL')"
    twice = f"{ensure}; {ensure.removeprefix('import neonup; ')}"
    done = project.python(twice, NEONUP_ENV="development")
    assert len(banners(done.stderr)) == 2, done.stderr


def test_a_migration_command_says_nothing_of_its_own(project: Project) -> None:
    child = f"{sys.executable} -c 'import neonup; neonup.ensure()'"
    done = project.python(
        "import neonup; neonup.ensure()", NEONUP_ENV="development", NEONUP_MIGRATE=child
    )
    assert done.returncode == 0, done.stderr
    (said,) = banners(done.stderr)
    assert "created" in said


def test_markers_of_starts_that_are_over_go(project: Project, neonup_home: Path) -> None:
    for _ in range(3):
        project.python(RELOADER, NEONUP_ENV="development")
    assert len(list((neonup_home / "announced").iterdir())) == 1
