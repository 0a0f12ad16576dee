"""Projects."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from neonup import EngineError
from neonup_emulator.neon import endpoints, ids, pg_settings, project_defaults, roles
from neonup_emulator.neon.accounts.identity import Caller
from neonup_emulator.neon.context import Neon
from neonup_emulator.neon.errors import Forbidden, NotFound, Unprocessable
from neonup_emulator.neon.model import Branch, Database, Endpoint, Operation, Project, Role
from neonup_emulator.neon.requests import NewProject, ProjectChanges, given
from neonup_emulator.neon.state.journal import Change, Step
from neonup_local.engine.binaries import Engine

RECOVERABLE = timedelta(days=7)
"""How long a deleted project can be recovered."""


@dataclass(frozen=True)
class Created:
    """A new project and all that came with it."""

    project: Project
    branch: Branch
    endpoint: Endpoint
    role: Role
    database: Database
    operations: list[Operation]


def find(neon: Neon, caller: Caller, id: str) -> Project:  # noqa: A002
    """A project that the caller may use.

    Raises:
        NotFound: there is none.
    """
    project = neon.store.get(Project, id)
    if project is None or project.deleted_at is not None or not caller.reaches(project):
        raise NotFound("project not found")
    return project


def all_of(neon: Neon, caller: Caller, *, org_id: str | None, deleted: bool) -> list[Project]:
    """The projects that the caller may use, the newest first; or those that can be recovered.

    Args:
        org_id: of one organization only.
        deleted: those that can be recovered, instead.
    """
    since = neon.clock.now() - RECOVERABLE
    found = [
        project
        for project in neon.store.all(Project)
        if caller.reaches(project)
        and org_id in (None, project.org_id)
        and (project.deleted_at is not None) == deleted
        and (project.deleted_at is None or project.deleted_at > since)
    ]
    return found[::-1]


def shared_with(neon: Neon, caller: Caller) -> list[Project]:
    """The projects of other organizations that the caller may use, the newest first."""
    found = all_of(neon, caller, org_id=None, deleted=False)
    return [one for one in found if one.org_id not in caller.organizations]


def create(
    neon: Neon,
    caller: Caller,
    wanted: NewProject,
    *,
    id: str | None = None,  # noqa: A002
    password: str | None = None,
) -> Created:
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
    cluster, branch, role, database = project_defaults.rows(
        neon, project, engine, wanted.branch, password or ids.password()
    )
    endpoint = endpoints.new(neon, project, branch, "read_write", {})
    ready = replace(branch, state="ready", state_changed_at=branch.created_at)

    def work() -> Change:
        neon.clusters.create(cluster.id, engine)
        neon.meter.begin(branch, neon.clusters.template_size(engine))
        return Change(put=[ready])

    operations = neon.journal.run(
        project.id,
        [Step("create_timeline", branch.id), Step("start_compute", branch.id, endpoint.id)],
        work,
        intent=[project, cluster, branch, roles.kept(project, role), database, endpoint],
        undo=lambda: neon.computes.front.close(endpoint.id),
    )
    shown = neon.store.get(Branch, branch.id) or branch
    return Created(project, shown, endpoint, role, database, operations)


def update(
    neon: Neon, project: Project, changes: ProjectChanges
) -> tuple[Project, list[Operation]]:
    """Change a project; its settings are merged with those that it has."""
    values: dict[str, Any] = given(changes)
    for name in ("settings", "default_endpoint_settings"):
        if name in values:
            values[name] = _merged(getattr(project, name), values[name])
    changed = replace(project, **values, updated_at=neon.clock.now())
    pg_settings.check(neon, project, changed.default_endpoint_settings.get("pg_settings"))
    if changed.settings.get("enable_logical_replication") is False and project.settings.get(
        "enable_logical_replication"
    ):
        raise Unprocessable("logical replication cannot be disabled once it is enabled")
    operations = neon.journal.run(
        project.id,
        [Step("apply_storage_config")],
        lambda: Change(put=[_still_owned(neon, changed)]),
    )
    return changed, operations


def delete(neon: Neon, project: Project) -> Project:
    """Delete a project; it can be recovered for a while.

    Raises:
        Unprocessable: it has a protected branch.
    """
    branches = neon.store.all(Branch, project_id=project.id)
    if any(branch.protected for branch in branches):
        raise Unprocessable("the project has protected branches")
    now = neon.clock.now()
    deleted = replace(project, deleted_at=now, updated_at=now)

    def work() -> Change:
        for endpoint in neon.store.all(Endpoint, project_id=project.id):
            neon.computes.front.close(endpoint.id)
        for branch in branches:
            neon.computes.drop_replicas(branch)
            neon.computes.suspend(branch)
        return Change(put=[_still_owned(neon, deleted)])

    neon.journal.run(project.id, [Step("suspend_compute")], work)
    return deleted


def recover(neon: Neon, caller: Caller, id: str) -> tuple[Project, list[Branch]]:  # noqa: A002
    """Take a deleted project back, with its data and its addresses.

    Raises:
        NotFound: it was not deleted, or too long ago.
    """
    project = neon.store.get(Project, id)
    known = project is not None and project in all_of(neon, caller, org_id=None, deleted=True)
    if project is None or not known:
        raise NotFound("project not found")
    recovered = replace(project, deleted_at=None, updated_at=neon.clock.now())

    def work() -> Change:
        for endpoint in neon.store.all(Endpoint, project_id=id):
            address, port = neon.addresses.open_again(
                endpoint, neon.store.all(Endpoint), patience=5
            )
            neon.store.put(replace(endpoint, address=address, port=port))
        return Change(put=[_still_owned(neon, recovered)])

    neon.journal.run(id, [Step("start_compute")], work)
    return recovered, neon.store.all(Branch, project_id=id)


def _still_owned(neon: Neon, changed: Project) -> Project:
    """A changed project, with the owner that it may have been given since it was read."""
    current = neon.store.get(Project, changed.id) or changed
    return replace(changed, org_id=current.org_id, owner_id=current.owner_id)


def _project(
    neon: Neon,
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
        region_id=wanted.region_id or "aws-us-east-2",
        store_passwords=wanted.store_passwords,
        history_retention_seconds=wanted.history_retention_seconds,
        settings={} if wanted.settings is UNSET else given(wanted.settings),
        default_endpoint_settings=_defaults(wanted),
    )


def _defaults(wanted: NewProject) -> dict[str, Any]:
    """The settings of a project's endpoints; two of them can be given in two places."""
    defaults = wanted.default_endpoint_settings
    found: dict[str, Any] = {
        "autoscaling_limit_min_cu": 0.25,
        "autoscaling_limit_max_cu": 2.0,
        "suspend_timeout_seconds": 0,
    }
    for name in ("autoscaling_limit_min_cu", "autoscaling_limit_max_cu"):
        if getattr(wanted, name) is not UNSET:
            found[name] = getattr(wanted, name)
    return found | ({} if defaults is UNSET else given(defaults))


def _merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    nested = {
        name: _merged(old[name], value)
        for name, value in new.items()
        if isinstance(value, dict) and isinstance(old.get(name), dict)
    }
    return old | new | nested
