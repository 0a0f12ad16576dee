"""The data of git branches that are not checked out: a data directory each in ``git-branches/``.

The name is quoted as in a URL, since a branch's has slashes.
"""

from __future__ import annotations

import hashlib
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, unquote

from neonup import EngineError
from neonup.plugin.project import git_branch_names
from neonup_local.engine import account as accounts
from neonup_local.engine import choosing, cluster, template
from neonup_local.service import folders, notes, swap
from neonup_local.service.databases import LocalDatabases
from neonup_local.service.swap import SwapPlan

FOLDER = "git-branches"
_LENGTH = 120
"""Of a folder's name, which is limited to 255 bytes nearly everywhere."""


def switch(databases: LocalDatabases, id: str, branch: str) -> bool:  # noqa: A002
    """Let a database have the data of a git branch; its server is stopped for it.

    Args:
        databases: of the home.
        id: the database's.
        branch: the git branch; where it has no data yet, it begins with a copy of the present.

    Returns:
        Whether it had data.

    Raises:
        EngineError: the server does not stop, the disk is full, or there is no Postgres for the
            data; it is as it was.
    """
    folder = databases.folder(id)
    with databases.locked(id):
        swap.remove_leftovers(folder)
        present, own = notes.git_branch(folder), folder / FOLDER / _quoted(branch)
        if present == branch:
            return True
        record = databases.get(id)
        if record is None or not present or not (own.is_dir() or databases.has_data(id)):
            _note(folder, branch)
            return False
        known = own.is_dir()
        major = cluster.major_version(own if known else folder / "data")
        engine = choosing.for_data(databases.home, major, record.engine, databases.pg_bin)
        databases.stop_locked(id)
        bring = f"{FOLDER}/{own.name}" if known else _copy(folder)
        keep = _free(folder / FOLDER / _quoted(present)).relative_to(folder).as_posix()
        swap.carry_out(folder, SwapPlan(bring, keep, engine.id, git_branch=branch))
    return known


def _copy(folder: Path) -> str:
    copy = folder / f".data-{secrets.token_hex(4)}"
    template.copy(folder / "data", copy, accounts.of_data(folder / "data"))
    return swap.stage(folder, copy)


def of_deleted(databases: LocalDatabases) -> Iterator[tuple[Path, str]]:
    """The data directories of git branches that are deleted, and why they are not needed."""
    for record in databases.all():
        stored = sorted((databases.folder(record.id) / FOLDER).glob("*"))
        project = folders.project(databases.home, record) if stored else None
        branches = git_branch_names(Path(project)) if project else None
        if branches is None:
            continue
        names = {_quoted(branch) for branch in branches}
        for path in stored:
            if path.name not in names:
                yield path, f"its git branch {unquote(path.name)} was deleted"


def remove(databases: LocalDatabases, path: Path) -> None:
    """Remove the data of a git branch.

    Args:
        databases: of the home.
        path: the data directory, as `of_deleted` yields it.

    Raises:
        EngineError: a file cannot be removed.
    """
    folder = path.parent.parent
    with databases.locked(folder.name):
        trash = folder / f".data-{secrets.token_hex(4)}"
        try:
            path.rename(trash)
            shutil.rmtree(trash)
        except FileNotFoundError:
            return  # checked out again meanwhile
        except OSError as error:
            raise EngineError(
                f"The data of a git branch could not be removed: {error.strerror}.",
                checked=[str(error.filename)],
            ) from None


def _quoted(branch: str) -> str:
    name = quote(branch, safe="")
    if len(name) <= _LENGTH:
        return name
    return f"{name[:_LENGTH]}-{hashlib.sha256(branch.encode()).hexdigest()[:8]}"


def _free(path: Path) -> Path:
    """The path, or one that no git branch has where something is in the way.

    That happens only where the note of what is checked out was lost; ``neonup prune`` removes it.
    """
    while path.exists():
        path = path.with_name(f"{path.name}~")
    return path


def _note(folder: Path, branch: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        swap.set_git_branch(folder, branch)
    except OSError as error:
        raise EngineError(
            f"{folder / notes.GIT_BRANCH} cannot be written: {error.strerror}.",
            remedy="Free some space or allow writing there.",
        ) from None
