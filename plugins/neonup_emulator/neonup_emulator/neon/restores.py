"""Replacing a branch's data: by its own past, by another branch, by a snapshot."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from itertools import count

from msgspec.structs import replace

from neonup_emulator.neon import branches, ids
from neonup_emulator.neon.accounts import allowances
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.data import point_in_time
from neonup_emulator.neon.data.history import RecoveryTarget
from neonup_emulator.neon.errors import NotFound, Unprocessable
from neonup_emulator.neon.model import Branch, Cluster, ClusterOrigin, Endpoint, Operation, Project
from neonup_emulator.neon.requests import RestoreBranch
from neonup_emulator.neon.state import ownership
from neonup_emulator.neon.state.journal import Change, PlannedOperation
from neonup_emulator.neon.state.row import Row
from neonup_emulator.neon.state.store import setting


def restore(
    neon: LocalNeon, project: Project, branch: Branch, wanted: RestoreBranch
) -> branches.Changed:
    """Give a branch the data of a branch, now or at a moment; its URL and passwords stay.

    Raises:
        Refused: the moment is none, or the branch's own data would be lost.
        Conflict: there is a branch of the name to preserve it under.
        Unprocessable: the moment cannot be had, or the branch is protected from a reset.
    """
    restoration = _BranchRestoration(neon, project, branch.id, wanted)
    operations = neon.journal.run(
        project,
        [PlannedOperation("create_branch", branch.id), PlannedOperation("apply_config", branch.id)],
        restoration.work,
        begin=restoration.begin,
        undo=restoration.undo,
    )
    return neon.store.get(Branch, branch.id) or branch, operations


class _BranchRestoration:
    """The parts of a change that gives a branch other data.

    Args:
        neon: where.
        project: whose.
        branch_id: the branch.
        wanted: what was asked for.
    """

    def __init__(self, neon: LocalNeon, project: Project, branch_id: str, wanted: RestoreBranch):
        self._neon = neon
        self._project = project
        self._branch_id = branch_id
        self._wanted = wanted
        self._cluster_id = ids.cluster()
        self._preserving_id = ids.branch()
        # Those that follow are known once nothing else can change the project.
        self._source: Branch
        self._moment: RecoveryTarget | None
        self._cluster: Cluster

    def begin(self) -> list[Row]:
        """Look whether it may be; the cluster of the new data."""
        neon, project, wanted = self._neon, self._project, self._wanted
        branch = branches.find(neon, project, self._branch_id)
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
        others = neon.store.all(Branch, project_id=project.id)
        if wanted.preserve_under_name is not None:
            branches.free_name(neon, project, wanted.preserve_under_name)
            allowances.check_branches(neon, project)
        elif any(other.parent_id == branch.id for other in others):
            raise Unprocessable("a branch that has child branches needs preserve_under_name")
        new = point_in_time.new_cluster(neon, source, moment, id=self._cluster_id)
        self._source, self._moment = source, moment
        self._cluster = replace(new, state=ClusterOrigin.RESTORED)
        return [self._cluster]

    def work(self) -> Change:
        """Build the new data, and let nobody use the old any more."""
        neon = self._neon
        lsn = point_in_time.build(neon, self._source, self._cluster, self._moment)
        branch = branches.find(neon, self._project, self._branch_id)
        if self._wanted.preserve_under_name is None:
            after = partial(neon.clusters.remove, branch.cluster_id)
        else:
            preserving = replace(branch, id=self._preserving_id)
            after = partial(neon.meter.begin, preserving, neon.meter.size(branch.id))
        with ExitStack() as stack:
            stack.enter_context(neon.computes.stopped(branch))
            return Change(lambda: self._apply(lsn), after=[after], held=stack.pop_all())

    def _apply(self, lsn: str | None) -> None:
        """Let the branch have the new data, and another one the old if that is to be kept."""
        neon, name, now = self._neon, self._wanted.preserve_under_name, self._neon.clock.now()
        before = branches.find(neon, self._project, self._branch_id)
        neon.store.update(
            Branch,
            before.id,
            setting(
                cluster_id=self._cluster_id,
                last_reset_at=now,
                updated_at=now,
                state_changed_at=now,
                **_ancestry(before, self._source, lsn, self._wanted),
            ),
        )
        if name is not None:
            _preserve(neon, before, self._preserving_id, name)
        elif (old := neon.store.get(Cluster, before.cluster_id)) is not None:
            neon.store.delete(old)

    def undo(self) -> None:
        """Take back what was done for it."""
        self._neon.clusters.remove(self._cluster_id)


def take_place(neon: LocalNeon, new_id: str, old_id: str, name: str | None) -> None:
    """Let a branch take another one's place: its name, endpoints, role in the project, schedule.

    Call it in a transaction, while nothing can start the server of either.

    Args:
        new_id: the branch that stays.
        old_id: the one that is replaced.
        name: what that one is called then; None: its name and ``(old)``.

    Raises:
        NotFound: one of them is gone.
    """
    store, now = neon.store, neon.clock.now()
    nothing = {"default": False, "protected": False, "backup_schedule": [], "backup_looked": []}
    old = store.get(Branch, old_id)
    if old is None:
        raise NotFound("branch not found")
    left = name or _left(neon, old)
    # This one first: two branches of one name cannot be.
    store.update(Branch, old_id, setting(name=left, **nothing, updated_at=now))
    place = {field: getattr(old, field) for field in ("name", *nothing)}
    store.update(Branch, new_id, setting(**place, restore_target=None, updated_at=now))
    own = store.all(Endpoint, branch_id=new_id)
    taken = store.all(Endpoint, branch_id=old_id)
    for endpoint in own:  # out of the way: two endpoints of a branch that write cannot be
        store.update(Endpoint, endpoint.id, setting(branch_id=endpoint.id))
    for endpoints, branch_id in ((taken, new_id), (own, old_id)):
        for endpoint in endpoints:
            store.update(Endpoint, endpoint.id, setting(branch_id=branch_id, updated_at=now))


def _left(neon: LocalNeon, old: Branch) -> str:
    """What a replaced branch is called: the first such name that is free."""
    taken = {branch.name for branch in neon.store.all(Branch, project_id=old.project_id)}
    names = (f"{old.name} (old{f' {number}' if number else ''})" for number in count())
    return next(name for name in names if name not in taken)


def finalize(
    neon: LocalNeon, project: Project, branch: Branch, name: str | None
) -> list[Operation]:
    """Let a branch that was restored from a snapshot take its target's place.

    Raises:
        Conflict: there is a branch of the name that the target is to have.
        Unprocessable: it was not, or it has done so already.
    """

    def both() -> tuple[Branch, Branch]:
        new = branches.find(neon, project, branch.id)
        old = neon.store.get(Branch, new.restore_target or "")
        if old is None:
            raise Unprocessable(
                "the branch is not a restored branch that is waiting to be finalized"
            )
        return new, old

    def begin() -> list[Row]:
        both()
        if name is not None:
            branches.free_name(neon, project, name)
        return []

    def work() -> Change:
        new, old = both()
        with ExitStack() as stack:
            for stopping in (new, old):
                stack.enter_context(neon.computes.stopped(stopping))
            return Change(lambda: take_place(neon, new.id, old.id, name), held=stack.pop_all())

    return neon.journal.run(
        project, [PlannedOperation("swap_binding_id", branch.id)], work, begin=begin
    )


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


def _preserve(neon: LocalNeon, replaced: Branch, id: str, name: str) -> None:  # noqa: A002
    """Add the branch that keeps the data that was replaced; it has no endpoint.

    The children of the replaced branch are its children from now on: they began with its data.

    Args:
        replaced: the branch as it was.
        id: of the branch that is added.
        name: of the branch that is added.
    """
    now = neon.clock.now()
    preserving = replace(
        replaced,
        id=id,
        name=name,
        default=False,
        protected=False,
        backup_schedule=[],
        backup_looked=[],
        updated_at=now,
    )
    rows = ownership.inherited(neon.store, replaced, preserving, now)
    neon.store.insert(preserving, *rows)
    for child in neon.store.all(Branch, project_id=replaced.project_id):
        if child.parent_id == replaced.id:
            neon.store.update(Branch, child.id, setting(parent_id=preserving.id))
