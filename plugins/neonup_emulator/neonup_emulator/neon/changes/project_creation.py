"""Creating a project, with a branch, an endpoint, a role and a database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from msgspec import UNSET

from neonup import EngineError
from neonup_emulator.neon import (
    endpoints,
    ids,
    project_defaults,
    projects,
    regions,
    roles,
)
from neonup_emulator.neon.accounts import plans
from neonup_emulator.neon.accounts.identity import Caller
from neonup_emulator.neon.accounts.model import Organization
from neonup_emulator.neon.accounts.project_access import CREATORS
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.errors import Forbidden, Unprocessable
from neonup_emulator.neon.model import (
    Branch,
    BranchDatabase,
    DataState,
    Endpoint,
    Operation,
    Project,
    Role,
)
from neonup_emulator.neon.requests.fields import given
from neonup_emulator.neon.requests.projects import FirstBranch, NewProject
from neonup_emulator.neon.state.change import Completion, PlannedOperation, ProjectChange
from neonup_emulator.neon.state.row import Row
from neonup_emulator.neon.state.store import setting
from neonup_local.engine.binaries import Engine

_DAY = 86_400


@dataclass(frozen=True)
class ProjectWithDefaults:
    """A new project and all that came with it."""

    project: Project
    branch: Branch
    endpoint: Endpoint
    role: Role
    database: BranchDatabase
    operations: list[Operation]


def create(
    neon: LocalNeon,
    caller: Caller,
    wanted: NewProject,
    *,
    id: str | None = None,  # noqa: A002
    password: str | None = None,
) -> ProjectWithDefaults:
    """A project with a branch, an endpoint, a role and a database; its server sleeps.

    Args:
        id: the project's; None: a new one.
        password: the role's; None: a random one.

    Raises:
        NotFound: there is no such organization.
        Forbidden: the key is one project's, or the caller a collaborator.
        Unprocessable: this machine has no Postgres of that version, or a name is reserved.
    """
    organization = (
        neon.identity.organization(caller, wanted.org_id)
        if wanted.org_id
        else neon.identity.home_of(caller)
    )
    if caller.project_id is not None:
        raise Forbidden("a key of one project cannot create projects")
    if caller.organizations[organization.id] not in CREATORS:
        raise Forbidden("collaborators cannot create projects")
    try:
        engine = neon.clusters.engines.for_major(wanted.pg_version)
    except EngineError as error:
        raise Unprocessable(f"{error.message} {error.remedy or ''}".strip()) from None
    project = _project(
        neon,
        wanted,
        engine,
        id=id or ids.project(),
        organization=organization,
        owner_id=caller.user.id,
        creator_id=None if caller.is_organization else caller.user.id,
    )
    projects.check(neon, project)
    creation = ProjectCreation(neon, project, engine, wanted.branch, password or ids.password())
    operations = neon.journal.run(project, creation.planned, creation, new=True)
    return creation.result(operations)


class ProjectCreation(ProjectChange):
    """The change that creates a project, with all that it begins with.

    Args:
        neon: where.
        project: the row to be.
        engine: the Postgres of its data.
        branch: the names that were asked for.
        password: the role's.

    Raises:
        Unprocessable: a name is reserved.
    """

    def __init__(
        self,
        neon: LocalNeon,
        project: Project,
        engine: Engine,
        branch: FirstBranch,
        password: str,
    ):
        self._neon = neon
        self._project = project
        self._engine = engine
        self._rows = project_defaults.rows(neon, project, engine, branch, password)
        # It listens already, and is closed where the creation fails.
        self._endpoint = endpoints.new(neon, project, self._rows.branch.id, "read_write", {})
        self.planned = [
            PlannedOperation("create_timeline", self._rows.branch.id),
            PlannedOperation("start_compute", self._rows.branch.id, self._endpoint.id),
        ]

    def prepare(self) -> list[Row]:
        rows = self._rows
        role = roles.as_stored(self._project, rows.role)
        return [self._project, rows.cluster, rows.branch, role, rows.database, self._endpoint]

    def work(self) -> Completion:
        neon, branch = self._neon, self._rows.branch
        neon.clusters.create(self._rows.cluster.id, self._engine)
        neon.meter.begin(branch, neon.clusters.templates.size(self._engine))
        ready = {"state": DataState.READY, "state_changed_at": branch.created_at}
        return Completion(lambda: neon.store.update(Branch, branch.id, setting(**ready)))

    def undo(self) -> None:
        self._neon.computes.front.close(self._endpoint.id)

    def result(self, operations: list[Operation]) -> ProjectWithDefaults:
        """The project and all that came with it."""
        rows = self._rows
        branch = self._neon.store.get(Branch, rows.branch.id) or rows.branch
        return ProjectWithDefaults(
            self._project, branch, self._endpoint, rows.role, rows.database, operations
        )


def _project(
    neon: LocalNeon,
    wanted: NewProject,
    engine: Engine,
    *,
    id: str,  # noqa: A002
    organization: Organization,
    owner_id: str,
    creator_id: str | None,
) -> Project:
    now = neon.clock.now()
    history = wanted.history_retention_seconds
    if history is UNSET:
        history = min(_DAY, plans.limits(organization.plan).history_seconds)
    return Project(
        id=id,
        name=wanted.name or ids.project().rpartition("-")[0],
        org_id=organization.id,
        owner_id=owner_id,
        creator_id=creator_id,
        pg_version=engine.major,
        engine=engine.id,
        tls=engine.tls,
        created_at=now,
        updated_at=now,
        region_id=wanted.region_id or regions.DEFAULT,
        store_passwords=wanted.store_passwords,
        history_retention_seconds=history,
        settings={} if wanted.settings is UNSET else given(wanted.settings),
        default_endpoint_settings=_defaults(wanted),
    )


def _defaults(wanted: NewProject) -> dict[str, Any]:
    """The settings of a project's endpoints; two of them can be given in two places."""
    chosen = wanted.default_endpoint_settings
    defaults: dict[str, Any] = {
        "autoscaling_limit_min_cu": 0.25,
        "autoscaling_limit_max_cu": 2.0,
        "suspend_timeout_seconds": 0,
    }
    for name in ("autoscaling_limit_min_cu", "autoscaling_limit_max_cu"):
        if getattr(wanted, name) is not UNSET:
            defaults[name] = getattr(wanted, name)
    return defaults | ({} if chosen is UNSET else given(chosen))
