"""Neon's restoreSnapshot: a new branch with a snapshot's data, which can replace another one."""

from __future__ import annotations

from contextlib import ExitStack

from msgspec.structs import replace

from neonup_emulator.neon import branches, ids, snapshots
from neonup_emulator.neon.accounts import allowances
from neonup_emulator.neon.changes import replacement
from neonup_emulator.neon.changes.building import ClusterChange
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.data.model import Cluster, ClusterOrigin
from neonup_emulator.neon.errors import NotFound, Unprocessable
from neonup_emulator.neon.model import Branch, DataState, Endpoint, Operation, Project, Snapshot
from neonup_emulator.neon.requests.snapshots import RestoreSnapshot
from neonup_emulator.neon.state import ownership
from neonup_emulator.neon.state.change import Completion, PlannedOperation
from neonup_emulator.neon.state.row import Row
from neonup_emulator.neon.state.store import setting


def restore(
    neon: LocalNeon, project: Project, snapshot: Snapshot, wanted: RestoreSnapshot
) -> tuple[Branch, list[Endpoint], list[Operation]]:
    """Create a branch with a snapshot's data.

    With `finalize_restore` it takes the target branch's place at once: the endpoints and the name
    are its own then, and the replaced branch stays as ``<name> (old)``.

    Raises:
        LimitExceeded: the plan allows no more branches.
        Conflict: there is a branch of that name.
        Unprocessable: the target branch is gone and none is named.
    """
    restoration = SnapshotRestoration(neon, project, snapshot, wanted)
    planned = [PlannedOperation("create_branch", restoration.branch_id)]
    if wanted.finalize_restore:
        planned.append(PlannedOperation("swap_binding_id", restoration.branch_id))
    operations = neon.journal.run(project, planned, restoration)
    endpoints = neon.store.all(Endpoint, branch_id=restoration.branch_id)
    shown = neon.store.get(Branch, restoration.branch_id) or restoration.branch
    return shown, endpoints, operations


class SnapshotRestoration(ClusterChange):
    """The change that creates a branch with the data of a snapshot.

    With `finalize_restore` the new branch replaces its target within the same change; see
    `replacement.take_place`.

    Args:
        neon: the local Neon.
        project: the project of the snapshot.
        snapshot: the snapshot whose data the branch gets.
        wanted: the request's content.
    """

    def __init__(
        self, neon: LocalNeon, project: Project, snapshot: Snapshot, wanted: RestoreSnapshot
    ):
        super().__init__(neon, project)
        self._snapshot = snapshot
        self._wanted = wanted
        self.branch_id = ids.branch()
        # Those that follow are known once nothing else can change the project.
        self.branch: Branch
        self._target: Branch

    def prepare(self) -> list[Row]:
        neon, project, wanted = self.neon, self.project, self._wanted
        allowances.check_branches(neon, project)
        snapshot = snapshots.find(neon, project, self._snapshot.id)
        target = neon.store.get(Branch, wanted.target_branch_id or snapshot.source_branch_id)
        if target is None or target.project_id != project.id:
            raise Unprocessable("the target branch does not exist: name one with target_branch_id")
        source = neon.store.get(Cluster, snapshot.cluster_id)
        if source is None:
            raise NotFound("snapshot not found")
        cluster = replace(source, id=self.cluster_id, state=ClusterOrigin.RESTORED)
        name = wanted.name or f"{target.name}_restored_{self.branch_id[-8:]}"
        now = neon.clock.now()
        self._target = target
        self.branch = Branch(
            id=self.branch_id,
            project_id=project.id,
            name=branches.free_name(neon, project, name),
            cluster_id=cluster.id,
            created_at=now,
            updated_at=now,
            parent_id=target.parent_id,
            restored_from=snapshot.id,
            restore_target=target.id,
        )
        return [cluster, self.branch]

    def work(self) -> Completion:
        neon, target = self.neon, self._target
        neon.clusters.copy_stopped(self._snapshot.cluster_id, self.cluster_id)
        neon.meter.begin(self.branch, self._snapshot.size or neon.meter.size(target.id))
        with ExitStack() as stack:
            if self._wanted.finalize_restore:
                stack.enter_context(neon.computes.stopped(target))
            return Completion(self._apply, held=stack.pop_all())

    def _apply(self) -> None:
        """Make the branch ready, with the roles and databases that its target has."""
        neon, target, now = self.neon, self._target, self.branch.created_at
        rows = ownership.inherited(neon.store, target, self.branch, now)
        neon.store.insert(*rows)
        neon.store.update(
            Branch, self.branch_id, setting(state=DataState.READY, state_changed_at=now)
        )
        if self._wanted.finalize_restore:
            replacement.take_place(neon, self.branch_id, target.id, None)
