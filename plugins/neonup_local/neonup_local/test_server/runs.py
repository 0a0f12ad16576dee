"""Test runs on this machine: who is in one, and what is left of those that died.

<home>/tests/runs/<id>/   alive-<pid>.lock   held by each process of the run as long as it lives
                          run.json           what they share: port, password, the data's folder
                          kept.json          the databases of failed tests that stay for a while
                          server/            the data, where it is not in memory
/dev/shm/neonup-<uid>-<id>/                  the data, where it is

A run lives while one of its locks is held; a killed process holds none.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from neonup_local.engine import cluster
from neonup_local.service import home as homes
from neonup_local.test_server import location as place

LOCK = ".tests"
"""Held while processes join a run or leave it, and while runs are removed."""
_SERVER = "server"
_KEPT = "kept.json"
SERVED = "neon"
"""The folder, in a run's own, that is the home of a local Neon."""
_END_SECONDS = 15.0
_OWNER = "run"
"""The file in a data folder that names its run's folder."""

KEPT_RUNS = 3
KEPT_SECONDS = 8 * 3600.0
"""How many runs' failed databases stay, and for how long."""


class Run:
    """One run of tests: a folder that its processes share, and hold while they live.

    Args:
        home: neonup's own folder.
        id: the run's name.
    """

    def __init__(self, home: Path, id: str):  # noqa: A002
        from neonup.plugin.locks import FileLock

        self.home = home
        self.id = id
        self.control = _runs(home) / id
        self._alive = FileLock(self.control / f"alive-{os.getpid()}.lock")

    def join(self) -> None:
        """Become one of its processes; the first one makes it, and removes what dead runs left.

        Raises:
            EngineError: the home cannot be used.
        """
        with homes.locked(self.home, LOCK):
            if not self.control.is_dir():
                _sweep(self.home)
                for folder in (self.home / "tests", _runs(self.home), self.control):
                    homes.make_folder(folder)
            self._alive.acquire(timeout=0)

    def leave(self, last: Callable[[], None]) -> None:
        """Stop being one of its processes; the last one removes it, unless databases are kept.

        Args:
            last: called by the last one, before that.
        """
        with homes.locked(self.home, LOCK):
            self._alive.release()
            if self.control.is_dir() and not _is_alive(self.control):
                try:
                    last()
                finally:
                    if not self.kept_databases:
                        remove(self.control)

    def locked(self, what: str = "server") -> AbstractContextManager[None]:
        """Hold what only one process of the run may do at a time."""
        return homes.locked(self.home, f".test-{self.id}-{what}")

    @property
    def shared(self) -> dict[str, Any]:
        """What its processes share; empty at first."""
        return _read(self.control / "run.json")

    @shared.setter
    def shared(self, values: dict[str, Any]) -> None:
        _write(self.control / "run.json", values)

    @property
    def kept_databases(self) -> list[str]:
        """The databases that stay after its end."""
        return list(self.kept.get("databases", []))

    @property
    def kept(self) -> dict[str, Any]:
        """What is recorded of them, and of the server that they are on; see `kept`."""
        return _read(self.control / _KEPT)

    def keep(self, database: str, test: Mapping[str, Any], server: Mapping[str, Any]) -> None:
        """Let a database, and its server, stay after the run's end. Call it under its lock.

        Args:
            database: its name; one that is kept already is described anew.
            test: whose it was, and why it is kept.
            server: the project that the server is for, and what it is started with.
        """
        kept, at = self.kept, time.time()
        names = [name for name in self.kept_databases if name != database]
        tests = {**kept.get("tests", {}), database: {**test, "at": at}}
        values = {**server, "databases": [*names, database], "at": at, "tests": tests}
        _write(self.control / _KEPT, values)

    def forget_kept(self) -> None:
        """Their server has died, and they with it. Call it under its lock."""
        (self.control / _KEPT).unlink(missing_ok=True)

    def folder(self) -> Path:
        """The folder for its server, made at the first call. Call it under its lock."""
        shared = self.shared
        if "folder" not in shared:
            shared["folder"] = str(self._make_folder())
            self.shared = shared
        return Path(shared["folder"])

    def _make_folder(self) -> Path:
        parent = place.choose(self.control)
        name = _SERVER if parent == self.control else f"{_prefix()}{self.id}"
        folder = parent / name
        homes.make_folder(folder, exist_ok=False)
        (folder / _OWNER).write_text(str(self.control), encoding="utf-8")
        return folder


