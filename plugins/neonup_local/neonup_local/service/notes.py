"""Small notes beside a database's data that a start may read: nothing heavy is imported here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PLAN = "swap.json"
"""What is to be done about the data; see `service.swap`."""
PRIVATE = "private"
"""There while a server runs on the data for neonup alone; see `service.private_server`."""
GIT_BRANCH = "git-branch"
MISSED = "missed"
"""Its time is when the project's folder was first seen to be gone."""


def is_being_exchanged(folder: Path | str) -> bool:
    """Whether other data is about to come into a database's folder; waking it sees to that."""
    return os.path.exists(os.path.join(folder, PLAN))  # noqa: PTH110, PTH118 - the hot path


def git_branch(folder: Path | str) -> str:
    """The git branch that the data of a database is of; empty where that is unknown."""
    try:
        with open(os.path.join(folder, GIT_BRANCH), encoding="utf-8") as file:  # noqa: PTH118, PTH123 - as above
            return file.read()
    except (OSError, ValueError):
        return ""


@contextmanager
def last_use(folder: Path) -> Iterator[None]:
    """Leave the time of a database's last use as it is, whatever is written into its log."""
    log = folder / "log"
    try:
        before = log.stat().st_mtime_ns
    except OSError:
        yield
        return
    yield
    with suppress(OSError):
        os.utime(log, ns=(before, before))


def was_used(folder: Path) -> bool:
    """Whether a database's owner ever connected, as far as its log goes back."""
    log = folder / "log"
    try:
        return b"user=neondb_owner" in log.read_bytes() or log.with_suffix(".1").exists()
    except OSError:
        return True
