"""Going over to the Neon branch of another git branch, which is created where there is none."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace

from neonup import Database, ProviderError, Settings
from neonup.plugin.http import Call, drive
from neonup.plugin.project import check_owner
from neonup_cloud import NeonClient
from neonup_cloud.account import linked
from neonup_cloud.account import location as locations
from neonup_cloud.account.git_branches import (
    GitBranches,
    GitBranchRecord,
    neon_name,
    other_neon_name,
)
from neonup_cloud.account.location import DatabaseLocation
from neonup_cloud.api.answers import Branch
from neonup_cloud.api.client import Groups
from neonup_cloud.api.errors import AnswerLost, Conflict, NeonError, NotFound, UnusableAnswer
from neonup_cloud.api.idempotent_create import create_once

_EXCHANGED = "exchanged for that of another git branch"


@dataclass(frozen=True)
class GitBranchLocation:
    """Where a git branch's data is.

    Args:
        location: its database's.
        branch: the Neon branch.
        created: whether the Neon branch was created by this call.
        note: what to say of it.
    """

    location: DatabaseLocation
    branch: Branch
    created: bool
    note: str


def note(settings: Settings, database: Database, git_branch: str) -> None:
    """Record that a database has the data of a git branch, which was unknown.

    It is so after the setting came, and after a restore that went to another Neon branch.
    """
    records = GitBranches.of(settings)
    before = records.get(git_branch) or GitBranchRecord()
    host = locations.endpoint_host(database.url, {})
    created = before.created and before.host == host
    record = GitBranchRecord(database.id or "", host, before.name, created=created)
    records.put(settings, git_branch, record)


class GitSwitch:
    """One switch from a database to that of another git branch; under the project's lock.

    Args:
        neon: the account.
        settings: the project's.
        database: the present one.
        git_branch: the git branch that is checked out.
    """

    def __init__(self, neon: NeonClient, settings: Settings, database: Database, git_branch: str):
        self._neon = neon
        self._calls = Groups(neon.api, None)
        self._settings = settings
        self._records = GitBranches.of(settings)
        self._database = database
        self._git_branch = git_branch
        self._present = locations.now(neon, locations.parse(database.id), database.url)
        self._project = self._present.project

    def run(self) -> GitBranchLocation:
        """Find the git branch's Neon branch, or create it with a copy of the present data.

        Raises:
            NeonError: Neon refused, or did not answer.
            NeonupError: the database is another folder's, of which this one is a copy.
            ProviderError: neither of the names that it can have is free.
        """
        if not self._records.has(self._database.id):  # the folder was moved or copied
            check_owner(self._settings, self._database, _EXCHANGED)
            self._records.inherit(self._settings, self._database.id)
        known = self._records.get(self._git_branch)
        existing = self._existing(known) if known and known.id else None
        if known and existing:
            self._stay(known, existing[1])
            self._put(known, str(existing[0]))
            return GitBranchLocation(*existing, created=False, note=_called(existing[1]))
        lost = bool(known and known.id)
        return self._named(known if known and not known.id else None, lost=lost)

    def finish(self, database: Database) -> None:
        """Record how the branch is found after a restore, once its URL is known."""
        host = locations.endpoint_host(database.url, {})
        self._records.change(self._git_branch, host=host)

    def _existing(self, known: GitBranchRecord) -> tuple[DatabaseLocation, Branch] | None:
        try:
            location = locations.now_on(self._neon, locations.parse(known.id), known.host)
            return location, locations.branch_of(self._neon, location)
        except NotFound:
            return None

    def _stay(self, known: GitBranchRecord, branch: Branch) -> None:
        """Take back the expiry that neonup gave the branch while its git branch was deleted."""
        if known.expires and branch.expires_at is not None:
            self._neon.operations.settle(branch.project_id)
            self._neon.branches.keep(branch.project_id, branch.id)

    def _named(self, asked: GitBranchRecord | None, *, lost: bool) -> GitBranchLocation:
        """The branch of the git branch's name.

        Args:
            asked: what an earlier start has asked for, whose answer is not recorded.
            lost: whether the git branch had a Neon branch that is gone.
        """
        name, branch = self._choose(asked)
        parent = self._parent()
        note = "its Neon branch was gone; " if lost else ""
        if branch is not None:
            # Whoever was killed after the request made it of the same parent.
            created = asked is not None and branch.parent_id == parent
            return self._recorded(branch, created, f"{note}{_called(branch)}, which existed")
        self._put(GitBranchRecord(name=name), "")
        look = self._look(name)

        def request() -> Call[Branch]:
            answer = yield from self._calls.branches.create(
                self._project, name=name, parent_id=parent
            )
            return answer.branch

        creation = create_once(request, look, repeatable=True, requested_before=asked is not None)
        try:
            branch, created = drive(creation, self._neon.sender), True
        except Conflict:  # another clone of the repository has created it at this moment
            branch, created = drive(look(), self._neon.sender), False
            if branch is None:
                raise
        except NeonError as error:
            if not isinstance(error, AnswerLost | UnusableAnswer):
                self._records.drop(self._git_branch)  # Neon refused: there is nothing to look for
            raise
        return self._recorded(branch, created, f"{note}{_called(branch)}")

    def _recorded(self, branch: Branch, created: bool, note: str) -> GitBranchLocation:
        location = DatabaseLocation(self._project, branch.id)
        self._put(GitBranchRecord(name=branch.name, created=created), str(location))
        return GitBranchLocation(location, branch, created, note)

    def _put(self, record: GitBranchRecord, id_: str) -> None:
        changed = replace(record, id=id_, expires=False)
        self._records.put(self._settings, self._git_branch, changed)

    def _choose(self, asked: GitBranchRecord | None) -> tuple[str, Branch | None]:
        """The name of the Neon branch, and the branch that has it already.

        The project's default branch, a protected one, and that of another git branch are none that
        a git branch comes to by its name, unless ``neon git`` has noted it so.
        """
        others = {record.id for record in self._records.all().values()}
        mapped = linked.mapped_branch(self._settings.project, self._project, self._git_branch)
        names = [neon_name(self._git_branch), other_neon_name(self._git_branch)]
        for name in [asked.name] if asked else [mapped] if mapped else names:
            branch = drive(self._look(name)(), self._neon.sender)
            id_ = str(DatabaseLocation(self._project, branch.id)) if branch else ""
            is_free = branch is None or not (branch.default or branch.protected or id_ in others)
            if is_free or name == mapped:
                return name, branch
        raise ProviderError(
            f"The project {self._project} has branches {' and '.join(names)}, which are not those "
            f"of the git branch {self._git_branch}.",
            remedy="Rename one of them.",
        )

    def _look(self, name: str) -> Callable[[], Call[Branch | None]]:
        def look() -> Call[Branch | None]:
            branches = yield from self._calls.branches.list(self._project, search=name)
            return next((branch for branch in branches if branch.name == name), None)

        return look

    def _parent(self) -> str | None:
        """The branch whose data the new one begins with; None: it is gone, so the default one."""
        with contextlib.suppress(NotFound):
            return locations.branch_of(self._neon, self._present).id
        return None


def _called(branch: Branch) -> str:
    return f"the Neon branch {branch.name}"
