"""Branches and endpoints."""

from __future__ import annotations

from collections.abc import Callable

from neonup_emulator.api.v2 import serializers
from neonup_emulator.api.v2.operations import Answer, RequestContext, operation
from neonup_emulator.api.v2.paging import Rank, page
from neonup_emulator.neon import branches, endpoints
from neonup_emulator.neon.changes import branch_creation
from neonup_emulator.neon.errors import NotFound
from neonup_emulator.neon.metering import usage
from neonup_emulator.neon.model import Branch, BranchDatabase, DataState, Endpoint, Role
from neonup_emulator.neon.requests.branches import CreateBranch, UpdateBranch
from neonup_emulator.neon.requests.endpoints import CreateEndpoint, UpdateEndpoint
from neonup_emulator.neon.state import ownership

_ALL = "/projects/{project_id}/branches"
_ONE = f"{_ALL}/{{branch_id}}"
_ENDPOINTS = "/projects/{project_id}/endpoints"
_ENDPOINT = f"{_ENDPOINTS}/{{endpoint_id}}"

_ORDERS: dict[str, Callable[[Branch], Rank]] = {
    "name": lambda branch: branch.name,
    "created_at": lambda branch: branch.created_at,
    "updated_at": lambda branch: branch.updated_at,
}


def branch_of(call: RequestContext) -> Branch:
    """The branch that the address names."""
    return branches.find(call.neon, call.project(), call.path["branch_id"])


@operation("listProjectBranches", f"GET {_ALL}")
def list_project_branches(call: RequestContext) -> Answer:
    branches = _searched(call)
    sort_by = call.choice("sort_by", _ORDERS, "updated_at")
    order = call.choice("sort_order", ("asc", "desc"), "desc")
    by = _ORDERS[sort_by]
    branches.sort(key=by, reverse=order == "desc")
    shown, cursor = page(
        call, branches, by, descending=order == "desc", default=10_000, largest=10_000
    )
    more = bool(shown) and shown[-1] is not branches[-1]
    pagination = {"sort_by": sort_by, "sort_order": order.upper()}
    used = usage.of_branches(call.neon, call.path["project_id"], shown)
    return {
        "branches": [serializers.branch(branch, used[branch.id]) for branch in shown],
        "annotations": {
            branch.id: serializers.annotation(branch) for branch in shown if branch.annotation
        },
        "pagination": pagination | ({"next": cursor} if more else {}),
    }


@operation("countProjectBranches", f"GET {_ALL}/count")
def count_project_branches(call: RequestContext) -> Answer:
    return {"count": len(_searched(call))}


def _searched(call: RequestContext) -> list[Branch]:
    branches = call.neon.store.all(Branch, project_id=call.project().id)
    search = call.query.get("search", "").lower()
    return [branch for branch in branches if search in branch.name.lower() or search in branch.id]


@operation("createProjectBranch", f"POST {_ALL}", status=201)
def create_project_branch(call: RequestContext) -> Answer:
    """From now, a timestamp or an LSN; without rows from now alone."""
    project = call.project()
    branch, opened, operations = branch_creation.create(call.neon, project, call.body(CreateBranch))
    roles, databases = _contents(call, branch)
    answer = {
        "branch": serializers.branch(branch, usage.of_branch(call.neon, branch)),
        "endpoints": [serializers.endpoint(call.neon, endpoint) for endpoint in opened],
        **serializers.operations(operations),
        "roles": [serializers.role(role) for role in roles],
        "databases": [serializers.database(row) for row in databases],
    }
    by_name = {role.name: role for role in roles}
    if opened and project.store_passwords:
        answer["connection_uris"] = [
            serializers.connection(project, opened[0], by_name[row.owner_name], row.name)
            for row in databases
            if row.owner_name in by_name
        ]
    return answer


def _contents(call: RequestContext, branch: Branch) -> tuple[list[Role], list[BranchDatabase]]:
    """A branch's roles and databases: its parent's while its data is still being copied."""
    store = call.neon.store
    parent = store.get(Branch, branch.parent_id) if branch.parent_id else None
    rows = ownership.owned_by(store, branch)
    if parent is not None and not parent.protected and branch.state is DataState.INIT:
        rows = ownership.inherited(store, parent, branch, branch.created_at)
    roles = [row for row in rows if isinstance(row, Role)]
    return roles, [row for row in rows if isinstance(row, BranchDatabase)]


