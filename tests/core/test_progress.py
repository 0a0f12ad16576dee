"""Long work is shown: at a terminal in one line, elsewhere now and then, and never on stdout."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from neonup.cli import progress_line
from neonup.progress import HowFar
from tests.project import Project
from tests.terminal import terminal

WORK = """
import sys
import click
from neonup import progress
from neonup.cli import output, progress_line
output.prepare()
progress.show_with(progress_line.show)
with progress.work("Copying the data", lambda: progress.HowFar(10, 40, "10 of 40 MB")):
    input()
    with progress.work("Creating indexes"):
        input()
print('{"done": true}')
"""


def command(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_a_terminal_has_what_how_much_and_how_long(project: Project) -> None:
    with terminal(command(WORK), cwd=project.folder, env=project.environ) as screen:
        screen.until(" left")
        screen.go_on()
        screen.until("Creating indexes")
        screen.go_on()
        assert json.loads(screen.end()) == {"done": True}
    first = screen.lines[0]
    assert first.startswith("\x1b[2m  … Copying the data: 10 of 40 MB, 25 %, ")
    assert "\n" not in screen.seen
    assert screen.seen.endswith("\r\x1b[K")  # nothing of it stays


def test_a_narrow_terminal_without_colours_has_one_line(project: Project) -> None:
    env = {**project.environ, "NO_COLOR": "1"}
    with terminal(command(WORK), cwd=project.folder, env=env, columns=30) as screen:
        screen.until(" left")
        screen.go_on()
        screen.until("Creating indexes")
        screen.go_on()
        screen.end()
    assert screen.lines[0].startswith("  … Copying")
    assert "25 %, " in screen.lines[0]
    assert all(len(line) < 30 for line in screen.lines)
    assert "\x1b" not in "".join(screen.lines)


def test_short_work_is_not_shown(project: Project) -> None:
    with terminal(command(WORK), cwd=project.folder, env=project.environ) as screen:
        screen.go_on()
        screen.go_on()
        screen.end()
    assert screen.seen == ""


def test_elsewhere_there_are_plain_lines(project: Project) -> None:
    at_once = WORK.replace("\nwith", "\nprogress_line.ELSEWHERE = (0.0, 600.0)\nwith", 1)
    with subprocess.Popen(
        command(at_once), env=project.environ, text=True, encoding="utf-8",
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stderr
        first = process.stderr.readline()
        printed, more = process.communicate("\n\n", timeout=120)
    assert first.startswith("  … Copying the data: 10 of 40 MB, 25 %, ")
    assert (json.loads(printed), more) == ({"done": True}, "")


NOBODY_WATCHES = """
import threading
from neonup import progress
from neonup.cli import progress_line

def copy():
    with progress.work("Copying the data"):
        input()

progress_line.TERMINAL = (0.0, 0.0)
copy()  # of an application
progress.show_with(progress_line.show)
thread = threading.Thread(target=copy)  # of a server's
thread.start()
thread.join()
"""


def test_only_a_commands_own_work_is_shown(project: Project) -> None:
    with terminal(command(NOBODY_WATCHES), cwd=project.folder, env=project.environ) as screen:
        screen.go_on()
        screen.go_on()
        screen.end()
    assert screen.seen == ""


@pytest.mark.parametrize(
    ("how_far", "seconds", "columns", "line"),
    [
        (None, 5, 80, "  … Moving the rows"),
        (None, 5, 12, "  … Moving …"),
        (HowFar(0, 40, "0 of 40 rows"), 5, 80, "  … Moving the rows: 0 of 40 rows"),
        (HowFar(7, 0, "7 rows"), 5, 80, "  … Moving the rows: 7 rows"),
        (HowFar(10, 40, "10 rows"), 60, 80, "  … Moving the rows: 10 rows, 25 %, 3 min left"),
        (HowFar(10, 40, "10 rows"), 60, 40, "  … Moving the rows: 25 %, 3 min left"),
        (HowFar(10, 40, "10 rows"), 60, 30, "  … Moving …: 25 %, 3 min left"),
        (HowFar(30, 40, "30 rows"), 30, 3, "…: "),
    ],
)
def test_a_line_fits(how_far: HowFar | None, seconds: float, columns: int, line: str) -> None:
    assert progress_line.line("Moving the rows", how_far, seconds, columns) == line


@pytest.fixture
def gate(project: Project, tmp_path: Path) -> Iterator[Path]:
    """A file that the ``cp`` on PATH waits for before it copies."""
    project.ok()  # a first database is not slow
    gate, folder = tmp_path / "gate", tmp_path / "programs"
    folder.mkdir()
    script = folder / "cp"
    script.write_text(f'#!/bin/sh\nuntil [ -e "{gate}" ]; do sleep 0.1; done\nexec /bin/cp "$@"\n')
    script.chmod(0o755)
    project.environ["PATH"] = f"{folder}:{project.environ['PATH']}"
    yield gate
    gate.touch()  # upkeep may wait, too


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no cp copies data")
@pytest.mark.parametrize("command", [("versions", "checkpoint"), ("fork",)])
def test_copying_a_database_is_shown(
    project: Project, gate: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    project.ok("stop")
    folder = tmp_path / "copy"
    shutil.copytree(project.folder, folder)  # with .env, as a person copies a project
    cwd = folder if command == ("fork",) else project.folder
    argv = [sys.executable, "-m", "neonup", *command, "--json"]
    with terminal(argv, cwd=cwd, env=project.environ) as screen:
        screen.until("Copying the data: 0 B of ")
        gate.touch()
        assert json.loads(screen.end())["id"]
    assert "\n" not in screen.seen
