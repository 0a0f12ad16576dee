"""Creating a snapshot of a branch."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from msgspec.structs import replace

from neonup_emulator.neon import branches, ids
from neonup_emulator.neon.accounts import allowances
from neonup_emulator.neon.changes.building import ClusterChange
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.data import point_in_time
from neonup_emulator.neon.data.history import RecoveryTarget
from neonup_emulator.neon.data.model import Cluster
from neonup_emulator.neon.errors import Unprocessable
from neonup_emulator.neon.model import Branch, DataState, Operation, Project, Snapshot
from neonup_emulator.neon.state.change import Completion, PlannedOperation
from neonup_emulator.neon.state.row import Row
from neonup_emulator.neon.state.store import setting


def create(
    neon: LocalNeon,
    project: Project,
    branch: Branch,
    *,
    name: str | None,
    slug: str | None = None,
    time: datetime | None,
    lsn: str | None,
    expires_at: datetime | None,
    manual: bool = True,
    also: Callable[[], object] = tuple,
) -> tuple[Snapshot, list[Operation]]:
    """Keep a branch as it is now, or as it was at a moment.

    Args:
        slug: unique in the project; None: one is made up.
        manual: it is asked for by a person, so that it counts for the plan's limit.
        also: writes more rows in the transaction in which the snapshot is ready.

    Raises:
        Conflict: another snapshot of the project has that slug.
        LimitExceeded: the plan allows no more.
        Unprocessable: it is no root branch, or the moment is not in its history.
    """
    now = neon.clock.now()
    snapshot = Snapshot(
        id=ids.snapshot(),
        project_id=project.id,
        name=name or f"{branch.name} at {(time or now).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC",
        slug=slug or ids.slug(),
        source_branch_id=branch.id,
        cluster_id=ids.cluster(),
        created_at=now,
        at=time or now,
        lsn=lsn,
        expires_at=expires_at,
        manual=manual,
    )
    creation = SnapshotCreation(neon, project, snapshot, time, also)
    operations = neon.journal.run(project, [PlannedOperation("create_branch", branch.id)], creation)
    return neon.store.get(Snapshot, snapshot.id) or snapshot, operations


class SnapshotCreation(ClusterChange):
    """The change that creates a snapshot.

    Args:
        neon: the local Neon.
        project: the project of the snapshot.
        snapshot: the row to be, which is not ready yet.
        time: the moment that was asked for; None: another way was, or now.
        also: see `create`.
    """

    def __init__(
        self,
        neon: LocalNeon,
        project: Project,
        snapshot: Snapshot,
        time: datetime | None,
        also: Callable[[], object],
    ):
        super().__init__(neon, project)
        self._snapshot = replace(snapshot, cluster_id=self.cluster_id)
        self._time = time
        self._also = also

    def prepare(self) -> list[Row]:
        neon, snapshot = self.neon, self._snapshot
        source, moment = self._source()
        if source.parent_id is not None:
            raise Unprocessable("snapshots can be created of root branches only")
        if snapshot.manual:
            allowances.check_snapshots(neon, self.project)
        if snapshot.expires_at is not None and snapshot.expires_at <= snapshot.created_at:
            raise Unprocessable("expires_at must be in the future")
        return [point_in_time.new_cluster(neon, source, moment, id=self.cluster_id), snapshot]

    def work(self) -> Completion:
        neon = self.neon
        source, moment = self._source()
        cluster = neon.store.get(Cluster, self.cluster_id)
        assert cluster is not None  # noqa: S101 - its intent
        neon.computes.refresh(source)
        built = point_in_time.build(neon, source, cluster, moment)
        ready = {"state": DataState.READY, "lsn": built, "size": neon.meter.size(source.id)}

        def apply() -> None:
            neon.store.update(Snapshot, self._snapshot.id, setting(**ready))
            self._also()

        return Completion(apply)

    def _source(self) -> tuple[Branch, RecoveryTarget | None]:
        source = branches.find(self.neon, self.project, self._snapshot.source_branch_id)
        moment = point_in_time.target(
            self.neon, self.project, source, time=self._time, lsn=self._snapshot.lsn
        )
        return source, moment
