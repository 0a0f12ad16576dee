"""New bases: without them a cluster's history would grow for ever, and take ever longer to read.

Once a cluster's archive exceeds a limit, its data is copied as the base of what comes; once such
a base is older than the history that a project keeps, what was before it goes. So does the oldest
part of a history that has become too large, however short it is.
"""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from neonup_emulator.neon import ids
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.data import history
from neonup_emulator.neon.data.model import Base, Cluster
from neonup_emulator.neon.errors import Locked, NotFound
from neonup_emulator.neon.model import Branch, Project
from neonup_emulator.neon.state.change import Completion, PlannedOperation, SimpleChange

LARGEST = 256 << 20
SHARE = 2.0
MOST = 1 << 30


def renew(
    neon: LocalNeon, *, largest: int = LARGEST, share: float = SHARE, most: int = MOST
) -> None:
    """Give each branch a new base that needs one, and forget what is older than its history.

    Args:
        neon: whose branches.
        largest: bytes of log since the last base that are too few for another one,
        share: and as a multiple of the data's bytes.
        most: bytes of log that a branch keeps, and at least what is enough for two more bases.
    """
    for branch in neon.store.all(Branch):
        row = neon.store.get(Cluster, branch.cluster_id)
        project = neon.store.get(Project, branch.project_id)
        if row is None or project is None or branch.is_unfinished:
            continue
        if not neon.clusters.has_data(row.id):
            continue  # nobody has connected yet
        limit = max(largest, share * neon.clusters.data_size(row.id))
        if neon.clusters.log_since(row) > limit:
            _rebase(neon, project, branch)
        _forget(neon, project, branch, most=max(most, 2 * limit))


def _rebase(neon: LocalNeon, project: Project, branch: Branch) -> None:
    """Copy a branch's data as a base."""
    id = ids.cluster()  # noqa: A001

    def work() -> Completion:
        with neon.computes.present(branch) as current:
            now, cluster_id = neon.clock.now(), current.cluster_id
            row = neon.store.get(Cluster, cluster_id)
            if row is None:
                raise NotFound("branch not found")
            running = neon.computes.is_running(cluster_id)
            address = neon.computes.address(cluster_id) if running else None
            if address is None:
                begin = neon.clusters.add_base(row, id, None)
        if address is not None:
            begin = neon.clusters.add_base(row, id, address)
        at = neon.clock.now() if address else now  # a backup is complete at its end

        def add(row: Cluster) -> Cluster:
            return replace(row, bases=[*row.bases, Base(id, at, begin)])

        return Completion(lambda: neon.store.update(Cluster, cluster_id, add))

    try:
        neon.journal.run(
            project, [PlannedOperation("apply_storage_config", branch.id)], SimpleChange(work)
        )
    except (Locked, NotFound):
        return  # next time


def _forget(neon: LocalNeon, project: Project, branch: Branch, *, most: float) -> None:
    """Drop the bases that no moment needs which can still be asked for, and those that lead to
    more than `most` bytes of log."""
    begin = neon.clock.now() - timedelta(seconds=project.history_retention_seconds)

    def shorter(row: Cluster) -> Cluster:
        needed = [base for base in row.bases if base.at > begin]
        older = [base for base in row.bases if base.at <= begin]
        left = [*older[-1:], *needed]
        folder = neon.clusters.folder(row.id)
        while len(left) > 1 and history.size(folder, left[0].begin) > most:
            left = left[1:]
        return replace(row, bases=left)

    try:
        # Nothing is built meanwhile from what goes.
        with neon.journal.alone(project):
            before = neon.store.get(Cluster, branch.cluster_id)
            row = neon.store.update(Cluster, branch.cluster_id, shorter)
    except (Locked, NotFound):
        return  # next time
    if before is None or row.bases == before.bases:
        return
    history.forget(neon.clusters.folder(row.id), row.bases[0].begin)
    neon.clusters.remove_bases(
        {base.id for cluster in neon.store.all(Cluster) for base in cluster.bases}
    )
