"""Projects."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from neonup_emulator.neon import (
    endpoints,
    pg_settings,
)
from neonup_emulator.neon.accounts import allowances
from neonup_emulator.neon.accounts.identity import Caller
from neonup_emulator.neon.accounts.project_access import Level
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.errors import Forbidden, NotFound, Refused, Unprocessable
from neonup_emulator.neon.model import Branch, Endpoint, Operation, Project
from neonup_emulator.neon.requests.fields import given
from neonup_emulator.neon.requests.projects import ProjectChanges
from neonup_emulator.neon.state.change import Completion, PlannedOperation, SimpleChange
from neonup_emulator.neon.state.row import Row
from neonup_emulator.neon.state.store import setting

RECOVERABLE = timedelta(days=7)
"""How long a deleted project can be recovered."""


def find(neon: LocalNeon, caller: Caller, id: str) -> Project:  # noqa: A002
    """A project that the caller may use.

    Raises:
        NotFound: the caller reaches no project with that id.
    """
    project = neon.store.get(Project, id)
    if project is None or project.deleted_at is not None or not caller.reaches(project):
        raise NotFound("project not found")
    return project


def find_for(neon: LocalNeon, caller: Caller, id: str, least: Level) -> Project:  # noqa: A002
    """A project that the caller may do something with.

    Args:
        least: the permission that it takes.

    Raises:
        NotFound: the caller reaches no project with that id.
        Forbidden: the caller's permission is not enough.
    """
    project = find(neon, caller, id)
    level = caller.level(project)
    if level is not None and level < least:
        raise Forbidden(not_enough(level, least))
    return project


def not_enough(level: Level, least: Level) -> str:
    """What is said to somebody whose permission for a project is not enough."""
    return f"this takes the permission {least.name} for the project, and yours is {level.name}"


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
        check(neon, changed, before=current)
        return changed

    def check_settings(current: Project) -> None:
        """Ask Postgres, which takes its time: so not in a transaction."""
        settings = change(current).default_endpoint_settings.get("pg_settings")
        pg_settings.check(neon, current, settings)

    def work() -> Completion:
        current = neon.journal.check(project)
        if current.default_endpoint_settings != project.default_endpoint_settings:
            check_settings(current)  # they were changed meanwhile
        return Completion(lambda: neon.store.update(Project, project.id, change))

    check_settings(project)
    operations = neon.journal.run(
        project, [PlannedOperation("apply_storage_config")], SimpleChange(work)
    )
    return neon.store.get(Project, project.id) or project, operations


def delete(neon: LocalNeon, project: Project) -> Project:
    """Delete a project; it can be recovered for a while.

    Raises:
        Unprocessable: it has a protected branch.
    """
    now = neon.clock.now()

    def prepare() -> list[Row]:
        if any(branch.protected for branch in neon.store.all(Branch, project_id=project.id)):
            raise Unprocessable("the project has protected branches")
        return []

    def work() -> Completion:
        for endpoint in neon.store.all(Endpoint, project_id=project.id):
            neon.computes.front.close(endpoint.id)
        for branch in neon.store.all(Branch, project_id=project.id):
            neon.computes.standbys.drop_all(branch)
            neon.computes.suspend(branch)
        deleted = {"deleted_at": now, "updated_at": now}
        return Completion(lambda: neon.store.update(Project, project.id, setting(**deleted)))

    neon.journal.run(
        project, [PlannedOperation("suspend_compute")], SimpleChange(work, prepare=prepare)
    )
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

    def work() -> Completion:
        for endpoint in neon.store.all(Endpoint, project_id=id):
            opened[endpoint.id] = neon.addresses.open_again(
                endpoint, neon.store.all(Endpoint), patience=5
            )
        return Completion(apply)

    def apply() -> None:
        now = neon.clock.now()
        for endpoint_id, (address, port) in opened.items():
            change = setting(address=address, port=port, started_at=now)
            neon.store.update(Endpoint, endpoint_id, change)
        neon.store.update(Project, id, setting(deleted_at=None, updated_at=now))

    def undo() -> None:
        for endpoint_id in opened:
            neon.computes.front.close(endpoint_id)

    neon.journal.run(
        project, [PlannedOperation("start_compute")], SimpleChange(work, undo=undo), deleted=True
    )
    recovered = neon.store.get(Project, id) or project
    return replace(recovered, deleted_at=None), neon.store.all(Branch, project_id=id)


def check(neon: LocalNeon, project: Project, *, before: Project | None = None) -> None:
    """Refuse settings that cannot be, together or after those that were there before.

    Raises:
        LimitExceeded: the plan does not allow them.
        Refused: what cannot be taken back would be.
        Unprocessable: limits exclude each other.
    """
    defaults = project.default_endpoint_settings
    endpoints.check_units(
        defaults["autoscaling_limit_min_cu"], defaults["autoscaling_limit_max_cu"]
    )
    allowances.check_history(
        neon, project, before=before.history_retention_seconds if before else 0
    )
    units = before.default_endpoint_settings["autoscaling_limit_max_cu"] if before else 0
    allowances.check_compute(neon, project, defaults["autoscaling_limit_max_cu"], before=units)
    old, new = before.settings if before else {}, project.settings
    if old.get("enable_logical_replication") and not new.get("enable_logical_replication"):
        raise Refused("logical replication cannot be disabled once it is enabled")
    levels = [settings.get("audit_log_level", "base") for settings in (old, new)]
    if levels[0] != "base" and levels[1] == "base":
        raise Refused("audit_log_level cannot be lowered to base again")


def _merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    nested = {
        name: _merged(old[name], value)
        for name, value in new.items()
        if isinstance(value, dict) and isinstance(old.get(name), dict)
    }
    return old | new | nested
