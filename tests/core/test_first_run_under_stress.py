"""A first run that a hundred processes make at once, or that is killed at any moment."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from neonup_local.service.databases import LocalDatabases
from tests.project import Project, names

ENSURE = [sys.executable, "-c", "import neonup; print(neonup.ensure().url)"]


@pytest.mark.parametrize("count", [10, pytest.param(100, marks=pytest.mark.thorough)])
def test_processes_at_once_get_one_database(
    project: Project, neonup_home: Path, count: int
) -> None:
    environ = {**project.environ, "NEONUP_ENV": "development"}
    running = [
        subprocess.Popen(
            ENSURE,
            cwd=project.folder,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(count)
    ]
    answers = [process.communicate(timeout=240) for process in running]
    assert [process.returncode for process in running] == [0] * count, answers
    assert {out.strip() for out, _ in answers} == {project.url}
    text = project.env_file.read_text()
    assert text.count("DATABASE_URL=") == 1
    assert text.count("# neonup: ") == 1
    assert len(LocalDatabases(neonup_home).all()) == 1
    assert sum("neonup  created" in err for _, err in answers) == 1


def servers(home: Path) -> set[str]:
    """The data directories of the postmasters that run for a home."""
    found = set()
    for process in psutil.process_iter(["name", "cmdline"]):
        words = process.info["cmdline"] or []
        if process.info["name"] == "postgres" and "-D" in words:
            data = words[words.index("-D") + 1]
            if data.startswith(str(home)):
                found.add(data)
    return found


@pytest.mark.timeout(1800)  # seconds: it is up to sixty first runs and more
@pytest.mark.parametrize("kills", [15, pytest.param(60, marks=pytest.mark.thorough)])
def test_a_first_run_killed_at_any_moment_is_finished_by_the_next(
    project: Project, neonup_home: Path, kills: int
) -> None:
    """SIGKILL at moments spread evenly over the length of a first run with a seed.

    The length is measured, and differs between runs by more than the moments are apart: each run of
    this test tries others.
    """
    (project.folder / "seed.sql").write_text(
        "CREATE TABLE seeded (n int);\nINSERT INTO seeded SELECT generate_series(1, 1000);\n"
    )
    (project.folder / "pyproject.toml").write_text('[tool.neonup]\nseed = "seed.sql"\n')
    own = b"# my own lines\nA=1\n"
    project.env_file.write_bytes(own)
    lengths = []
    for _ in range(3):  # the first one copies the engine, and another test may slow one down
        begin_anew(project, neonup_home, own)
        begun = time.monotonic()
        project.ok()
        lengths.append(time.monotonic() - begun)
    length = min(lengths) * 1.2
    lines = project.env_file.read_bytes().count(b"\n")
    seen = {"as it was": 0, "complete": 0}
    chance = random.Random(2)
    moment = 0
    # A machine that became slower meanwhile completes none in that time: then there is one kill
    # after the other, each later, until a run was complete.
    while moment < kills or not seen["complete"]:
        begin_anew(project, neonup_home, own)
        kill_a_first_run(project, length * (moment + chance.random()) / kills)
        moment += 1
        content = project.env_file.read_bytes()
        complete = content.startswith(own) and content.count(b"\n") == lines
        assert content == own or complete, content
        seen["complete" if complete else "as it was"] += 1
        running = servers(neonup_home)
        if running:
            listed = {row["id"] for row in project.json("list")}
            assert {Path(data).parent.name for data in running} <= listed
        if moment % 3 == 1:
            project.ok()
            assert project.query("SELECT count(*) FROM seeded") == "1000"
            assert names(project.folder) == [".env", "pyproject.toml", "seed.sql"]
    assert seen["as it was"] and seen["complete"], seen


def begin_anew(project: Project, neonup_home: Path, own: bytes) -> None:
    databases = LocalDatabases(neonup_home)
    for name in databases.ids():
        databases.delete(name)
    project.env_file.write_bytes(own)


def kill_a_first_run(project: Project, after: float) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "neonup"],
        cwd=project.folder,
        env=project.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(after)
    process.kill()
    process.wait()
