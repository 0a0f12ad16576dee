"""Environments in which nothing is installed; they ask an index.

uv installs what a test asks for. What a user types is pip's, in `test_first_minutes` and in the
templates' `test_fresh_environment`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.environments import CONSTRAINTS, empty_folder, install
from tests.release.conftest import Dist

PYTHONS = ("3.11", "3.12", "3.13")


def interpreter(version: str) -> str | None:
    """A Python of that version on this machine; None if there is none."""
    name = f"python{version}"
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return sys.executable
    environ = dict(os.environ)
    if shutil.which("pyenv"):  # its programs work only for versions that are named
        listed = subprocess.run(
            ["pyenv", "versions", "--bare"], check=True, capture_output=True, text=True
        )
        environ["PYENV_VERSION"] = ":".join(listed.stdout.split())
    try:
        asked = subprocess.run(
            [name, "-c", "import sys, venv; print(sys.executable)"],
            env=environ,
            check=True,
            capture_output=True,
            text=True,
        )
    except (FileNotFoundError, subprocess.CalledProcessError):
        return None
    return asked.stdout.strip()


@dataclass(frozen=True)
class Environment:
    """A virtual environment; `environ` is that of a shell in which it is active."""

    folder: Path
    environ: dict[str, str]

    @property
    def python(self) -> str:
        return str(self.folder / "bin/python")

    @property
    def neonup(self) -> str:
        return str(self.folder / "bin/neonup")

    def install(self, *what: str) -> None:
        """Install distributions; an `AssertionError` has what was said."""
        install(self.python, *what, environ=self.environ)


def empty_environment(
    folder: Path, dist: Dist, environ: dict[str, str], python: str = sys.executable
) -> Environment:
    """Make one, where pip and uv find the distributions in `dist` and all else as they are set up.

    Args:
        folder: where it will be.
        dist: the distributions to try.
        environ: of the shell.
        python: what it is made with.
    """
    empty_folder(folder, python)
    pip = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "UV_"))}
    for tool in ("PIP", "UV"):
        between = " " if tool == "PIP" else ","
        places = [str(dist.folder), pip.get(f"{tool}_FIND_LINKS", "")]
        pip[f"{tool}_FIND_LINKS"] = between.join(filter(None, places))
        pip[f"{tool}_CONSTRAINT"] = str(CONSTRAINTS)
    pip["PIP_NO_COMPILE"] = "0"  # quicker; 0 switches compiling off: pip negates the option's name
    path = os.pathsep.join([str(folder / "bin"), environ["PATH"]])
    return Environment(folder, {**environ, **pip, "PATH": path, "VIRTUAL_ENV": str(folder)})
