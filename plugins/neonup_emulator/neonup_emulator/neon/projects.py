"""Projects."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from neonup import EngineError
from neonup_emulator.neon import (
    endpoints,
    ids,
    pg_settings,
    project_defaults,
    regions,
    roles,
)
from neonup_emulator.neon.accounts.identity import Caller
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.errors import Forbidden, NotFound, Refused, Unprocessable
from neonup_emulator.neon.model import Branch, BranchDatabase, Endpoint, Operation, Project, Role
from neonup_emulator.neon.requests import NewProject, ProjectChanges, given
from neonup_emulator.neon.state.journal import Change, PlannedOperation
from neonup_emulator.neon.state.row import Row
from neonup_emulator.neon.state.store import setting
from neonup_local.engine.binaries import Engine

RECOVERABLE = timedelta(days=7)
"""How long a deleted project can be recovered."""


@dataclass(frozen=True)
class ProjectWithDefaults:
    """A new project and all that came with it."""

    project: Project
    branch: Branch
    endpoint: Endpoint
    role: Role
    database: BranchDatabase
    operations: list[Operation]


def find(neon: LocalNeon, caller: Caller, id: str) -> Project:  # noqa: A002
    """A project that the caller may use.

    Raises:
        NotFound: there is none.
    """
    project = neon.store.get(Project, id)
    if project is None or project.deleted_at is not None or not caller.reaches(project):
        raise NotFound("project not found")
    return project


def all_of(neon: LocalNeon, caller: Caller, *, org_id: str | None, deleted: bool) -> list[Project]:
    """The projects that the caller may use, the newest first; or those that can be recovered.

    Args:
        org_id: of one organization only.
        deleted: those that can be recovered, instead.
    """
    since = neon.clock.now() - RECOVERABLE
    projects = [
        project
        for project in neon.store.all(Project)
        if caller.reaches(project)
        and org_id in (None, project.org_id)
        and (project.deleted_at is not None) == deleted
        and (project.deleted_at is None or project.deleted_at > since)
    ]
    return projects[::-1]


def shared_with(neon: LocalNeon, caller: Caller) -> list[Project]:
    """The projects of other organizations that the caller may use, the newest first."""
    reachable = all_of(neon, caller, org_id=None, deleted=False)
    return [project for project in reachable if project.org_id not in caller.organizations]


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
        Forbidden: the key is one project's.
        Unprocessable: this machine has no Postgres of that version, or a name is reserved.
    """
    organization = (
        neon.identity.organization(caller, wanted.org_id)
        if wanted.org_id
        else neon.identity.home_of(caller)
    )
    if caller.project_id is not None:
        raise Forbidden("a key of one project cannot create projects")
    try:
        engine = neon.clusters.engine_for(wanted.pg_version)
    except EngineError as error:
        raise Unprocessable(f"{error.message} {error.remedy or ''}".strip()) from None
    project = _project(
        neon,
        wanted,
        engine,
        id=id or ids.project(),
        org_id=organization.id,
        owner_id=caller.user.id,
    )
    _check(project)
    cluster, branch, role, database = project_defaults.rows(
        neon, project, engine, wanted.branch, password or ids.password()
    )
    endpoint = endpoints.new(neon, project, branch.id, "read_write", {})

    def work() -> Change:
        neon.clusters.create(cluster.id, engine)
        neon.meter.begin(branch, neon.clusters.template_size(engine))
        ready = {"state": "ready", "state_changed_at": branch.created_at}
        return Change(lambda: neon.store.update(Branch, branch.id, setting(**ready)))

    operations = neon.journal.run(
        project,
        [
            PlannedOperation("create_timeline", branch.id),
            PlannedOperation("start_compute", branch.id, endpoint.id),
        ],
        work,
        begin=lambda: [
            project,
            cluster,
            branch,
            roles.as_stored(project, role),
            database,
            endpoint,
        ],
        undo=lambda: neon.computes.front.close(endpoint.id),
        new=True,
    )
    shown = neon.store.get(Branch, branch.id) or branch
    return ProjectWithDefaults(project, shown, endpoint, role, database, operations)


