"""Replacing a branch's data: by its own past, by another branch, by a snapshot."""

from __future__ import annotations

from contextlib import ExitStack

from msgspec.structs import replace

from neonup_emulator.neon import branches, contents, ids
from neonup_emulator.neon.accounts import allowances
from neonup_emulator.neon.context import Neon
from neonup_emulator.neon.data import point_in_time
from neonup_emulator.neon.errors import Unprocessable
from neonup_emulator.neon.model import Branch, Cluster, Endpoint, Operation, Project, Row
from neonup_emulator.neon.requests import RestoreBranch
from neonup_emulator.neon.state.journal import Change, Step


def restore(
    neon: Neon, project: Project, branch: Branch, wanted: RestoreBranch
) -> branches.Changed:
    """Give a branch the data of a branch, now or at a moment; its URL and passwords stay.

    Raises:
        Refused: the moment is none, or the branch's own data would be lost.
        Conflict: there is a branch of the name to preserve it under.
        Unprocessable: the moment cannot be had, or the branch is protected from a reset.
    """
    source = branches.find(neon, project, wanted.source_branch_id)
    moment = point_in_time.target(
        neon, project, source, time=wanted.source_timestamp, lsn=wanted.source_lsn
    )
    if branch.protected and source.id == branch.parent_id:
        raise Unprocessable("a protected branch cannot be reset")
    if source.id == branch.id and wanted.preserve_under_name is None:
        raise Unprocessable("a branch restored from itself needs preserve_under_name")
    if source.id == branch.id and moment is None:
        raise Unprocessable("a branch restored from itself needs a timestamp or an LSN")
    has_children = any(
        one.parent_id == branch.id for one in neon.store.all(Branch, project_id=project.id)
    )
    if has_children and wanted.preserve_under_name is None:
        raise Unprocessable("a branch that has child branches needs preserve_under_name")
    if wanted.preserve_under_name is not None:
        branches.free_name(neon, project, wanted.preserve_under_name)
        allowances.check_branches(neon, project)
    cluster = replace(point_in_time.new_cluster(neon, source, moment), state="restored")
    now, id = neon.clock.now(), branch.id  # noqa: A001

    def work() -> Change:
        lsn = point_in_time.build(neon, source, cluster, moment)
        branch = branches.find(neon, project, id)
        with ExitStack() as stack:
            stack.enter_context(neon.computes.held(branch.cluster_id))
            neon.computes.drop_replicas(branch)
            neon.computes.suspend(branch)
            old = neon.store.get(Cluster, branch.cluster_id)
            changed = replace(
                branch,
                cluster_id=cluster.id,
                last_reset_at=now,
                updated_at=now,
                state_changed_at=now,
                **_ancestry(branch, source, lsn, wanted),
            )
            put: list[Row] = [changed, cluster]
            if wanted.preserve_under_name is not None:
                put += _preserved(neon, branch, wanted.preserve_under_name)
                return Change(put=put, held=stack.pop_all())
            return Change(
                put=put,
                delete=[old] if old else [],
                after=[lambda: neon.clusters.remove(branch.cluster_id)],
                held=stack.pop_all(),
            )

    operations = neon.journal.run(
        project.id,
        [Step("create_branch", id), Step("apply_config", id)],
        work,
        intent=[cluster],
        undo=lambda: neon.clusters.remove(cluster.id),
    )
    return neon.store.get(Branch, id) or branch, operations


def take_place(neon: Neon, new: Branch, old: Branch, name: str | None) -> list[Row]:
    """The rows after a branch has taken another one's place: its name, endpoints, role, schedule.

    Call it while nothing can start the server of either.

    Args:
        new: the branch that stays.
        old: the one that is replaced.
        name: what that one is called then; None: its name and ``(old)``.
    """
    now = neon.clock.now()
    taken = {one.name for one in neon.store.all(Branch, project_id=old.project_id)}
    left = name or next(
        name
        for name in (f"{old.name} (old{f' {n}' if n else ''})" for n in range(len(taken) + 1))
        if name not in taken
    )
    endpoints = neon.store.all(Endpoint, branch_id=old.id)
    return [
        replace(
            new,
            name=old.name,
            default=old.default,
            protected=old.protected,
            backup_schedule=old.backup_schedule,
            backup_looked=old.backup_looked,
            restore_target=None,
            updated_at=now,
        ),
        replace(
            old,
            name=left,
            default=False,
            protected=False,
            backup_schedule=[],
            backup_looked=[],
            updated_at=now,
        ),
        *(replace(endpoint, branch_id=new.id, updated_at=now) for endpoint in endpoints),
        *(
            replace(endpoint, branch_id=old.id, updated_at=now)
            for endpoint in neon.store.all(Endpoint, branch_id=new.id)
        ),
    ]


def finalize(neon: Neon, project: Project, branch: Branch, name: str | None) -> list[Operation]:
    """Let a branch that was restored from a snapshot take its target's place.

    Raises:
        Unprocessable: it was not, or it has done so already.
    """
    target = neon.store.get(Branch, branch.restore_target or "")
    if target is None:
        raise Unprocessable("the branch is not a restored branch that is waiting to be finalized")
    if name is not None:
        branches.free_name(neon, project, name)

    def work() -> Change:
        with ExitStack() as stack:
            new, old = (branches.find(neon, project, one.id) for one in (branch, target))
            for one in (new, old):
                stack.enter_context(neon.computes.held(one.cluster_id))
                neon.computes.drop_replicas(one)
                neon.computes.suspend(one)
            return Change(put=take_place(neon, new, old, name), held=stack.pop_all())

    return neon.journal.run(project.id, [Step("swap_binding_id", branch.id)], work)


def _ancestry(
    branch: Branch, source: Branch, lsn: str | None, wanted: RestoreBranch
) -> dict[str, object]:
    if source.id == branch.id:
        return {}
    return {
        "parent_id": source.id,
        "parent_lsn": lsn,
        "parent_timestamp": wanted.source_timestamp or branch.parent_timestamp,
    }


def _preserved(neon: Neon, branch: Branch, name: str) -> list[Row]:
    """The rows of the branch that keeps the data that was replaced; it has no endpoint.

    The children of the replaced branch are its children from now on: they began with its data.
    """
    now = neon.clock.now()
    kept = replace(
        branch,
        id=ids.branch(),
        name=name,
        default=False,
        protected=False,
        backup_schedule=[],
        backup_looked=[],
        updated_at=now,
    )
    roles, databases = contents.inherited(neon.store, branch, kept, now)
    neon.meter.begin(kept, neon.meter.size(branch.id))
    children = [
        replace(one, parent_id=kept.id)
        for one in neon.store.all(Branch, project_id=branch.project_id)
        if one.parent_id == branch.id
    ]
    return [kept, *children, *roles, *databases]
