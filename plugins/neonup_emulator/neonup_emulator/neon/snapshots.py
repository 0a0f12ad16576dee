"""Snapshots: copies of a branch that are kept, and branches that are created from them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime

from msgspec.structs import replace

from neonup_emulator.neon import branches, ids, restores
from neonup_emulator.neon.accounts import allowances
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.data import point_in_time
from neonup_emulator.neon.errors import NotFound, Unprocessable
from neonup_emulator.neon.model import (
    Branch,
    Cluster,
    ClusterOrigin,
    Endpoint,
    Operation,
    Project,
    Snapshot,
)
from neonup_emulator.neon.requests import RestoreSnapshot, SnapshotChanges, given
from neonup_emulator.neon.state import ownership
from neonup_emulator.neon.state.journal import Change, PlannedOperation
from neonup_emulator.neon.state.row import Row
from neonup_emulator.neon.state.store import setting


def all_of(neon: LocalNeon, project: Project) -> list[Snapshot]:
    """The snapshots of a project, oldest first."""
    return neon.store.all(Snapshot, project_id=project.id)


def find(neon: LocalNeon, project: Project, id: str) -> Snapshot:  # noqa: A002
    """A snapshot of a project.

    Raises:
        NotFound: there is none.
    """
    snapshot = neon.store.get(Snapshot, id)
    if snapshot is None or snapshot.project_id != project.id:
        raise NotFound("snapshot not found")
    return snapshot


def create(
    neon: LocalNeon,
    project: Project,
    branch: Branch,
    *,
    name: str | None,
    time: datetime | None,
    lsn: str | None,
    expires_at: datetime | None,
    manual: bool = True,
    also: Callable[[], object] = tuple,
) -> tuple[Snapshot, list[Operation]]:
    """Keep a branch as it is now, or as it was at a moment.

    Args:
        manual: it is asked for by a person, so that it counts for the plan's limit.
        also: writes more rows in the transaction in which the snapshot comes to be there.

    Raises:
        LimitExceeded: the plan allows no more.
        Unprocessable: it is no root branch, or the moment is not in its history.
    """
    now, cluster_id = neon.clock.now(), ids.cluster()
    snapshot = Snapshot(
        id=ids.snapshot(),
        project_id=project.id,
        name=name or f"{branch.name} at {(time or now).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC",
        source_branch_id=branch.id,
        cluster_id=cluster_id,
        created_at=now,
        at=time or now,
        lsn=lsn,
        expires_at=expires_at,
        manual=manual,
    )

    def begin() -> list[Row]:
        source = branches.find(neon, project, branch.id)
        if source.parent_id is not None:
            raise Unprocessable("snapshots can be created of root branches only")
        if manual:
            allowances.check_snapshots(neon, project)
        if expires_at is not None and expires_at <= now:
            raise Unprocessable("expires_at must be in the future")
        moment = point_in_time.target(neon, project, source, time=time, lsn=lsn)
        return [point_in_time.new_cluster(neon, source, moment, id=cluster_id), snapshot]

    def work() -> Change:
        source = branches.find(neon, project, branch.id)
        moment = point_in_time.target(neon, project, source, time=time, lsn=lsn)
        cluster = neon.store.get(Cluster, cluster_id)
        assert cluster is not None  # noqa: S101 - its intent
        neon.computes.refresh(source)
        built = point_in_time.build(neon, source, cluster, moment)
        ready = {"state": "ready", "lsn": built, "size": neon.meter.size(source.id)}

        def apply() -> None:
            neon.store.update(Snapshot, snapshot.id, setting(**ready))
            also()

        return Change(apply)

    operations = neon.journal.run(
        project,
        [PlannedOperation("create_branch", branch.id)],
        work,
        begin=begin,
        undo=lambda: neon.clusters.remove(cluster_id),
    )
    return neon.store.get(Snapshot, snapshot.id) or snapshot, operations


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

    def begin() -> list[Row]:
        check(find(neon, project, snapshot.id))
        return []

    def apply() -> None:
        cluster = neon.store.get(Cluster, snapshot.cluster_id)
        neon.store.delete(snapshot, *([cluster] if cluster else []))

    def work() -> Change:
        return Change(apply, after=[lambda: neon.clusters.remove(snapshot.cluster_id)])

    return neon.journal.run(project, [PlannedOperation("delete_timeline")], work, begin=begin)


def restore(
    neon: LocalNeon, project: Project, snapshot: Snapshot, wanted: RestoreSnapshot
) -> tuple[Branch, list[Endpoint], list[Operation]]:
    """A branch with a snapshot's data.

    With `finalize_restore` it takes the target branch's place at once: the endpoints and the name
    are its own then, and the replaced branch stays as ``<name> (old)``.

    Raises:
        LimitExceeded: the plan allows no more branches.
        Conflict: there is a branch of that name.
        Unprocessable: the target branch is gone and none is named.
    """
    restoration = _SnapshotRestoration(neon, project, snapshot, wanted)
    steps = [PlannedOperation("create_branch", restoration.branch_id)]
    if wanted.finalize_restore:
        steps.append(PlannedOperation("swap_binding_id", restoration.branch_id))
    operations = neon.journal.run(
        project, steps, restoration.work, begin=restoration.begin, undo=restoration.undo
    )
    endpoints = neon.store.all(Endpoint, branch_id=restoration.branch_id)
    shown = neon.store.get(Branch, restoration.branch_id) or restoration.branch
    return shown, endpoints, operations


class _SnapshotRestoration:
    """The parts of a change that makes a branch of a snapshot.

    Args:
        neon: where.
        project: whose.
        snapshot: the data.
        wanted: what was asked for.
    """

    def __init__(
        self, neon: LocalNeon, project: Project, snapshot: Snapshot, wanted: RestoreSnapshot
    ):
        self._neon = neon
        self._project = project
        self._snapshot = snapshot
        self._wanted = wanted
        self.branch_id = ids.branch()
        self._cluster_id = ids.cluster()
        # Those that follow are known once nothing else can change the project.
        self.branch: Branch
        self._target: Branch

    def begin(self) -> list[Row]:
        """Look whether it may be; its rows."""
        neon, project, wanted = self._neon, self._project, self._wanted
        allowances.check_branches(neon, project)
        snapshot = find(neon, project, self._snapshot.id)
        target = neon.store.get(Branch, wanted.target_branch_id or snapshot.source_branch_id)
        if target is None or target.project_id != project.id:
            raise Unprocessable("the target branch does not exist: name one with target_branch_id")
        source = neon.store.get(Cluster, snapshot.cluster_id)
        if source is None:
            raise NotFound("snapshot not found")
        cluster = replace(source, id=self._cluster_id, state=ClusterOrigin.RESTORED)
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

    def work(self) -> Change:
        """Copy the data, and let nobody use the target any more if its place is to be taken."""
        neon, target = self._neon, self._target
        neon.clusters.copy_stopped(self._snapshot.cluster_id, self._cluster_id)
        neon.meter.begin(self.branch, self._snapshot.size or neon.meter.size(target.id))
        with ExitStack() as stack:
            if self._wanted.finalize_restore:
                stack.enter_context(neon.computes.stopped(target))
            return Change(self._apply, held=stack.pop_all())

    def _apply(self) -> None:
        """Let the branch be there, with the roles and databases that its target has."""
        neon, target, now = self._neon, self._target, self.branch.created_at
        rows = ownership.inherited(neon.store, target, self.branch, now)
        neon.store.insert(*rows)
        neon.store.update(Branch, self.branch_id, setting(state="ready", state_changed_at=now))
        if self._wanted.finalize_restore:
            restores.take_place(neon, self.branch_id, target.id, None)

    def undo(self) -> None:
        """Take back what was done for it."""
        self._neon.clusters.remove(self._cluster_id)
