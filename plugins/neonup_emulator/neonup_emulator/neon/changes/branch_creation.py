"""Creating a branch, with its parent's data or with the schema alone."""

from __future__ import annotations

from msgspec.structs import replace

from neonup_emulator.neon import branches, endpoints, ids
from neonup_emulator.neon.accounts import allowances
from neonup_emulator.neon.changes.building import ClusterChange
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.data import point_in_time, schema_only
from neonup_emulator.neon.data.history import RecoveryTarget
from neonup_emulator.neon.data.model import Cluster, ClusterOrigin
from neonup_emulator.neon.errors import Unprocessable
from neonup_emulator.neon.model import Branch, DataState, Endpoint, Operation, Project, Role
from neonup_emulator.neon.requests.branches import CreateBranch
from neonup_emulator.neon.requests.fields import given
from neonup_emulator.neon.roles import as_stored
from neonup_emulator.neon.state import ownership
from neonup_emulator.neon.state.change import Completion, PlannedOperation
from neonup_emulator.neon.state.row import Row
from neonup_emulator.neon.state.store import setting
from neonup_local.engine import template


def create(
    neon: LocalNeon, project: Project, wanted: CreateBranch
) -> tuple[Branch, list[Endpoint], list[Operation]]:
    """A branch with its parent's data as it is now, or as it was at a moment.

    Raises:
        Conflict: there is a branch of that name.
        LimitExceeded: the plan allows no more branches.
        Unprocessable: what is asked for cannot be done here.
    """
    _check(wanted)
    creation = BranchCreation(neon, project, wanted)
    branch_id, opened = creation.id, creation.opened
    try:
        for settings in wanted.endpoints:
            # At once: it listens already, and is closed where the next fails.
            opened.append(endpoints.new(neon, project, branch_id, settings.type, given(settings)))
    except BaseException:
        creation.undo()
        raise
    planned = [PlannedOperation("create_branch", branch_id)]
    planned += [PlannedOperation("start_compute", branch_id, endpoint.id) for endpoint in opened]
    operations = neon.journal.run(project, planned, creation)
    return neon.store.get(Branch, branch_id) or creation.branch, opened, operations


class BranchCreation(ClusterChange):
    """The change that creates a branch.

    Args:
        neon: the local Neon.
        project: the project of the branch.
        wanted: the request's content.
    """

    def __init__(self, neon: LocalNeon, project: Project, wanted: CreateBranch):
        super().__init__(neon, project)
        self._wanted = wanted
        self.id = ids.branch()
        self.opened: list[Endpoint] = []
        """Its endpoints, which take connections already."""
        # Those that follow are known once nothing else can change the project.
        self.branch: Branch
        self._parent: Branch
        self._moment: RecoveryTarget | None
        self._cluster: Cluster

    def prepare(self) -> list[Row]:
        neon, project, spec = self.neon, self.project, self._wanted.branch
        now = neon.clock.now()
        allowances.check_branches(neon, project)
        parent = (
            branches.find(neon, project, spec.parent_id)
            if spec.parent_id
            else branches.default(neon, project)
        )
        if spec.expires_at is not None and spec.expires_at <= now:
            raise Unprocessable("expires_at must be in the future")
        name = branches.free_name(neon, project, spec.name or self.id)
        moment = point_in_time.target(
            neon, project, parent, time=spec.parent_timestamp, lsn=spec.parent_lsn
        )
        cluster = point_in_time.new_cluster(neon, parent, moment, id=self.cluster_id)
        if spec.init_source != "parent-data":
            engine = neon.clusters.engines.for_id(cluster.engine)
            base = neon.clusters.templates.base(engine, now)
            # The parent's roles and databases are created in it under the names that they have.
            cluster = replace(cluster, state=ClusterOrigin.NEW, bases=[base], own_names=None)
        is_root = spec.init_source == "schema-only"
        self._parent, self._moment, self._cluster = parent, moment, cluster
        self.branch = Branch(
            id=self.id,
            project_id=project.id,
            name=name,
            cluster_id=cluster.id,
            parent_id=None if is_root else parent.id,
            parent_timestamp=None if is_root else spec.parent_timestamp or now,
            protected=spec.protected,
            expires_at=spec.expires_at,
            created_at=now,
            updated_at=now,
            init_source=spec.init_source,
            annotation=self._wanted.annotation_value,
        )
        return [cluster, self.branch, *self.opened]

    def work(self) -> Completion:
        neon, parent, cluster = self.neon, self._parent, self._cluster
        neon.computes.refresh(parent)
        if self.branch.init_source == "parent-data":
            lsn = point_in_time.build(neon, parent, cluster, self._moment)
            size = neon.meter.size(parent.id)
        else:
            schema_only.build(neon, parent, self.branch, cluster)
            neon.store.update(Cluster, cluster.id, setting(state=ClusterOrigin.COPIED))
            lsn, size = None, neon.clusters.data_size(cluster.id)
        neon.meter.begin(self.branch, size)
        return Completion(lambda: self._apply(lsn))

    def _apply(self, lsn: str | None) -> None:
        """Make the branch ready, with the roles and databases that its parent has."""
        store, now = self.neon.store, self.neon.clock.now()
        parent = branches.find(self.neon, self.project, self._parent.id)
        ready = {"state": DataState.READY, "parent_lsn": lsn, "state_changed_at": now}
        branch = store.update(Branch, self.id, setting(**ready))
        rows = ownership.inherited(store, parent, branch, branch.created_at)
        if parent.protected:  # https://neon.com/docs/guides/protected-branches
            project = store.get(Project, branch.project_id) or self.project
            rows = [
                as_stored(project, _with_new_password(row)) if isinstance(row, Role) else row
                for row in rows
            ]
        store.insert(*rows)

    def undo(self) -> None:
        for endpoint in self.opened:
            self.neon.computes.front.close(endpoint.id)
        super().undo()


def _check(wanted: CreateBranch) -> None:
    spec = wanted.branch
    moment = spec.parent_lsn is not None or spec.parent_timestamp is not None
    if spec.init_source != "parent-data" and moment:
        raise Unprocessable("a branch without rows begins with its parent's current schema")
    if sum(endpoint.type == "read_write" for endpoint in wanted.endpoints) > 1:
        raise Unprocessable("a branch has at most one read_write endpoint")


def _with_new_password(role: Role) -> Role:
    if role.verifier is None:
        return role
    password = ids.password()
    return replace(role, password=password, verifier=template.scram_verifier(password))
