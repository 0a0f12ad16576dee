"""Branches."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from msgspec.structs import replace

from neonup_emulator.neon import endpoints, ids
from neonup_emulator.neon.accounts import allowances
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.data import point_in_time, schema_only
from neonup_emulator.neon.data.history import RecoveryTarget
from neonup_emulator.neon.errors import Conflict, NotFound, Unprocessable
from neonup_emulator.neon.model import (
    Branch,
    Cluster,
    ClusterOrigin,
    Endpoint,
    Operation,
    Project,
    Role,
)
from neonup_emulator.neon.purging import forget_branch
from neonup_emulator.neon.requests import BranchChanges, CreateBranch, given
from neonup_emulator.neon.roles import as_stored
from neonup_emulator.neon.state import ownership
from neonup_emulator.neon.state.journal import Change, PlannedOperation
from neonup_emulator.neon.state.row import Row
from neonup_emulator.neon.state.store import setting
from neonup_local.engine import template

Changed = tuple[Branch, list[Operation]]


def find(neon: LocalNeon, project: Project, id: str) -> Branch:  # noqa: A002
    """A branch of a project.

    Raises:
        NotFound: there is none.
    """
    branch = neon.store.get(Branch, id)
    if branch is None or branch.project_id != project.id:
        raise NotFound("branch not found")
    return branch


def default(neon: LocalNeon, project: Project) -> Branch:
    """The project's default branch."""
    return next(
        branch for branch in neon.store.all(Branch, project_id=project.id) if branch.default
    )


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
    creation = _Creation(neon, project, wanted)
    branch_id, opened = creation.id, creation.opened
    try:
        for settings in wanted.endpoints:
            # At once: it listens already, and is closed where the next fails.
            opened.append(endpoints.new(neon, project, branch_id, settings.type, given(settings)))
    except BaseException:
        creation.undo()
        raise
    steps = [PlannedOperation("create_branch", branch_id)]
    steps += [PlannedOperation("start_compute", branch_id, endpoint.id) for endpoint in opened]
    operations = neon.journal.run(
        project, steps, creation.work, begin=creation.begin, undo=creation.undo
    )
    return neon.store.get(Branch, branch_id) or creation.branch, opened, operations


class _Creation:
    """The parts of a change that creates a branch.

    Args:
        neon: where.
        project: whose.
        wanted: what was asked for.
    """

    def __init__(self, neon: LocalNeon, project: Project, wanted: CreateBranch):
        self._neon = neon
        self._project = project
        self._wanted = wanted
        self.id = ids.branch()
        self.opened: list[Endpoint] = []
        """Its endpoints, which take connections already."""
        self._cluster_id = ids.cluster()
        # Those that follow are known once nothing else can change the project.
        self.branch: Branch
        self._parent: Branch
        self._moment: RecoveryTarget | None
        self._cluster: Cluster

    def begin(self) -> list[Row]:
        """Look whether it may be; its rows."""
        neon, project, spec = self._neon, self._project, self._wanted.branch
        now = neon.clock.now()
        allowances.check_branches(neon, project)
        parent = find(neon, project, spec.parent_id) if spec.parent_id else default(neon, project)
        if spec.expires_at is not None and spec.expires_at <= now:
            raise Unprocessable("expires_at must be in the future")
        name = free_name(neon, project, spec.name or self.id)
        moment = point_in_time.target(
            neon, project, parent, time=spec.parent_timestamp, lsn=spec.parent_lsn
        )
        cluster = point_in_time.new_cluster(neon, parent, moment, id=self._cluster_id)
        if spec.init_source != "parent-data":
            engine = neon.clusters.engine_of_id(cluster.engine)
            base = neon.clusters.template_base(engine, now)
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

    def work(self) -> Change:
        """Give it its data."""
        neon, parent, cluster = self._neon, self._parent, self._cluster
        neon.computes.refresh(parent)
        if self.branch.init_source == "parent-data":
            lsn = point_in_time.build(neon, parent, cluster, self._moment)
            size = neon.meter.size(parent.id)
        else:
            schema_only.build(neon, parent, self.branch, cluster)
            neon.store.update(Cluster, cluster.id, setting(state=ClusterOrigin.COPIED))
            lsn, size = None, neon.clusters.data_size(cluster.id)
        neon.meter.begin(self.branch, size)
        return Change(lambda: self._apply(lsn))

    def _apply(self, lsn: str | None) -> None:
        """Let it be there, with the roles and databases that its parent has."""
        store, now = self._neon.store, self._neon.clock.now()
        parent = find(self._neon, self._project, self._parent.id)
        ready = {"state": "ready", "parent_lsn": lsn, "state_changed_at": now}
        branch = store.update(Branch, self.id, setting(**ready))
        rows = ownership.inherited(store, parent, branch, branch.created_at)
        if parent.protected:  # https://neon.com/docs/guides/protected-branches
            project = store.get(Project, branch.project_id) or self._project
            rows = [
                as_stored(project, _with_new_password(row)) if isinstance(row, Role) else row
                for row in rows
            ]
        store.insert(*rows)

    def undo(self) -> None:
        """Take back what was done for it."""
        for endpoint in self.opened:
            self._neon.computes.front.close(endpoint.id)
        self._neon.clusters.remove(self._cluster_id)


