"""The branches and snapshots of a project, as Neon lists them; nothing is cached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from neonup import Version
from neonup.plugin.http import Call
from neonup.plugin.project import named
from neonup_cloud.agents import names
from neonup_cloud.api.answers import Branch, Snapshot
from neonup_cloud.api.client import Groups
from neonup_cloud.api.errors import Conflict, Invalid, NotFound

_RESTORED = "restored"
"""The ``restore_status`` of a branch with a snapshot's data that has taken no other's place."""


@dataclass(frozen=True)
class ProjectState:
    """A project's branches and snapshots at one moment.

    Args:
        branch: the one that the database is on.
        branches: all of the project's.
        snapshots: all of the project's, newest first.
    """

    branch: Branch
    branches: list[Branch]
    snapshots: list[Snapshot]

    @property
    def versions(self) -> list[Version]:
        """The snapshots as versions, newest first."""
        return [version(snapshot) for snapshot in self.snapshots]

    @property
    def others(self) -> list[Branch]:
        """The branches beside the database's, without those that neonup deletes by itself."""
        return [
            branch
            for branch in self.branches
            if branch.id != self.branch.id
            and not names.is_replaced(branch.name)
            and not names.is_restoring(branch.name)
        ]

    def snapshot(self, wanted: Version | str) -> Snapshot:
        """The snapshot of a version, or of a version's id or name.

        Raises:
            NeonupError: there is no such version.
        """
        version = named(self.versions, wanted.id if isinstance(wanted, Version) else wanted)
        return next(snapshot for snapshot in self.snapshots if snapshot.id == version.id)

    def other(self, text: str) -> Branch:
        """One of the other branches, by its id or name.

        Raises:
            NotFound: there is no such branch.
        """
        for branch in self.others:
            if text in (branch.id, branch.name):
                return branch
        raise NotFound(
            f"Neon: the project has no branch {text!r} beside the database's own.",
            checked=[branch.name for branch in self.others],
        )

    def preview(self, text: str) -> Branch:
        """A preview, by its id or name.

        Raises:
            NotFound: there is no such branch.
            Invalid: the branch is not a preview.
        """
        branch = self.other(text)
        if branch.restore_status != _RESTORED:
            raise Invalid(
                f"Neon: the branch {branch.name} is not a preview of a version.",
                remedy="preview makes one.",
            )
        return branch

    def called(self, name: str) -> Branch | None:
        """The branch of a name; None if there is none. Names are unique in a project."""
        return next((branch for branch in self.branches if branch.name == name), None)

    def restored(self, name: str, snapshot: Snapshot) -> Branch | None:
        """The branch of a name, if it has a snapshot's data and has not replaced its target yet."""
        branch = self.called(name)
        if branch is None or branch.restored_from != snapshot.id:
            return None
        return branch if branch.restore_status == _RESTORED else None

    def is_stuck(self, branch: Branch) -> bool:
        """Whether a restore has replaced the branch, but child branches keep it from deletion."""
        return names.is_replaced(branch.name) and self._has_children(branch)

    def _has_children(self, branch: Branch) -> bool:
        return any(child.parent_id == branch.id for child in self.branches)

    def left_behind(self, *, except_name: str = "") -> list[Branch]:
        """The branches that a killed restore has left and that can be deleted.

        Args:
            except_name: the name of a branch that is still needed.
        """
        return [
            branch
            for branch in self.branches
            if (
                names.is_replaced(branch.name)
                or (names.is_restoring(branch.name) and branch.name != except_name)
            )
            and not branch.default
            and branch.id != self.branch.id
            and not self._has_children(branch)
        ]

    def replaceable(self, which: bool | Literal["automatic"]) -> Snapshot | None:
        """The snapshot that may make room for a new one: the oldest, an automatic one if there is
        one. Those of a schedule do not count for the plan's limit.

        Args:
            which: ``replace_oldest`` of `ProjectVersions.checkpoint`.
        """
        counted = [snapshot for snapshot in self.snapshots if snapshot.manual is not False]
        candidates = [snapshot for snapshot in counted if names.is_automatic(snapshot.name)]
        if which is True:
            candidates = candidates or counted
        return candidates[-1] if which and candidates else None

    def check_root(self) -> None:
        """Refuse a database whose branch has no snapshots.

        Raises:
            Invalid: the database's branch was made of another.
        """
        if self.branch.parent_id is not None:
            raise Invalid(
                f"Neon: the branch {self.branch.name} was made of another one, and Neon keeps "
                "versions of root branches only.",
                remedy="Make a branch of it instead, or undo: Neon keeps its history, too.",
            )

    def check_free(self, name: str | None) -> None:
        """Refuse a name that a branch has already.

        Raises:
            Conflict: there is a branch of that name.
        """
        if name is not None and self.called(name) is not None:
            raise Conflict(
                f"Neon: the branch {name!r} exists already.", remedy="Give another name."
            )


def read(neon: Groups[None], project_id: str, endpoint_id: str | None) -> Call[ProjectState]:
    """Read the state of a project.

    Args:
        endpoint_id: the database's endpoint; that of the project's default branch if None.
    """
    branches = yield from neon.branches.list(project_id)
    branch_id = None
    if endpoint_id is not None:
        branch_id = (yield from neon.endpoints.get(project_id, endpoint_id)).branch_id
    for branch in branches:
        if branch.id == branch_id or (branch_id is None and branch.default):
            break
    else:
        raise NotFound(f"Neon: the project {project_id} has no default branch.")
    return ProjectState(branch, branches, (yield from snapshots(neon, project_id)))


def snapshots(neon: Groups[None], project_id: str) -> Call[list[Snapshot]]:
    """A project's snapshots, newest first."""
    listed = yield from neon.snapshots.list(project_id)
    return sorted(listed, key=lambda snapshot: snapshot.created_at, reverse=True)


def version(snapshot: Snapshot) -> Version:
    """A snapshot as a version."""
    return Version(
        id=snapshot.id,
        name=names.version(snapshot.name),
        created_at=snapshot.created_at,
        size=snapshot.full_size,
        automatic=names.is_automatic(snapshot.name),
    )
