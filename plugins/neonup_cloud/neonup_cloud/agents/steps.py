"""The steps of which changes of versions consist. Each is safe to repeat after a crash."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import datetime

from neonup.plugin.http import Call
from neonup_cloud.agents import names
from neonup_cloud.agents.project_state import ProjectState
from neonup_cloud.agents.snapshot_creation import CheckpointCreation, SnapshotRequest
from neonup_cloud.api.answers import Branch, CreatedBranch, Endpoint, Operations, Snapshot
from neonup_cloud.api.client import Groups
from neonup_cloud.api.errors import Invalid, NeonError, NotFound
from neonup_cloud.api.idempotent_create import create_once

_READY = frozenset({"ready", "archived"})
_FINALIZED = "finalized"


class Steps:
    """Steps of one project, as calls.

    Args:
        neon: gives calls.
        project_id: the project's id.
    """

    def __init__(self, neon: Groups[None], project_id: str):
        self._neon = neon
        self._project = project_id

    def snapshot(self, request: SnapshotRequest) -> Call[Snapshot]:
        """A new snapshot.

        Neon allows several of one name, so that a request that was late may have made a second one.
        """
        creation = CheckpointCreation(self._neon, self._project, request)
        created = yield from create_once(creation.attempt, creation.look, repeatable=True)
        if creation.attempts > 1:
            created, *duplicates = yield from creation.snapshots()
            for duplicate in duplicates:
                yield from self.delete_snapshot(duplicate)
        return created

    def snapshot_instead(self, old: Snapshot, request: SnapshotRequest) -> Call[Snapshot]:
        """A new snapshot that takes the place of another, where the plan allows no more."""
        yield from self.delete_snapshot(old)
        try:
            return (yield from self.snapshot(request))
        except NeonError as error:
            name = names.version(old.name)
            error.checked = (*error.checked, f"deleted for it: the version {name!r}")
            error.remedy = (
                "Take the checkpoint again. The deleted version is the database of "
                f"{old.created_at:%Y-%m-%d %H:%M:%S} UTC: undo goes back to it while Neon keeps "
                "the history."
            )
            raise

    def delete_snapshot(self, snapshot: Snapshot) -> Call[None]:
        """Delete a snapshot."""
        deleted = yield from self._neon.snapshots.delete(self._project, snapshot.id)
        yield from self._neon.operations.wait(deleted.operations)

    def restored(self, snapshot: Snapshot, name: str, state: ProjectState) -> Call[Branch]:
        """A branch with a snapshot's data that has not replaced the database yet."""
        existing = state.restored(name, snapshot)
        if existing is not None and existing.current_state in _READY:
            return existing
        if existing is not None:  # it was interrupted for good
            yield from self.delete_branch(existing)

        def ask() -> Call[CreatedBranch]:
            return (
                yield from self._neon.snapshots.restore(
                    self._project,
                    snapshot.id,
                    name=name,
                    target_branch_id=state.branch.id,
                    finalize_restore=False,
                )
            )

        return (yield from self._created(ask, name))

    def branch(self, parent: Branch, name: str, expires_at: datetime | None) -> Call[Branch]:
        """A new branch of another; no branch may have the name."""

        def ask() -> Call[CreatedBranch]:
            return (
                yield from self._neon.branches.create(
                    self._project, name=name, parent_id=parent.id, expires_at=expires_at
                )
            )

        return self._created(ask, name)

    def endpoint(self, branch: Branch) -> Call[Endpoint]:
        """The endpoint of a branch, created if it has none."""

        def ask() -> Call[Endpoint]:
            made = yield from self._neon.endpoints.create(self._project, branch_id=branch.id)
            yield from self._neon.operations.wait(made.operations)
            return made.endpoint

        def look() -> Call[Endpoint | None]:
            yield from self._neon.operations.settle(self._project)
            endpoints = yield from self._neon.endpoints.list(self._project, branch_id=branch.id)
            return next(iter(endpoints), None)

        return (yield from look()) or (yield from create_once(ask, look, repeatable=True))

    def finalize(self, new: Branch, replaced_name: str) -> Call[None]:
        """Replace the target of a restored branch by it.

        Args:
            replaced_name: the new name of the replaced branch.
        """
        if new.expires_at is not None:  # a preview's time; the database has none
            yield from self._neon.branches.keep(self._project, new.id)

        def ask() -> Call[bool]:
            try:
                done = yield from self._neon.branches.finalize_restore(
                    self._project, new.id, name=replaced_name
                )
            except Invalid as error:
                if (yield from look()):  # a try before has done it, and its answer came to nobody
                    return True
                error.remedy = "If the database was restored since, make a new preview."
                raise
            yield from self._neon.operations.wait(done.operations)
            return True

        def look() -> Call[bool | None]:
            yield from self._neon.operations.settle(self._project)
            now = yield from self._neon.branches.get(self._project, new.id)
            return now.restore_status == _FINALIZED or None

        yield from create_once(ask, look, repeatable=True)

    def rewind(
        self, branch: Branch, kept_name: str, *, timestamp: datetime | None, lsn: str | None
    ) -> Call[None]:
        """Restore a branch to a moment of its own history.

        Args:
            kept_name: the name of a new branch with the present data.
        """

        def ask() -> Call[CreatedBranch]:
            return (
                yield from self._neon.branches.restore(
                    self._project,
                    branch.id,
                    source_branch_id=branch.id,
                    source_timestamp=timestamp,
                    source_lsn=lsn,
                    preserve_under_name=kept_name,
                )
            )

        yield from self._created(ask, kept_name)

    def delete_branch(self, branch: Branch) -> Call[None]:
        """Delete a branch; it may be deleted already."""
        deleted = Operations()
        with contextlib.suppress(NotFound):
            deleted = yield from self._neon.branches.delete(self._project, branch.id)
        yield from self._neon.operations.wait(deleted.operations)

    def delete_left(self, state: ProjectState, *, except_name: str = "") -> Call[None]:
        """Delete the branches that an earlier restore has left."""
        for branch in state.left_behind(except_name=except_name):
            yield from self.delete_branch(branch)

    def _created(self, ask: Callable[[], Call[CreatedBranch]], name: str) -> Call[Branch]:
        """Send a request that creates a branch of a name, and wait until it is ready."""

        def creating() -> Call[Branch]:
            made = yield from ask()
            yield from self._neon.operations.wait(made.operations)
            return made.branch

        def look() -> Call[Branch | None]:
            yield from self._neon.operations.settle(self._project)
            return (yield from self._find(name))

        return (yield from create_once(creating, look, repeatable=True))

    def _find(self, name: str) -> Call[Branch | None]:
        listed = yield from self._neon.branches.list(self._project, search=name)
        return next((branch for branch in listed if branch.name == name), None)
