"""Snapshots: copies of a branch that are kept, and branches that are created from them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime

from msgspec.structs import replace

from neonup_local.neon import branches, contents, ids, restores
from neonup_local.neon.accounts import allowances
from neonup_local.neon.context import Neon
from neonup_local.neon.data import moments
from neonup_local.neon.errors import NotFound, Unprocessable
from neonup_local.neon.model import Branch, Cluster, Endpoint, Operation, Project, Row, Snapshot
from neonup_local.neon.requests import RestoreSnapshot, SnapshotChanges, given
from neonup_local.neon.state.journal import Change, Step


def all_of(neon: Neon, project: Project) -> list[Snapshot]:
    """The snapshots of a project, oldest first."""
    return neon.store.all(Snapshot, project_id=project.id)


def find(neon: Neon, project: Project, id: str) -> Snapshot:  # noqa: A002
    """A snapshot of a project.

    Raises:
        NotFound: there is none.
    """
    found = neon.store.get(Snapshot, id)
    if found is None or found.project_id != project.id:
        raise NotFound("snapshot not found")
    return found


def create(
    neon: Neon,
    project: Project,
    branch: Branch,
    *,
    name: str | None,
    time: datetime | None,
    lsn: str | None,
    expires_at: datetime | None,
    manual: bool = True,
    also: Callable[[], list[Row]] = list,
) -> tuple[Snapshot, list[Operation]]:
    """Keep a branch as it is now, or as it was at a moment.

    Args:
        manual: it is asked for by a person, so that it counts for the plan's limit.
        also: rows that are written together with the snapshot, once it is there.

    Raises:
        LimitExceeded: the plan allows no more.
        Unprocessable: it is no root branch, or the moment is not in its history.
    """
    if branch.parent_id is not None:
        raise Unprocessable("snapshots can be created of root branches only")
    if manual:
        allowances.check_snapshots(neon, project)
    moment = moments.target(neon, project, branch, time=time, lsn=lsn)
    now = neon.clock.now()
    if expires_at is not None and expires_at <= now:
        raise Unprocessable("expires_at must be in the future")
    cluster = moments.new_cluster(neon, branch, moment)
    snapshot = Snapshot(
        id=ids.snapshot(),
        project_id=project.id,
        name=name or f"{branch.name} at {(time or now).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC",
        source_branch_id=branch.id,
        cluster_id=cluster.id,
        created_at=now,
        at=time or now,
        lsn=lsn,
        expires_at=expires_at,
        manual=manual,
    )

    def work() -> Change:
        if manual:
            allowances.check_snapshots(neon, project, 0)
        neon.computes.refresh(branch)
        built = moments.build(neon, branch, cluster, moment)
        size = neon.meter.size(branch.id)
        return Change(put=[replace(snapshot, state="ready", lsn=built, size=size), *also()])

    operations = neon.journal.run(
        project.id,
        [Step("create_branch", branch.id)],
        work,
        intent=[cluster, snapshot],
        undo=lambda: neon.clusters.remove(cluster.id),
    )
    return neon.store.get(Snapshot, snapshot.id) or snapshot, operations


def update(neon: Neon, project: Project, snapshot: Snapshot, changes: SnapshotChanges) -> Snapshot:
    """Rename a snapshot, or give it another expiry.

    Raises:
        Unprocessable: the expiry is over.
    """
    values = given(changes)
    expires_at = values.get("expires_at")
    if expires_at is not None and expires_at <= neon.clock.now():
        raise Unprocessable("expires_at must be in the future")
    with neon.journal.alone(project.id):
        changed = replace(find(neon, project, snapshot.id), **values)
        neon.store.put(changed)
    return changed


def delete(neon: Neon, project: Project, snapshot: Snapshot) -> list[Operation]:
    """Remove a snapshot; branches that were created from it stay."""

    def work() -> Change:
        cluster = neon.store.get(Cluster, snapshot.cluster_id)
        return Change(
            delete=[snapshot, *([cluster] if cluster else [])],
            after=[lambda: neon.clusters.remove(snapshot.cluster_id)],
        )

    return neon.journal.run(project.id, [Step("delete_timeline")], work)


def restore(
    neon: Neon, project: Project, snapshot: Snapshot, wanted: RestoreSnapshot
) -> tuple[Branch, list[Endpoint], list[Operation]]:
    """A branch with a snapshot's data.

    With `finalize_restore` it takes the target branch's place at once: the endpoints and the name
    are its own then, and the replaced branch stays as ``<name> (old)``.

    Raises:
        LimitExceeded: the plan allows no more branches.
        Unprocessable: the target branch is gone and none is named.
    """
    allowances.check_branches(neon, project)
    target = neon.store.get(Branch, wanted.target_branch_id or snapshot.source_branch_id)
    if target is None or target.project_id != project.id:
        raise Unprocessable("the target branch does not exist: name one with target_branch_id")
    kept = neon.store.get(Cluster, snapshot.cluster_id)
    if kept is None:
        raise NotFound("snapshot not found")
    now = neon.clock.now()
    cluster = Cluster(
        id=ids.cluster(),
        project_id=project.id,
        engine=kept.engine,
        bases=kept.bases,
        own_names=kept.own_names,
        state="restored",
    )
    id = ids.branch()  # noqa: A001
    branch = Branch(
        id=id,
        project_id=project.id,
        name=branches.free_name(neon, project, wanted.name or f"{target.name}_restored_{id[-8:]}"),
        cluster_id=cluster.id,
        created_at=now,
        updated_at=now,
        parent_id=target.parent_id,
        restored_from=snapshot.id,
        restore_target=target.id,
    )

    def work() -> Change:
        neon.clusters.copy_stopped(snapshot.cluster_id, cluster.id)
        roles, databases = contents.inherited(neon.store, target, branch, now)
        ready = replace(branch, state="ready", state_changed_at=now)
        neon.meter.begin(branch, snapshot.size or neon.meter.size(target.id))
        rows: list[Row] = [*roles, *databases]
        if not wanted.finalize_restore:
            return Change(put=[ready, *rows])
        with ExitStack() as stack:
            replaced = branches.find(neon, project, target.id)
            stack.enter_context(neon.computes.held(replaced.cluster_id))
            neon.computes.drop_replicas(replaced)
            neon.computes.suspend(replaced)
            rows += restores.take_place(neon, ready, replaced, None)
            return Change(put=rows, held=stack.pop_all())

    steps = [Step("create_branch", branch.id)]
    if wanted.finalize_restore:
        steps.append(Step("swap_binding_id", branch.id))
    operations = neon.journal.run(
        project.id,
        steps,
        work,
        intent=[cluster, branch],
        undo=lambda: neon.clusters.remove(cluster.id),
    )
    endpoints = neon.store.all(Endpoint, branch_id=branch.id)
    return neon.store.get(Branch, branch.id) or branch, endpoints, operations