def sweep(home: Path, most: int = KEPT_RUNS) -> list[str]:
    """Remove what dead runs left: processes, data, folders; returns the runs' ids.

    Kept databases go once they are too old, or more than those of ``most`` runs.
    """
    if not _runs(home).is_dir():
        return []
    with homes.locked(home, LOCK):
        return _sweep(home, most)


def folders(home: Path) -> list[Path]:
    """The folders of all runs, living or dead, the newest first."""
    controls = [path for path in _runs(home).glob("*") if path.is_dir()]
    return sorted(controls, key=lambda path: path.stat().st_mtime, reverse=True)


def data_folder(control: Path) -> Path | None:
    """Where a run's server has its data and its log; None if it never had one."""
    text = _read(control / "run.json").get("folder")
    return Path(text) if text else None


def remove(control: Path) -> None:
    """Stop a run's server and remove all that it has on this machine."""
    end_served(control)
    _remove_server(data_folder(control))
    shutil.rmtree(control, ignore_errors=True)
    for lock in (control.parents[2] / "locks").glob(f".test-{control.name}-*.lock"):
        lock.unlink(missing_ok=True)


def end_served(control: Path) -> None:
    """End a run's local Neon, and its databases."""
    own = control / SERVED
    if not own.is_dir():
        return
    import psutil

    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if "serve" in words and str(own) in words:
            with contextlib.suppress(psutil.Error):
                process.terminate()
                process.wait(_END_SECONDS)
            with contextlib.suppress(psutil.Error):
                process.kill()  # nothing happens where it has ended
    for data in (*own.glob("databases/*/data"), *own.glob("neon/clusters/*/data")):
        cluster.stop(data, immediately=True)


def is_alive(control: Path) -> bool:
    """Whether a process of the run is there."""
    return _is_alive(control)


def _sweep(home: Path, most: int = KEPT_RUNS) -> list[str]:
    removed, remaining = [], 0
    for control in folders(home):
        if _is_alive(control):
            continue
        at = _read(control / _KEPT).get("at")
        if at is not None and remaining < most and time.time() - at < KEPT_SECONDS:
            remaining += 1
            continue
        remove(control)
        removed.append(control.name)
    for folder in place.memory().glob(f"{_prefix()}*"):
        with contextlib.suppress(OSError):  # somebody else's
            if not Path((folder / _OWNER).read_text(encoding="utf-8")).is_dir():
                _remove_server(folder)
    return removed


def _remove_server(folder: Path | None) -> None:
    if folder is not None and folder.is_dir():
        cluster.stop(folder / "data", immediately=True)
        shutil.rmtree(folder, ignore_errors=True)


def _is_alive(control: Path) -> bool:
    from neonup.plugin.locks import FileLock, LockTimeout

    for path in control.glob("alive-*.lock"):
        try:
            with FileLock(path, timeout=0):
                path.unlink(missing_ok=True)
        except LockTimeout:
            return True
    return False


def _runs(home: Path) -> Path:
    return home / "tests" / "runs"


def _prefix() -> str:
    if sys.platform == "win32":
        return "neonup-user-"
    return f"neonup-{os.geteuid()}-"


def _read(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def _write(path: Path, values: dict[str, Any]) -> None:
    temporary = path.with_suffix(".tmp")
    temporary.touch(mode=0o600)
    temporary.write_text(json.dumps(values), encoding="utf-8")
    temporary.replace(path)
