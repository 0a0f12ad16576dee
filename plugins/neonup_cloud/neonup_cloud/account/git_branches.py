"""Which Neon branch has the data of which git branch: a small file of each project.

It is read at each start with the setting ``git_branches``, so this module imports no HTTP client.
What writes it holds the project's lock.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from neonup import Settings
from neonup.plugin.project import StateStore

_LONGEST = 256
"""Characters of a Neon branch's name."""
_NOTHING = "branch"
"""The name where nothing is left of a git branch's."""


@dataclass(frozen=True)
class GitBranchRecord:
    """The Neon branch of a git branch.

    Args:
        id: of its database, as ``.env`` has it; empty: it was asked for, and the answer is not
            recorded.
        host: its endpoint's, by which it is found after a restore has moved it to another branch.
        name: of the Neon branch that was asked for.
        created: whether it was created for the git branch, from this project.
        expires: whether neonup has let it expire, since the git branch was deleted.
    """

    id: str = ""
    host: str = ""
    name: str = ""
    created: bool = False
    expires: bool = False


class GitBranches:
    """The git branches of one key of one project, by their names.

    Args:
        home: the folder of neonup's state.
        name: of the file, which is `neonup.Settings.state_name`.
    """

    def __init__(self, home: Path, name: str):
        self._home = home
        self._store = StateStore(home / "account", "git-branches")
        self._name = name

    @classmethod
    def of(cls, settings: Settings) -> GitBranches:
        """Those of a project."""
        return cls(settings.home, settings.state_name)

    @classmethod
    def everywhere(cls, home: Path) -> Iterator[GitBranches]:
        """Those of all projects of this machine."""
        for name in StateStore(home / "account", "git-branches").names():
            yield cls(home, name)

    def all(self) -> dict[str, GitBranchRecord]:
        """The records, by git branch."""
        return {
            git_branch: GitBranchRecord(**record)
            for git_branch, record in self._content().get("branches", {}).items()
        }

    def get(self, git_branch: str) -> GitBranchRecord | None:
        """The record of a git branch; None: it has none."""
        return self.all().get(git_branch)

    def of_database(self, id_: str | None) -> str:
        """The git branch whose data a database has; empty: it is unknown.

        In a folder that was moved or copied the records of the other one say so.
        """
        records = self if self.has(id_) else self._others(id_)
        return (records._own(id_) if records else None) or ""

    def has(self, id_: str | None) -> bool:
        """Whether a database is one of this folder's."""
        return self._own(id_) is not None

    def inherit(self, settings: Settings, id_: str | None) -> None:
        """Take over the records of the folder that this one was moved or copied from."""
        other = self._others(id_)
        place = other.project() if other else None
        if other is None or place is None:
            return
        was_copied = place[0].exists()
        records = {
            name: replace(record, created=record.created and not was_copied)
            for name, record in other.all().items()
        }
        self._write(_facts(settings), {**records, **self.all()})
        if not was_copied:
            other._store.forget(other._name)

    def _own(self, id_: str | None) -> str | None:
        return next((name for name, record in self.all().items() if record.id == id_), None)

    def _others(self, id_: str | None) -> GitBranches | None:
        """The records of another folder that name a database."""
        everywhere = (GitBranches(self._home, name) for name in self._store.names())
        return next((records for records in everywhere if records._own(id_)), None)

    def project(self) -> tuple[Path, Path, str] | None:
        """Whose they are: folder, ``.env`` and key; None: nothing is recorded."""
        content = self._content()
        if not content:
            return None
        return Path(content["folder"]), Path(content["env_file"]), content["key"]

    def put(self, settings: Settings, git_branch: str, record: GitBranchRecord) -> None:
        """Record the Neon branch of a git branch. Of two with one database the new one has it."""
        others = {
            name: other
            for name, other in self.all().items()
            if name != git_branch and not (record.id and other.id == record.id)
        }
        self._write(_facts(settings), {**others, git_branch: record})

    def change(self, git_branch: str, **values: Any) -> None:
        """Change the record of a git branch, if it has one."""
        records = self.all()
        if git_branch in records:
            changed = replace(records[git_branch], **values)
            self._write(self._content(), {**records, git_branch: changed})

    def drop(self, git_branch: str) -> None:
        """Forget the record of a git branch."""
        records = self.all()
        if records.pop(git_branch, None):
            self._write(self._content(), records)

    def forget(self, id_: str) -> None:
        """Forget a database that was deleted, and the branches of a project that was."""
        records = self.all()
        left = {
            name: record
            for name, record in records.items()
            if record.id != id_ and not record.id.startswith(f"{id_}/")
        }
        if len(left) < len(records):
            self._write(self._content(), left)

    def _content(self) -> dict[str, Any]:
        return self._store.read(self._name) or {}

    def _write(self, facts: dict[str, Any], records: dict[str, GitBranchRecord]) -> None:
        branches = {name: asdict(record) for name, record in records.items()}
        self._store.write(self._name, {**facts, "branches": branches})


def _facts(settings: Settings) -> dict[str, Any]:
    return {
        "folder": str(settings.project),
        "env_file": str(settings.env_file),
        "key": settings.key,
    }


def neon_name(git_branch: str) -> str:
    """What a git branch's Neon branch is called: as the official command calls it.

    In small letters; what is no letter, digit or slash becomes a dash. From ``neon git sync`` of
    the npm package neon 6.2.3.
    """
    parts = (re.sub(r"[^a-z0-9]+", "-", part).strip("-") for part in git_branch.lower().split("/"))
    name = "/".join(part for part in parts if part)
    return name[:_LONGEST].rstrip("-/") or _NOTHING


def other_neon_name(git_branch: str) -> str:
    """The name where another branch has `neon_name`: the same at each try, on each machine."""
    end = hashlib.sha256(git_branch.encode()).hexdigest()[:8]
    return f"{neon_name(git_branch)[: _LONGEST - len(end) - 1]}-{end}"
