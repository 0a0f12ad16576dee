"""Folders whose names are not UTF-8, outputs that lack a sign: no command ends in a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests import programs
from tests.project import Project, clean_environ

NAME = b"caf\xe9"
OUTPUTS = [
    {},
    {"PYTHONIOENCODING": "latin-1"},
    {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
]


def run(
    folder: Path, environ: dict[str, str], command: Sequence[str], *more: str
) -> subprocess.CompletedProcess[bytes]:
    return programs.run(
        [sys.executable, "-m", "neonup", *command, *more], text=False, cwd=folder, env=environ
    )


@pytest.mark.parametrize("output", OUTPUTS)
def test_every_command_in_a_folder_whose_name_is_not_utf_8(
    tmp_path: Path, neonup_home: Path, output: dict[str, str]
) -> None:
    folder = tmp_path / os.fsdecode(NAME)
    folder.mkdir()
    (folder / "pyproject.toml").touch()
    environ = clean_environ(neonup_home, **output)
    for line in (
        "up", "status", "doctor", "list", "env", "versions list", "reset --yes", "logs -n 1",
        "mcp install --client cursor --yes", "stop", "url", "prune --yes", "destroy --yes",
    ):  # fmt: skip
        machine = () if line.startswith(("logs", "env")) else ("--json",)
        for more in ((), machine):
            if more and line.startswith("destroy"):
                continue
            done = run(folder, environ, line.split(), *more)
            assert b"Traceback" not in done.stderr, (line, done.stderr)
            refused = line.startswith("mcp")  # an editor's file is UTF-8
            assert done.returncode == refused, (line, done.stdout, done.stderr)
            if refused:
                assert b"the path of the project" in done.stdout + done.stderr
            if line == "doctor" and not more and output in OUTPUTS[:2]:
                assert NAME in done.stdout  # for ASCII click has a way of its own


@pytest.mark.parametrize(("encoding", "sign"), [("latin-1", b"+ "), ("utf-8", "✓ ".encode())])
def test_signs_are_those_that_the_output_has(project: Project, encoding: str, sign: bytes) -> None:
    done = run(project.folder, {**project.environ, "PYTHONIOENCODING": encoding}, ["doctor"])
    assert done.stdout.startswith(sign), done.stderr


@pytest.mark.parametrize(
    "closing",
    [
        "sys.stderr = None",
        "sys.stderr.close()",
        "sys.stderr = open(os.devnull, 'w', encoding='ascii', errors='strict')",
        "os.close(2)",
    ],
)
def test_a_banner_that_cannot_be_shown_stops_nobody(tmp_path: Path, closing: str) -> None:
    (tmp_path / os.fsdecode(NAME)).mkdir()
    code = f"import os, sys; {closing}; import neonup; print(neonup.ensure(sys.argv[1]).key)"
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / os.fsdecode(NAME)],
        env={**os.environ, "DATABASE_URL": "postgresql://caf\udce9@db.example/shop"},
        capture_output=True,
        check=False,
    )
    assert done.stdout == b"DATABASE_URL\n", done.stderr
