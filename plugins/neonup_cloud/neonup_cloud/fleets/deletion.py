"""Deleting a project: marked, suspended, saved as a snapshot, and deleted when it is due.

Neon deletes a project with its snapshots, and can recover it with them for 7 days (OpenAPI
document, ``recoverProject``). A final snapshot is therefore a version to go back to while the
project waits, and after a recovery; what has to stay longer than that must be dumped.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from neonup import NeonupError
from neonup.plugin.http import Call
from neonup_cloud.api.client import Groups
from neonup_cloud.api.errors import NotFound, QuotaExceeded
from neonup_cloud.fleets import reconcile
from neonup_cloud.fleets.errors import FleetError
from neonup_cloud.fleets.naming import Lifecycle
from neonup_cloud.fleets.register import Register, UserProject, missing

FINAL = "final, before the deletion"
"""The name of the final snapshot. It is there as long as the project is to be deleted."""
DUPLICATE_AGE = timedelta(hours=1)
"""Age after which a second project of a user may be swept: the process that created it has deleted
it by then, unless it was killed."""


@dataclass(frozen=True)
class Deletion:
    """A deletion that was requested.

    Args:
        project: the project, as it is now.
        due: when it is, or was, to be deleted.
        snapshot_id: the final snapshot.
        deleted: whether it is deleted already.
    """

    project: UserProject
    due: datetime
    snapshot_id: str | None
    deleted: bool

    def as_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return {
            **self.project.as_dict(),
            "due": self.due,
            "snapshot_id": self.snapshot_id,
            "deleted": self.deleted,
        }


@dataclass(frozen=True)
class SweepReport:
    """The result of `Fleet.sweep`.

    Args:
        deleted: projects that were due.
        finished: projects whose interrupted change was finished.
        duplicates: second projects of a user that a killed process had left; they were deleted.
        failed: those of which something failed, with the errors; the next sweep tries again.
    """

    deleted: tuple[UserProject, ...]
    finished: tuple[UserProject, ...]
    duplicates: tuple[UserProject, ...]
    failed: tuple[tuple[UserProject, NeonupError], ...]

    def as_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        done = {
            name: [project.as_dict() for project in getattr(self, name)]
            for name in ("deleted", "finished", "duplicates")
        }
        failed = [project.as_dict() | {"error": error.as_dict()} for project, error in self.failed]
        return {**done, "failed": failed}


def delete(
    register: Register, user: str, *, snapshot: bool, wait: timedelta, now: datetime
) -> Call[Deletion | None]:
    """Delete a user's project, or schedule its deletion; None if the user has no project.

    Called again, the earlier date is kept, and an interrupted deletion is finished.
    """
    projects = yield from register.of(user)
    if not projects:
        return None
    project, *duplicates = projects
    for duplicate in duplicates:  # nobody was ever given one of these
        yield from _delete(register.neon, duplicate)
    due = (now + wait).astimezone(UTC).replace(microsecond=0)  # as names hold it
    if project.label.due:
        due = min(due, project.label.due)
    snapshot_id = None
    if snapshot or due > now:
        label = replace(project.label, lifecycle=Lifecycle.DELETING, due=due)
        if label.settled != project.label:
            project = yield from reconcile.change(register, project, label)
        if snapshot:
            snapshot_id = yield from _final_snapshot(register.neon, project.project_id)
    if due <= now:
        yield from _delete(register.neon, project)
    return Deletion(project, due, snapshot_id, due <= now)


def undelete(register: Register, user: str) -> Call[UserProject]:
    """Cancel a scheduled deletion, or have Neon recover the project that was deleted last.

    Raises:
        NoProject: the user has neither.
    """
    projects = yield from register.of(user)
    if projects:
        project = projects[0]
    else:
        gone = yield from register.of(user, deleted=True)
        if not gone:
            raise missing(user)
        project = max(
            gone, key=lambda deleted: deleted.deleted_at or datetime.min.replace(tzinfo=UTC)
        )
        yield from register.neon.projects.recover(project.project_id)
    if project.lifecycle is not Lifecycle.DELETING:
        return (yield from reconcile.finish(register, project))
    for snapshot_id in (yield from _final_snapshots(register.neon, project.project_id)):
        yield from register.neon.snapshots.delete(project.project_id, snapshot_id)
    label = replace(project.label, lifecycle=Lifecycle.ACTIVE, due=None)
    return (yield from reconcile.change(register, project, label))


def sweep(register: Register, now: datetime) -> Call[SweepReport]:
    """Delete projects that are due and second projects of users, and finish changes.

    One that fails does not keep the others from it.

    Args:
        now: which time it is.
    """
    done: dict[_Task, list[UserProject]] = {task: [] for task in _Task}
    failed: list[tuple[UserProject, NeonupError]] = []
    for project, task in _tasks((yield from register.all()), now):
        try:
            result = yield from _carry_out(register, project, task)
        except NeonupError as error:
            failed.append((project, error))
        else:
            done[task] += [result] if result else []
    return SweepReport(
        deleted=tuple(done[_Task.DELETE]),
        finished=tuple(done[_Task.FINISH]),
        duplicates=tuple(done[_Task.DELETE_DUPLICATE]),
        failed=tuple(failed),
    )


class _Task(enum.Enum):
    """What a sweep has to do with a project."""

    DELETE = enum.auto()
    DELETE_DUPLICATE = enum.auto()
    FINISH = enum.auto()


def _tasks(projects: list[UserProject], now: datetime) -> Iterator[tuple[UserProject, _Task]]:
    """What is to be done with some of all projects, which are sorted by age."""
    with_project: set[str] = set()
    for project in projects:
        key, label = project.label.key, project.label
        if key in with_project:
            if (project.created_at or now) < now - DUPLICATE_AGE:
                yield project, _Task.DELETE_DUPLICATE
        elif label.due and label.due <= now:
            yield project, _Task.DELETE
        elif label.changing:
            yield project, _Task.FINISH
        with_project.add(key)


def _carry_out(register: Register, project: UserProject, task: _Task) -> Call[UserProject | None]:
    """Carry out a task; None if a change could not be finished yet."""
    if task is not _Task.FINISH:
        yield from _delete(register.neon, project)
        return project
    finished = yield from reconcile.finish(register, project)
    return None if finished.label.changing else finished


def _delete(neon: Groups[None], project: UserProject) -> Call[None]:
    try:
        yield from neon.projects.delete(project.project_id)
    except NotFound:
        return  # another process has deleted it


def _final_snapshot(neon: Groups[None], project_id: str) -> Call[str]:
    """The id of the final snapshot. An existing one is as good, since the project is suspended."""
    existing = yield from _final_snapshots(neon, project_id)
    if existing:
        return existing[0]
    branches = yield from neon.branches.list(project_id)
    [default] = [branch for branch in branches if branch.default]
    try:
        made = yield from neon.snapshots.create(project_id, default.id, name=FINAL)
    except QuotaExceeded as error:
        raise FleetError(
            f"The project {project_id} may have no more snapshots. It is suspended and marked "
            "for deletion, but it is not deleted.",
            checked=[error.message],
            remedy="Delete it without a final snapshot, delete another snapshot first, or cancel "
            "the deletion: Fleet.undelete.",
        ) from None
    yield from neon.operations.wait(made.operations)
    return made.snapshot.id


def _final_snapshots(neon: Groups[None], project_id: str) -> Call[list[str]]:
    snapshots = yield from neon.snapshots.list(project_id)
    return [snapshot.id for snapshot in snapshots if snapshot.name == FINAL]
