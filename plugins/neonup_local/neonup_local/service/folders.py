"""The folders of the projects that databases belong to, and whether they are still there."""

from __future__ import annotations

import stat
from contextlib import suppress
from pathlib import Path

from neonup import owner
from neonup_local.service import notes
from neonup_local.service.records import Record

PROVIDER = "local"


def uses(home: Path, record: Record) -> list[owner.Use]:
    """The folders that use a database, or the one that it is a branch of; the owner first."""
    return owner.uses(home, PROVIDER, record.branch_of or record.id)


def project(home: Path, record: Record) -> str | None:
    """The folder that a database belongs to: where it was last found, else where it was made."""
    recorded = uses(home, record)
    return recorded[0].folder if recorded else record.project


def is_gone(folder: str | Path) -> bool:
    """Whether a folder is not there; False where nobody may look."""
    try:
        return not stat.S_ISDIR(Path(folder).stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False


def missed_since(folder: Path) -> float:
    """When it was first seen that a project's folder was gone, as noted from now on.

    Args:
        folder: the database's own, where the note is.
    """
    note = folder / notes.MISSED
    with suppress(OSError):
        note.touch(mode=0o600, exist_ok=False)
    try:
        return note.stat().st_mtime
    except OSError:
        return float("inf")


def is_back(folder: Path) -> None:
    """Remove that note, since the project's folder is there."""
    with suppress(OSError):
        (folder / notes.MISSED).unlink(missing_ok=True)