def update(neon: LocalNeon, project: Project, branch: Branch, changes: BranchChanges) -> Changed:
    """Rename a branch, protect it, or give it an expiry.

    Raises:
        Conflict: there is a branch of that name.
        Unprocessable: it cannot expire, or not in the past.
    """
    values = given(changes)
    now = neon.clock.now()

    def change(current: Branch) -> Branch:
        if (expires_at := values.get("expires_at")) is not None:
            if current.default or current.protected:
                raise Unprocessable("a default or protected branch cannot expire")
            if expires_at <= now:
                raise Unprocessable("expires_at must be in the future")
        return replace(current, **values, updated_at=now)

    with neon.journal.alone(project):
        return neon.store.update(Branch, branch.id, change), []


def set_default(neon: LocalNeon, project: Project, branch: Branch) -> Changed:
    """Make a branch the project's default one."""
    now = neon.clock.now()
    with neon.journal.alone(project):
        for other in neon.store.all(Branch, project_id=project.id):
            if other.default and other.id != branch.id:
                neon.store.update(Branch, other.id, setting(default=False, updated_at=now))
        chosen = setting(default=True, expires_at=None, updated_at=now)
        return neon.store.update(Branch, branch.id, chosen), []


def delete(
    neon: LocalNeon, project: Project, branch: Branch, *, check: Callable[[Branch], object] = bool
) -> Changed:
    """Delete a branch with its data.

    Args:
        check: is given the branch as it is once nothing else can change it, and raises where it
            is to stay.

    Raises:
        Unprocessable: it is the default one, protected, or has children.
    """

    def begin() -> list[Row]:
        current = find(neon, project, branch.id)
        _may_go(neon, project, current)
        check(current)
        return []

    def work() -> Change:
        current = find(neon, project, branch.id)
        opened = neon.store.all(Endpoint, branch_id=branch.id)
        for endpoint in opened:
            neon.computes.front.close(endpoint.id)
        with ExitStack() as stack:
            stack.enter_context(neon.computes.stopped(current))
            neon.meter.end(current)
            return Change(
                lambda: forget_branch(neon.store, current),
                after=[
                    lambda: neon.clusters.remove(current.cluster_id),
                    *(partial(neon.authority.forget, other.address) for other in opened),
                ],
                held=stack.pop_all(),
            )

    operations = neon.journal.run(
        project,
        [
            PlannedOperation("suspend_compute", branch.id),
            PlannedOperation("delete_timeline", branch.id),
        ],
        work,
        begin=begin,
    )
    return branch, operations


def _may_go(neon: LocalNeon, project: Project, branch: Branch) -> None:
    if branch.default:
        raise Unprocessable("the default branch cannot be deleted")
    if branch.protected:
        raise Unprocessable("a protected branch cannot be deleted")
    if any(other.parent_id == branch.id for other in neon.store.all(Branch, project_id=project.id)):
        raise Unprocessable("a branch that has child branches cannot be deleted")


def _with_new_password(role: Role) -> Role:
    if role.verifier is None:
        return role
    password = ids.password()
    return replace(role, password=password, verifier=template.scram_verifier(password))


def free_name(neon: LocalNeon, project: Project, name: str) -> str:
    """The name itself, which a new branch can have.

    Raises:
        Conflict: there is a branch of that name.
    """
    if any(branch.name == name for branch in neon.store.all(Branch, project_id=project.id)):
        raise Conflict("branch already exists")
    return name


def _check(wanted: CreateBranch) -> None:
    spec = wanted.branch
    moment = spec.parent_lsn is not None or spec.parent_timestamp is not None
    if spec.init_source != "parent-data" and moment:
        raise Unprocessable("a branch without rows begins with its parent's current schema")
    if sum(endpoint.type == "read_write" for endpoint in wanted.endpoints) > 1:
        raise Unprocessable("a branch has at most one read_write endpoint")
