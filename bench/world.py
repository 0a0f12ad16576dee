"""Scratch homes and projects, of which nothing is left: no process, no file."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil

NEONUP = str(Path(sysconfig.get_path("scripts")) / "neonup")

_KEPT = ("HOME", "LANG", "PATH", "TMPDIR", "SYSTEMROOT")
_PATIENCE = 60.0  # seconds


@contextmanager
def folder(prefix: str, parent: Path | None = None) -> Iterator[Path]:
    """A folder that an unprivileged account may enter, deleted at the end."""
    path = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    path.chmod(0o711)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


class Home:
    """A ``NEONUP_HOME`` of its own."""

    def __init__(self, path: Path):
        self.path = path

    @property
    def environ(self) -> dict[str, str]:
        """A developer's environment, without anything of CI or of other databases."""
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        return {**kept, "NEONUP_HOME": str(self.path), "NEONUP_PROVIDER": "local"}

    def processes(self) -> list[psutil.Process]:
        """Everything that runs in it."""
        found = []
        for process in psutil.process_iter(["cmdline"]):
            words = process.info["cmdline"] or []
            if any(word == str(self.path) or word.startswith(f"{self.path}/") for word in words):
                found.append(process)
        return found

    def settle(self) -> None:
        """Wait until the upkeep has ended, which makes the next project's spare copy.

        Raises:
            TimeoutError: it does not end.
        """
        deadline = time.monotonic() + _PATIENCE
        while any("neonup_local.service.upkeep" in _words(one) for one in self.processes()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"the upkeep of {self.path} does not end")
            time.sleep(0.02)

    def run(self, *arguments: str, cwd: Path, environ: Mapping[str, str] | None = None) -> str:
        """Run ``neonup`` and return what it printed."""
        return subprocess.run(
            [NEONUP, *arguments],
            cwd=cwd,
            env={**self.environ, **(environ or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


@contextmanager
def home() -> Iterator[Home]:
    """A new home; at the end its servers are stopped and it is deleted."""
    with folder("nu-bench-") as path:
        made = Home(path)
        try:
            yield made
        finally:
            made.run("stop", "--all", cwd=path)
            made.settle()
            end(made.processes())


@contextmanager
def project(at: Home) -> Iterator[Path]:
    """An empty project's folder; at the end its database is destroyed."""
    with folder("shop-") as path:
        try:
            yield path
        finally:
            if (path / ".env").exists():
                at.settle()
                at.run("destroy", "--yes", cwd=path)


@contextmanager
def ready_project() -> Iterator[tuple[Home, Path]]:
    """A home and a project with its local database running, and no upkeep."""
    with home() as made, project(made) as path:
        made.run("--yes", cwd=path)
        made.settle()
        yield made, path


def end(processes: list[psutil.Process]) -> None:
    """End processes that are this benchmark's own, and wait for them."""
    for process in processes:
        try:
            process.terminate()
        except psutil.NoSuchProcess:
            continue
    for process in psutil.wait_procs(processes, timeout=10)[1]:
        process.kill()


def python(code: str, *arguments: str) -> list[str]:
    """A command of this environment's Python."""
    return [sys.executable, "-c", code, *arguments]
