"""Who else may come to read the password in a ``.env`` file: whoever gets a commit, other users."""

from __future__ import annotations

import stat
import sys
from dataclasses import dataclass
from pathlib import Path

from neonup.env import git


@dataclass(frozen=True)
class Exposure:
    """A way in which a file's password gets to others.

    Args:
        text: what is wrong.
        remedy: what to do.
    """

    text: str
    remedy: str


def exposures(path: Path) -> list[Exposure]:
    """In which ways others can read a file, or soon may; none where all is in order.

    The file need not exist.
    """
    return [*_by_git(path), *_by_mode(path)]


def remarks(path: Path) -> list[str]:
    """The same in lines for a banner."""
    return [f"{exposure.text}: {exposure.remedy}" for exposure in exposures(path)]


def file_for_new(path: Path, beside: Path | None) -> Path:
    """The file for a new database: where git tracks one, another that the project reads."""
    if beside is None or not beside.is_file() or git.is_tracked(beside):
        return path
    return beside if git.is_tracked(path) else path


def _by_git(path: Path) -> list[Exposure]:
    name = path.name
    try:
        if git.is_tracked(path):
            remedy = f"git update-index --skip-worktree {name}"
            return [
                Exposure(
                    f"{name} is tracked by git, and the next commit may have the password in it",
                    "keep the URL in an untracked file that the project reads, such as "
                    f".env.local; or: {remedy}",
                )
            ]
        if git.is_committed(path):
            return [Exposure(f"git does not ignore {name}", f"echo {name} >> .gitignore")]
    except git.GitFailed as error:
        remedy = f"mend that, or make sure that {name} is in .gitignore and not tracked"
        return [Exposure(f"git would perhaps commit {name}, and cannot tell ({error})", remedy)]
    return []


def _by_mode(path: Path) -> list[Exposure]:
    try:
        status = path.stat()
    except OSError:
        return []
    mode = stat.S_IMODE(status.st_mode)
    if sys.platform == "win32":
        return []
    if not stat.S_ISREG(status.st_mode) or not mode & stat.S_IROTH:
        return []
    return [
        Exposure(f"other users can read {path.name} (mode {mode:04o})", f"chmod 600 {path.name}")
    ]
