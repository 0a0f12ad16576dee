"""New bases: without them a cluster's history would grow for ever, and take ever longer to read.

Once a cluster's archive exceeds a limit, its data is copied as the base of what comes; once such
a base is older than the history that a project keeps, what was before it goes. So does the oldest
part of a history that has become too large, however short it is.
"""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from neonup_emulator.neon import ids
from neonup_emulator.neon.context import Neon
from neonup_emulator.neon.data import history
from neonup_emulator.neon.errors import Locked
from neonup_emulator.neon.model import Base, Branch, Cluster, Project
from neonup_emulator.neon.state.journal import Change, Step

LARGEST = 256 << 20
SHARE = 2.0
MOST = 1 << 30


def renew(neon: Neon, *, largest: int = LARGEST, share: float = SHARE, most: int = MOST) -> None:
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
        if row is None or project is None or branch.state != "ready":
            continue
        if not neon.clusters.has_data(row.id):
            continue  # nobody has connected yet
        limit = max(largest, share * neon.clusters.data_size(row.id))
        if neon.clusters.log_since(row) > limit:
            _rebase(neon, project, branch)
        _forget(neon, project, branch, most=max(most, 2 * limit))


def _rebase(neon: Neon, project: Project, branch: Branch) -> None:
    """Copy a branch's data as a base."""

    def work() -> Change:
        now = neon.clock.now()
        id = ids.cluster()  # noqa: A001
        with neon.computes.held(branch.cluster_id):
            running = neon.computes.is_running(branch.cluster_id)
            address = neon.computes.address(branch.cluster_id) if running else None
            if address is None:
                begin = neon.clusters.add_base(branch.cluster_id, id, None)
        if address is not None:
            begin = neon.clusters.add_base(branch.cluster_id, id, address)
        at = neon.clock.now() if address else now  # a backup is complete at its end
        with neon.computes.held(branch.cluster_id):
            row = neon.store.get(Cluster, branch.cluster_id)
            if row is not None:
                neon.store.put(replace(row, bases=[*row.bases, Base(id, at, begin)]))
        return Change()

    try:
        neon.journal.run(project.id, [Step("apply_storage_config", branch.id)], work)
    except Locked:
        return  # next time


def _forget(neon: Neon, project: Project, branch: Branch, *, most: float) -> None:
    """Drop the bases that no moment needs which can still be asked for, and those that lead to
    more than `most` bytes of log."""
    begin = neon.clock.now() - timedelta(seconds=project.history_retention_seconds)
    with neon.store.transaction():
        row = neon.store.get(Cluster, branch.cluster_id)
        if row is None:
            return
        needed = [base for base in row.bases if base.at > begin]
        older = [base for base in row.bases if base.at <= begin]
        kept = [*older[-1:], *needed]
        folder = neon.clusters.folder(row.id)
        while len(kept) > 1 and history.size(folder, kept[0].begin) > most:
            kept = kept[1:]
        if kept == row.bases:
            return
        neon.store.put(replace(row, bases=kept))
    history.forget(folder, kept[0].begin)
    neon.clusters.remove_bases({base.id for one in neon.store.all(Cluster) for base in one.bases})