def update(
    neon: LocalNeon, project: Project, changes: ProjectChanges
) -> tuple[Project, list[Operation]]:
    """Change a project; its settings are merged with those that it has.

    Raises:
        Unprocessable: a setting cannot be had.
    """
    values: dict[str, Any] = given(changes)

    def change(current: Project) -> Project:
        merged = {
            name: _merged(getattr(current, name), values[name])
            for name in ("settings", "default_endpoint_settings")
            if name in values
        }
        changed = replace(current, **(values | merged), updated_at=neon.clock.now())
        _check(changed, before=current)
        return changed

    def check_settings(current: Project) -> None:
        """Ask Postgres, which takes its time: so not in a transaction."""
        settings = change(current).default_endpoint_settings.get("pg_settings")
        pg_settings.check(neon, current, settings)

    def work() -> Change:
        current = neon.journal.check(project)
        if current.default_endpoint_settings != project.default_endpoint_settings:
            check_settings(current)  # they were changed meanwhile
        return Change(lambda: neon.store.update(Project, project.id, change))

    check_settings(project)
    operations = neon.journal.run(project, [PlannedOperation("apply_storage_config")], work)
    return neon.store.get(Project, project.id) or project, operations


def delete(neon: LocalNeon, project: Project) -> Project:
    """Delete a project; it can be recovered for a while.

    Raises:
        Unprocessable: it has a protected branch.
    """
    now = neon.clock.now()

    def begin() -> list[Row]:
        if any(branch.protected for branch in neon.store.all(Branch, project_id=project.id)):
            raise Unprocessable("the project has protected branches")
        return []

    def work() -> Change:
        for endpoint in neon.store.all(Endpoint, project_id=project.id):
            neon.computes.front.close(endpoint.id)
        for branch in neon.store.all(Branch, project_id=project.id):
            neon.computes.drop_replicas(branch)
            neon.computes.suspend(branch)
        deleted = {"deleted_at": now, "updated_at": now}
        return Change(lambda: neon.store.update(Project, project.id, setting(**deleted)))

    neon.journal.run(project, [PlannedOperation("suspend_compute")], work, begin=begin)
    current = neon.store.get(Project, project.id) or project
    return replace(current, deleted_at=now)


def recover(neon: LocalNeon, caller: Caller, id: str) -> tuple[Project, list[Branch]]:  # noqa: A002
    """Take a deleted project back, with its data and its addresses.

    Raises:
        NotFound: it was not deleted, or too long ago.
    """
    project = neon.store.get(Project, id)
    known = project is not None and project in all_of(neon, caller, org_id=None, deleted=True)
    if project is None or not known:
        raise NotFound("project not found")
    opened: dict[str, tuple[str, int]] = {}

    def work() -> Change:
        for endpoint in neon.store.all(Endpoint, project_id=id):
            opened[endpoint.id] = neon.addresses.open_again(
                endpoint, neon.store.all(Endpoint), patience=5
            )
        return Change(apply)

    def apply() -> None:
        now = neon.clock.now()
        for endpoint_id, (address, port) in opened.items():
            change = setting(address=address, port=port, started_at=now)
            neon.store.update(Endpoint, endpoint_id, change)
        neon.store.update(Project, id, setting(deleted_at=None, updated_at=now))

    def undo() -> None:
        for endpoint_id in opened:
            neon.computes.front.close(endpoint_id)

    neon.journal.run(project, [PlannedOperation("start_compute")], work, undo=undo, deleted=True)
    recovered = neon.store.get(Project, id) or project
    return replace(recovered, deleted_at=None), neon.store.all(Branch, project_id=id)


def _check(project: Project, *, before: Project | None = None) -> None:
    """Refuse settings that cannot be, together or after those that were there before.

    Raises:
        Refused: what cannot be taken back would be.
        Unprocessable: limits exclude each other.
    """
    defaults = project.default_endpoint_settings
    endpoints.check_units(
        defaults["autoscaling_limit_min_cu"], defaults["autoscaling_limit_max_cu"]
    )
    old, new = before.settings if before else {}, project.settings
    if old.get("enable_logical_replication") and not new.get("enable_logical_replication"):
        raise Refused("logical replication cannot be disabled once it is enabled")
    levels = [settings.get("audit_log_level", "base") for settings in (old, new)]
    if levels[0] != "base" and levels[1] == "base":
        raise Refused("audit_log_level cannot be lowered to base again")


def _project(
    neon: LocalNeon,
    wanted: NewProject,
    engine: Engine,
    *,
    id: str,  # noqa: A002
    org_id: str,
    owner_id: str,
) -> Project:
    now = neon.clock.now()
    return Project(
        id=id,
        name=wanted.name or ids.project().rpartition("-")[0],
        org_id=org_id,
        owner_id=owner_id,
        pg_version=engine.major,
        engine=engine.id,
        tls=engine.tls,
        created_at=now,
        updated_at=now,
        region_id=wanted.region_id or regions.DEFAULT,
        store_passwords=wanted.store_passwords,
        history_retention_seconds=wanted.history_retention_seconds,
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


def _merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    nested = {
        name: _merged(old[name], value)
        for name, value in new.items()
        if isinstance(value, dict) and isinstance(old.get(name), dict)
    }
    return old | new | nested
