"""A project folder as a user has one, and the processes that a user would start in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dotenv import dotenv_values

from tests import programs

_KEPT = ("HOME", "LANG", "PATH", "TMPDIR", "COVERAGE_PROCESS_CONFIG", "PYTHONDONTWRITEBYTECODE")


def clean_environ(neonup_home: Path, **more: str) -> dict[str, str]:
    """An environment in which nothing says CI, pytest or a terminal."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, "NEONUP_HOME": str(neonup_home), **more}


def names(folder: Path) -> list[str]:
    """What is in a folder, by name."""
    return sorted(path.name for path in folder.iterdir())


@dataclass
class Project:
    """A folder and the environment of the shell in it."""

    folder: Path
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def env_file(self) -> Path:
        return self.folder / ".env"

    @property
    def variables(self) -> Mapping[str, str | None]:
        return dotenv_values(self.env_file)

    @property
    def url(self) -> str:
        url = self.variables["DATABASE_URL"]
        assert url
        return url

    def command(
        self, argv: Sequence[str], *, stdin: str | None = None, **environ: str
    ) -> subprocess.CompletedProcess[str]:
        return programs.run(argv, cwd=self.folder, env={**self.environ, **environ}, stdin=stdin)

    def neonup(self, *args: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return self.command([sys.executable, "-m", "neonup", *args], **environ)

    def ok(self, *args: str, **environ: str) -> str:
        """What a command that must succeed prints on stdout."""
        done = self.neonup(*args, **environ)
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    def fails(self, *args: str, **environ: str) -> str:
        """What a command that must fail clearly prints on stderr."""
        done = self.neonup(*args, **environ)
        assert done.returncode == 1, done.stderr + done.stdout
        assert "Traceback" not in done.stderr, done.stderr
        return done.stderr

    def json(self, *args: str, **environ: str) -> Any:
        """What a command prints with ``--json``; it is as docs/json.md has it."""
        from tests.docs import answers  # loads all commands

        printed = json.loads(self.ok(*args, "--json", **environ))
        answers.check(args, printed)
        return printed

    def python(self, code: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return self.command([sys.executable, "-c", code], **environ)

    def new_python(self, code: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """The same in an interpreter that has imported nothing."""
        return subprocess.run(
            [sys.executable, "-c", code],
            cwd=self.folder,
            env={**self.environ, **environ},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    def query(self, sql: str) -> str:
        """The first value that the database in ``.env`` answers."""
        return self.ok("psql", "--", "-XAtc", sql).strip()
