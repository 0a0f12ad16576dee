"""Versions of a project's database: taken before each change, previewed and restored.

Facts about Neon: https://neon.com/docs/ai/ai-database-versioning and
https://neon.com/docs/introduction/branch-restore
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Generic, Literal

from neonup import Restored, Version, VersionBranch
from neonup.plugin.http import Call
from neonup_cloud.agents import names, project_state
from neonup_cloud.agents.project_branches import ProjectBranches
from neonup_cloud.agents.project_state import ProjectState
from neonup_cloud.agents.snapshot_creation import SnapshotRequest
from neonup_cloud.api.answers import Branch
from neonup_cloud.api.errors import Invalid, QuotaExceeded
from neonup_cloud.api.groups.group import S, operation

AUTOMATIC_DAYS = 7
"""After which Neon deletes a version that neonup took by itself."""


class ProjectVersions(ProjectBranches[S], Generic[S]):
    """The versions of a project's database. A version is a snapshot of its branch.

    Every method waits until Neon has ended all that it does for it: one can connect then. A call
    that failed, or whose process was killed, can be made once more; it ends in the same state, and
    removes the branches that the earlier one has left. One restore of a project runs at a time.

    Args:
        neon: a `NeonClient`, or an `AsyncNeonClient`: then the methods are awaited.
        project_id: the project's id.
        endpoint_id: the database's endpoint; that of the project's default branch if None.
            It stays through every restore, as the connection string does; the branch's id does not.
        database: the name of the database that URLs lead to; the only one, or ``neondb``, if None.
    """

    @operation
    def checkpoint(
        self,
        name: str | None = None,
        *,
        automatic: bool = False,
        replace_oldest: bool | Literal["automatic"] = False,
        expires_at: datetime | None = None,
    ) -> Call[Version]:
        """Take a version of the database as it is now.

        Args:
            name: one made of the time if None; it must not be taken.
            automatic: whether it is taken without a user's request; then Neon deletes it after
                `AUTOMATIC_DAYS`.
            replace_oldest: where the plan allows no more (Neon's free one allows one), delete the
                oldest for it, an automatic one if there is one; ``"automatic"``: none but such a
                one. There is no room for the new one before that; if it then fails, the error
                names what was deleted.
            expires_at: when Neon deletes it; aware.

        Raises:
            NeonupError: the name cannot be used, or is taken.
            QuotaExceeded: the plan allows no more.
            Invalid: the database is on a branch that was made of another.
        """
        state = yield from self._settled()
        state.check_root()
        label = names.checkpoint(name, {version.name for version in state.versions})
        if automatic and expires_at is None:
            expires_at = datetime.now(UTC).replace(microsecond=0) + timedelta(days=AUTOMATIC_DAYS)
        yield from self._steps.delete_left(state)
        request = SnapshotRequest(
            state.branch, names.snapshot(label, automatic=automatic), expires_at
        )
        try:
            made = yield from self._steps.snapshot(request)
        except QuotaExceeded as error:
            oldest = state.replaceable(replace_oldest)
            if oldest is None:
                error.remedy = "Delete a version, or let this one replace the oldest."
                raise
            made = yield from self._steps.snapshot_instead(oldest, request)
        return project_state.version(made)

    @operation
    def history(self) -> Call[list[Version]]:
        """Every version, newest first."""
        snapshots = yield from project_state.snapshots(self._neon, self._project)
        return [project_state.version(snapshot) for snapshot in snapshots]

    @operation
    def preview(
        self, wanted: Version | str, *, expires_at: datetime | None = None
    ) -> Call[VersionBranch]:
        """A branch with a version's data and a URL of its own; the database stays as it is.

        A version has one preview: as long as it is there it is returned again, with what was
        written to it.

        Args:
            wanted: the version, or its id or name.
            expires_at: when Neon deletes the branch; aware; never if None.

        Raises:
            NeonupError: there is no such version.
            Conflict: there is another branch of its name.
        """
        state = yield from self._settled()
        snapshot = state.snapshot(wanted)
        name = names.preview(names.version(snapshot.name))
        branch = yield from self._steps.restored(snapshot, name, state)
        if expires_at is not None:
            update = self._neon.branches.update(self._project, branch.id, expires_at=expires_at)
            branch = (yield from update).branch
        yield from self._steps.endpoint(branch)
        return (yield from self._reached(branch))

    @operation
    def restore(self, wanted: Version | str, *, keep: str | None = None) -> Call[Restored]:
        """Bring the database back to a version. Its connection string stays.

        A preview of the version is not used: something may have been written to it. `finalize`
        takes one as it is.

        Args:
            wanted: the version, or its id or name.
            keep: the name of a new branch for what there was before. If None it is deleted, unless
                branches were made of it.

        Raises:
            NeonupError: there is no such version.
            Conflict: there is a branch of the name to keep it under.
        """
        state = yield from self._settled()
        snapshot = state.snapshot(wanted)
        state.check_free(keep)
        name = names.restoring(snapshot.id, state.branch.id)
        yield from self._steps.delete_left(state, except_name=name)
        new = yield from self._steps.restored(snapshot, name, state)
        return (yield from self._take_place(new, state, names.version(snapshot.name), keep))

    @operation
    def finalize(self, preview: VersionBranch | str, *, keep: str | None = None) -> Call[Restored]:
        """Let a preview take the database's place, with what was written to it.

        Args:
            preview: the branch, or its id or name.
            keep: as in `restore`.

        Raises:
            Invalid: the branch is not a preview, or has replaced the database already.
            Conflict: there is a branch of the name to keep it under.
        """
        state = yield from self._settled()
        wanted = preview.id if isinstance(preview, VersionBranch) else preview
        if wanted == state.branch.id:  # an earlier call did it, and was killed then
            return (yield from self._restored(state.branch.name, keep))
        new = state.preview(wanted)
        state.check_free(keep)
        yield from self._steps.delete_left(state)
        return (yield from self._take_place(new, state, new.name, keep))

    @operation
    def undo(
        self,
        *,
        timestamp: datetime | None = None,
        lsn: str | None = None,
        keep: str | None = None,
    ) -> Call[Restored]:
        """Bring the database back to a moment of its history. Its connection string stays.

        Args:
            timestamp: the moment; aware.
            lsn: the position in the database's log, instead.
            keep: as in `restore`.

        Raises:
            Invalid: the moment is not in the history that Neon keeps.
            Conflict: there is a branch of the name to keep it under.
        """
        if (timestamp is None) == (lsn is None):
            raise TypeError("undo takes a timestamp or an LSN")
        state = yield from self._settled()
        state.check_free(keep)
        yield from self._steps.delete_left(state)
        left = keep or names.replaced(state.branch.name)
        try:
            yield from self._steps.rewind(state.branch, left, timestamp=timestamp, lsn=lsn)
        except Invalid as error:
            yield from self._explain(error, state.branch)
            raise
        moment = lsn if timestamp is None else timestamp.astimezone(UTC).isoformat()
        return (yield from self._restored(str(moment), keep))

    @operation
    def delete(self, wanted: Version | str) -> Call[None]:
        """Delete a version; branches of it stay.

        Raises:
            NeonupError: there is no such version.
        """
        state = yield from self._settled()
        yield from self._steps.delete_snapshot(state.snapshot(wanted))

    def _take_place(
        self, new: Branch, state: ProjectState, name: str, keep: str | None
    ) -> Call[Restored]:
        yield from self._steps.finalize(new, keep or names.replaced(state.branch.name))
        return (yield from self._restored(name, keep))

    def _restored(self, name: str, keep: str | None) -> Call[Restored]:
        """Delete the replaced branch, and report the restore."""
        state = yield from project_state.read(self._neon, self._project, self._endpoint)
        yield from self._steps.delete_left(state)
        stuck = next((branch.name for branch in state.branches if state.is_stuck(branch)), None)
        return Restored(name, branch_id=state.branch.id, kept_branch=keep or stuck)

    def _explain(self, error: Invalid, branch: Branch) -> Call[None]:
        """Add to a refusal how far back the history goes."""
        project = yield from self._neon.projects.get(self._project)
        retention = project.history_retention_seconds
        error.checked = (
            *error.checked,
            *(
                [f"Neon keeps {retention / 3600:g} hours of history"]
                if retention is not None
                else []
            ),
            *([f"the branch is there since {branch.created_at}"] if branch.created_at else []),
        )
        error.remedy = "Name a moment within that time, or restore a version."
