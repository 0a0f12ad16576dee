"""What is above a project in its git repository: a ``.env`` that has the variables already."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from neonup import USER, Database, NeonupError
from neonup.plugin.project import recorded_in


def repository(folder: Path) -> Path | None:
    """The root of the git repository around a folder; None: there is none."""
    return next((each for each in (folder, *folder.parents) if (each / ".git").exists()), None)


def is_near(path: Path, folder: Path) -> bool:
    """Whether a file that code names is the project's: below it, or above it in the repository."""
    root = repository(folder) or folder.parent
    is_above = path.parent in folder.parents and path.is_relative_to(root)
    return is_above or path.is_relative_to(folder)


def env_file_above(folder: Path, names: Collection[str]) -> Path | None:
    """The nearest ``.env`` above a folder, within its repository, that sets one of the names."""
    root = repository(folder)
    if root is None or root == folder:
        return None
    for parent in folder.parents:
        path = parent / ".env"
        if path.is_file() and any(_has(path, name) for name in names):
            return path
        if parent == root:
            return None
    return None


def is_recorded_by_neonup(path: Path, key: str) -> bool:
    """Whether a file names a database that neonup created."""
    database = _database(path, key)
    return database is not None and database.provider != USER


def _has(path: Path, name: str) -> bool:
    return _database(path, name) is not None


def _database(path: Path, name: str) -> Database | None:
    try:
        return recorded_in(path, name, pipes=False)
    except NeonupError:  # it cannot be read: the start that needs it says so
        return None
