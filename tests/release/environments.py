"""Environments in which nothing is installed, made as a user makes them; they ask an index."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.environments import run_pip
from tests.release.building import ROOT
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
        """``pip install``; an `AssertionError` has what it said."""
        run_pip(self.python, "install", "--quiet", *what, environ=self.environ)


def empty_environment(
    folder: Path, dist: Dist, environ: dict[str, str], python: str = sys.executable
) -> Environment:
    """Make one, whose pip finds the distributions in `dist` and all else where pip is set up to.

    Args:
        folder: where it will be.
        dist: the distributions to try.
        environ: of the shell.
        python: what it is made with.
    """
    subprocess.run([python, "-m", "venv", str(folder)], check=True, capture_output=True)
    pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    places = [str(dist.folder), *pip.get("PIP_FIND_LINKS", "").split()]
    pip["PIP_FIND_LINKS"] = " ".join(places)
    pip["PIP_CONSTRAINT"] = str(ROOT / "constraints.txt")
    pip["PIP_NO_COMPILE"] = "0"  # quicker; 0 switches compiling off: pip negates the option's name
    path = os.pathsep.join([str(folder / "bin"), environ["PATH"]])
    return Environment(folder, {**environ, **pip, "PATH": path, "VIRTUAL_ENV": str(folder)})