@operation("getProjectBranch", f"GET {_ONE}")
def get_project_branch(call: RequestContext) -> Answer:
    branch = branch_of(call)
    shown = serializers.branch(branch, usage.of_branch(call.neon, branch))
    return {"branch": shown, "annotation": serializers.annotation(branch)}


@operation("updateProjectBranch", f"PATCH {_ONE}")
def update_project_branch(call: RequestContext) -> Answer:
    changes = call.body(UpdateBranch).branch
    return _changed(call, branches.update(call.neon, call.project(), branch_of(call), changes))


@operation("deleteProjectBranch", f"DELETE {_ONE}")
def delete_project_branch(call: RequestContext) -> Answer:
    """For good, at once: it cannot be recovered."""
    project = call.project()
    try:
        branch = branch_of(call)
    except NotFound:  # gone already, says the document
        return None
    return _changed(call, branches.delete(call.neon, project, branch))


@operation(
    "setDefaultProjectBranch",
    f"POST {_ONE}/set_as_default",
    f"POST {_ONE}/set_as_primary",  # neon-api 0.3
)
def set_default_project_branch(call: RequestContext) -> Answer:
    return _changed(call, branches.set_default(call.neon, call.project(), branch_of(call)))


def _changed(call: RequestContext, changed: branches.Changed) -> Answer:
    branch, operations = changed
    shown = serializers.branch(branch, usage.of_branch(call.neon, branch))
    return {"branch": shown, **serializers.operations(operations)}


@operation("listProjectBranchEndpoints", f"GET {_ONE}/endpoints")
def list_project_branch_endpoints(call: RequestContext) -> Answer:
    endpoints = call.neon.store.all(Endpoint, branch_id=branch_of(call).id)
    return {"endpoints": [serializers.endpoint(call.neon, endpoint) for endpoint in endpoints]}


@operation("listProjectEndpoints", f"GET {_ENDPOINTS}")
def list_project_endpoints(call: RequestContext) -> Answer:
    endpoints = call.neon.store.all(Endpoint, project_id=call.project().id)
    return {"endpoints": [serializers.endpoint(call.neon, endpoint) for endpoint in endpoints]}


@operation("createProjectEndpoint", f"POST {_ENDPOINTS}", status=201)
def create_project_endpoint(call: RequestContext) -> Answer:
    """Compute units are kept and shown; the server has what the machine has."""
    project, wanted = call.project(), call.body(CreateEndpoint).endpoint
    branch = branches.find(call.neon, project, wanted.branch_id)
    return _endpoint(call, endpoints.create(call.neon, project, branch, wanted))


@operation("getProjectEndpoint", f"GET {_ENDPOINT}")
def get_project_endpoint(call: RequestContext) -> Answer:
    return {"endpoint": serializers.endpoint(call.neon, _find(call))}


@operation("updateProjectEndpoint", f"PATCH {_ENDPOINT}")
def update_project_endpoint(call: RequestContext) -> Answer:
    """Postgres's own settings reach the server; it cannot be moved to another branch."""
    changes = call.body(UpdateEndpoint).endpoint
    return _endpoint(call, endpoints.update(call.neon, call.project(), _find(call), changes))


@operation("deleteProjectEndpoint", f"DELETE {_ENDPOINT}")
def delete_project_endpoint(call: RequestContext) -> Answer:
    project = call.project()
    try:
        endpoint = _find(call)
    except NotFound:
        return None
    return _endpoint(call, endpoints.delete(call.neon, project, endpoint))


@operation("startProjectEndpoint", f"POST {_ENDPOINT}/start")
def start_project_endpoint(call: RequestContext) -> Answer:
    return _endpoint(call, endpoints.start(call.neon, call.project(), _find(call)))


@operation("suspendProjectEndpoint", f"POST {_ENDPOINT}/suspend")
def suspend_project_endpoint(call: RequestContext) -> Answer:
    return _endpoint(call, endpoints.suspend(call.neon, call.project(), _find(call)))


@operation("restartProjectEndpoint", f"POST {_ENDPOINT}/restart")
def restart_project_endpoint(call: RequestContext) -> Answer:
    return _endpoint(call, endpoints.restart(call.neon, call.project(), _find(call)))


def _find(call: RequestContext) -> Endpoint:
    return endpoints.find(call.neon, call.project(), call.path["endpoint_id"])


def _endpoint(call: RequestContext, changed: endpoints.Changed) -> Answer:
    endpoint, operations = changed
    return {
        "endpoint": serializers.endpoint(call.neon, endpoint),
        **serializers.operations(operations),
    }
