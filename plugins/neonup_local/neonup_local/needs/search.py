"""Searches a project's files for what they need of a server, within limits.

Folders are gone through breadth first, folders of migrations before all others as soon as they are
seen, Python files later than SQL files of the same depth. What is named is reported once, with the
first place in a migration, else the first of all.
"""

from __future__ import annotations

import heapq
import itertools
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from neonup_local.needs import python_text, sql_text

SECONDS = 0.2
"""Of this thread's own time: a busy machine finds as much as an idle one."""
_ELAPSED = 2.0
"""Seconds on the clock, for slow disks."""
_FILES = 5000
_ENTRIES = 10_000
"""Of one folder."""

_MIGRATIONS = frozenset({"migrations", "versions", "alembic"})
"""Folders of Django's and Alembic's migrations."""
_SKIPPED = frozenset(
    {"__pycache__", "__pypackages__", "build", "dist", "dist-packages", "node_modules"}
    | {"site-packages", "target"}
)
_FIRST = -1
_LATER = 2
"""Python files wait for folders that are so much deeper."""

_READERS: dict[str, tuple[Callable[[str], Iterator[tuple[str, int]]], int]] = {
    ".sql": (sql_text.features, 1 << 18),
    ".py": (python_text.features, 1 << 16),
}
"""What reads files, and how many bytes of one: a dump has its extensions at its beginning."""
_HINTS = tuple(
    map(re.compile, (rb"create\s+extension", rb"extension\s*\(", rb"icu\b", rb"backends\.postgis"))
)
"""Most files have none of these, which is found out at once: each begins with plain letters."""


@dataclass(frozen=True)
class Need:
    """What a project needs of its Postgres.

    Args:
        feature: the name of an extension, as ``CREATE EXTENSION`` takes it, or ``icu``.
        place: what names it: the file, relative to the project, and the line, as compilers write
            them.
    """

    feature: str
    place: str


@dataclass(frozen=True)
class ProjectNeeds:
    """What came of a search.

    Args:
        needs: the first place of each feature, by the feature's name.
        files: how many SQL and Python files were read.
        complete: whether the limits let all of them be read.
    """

    needs: tuple[Need, ...] = ()
    files: int = 0
    complete: bool = True

    @property
    def features(self) -> tuple[str, ...]:
        """The names of what is needed."""
        return tuple(need.feature for need in self.needs)


def search(project: Path, *, seconds: float = SECONDS) -> ProjectNeeds:
    """Search a project's files. Nothing that cannot be read is an error.

    Args:
        project: the project's folder.
        seconds: how much of this thread's time it may take.
    """
    needs: dict[str, Need] = {}
    of_migrations: set[str] = set()
    files, complete = 0, True
    end, deadline = time.thread_time() + seconds, time.monotonic() + _ELAPSED
    for path, is_migration in _files(project):
        if files == _FILES or time.thread_time() > end or time.monotonic() > deadline:
            complete = False
            break
        if path is None:
            continue
        files += 1
        for feature, line in _named_in(path):
            if feature in needs and (feature in of_migrations or not is_migration):
                continue
            needs[feature] = Need(feature, f"{path.relative_to(project).as_posix()}:{line}")
            if is_migration:
                of_migrations.add(feature)
    ordered = tuple(needs[feature] for feature in sorted(needs))
    return ProjectNeeds(ordered, files, complete)


def _files(project: Path) -> Iterator[tuple[Path | None, bool]]:
    """SQL and Python files, and whether each is a migration; None after each folder."""
    waiting = [(0, os.fspath(project), True)]
    depths = {os.fspath(project): 0}
    while waiting:
        rank, path, is_folder = heapq.heappop(waiting)
        is_migration = rank == _FIRST
        if not is_folder:
            yield Path(path), is_migration
            continue
        depth = depths.pop(path) + 1
        for entry, is_below in _entries(path):
            if is_below:
                depths[entry.path] = depth
            first = is_migration or (is_below and entry.name in _MIGRATIONS)
            later = _LATER if entry.name.endswith(".py") else 0
            heapq.heappush(waiting, (_FIRST if first else depth + later, entry.path, is_below))
        yield None, is_migration


def _entries(folder: str) -> list[tuple[os.DirEntry[str], bool]]:
    """What is to be looked at in a folder, and whether it is a folder; none of another project's.

    Links to folders are not followed: they may lead round in a circle, or out of the project.
    """
    entries = []
    try:
        with os.scandir(folder) as found:
            for entry in itertools.islice(found, _ENTRIES):
                if entry.name == "pyvenv.cfg":
                    return []
                if entry.name.startswith(".") or entry.name in _SKIPPED:
                    continue
                if entry.name.endswith(tuple(_READERS)):
                    if entry.is_file():
                        entries.append((entry, False))
                elif entry.is_dir(follow_symlinks=False):
                    entries.append((entry, True))
    except OSError:
        return entries
    return entries


def _named_in(path: Path) -> Iterator[tuple[str, int]]:
    read, size = _READERS[path.suffix]
    try:
        with path.open("rb") as file:
            content = file.read(size)
    except OSError:
        return
    lower = content.lower()
    if any(hint.search(lower) for hint in _HINTS):
        yield from read(content.decode("utf-8-sig", errors="replace"))
