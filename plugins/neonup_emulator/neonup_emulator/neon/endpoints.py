"""Endpoints: how branches are reached, and whether their servers run."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from neonup_emulator.neon import activity, ids, pg_settings
from neonup_emulator.neon.accounts import allowances
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.errors import Failed, NotFound, Refused, Unprocessable
from neonup_emulator.neon.model import Branch, Endpoint, EndpointType, Operation, Project
from neonup_emulator.neon.requests.endpoints import EndpointChanges, NewEndpoint
from neonup_emulator.neon.requests.fields import given
from neonup_emulator.neon.state.change import Completion, PlannedOperation, SimpleChange
from neonup_emulator.neon.state.row import Row
from neonup_emulator.neon.state.store import setting

_NOT_STORED = ("provisioner", "region_id", "branch_id", "type", "pooler_mode")

_MAX_CU = "autoscaling_limit_max_cu"

Changed = tuple[Endpoint, list[Operation]]


def find(neon: LocalNeon, project: Project, id: str) -> Endpoint:  # noqa: A002
    """An endpoint of a project.

    Raises:
        NotFound: the project has no endpoint with that id.
    """
    endpoint = neon.store.get(Endpoint, id)
    if endpoint is None or endpoint.project_id != project.id:
        raise NotFound("endpoint not found")
    return endpoint


def new(
    neon: LocalNeon, project: Project, branch_id: str, kind: EndpointType, values: dict[str, Any]
) -> Endpoint:
    """An endpoint that takes connections, and is not in the store yet.

    Raises:
        LimitExceeded: the plan allows no compute of that size.
        Unprocessable: a value is out of range.
        Failed: the machine has no address left.
    """
    allowances.check_compute(neon, project, values.get(_MAX_CU, 0))
    now = neon.clock.now()
    defaults = dict(project.default_endpoint_settings)
    settings = defaults.pop("pg_settings", None)
    defaults.pop("pgbouncer_settings", None)
    if settings:
        defaults["settings"] = {"pg_settings": settings}
    endpoint = Endpoint(
        id=ids.endpoint(),
        project_id=project.id,
        branch_id=branch_id,
        type=kind,
        address="",
        port=0,
        created_at=now,
        updated_at=now,
        started_at=now,
    )
    endpoint = _checked(neon, project, replace(endpoint, **(defaults | _stored(values))))
    try:
        address, port = neon.addresses.open_new(endpoint.id, neon.store.all(Endpoint))
    except OSError as error:
        raise Failed(str(error)) from None
    return replace(endpoint, address=address, port=port)


def check_units(least: float, most: float) -> None:
    """Refuse limits of autoscaling that exclude each other.

    Raises:
        Unprocessable: the minimum exceeds the maximum.
    """
    if least > most:
        raise Unprocessable("autoscaling_limit_min_cu must not exceed autoscaling_limit_max_cu")


def create(neon: LocalNeon, project: Project, branch: Branch, wanted: NewEndpoint) -> Changed:
    """Create an endpoint; its server is started by whoever connects first.

    Raises:
        Refused: it is to be in another region than the project.
        Unprocessable: the branch has one that writes already, or a value is out of range.
    """
    if wanted.region_id not in (UNSET, project.region_id):
        raise Refused(f"invalid region_id: the project is in {project.region_id}")
    _may_come(neon, branch, wanted.type)
    endpoint = new(neon, project, branch.id, wanted.type, given(wanted))

    def prepare() -> list[Row]:
        current = neon.store.get(Branch, branch.id)
        if current is None:
            raise NotFound("branch not found")
        _may_come(neon, current, wanted.type)
        return [endpoint]

    operations = neon.journal.run(
        project,
        [PlannedOperation("start_compute", branch.id, endpoint.id)],
        SimpleChange(
            Completion, prepare=prepare, undo=lambda: neon.computes.front.close(endpoint.id)
        ),
    )
    return endpoint, operations


def update(
    neon: LocalNeon, project: Project, endpoint: Endpoint, changes: EndpointChanges
) -> Changed:
    """Change an endpoint; its server restarts where Postgres's settings change."""
    values = given(changes)
    branch_id = values.get("branch_id", endpoint.branch_id)
    if branch_id != endpoint.branch_id:
        raise Unprocessable("an endpoint cannot be moved to another branch")

    def change(current: Endpoint) -> Endpoint:
        changed = replace(current, **_stored(values), updated_at=neon.clock.now())
        check_units(changed.autoscaling_limit_min_cu, changed.autoscaling_limit_max_cu)
        before = current.autoscaling_limit_max_cu
        allowances.check_compute(neon, project, values.get(_MAX_CU, 0), before=before)
        return changed

    # Postgres takes its time for these, so they are not looked at in a transaction.
    pg_settings.check(neon, project, change(endpoint).settings.get("pg_settings"))

    def work() -> Completion:
        before = find(neon, project, endpoint.id)
        changed = change(before)
        restarts = changed.settings != before.settings and activity.is_active(neon, before)
        if changed.settings != before.settings or changed.disabled:
            neon.computes.suspend_endpoint(before)
        if changed.disabled:
            neon.computes.front.down(endpoint.id, hold=False)

        def apply(current: Endpoint) -> Endpoint:
            applied = change(current)
            return replace(applied, started_at=applied.updated_at) if restarts else applied

        return Completion(lambda: neon.store.update(Endpoint, endpoint.id, apply))

    return _run(neon, project, endpoint, "apply_config", work, check=change)


