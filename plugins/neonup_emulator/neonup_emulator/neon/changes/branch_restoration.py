"""Neon's restoreProjectBranch: a branch gets its own past data, or that of another branch."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial

from msgspec.structs import replace

from neonup_emulator.neon import branches, ids
from neonup_emulator.neon.accounts import allowances
from neonup_emulator.neon.changes.building import ClusterChange
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.data import point_in_time
from neonup_emulator.neon.data.history import RecoveryTarget
from neonup_emulator.neon.data.model import Cluster, ClusterOrigin
from neonup_emulator.neon.errors import Unprocessable
from neonup_emulator.neon.model import Branch, Project
from neonup_emulator.neon.requests.branches import RestoreBranch
from neonup_emulator.neon.state import ownership
from neonup_emulator.neon.state.change import Completion, PlannedOperation
from neonup_emulator.neon.state.row import Row
from neonup_emulator.neon.state.store import setting


def restore(
    neon: LocalNeon, project: Project, branch: Branch, wanted: RestoreBranch
) -> branches.Changed:
    """Replace a branch's data by that of a branch, now or at a moment; its URL and passwords stay.

    Raises:
        Refused: the timestamp or LSN is malformed, or the branch's own data would be lost.
        Conflict: there is a branch of the name to preserve it under.
        Unprocessable: the moment cannot be had, or the branch is protected from a reset.
    """
    restoration = BranchRestoration(neon, project, branch.id, wanted)
    operations = neon.journal.run(
        project,
        [PlannedOperation("create_branch", branch.id), PlannedOperation("apply_config", branch.id)],
        restoration,
    )
    return neon.store.get(Branch, branch.id) or branch, operations


class BranchRestoration(ClusterChange):
    """The change that replaces the data of a branch that exists.

    A snapshot is restored as a new branch instead, see `SnapshotRestoration`.

    Args:
        neon: the local Neon.
        project: the project of the branch.
        branch_id: the branch that gets other data.
        wanted: the request's content.
    """

    def __init__(self, neon: LocalNeon, project: Project, branch_id: str, wanted: RestoreBranch):
        super().__init__(neon, project)
        self._branch_id = branch_id
        self._wanted = wanted
        self._preserving_id = ids.branch()
        # Those that follow are known once nothing else can change the project.
        self._source: Branch
        self._moment: RecoveryTarget | None
        self._cluster: Cluster

    def prepare(self) -> list[Row]:
        neon, project, wanted = self.neon, self.project, self._wanted
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
        new = point_in_time.new_cluster(neon, source, moment, id=self.cluster_id)
        self._source, self._moment = source, moment
        self._cluster = replace(new, state=ClusterOrigin.RESTORED)
        return [self._cluster]

    def work(self) -> Completion:
        # Nobody uses the old data any more once the new is built.
        neon = self.neon
        lsn = point_in_time.build(neon, self._source, self._cluster, self._moment)
        branch = branches.find(neon, self.project, self._branch_id)
        if self._wanted.preserve_under_name is None:
            after = partial(neon.clusters.remove, branch.cluster_id)
        else:
            preserving = replace(branch, id=self._preserving_id)
            after = partial(neon.meter.begin, preserving, neon.meter.size(branch.id))
        with ExitStack() as stack:
            stack.enter_context(neon.computes.stopped(branch))
            return Completion(lambda: self._apply(lsn), after=[after], held=stack.pop_all())

    def _apply(self, lsn: str | None) -> None:
        """Point the branch to the new cluster; preserve the old one or forget it."""
        neon, name, now = self.neon, self._wanted.preserve_under_name, self.neon.clock.now()
        before = branches.find(neon, self.project, self._branch_id)
        neon.store.update(
            Branch,
            before.id,
            setting(
                cluster_id=self.cluster_id,
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
