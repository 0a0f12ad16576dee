"""Snapshots: copies of a branch that are kept, and branches that are created from them."""

from __future__ import annotations

from collections.abc import Callable

from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.data.model import Cluster
from neonup_emulator.neon.errors import NotFound, Unprocessable
from neonup_emulator.neon.model import Operation, Project, Snapshot
from neonup_emulator.neon.requests.fields import given
from neonup_emulator.neon.requests.snapshots import SnapshotChanges
from neonup_emulator.neon.state.change import Completion, PlannedOperation, SimpleChange
from neonup_emulator.neon.state.row import Row
from neonup_emulator.neon.state.store import setting


def all_of(neon: LocalNeon, project: Project) -> list[Snapshot]:
    """The snapshots of a project, oldest first."""
    return neon.store.all(Snapshot, project_id=project.id)


def find(neon: LocalNeon, project: Project, id: str) -> Snapshot:  # noqa: A002
    """A snapshot of a project.

    Raises:
        NotFound: the project has no snapshot with that id.
    """
    snapshot = neon.store.get(Snapshot, id)
    if snapshot is None or snapshot.project_id != project.id:
        raise NotFound("snapshot not found")
    return snapshot


def update(
    neon: LocalNeon, project: Project, snapshot: Snapshot, changes: SnapshotChanges
) -> Snapshot:
    """Rename a snapshot, or give it another expiry.

    Raises:
        Unprocessable: the expiry is over.
    """
    values = given(changes)
    expires_at = values.get("expires_at")
    if expires_at is not None and expires_at <= neon.clock.now():
        raise Unprocessable("expires_at must be in the future")
    with neon.journal.alone(project):
        return neon.store.update(Snapshot, snapshot.id, setting(**values))


def delete(
    neon: LocalNeon,
    project: Project,
    snapshot: Snapshot,
    *,
    check: Callable[[Snapshot], object] = bool,
) -> list[Operation]:
    """Remove a snapshot; branches that were created from it stay.

    Args:
        check: is given the snapshot as it is once nothing else can change it, and raises where it
            is to stay.

    Raises:
        NotFound: it is gone.
    """

    def prepare() -> list[Row]:
        check(find(neon, project, snapshot.id))
        return []

    def apply() -> None:
        cluster = neon.store.get(Cluster, snapshot.cluster_id)
        neon.store.delete(snapshot, *([cluster] if cluster else []))

    def work() -> Completion:
        return Completion(apply, after=[lambda: neon.clusters.remove(snapshot.cluster_id)])

    return neon.journal.run(
        project, [PlannedOperation("delete_timeline")], SimpleChange(work, prepare=prepare)
    )