def delete(neon: LocalNeon, project: Project, endpoint: Endpoint) -> Changed:
    """Delete an endpoint; the branch stays.

    Raises:
        Unprocessable: its branch is protected.
    """

    def prepare() -> list[Row]:
        current = find(neon, project, endpoint.id)
        branch = neon.store.get(Branch, current.branch_id)
        if branch is not None and branch.protected:
            raise Unprocessable("the endpoint of a protected branch cannot be deleted")
        return []

    def work() -> Completion:
        neon.computes.suspend_endpoint(find(neon, project, endpoint.id))
        with ExitStack() as stack:
            stack.enter_context(neon.computes.held(endpoint.id))  # it gets no other standby
            neon.computes.standbys.drop(find(neon, project, endpoint.id))
            return Completion(
                lambda: neon.store.delete(endpoint),
                after=[lambda: neon.computes.front.close(endpoint.id)],
                held=stack.pop_all(),
            )

    operations = neon.journal.run(
        project,
        [PlannedOperation("suspend_compute", endpoint.branch_id, endpoint.id)],
        SimpleChange(work, prepare=prepare),
    )
    return endpoint, operations


def start(neon: LocalNeon, project: Project, endpoint: Endpoint) -> Changed:
    """Start its server now.

    Raises:
        Unprocessable: it is disabled.
        QuotaExceeded: the project has used up a quota.
    """
    activity.admit(neon, endpoint)

    def enabled(current: Endpoint) -> Endpoint:
        if current.disabled:
            raise Unprocessable("the endpoint is disabled")
        return current

    def work() -> Completion:
        neon.computes.start_endpoint(find(neon, project, endpoint.id))
        return Completion(lambda: _started(neon, endpoint))

    return _run(neon, project, endpoint, "start_compute", work, check=enabled)


def suspend(neon: LocalNeon, project: Project, endpoint: Endpoint) -> Changed:
    """Stop its server; the next connection starts it again."""

    def work() -> Completion:
        neon.computes.suspend_endpoint(find(neon, project, endpoint.id))
        suspended = {"suspended_at": neon.clock.now()}
        return Completion(lambda: neon.store.update(Endpoint, endpoint.id, setting(**suspended)))

    return _run(neon, project, endpoint, "suspend_compute", work)


def restart(neon: LocalNeon, project: Project, endpoint: Endpoint) -> Changed:
    """Stop its server and start it, cutting connections."""
    activity.admit(neon, endpoint)

    def work() -> Completion:
        current = find(neon, project, endpoint.id)
        neon.computes.suspend_endpoint(current)
        neon.computes.start_endpoint(current)
        return Completion(lambda: _started(neon, endpoint))

    return _run(neon, project, endpoint, "start_compute", work)


def _started(neon: LocalNeon, endpoint: Endpoint) -> None:
    now = neon.clock.now()
    neon.store.update(Endpoint, endpoint.id, setting(started_at=now, last_active=now))


def _run(
    neon: LocalNeon,
    project: Project,
    endpoint: Endpoint,
    action: str,
    work: Callable[[], Completion],
    *,
    check: Callable[[Endpoint], object] = bool,
) -> Changed:
    """Carry out an operation of an endpoint.

    Args:
        check: is given the endpoint once nothing else can change it, and raises where the operation
            is not possible.
    """

    def prepare() -> list[Row]:
        check(find(neon, project, endpoint.id))
        return []

    step = PlannedOperation(action, endpoint.branch_id, endpoint.id)
    operations = neon.journal.run(project, [step], SimpleChange(work, prepare=prepare))
    return neon.store.get(Endpoint, endpoint.id) or endpoint, operations


def _stored(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in _NOT_STORED}


def _may_come(neon: LocalNeon, branch: Branch, kind: EndpointType) -> None:
    others = neon.store.all(Endpoint, branch_id=branch.id)
    if kind == "read_write" and any(other.type == kind for other in others):
        raise Unprocessable("read_write endpoint already exists")


def _checked(neon: LocalNeon, project: Project, endpoint: Endpoint) -> Endpoint:
    check_units(endpoint.autoscaling_limit_min_cu, endpoint.autoscaling_limit_max_cu)
    pg_settings.check(neon, project, endpoint.settings.get("pg_settings"))
    return endpoint
