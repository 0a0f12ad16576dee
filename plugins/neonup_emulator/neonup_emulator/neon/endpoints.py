"""Endpoints: how branches are reached, and whether their servers run."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from neonup_emulator.neon import ids, pg_settings
from neonup_emulator.neon.context import Neon
from neonup_emulator.neon.errors import Failed, NotFound, Unprocessable
from neonup_emulator.neon.model import Branch, Endpoint, EndpointType, Operation, Project
from neonup_emulator.neon.requests import EndpointChanges, NewEndpoint, given
from neonup_emulator.neon.state.journal import Change, Step

_NOT_STORED = ("provisioner", "region_id", "branch_id", "type", "pooler_mode")

Changed = tuple[Endpoint, list[Operation]]


def find(neon: Neon, project: Project, id: str) -> Endpoint:  # noqa: A002
    """An endpoint of a project.

    Raises:
        NotFound: there is none.
    """
    found = neon.store.get(Endpoint, id)
    if found is None or found.project_id != project.id:
        raise NotFound("endpoint not found")
    return found


def is_active(neon: Neon, endpoint: Endpoint) -> bool:
    """Whether its server runs."""
    return neon.computes.is_active(endpoint)


def new(
    neon: Neon, project: Project, branch: Branch, kind: EndpointType, values: dict[str, Any]
) -> Endpoint:
    """An endpoint that takes connections, and is not in the store yet.

    Raises:
        Unprocessable: the branch has one that writes already, or a value is out of range.
        Failed: the machine has no address left.
    """
    _may_come(neon, branch, kind)
    now = neon.clock.now()
    defaults = dict(project.default_endpoint_settings)
    settings = defaults.pop("pg_settings", None)
    defaults.pop("pgbouncer_settings", None)
    if settings:
        defaults["settings"] = {"pg_settings": settings}
    endpoint = Endpoint(
        id=ids.endpoint(),
        project_id=project.id,
        branch_id=branch.id,
        type=kind,
        address="",
        port=0,
        created_at=now,
        updated_at=now,
    )
    endpoint = _checked(neon, project, replace(endpoint, **(defaults | _stored(values))))
    try:
        address, port = neon.addresses.open_new(endpoint.id, neon.store.all(Endpoint))
    except OSError as error:
        raise Failed(str(error)) from None
    return replace(endpoint, address=address, port=port)


def create(neon: Neon, project: Project, branch: Branch, wanted: NewEndpoint) -> Changed:
    """Create an endpoint; its server is started by whoever connects first."""
    endpoint = new(neon, project, branch, wanted.type, given(wanted))

    def work() -> Change:
        if neon.store.get(Branch, branch.id) is None:
            raise NotFound("branch not found")
        _may_come(neon, branch, wanted.type)
        return Change(put=[endpoint])

    operations = neon.journal.run(
        project.id,
        [Step("start_compute", branch.id, endpoint.id)],
        work,
        undo=lambda: neon.computes.front.close(endpoint.id),
    )
    return endpoint, operations


def update(neon: Neon, project: Project, endpoint: Endpoint, changes: EndpointChanges) -> Changed:
    """Change an endpoint; what its server reads at a start restarts it."""
    values = given(changes)
    branch_id = values.get("branch_id", endpoint.branch_id)
    if branch_id != endpoint.branch_id:
        raise Unprocessable("an endpoint cannot be moved to another branch")
    _checked(neon, project, replace(endpoint, **_stored(values)))

    def work() -> Change:
        before = _current(neon, endpoint)
        changed = replace(before, **_stored(values), updated_at=neon.clock.now())
        if changed.settings != before.settings or changed.disabled:
            neon.computes.suspend_endpoint(endpoint)
        if changed.disabled:
            neon.computes.front.down(endpoint.id, hold=False)
        return Change(put=[replace(_current(neon, endpoint), **_stored(values))])

    return _run(neon, project, endpoint, "apply_config", work)


def delete(neon: Neon, project: Project, endpoint: Endpoint) -> Changed:
    """Delete an endpoint; the branch stays.

    Raises:
        Unprocessable: its branch is protected.
    """
    branch = neon.store.get(Branch, endpoint.branch_id)
    if branch is not None and branch.protected:
        raise Unprocessable("the endpoint of a protected branch cannot be deleted")

    def work() -> Change:
        neon.computes.suspend_endpoint(endpoint)
        neon.computes.drop_replica(endpoint)
        return Change(delete=[endpoint], after=[lambda: neon.computes.front.close(endpoint.id)])

    operations = neon.journal.run(
        project.id, [Step("suspend_compute", endpoint.branch_id, endpoint.id)], work
    )
    return endpoint, operations


def start(neon: Neon, project: Project, endpoint: Endpoint) -> Changed:
    """Start its server now."""
    if endpoint.disabled:
        raise Unprocessable("the endpoint is disabled")
    _admit(neon, endpoint)

    def work() -> Change:
        neon.computes.start_endpoint(endpoint)
        now = neon.clock.now()
        return Change(put=[replace(_current(neon, endpoint), started_at=now, last_active=now)])

    return _run(neon, project, endpoint, "start_compute", work)


def suspend(neon: Neon, project: Project, endpoint: Endpoint) -> Changed:
    """Stop its server; the next connection starts it again."""

    def work() -> Change:
        neon.computes.suspend_endpoint(endpoint)
        return Change(put=[replace(_current(neon, endpoint), suspended_at=neon.clock.now())])

    return _run(neon, project, endpoint, "suspend_compute", work)


def restart(neon: Neon, project: Project, endpoint: Endpoint) -> Changed:
    """Stop its server and start it, cutting connections."""
    _admit(neon, endpoint)

    def work() -> Change:
        neon.computes.suspend_endpoint(endpoint)
        neon.computes.start_endpoint(endpoint)
        now = neon.clock.now()
        return Change(put=[replace(_current(neon, endpoint), started_at=now, last_active=now)])

    return _run(neon, project, endpoint, "start_compute", work)


def _admit(neon: Neon, endpoint: Endpoint) -> None:
    """Refuse before anything is written down, where a quota is used up."""
    branch = neon.store.get(Branch, endpoint.branch_id)
    if branch is not None:
        neon.computes.admit(branch)


def _run(neon: Neon, project: Project, endpoint: Endpoint, action: str, work: Any) -> Changed:
    operations = neon.journal.run(project.id, [Step(action, endpoint.branch_id, endpoint.id)], work)
    return _current(neon, endpoint), operations


def _current(neon: Neon, endpoint: Endpoint) -> Endpoint:
    """Its row, which a start may have changed."""
    return neon.store.get(Endpoint, endpoint.id) or endpoint


def _stored(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in _NOT_STORED}


def _may_come(neon: Neon, branch: Branch, kind: EndpointType) -> None:
    others = neon.store.all(Endpoint, branch_id=branch.id)
    if kind == "read_write" and any(one.type == kind for one in others):
        raise Unprocessable("read_write endpoint already exists")


def _checked(neon: Neon, project: Project, endpoint: Endpoint) -> Endpoint:
    if endpoint.autoscaling_limit_min_cu > endpoint.autoscaling_limit_max_cu:
        raise Unprocessable("autoscaling_limit_min_cu must not exceed autoscaling_limit_max_cu")
    pg_settings.check(neon, project, endpoint.settings.get("pg_settings"))
    return endpoint
