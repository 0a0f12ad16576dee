"""Roles, databases, and the URL that leads to one."""

from __future__ import annotations

from neonup_emulator.api.v2 import serializers
from neonup_emulator.api.v2.branches import branch_of
from neonup_emulator.api.v2.operations import Answer, RequestContext, operation
from neonup_emulator.neon import branches, databases, endpoints, roles
from neonup_emulator.neon.errors import NotFound, Refused
from neonup_emulator.neon.model import Branch, Endpoint
from neonup_emulator.neon.requests.contents import CreateDatabase, CreateRole, UpdateDatabase

_BRANCH = "/projects/{project_id}/branches/{branch_id}"
_DATABASES = f"{_BRANCH}/databases"
_DATABASE = f"{_DATABASES}/{{database_name}}"
_ROLES = f"{_BRANCH}/roles"
_ROLE = f"{_ROLES}/{{role_name}}"


@operation("listProjectBranchDatabases", f"GET {_DATABASES}")
def list_project_branch_databases(call: RequestContext) -> Answer:
    listed = databases.all_of(call.neon, branch_of(call))
    return {"databases": [serializers.database(row) for row in listed]}


@operation("createProjectBranchDatabase", f"POST {_DATABASES}", status=201)
def create_project_branch_database(call: RequestContext) -> Answer:
    wanted = call.body(CreateDatabase).database
    return _database(databases.create(call.neon, call.project(), branch_of(call), wanted))


@operation("getProjectBranchDatabase", f"GET {_DATABASE}")
def get_project_branch_database(call: RequestContext) -> Answer:
    database = databases.find(call.neon, branch_of(call), call.path["database_name"])
    return {"database": serializers.database(database)}


@operation("updateProjectBranchDatabase", f"PATCH {_DATABASE}")
def update_project_branch_database(call: RequestContext) -> Answer:
    changes, name = call.body(UpdateDatabase).database, call.path["database_name"]
    return _database(databases.update(call.neon, call.project(), branch_of(call), name, changes))


@operation("deleteProjectBranchDatabase", f"DELETE {_DATABASE}")
def delete_project_branch_database(call: RequestContext) -> Answer:
    project, branch, name = call.project(), branch_of(call), call.path["database_name"]
    try:
        return _database(databases.delete(call.neon, project, branch, name))
    except NotFound:  # gone already, says the document
        return None


def _database(changed: databases.Changed) -> Answer:
    database, operations = changed
    return {"database": serializers.database(database), **serializers.operations(operations)}


@operation("listProjectBranchRoles", f"GET {_ROLES}")
def list_project_branch_roles(call: RequestContext) -> Answer:
    listed = roles.all_of(call.neon, branch_of(call))
    return {"roles": [serializers.role(role) for role in listed]}


@operation("createProjectBranchRole", f"POST {_ROLES}", status=201)
def create_project_branch_role(call: RequestContext) -> Answer:
    wanted = call.body(CreateRole).role
    return _role(roles.create(call.neon, call.project(), branch_of(call), wanted), secret=True)


@operation("getProjectBranchRole", f"GET {_ROLE}")
def get_project_branch_role(call: RequestContext) -> Answer:
    role = roles.find(call.neon, branch_of(call), call.path["role_name"])
    return {"role": serializers.role(role)}


@operation("deleteProjectBranchRole", f"DELETE {_ROLE}")
def delete_project_branch_role(call: RequestContext) -> Answer:
    project, branch, name = call.project(), branch_of(call), call.path["role_name"]
    try:
        return _role(roles.delete(call.neon, project, branch, name))
    except NotFound:
        return None


@operation("resetProjectBranchRolePassword", f"POST {_ROLE}/reset_password")
def reset_project_branch_role_password(call: RequestContext) -> Answer:
    name = call.path["role_name"]
    changed = roles.reset_password(call.neon, call.project(), branch_of(call), name)
    return _role(changed, secret=True)


@operation(
    "getProjectBranchRolePassword",
    f"GET {_ROLE}/reveal_password",
    f"POST {_ROLE}/reveal_password",  # neon-api 0.3
)
def get_project_branch_role_password(call: RequestContext) -> Answer:
    project, branch = call.project(), branch_of(call)
    return {"password": roles.password_of(call.neon, project, branch, call.path["role_name"])}


def _role(changed: roles.Changed, *, secret: bool = False) -> Answer:
    role, operations = changed
    return {"role": serializers.role(role, secret=secret), **serializers.operations(operations)}


@operation("getConnectionURI", "GET /projects/{project_id}/connection_uri")
def get_connection_uri(call: RequestContext) -> Answer:
    """The pooled URL is the direct one."""
    project = call.project()
    for name in ("database_name", "role_name"):
        if not call.query.get(name):
            raise Refused(f"the parameter {name} is missing")
    call.flag("pooled")  # the pooled URL is the direct one
    branch, endpoint = _branch_and_endpoint(call)
    role = roles.find(call.neon, branch, call.query["role_name"])
    database = databases.find(call.neon, branch, call.query["database_name"])
    return {"uri": serializers.uri(project, endpoint, role, database.name)}


def _branch_and_endpoint(call: RequestContext) -> tuple[Branch, Endpoint]:
    """Those that the parameters name, or the default branch's endpoint that writes.

    Raises:
        NotFound: the branch has no endpoint, or the endpoint is another branch's.
    """
    neon, project = call.neon, call.project()
    id, endpoint_id = call.query.get("branch_id"), call.query.get("endpoint_id")  # noqa: A001
    if endpoint_id:
        endpoint = endpoints.find(neon, project, endpoint_id)
        if id and id != endpoint.branch_id:
            raise NotFound("the branch has no such endpoint")
        return branches.find(neon, project, endpoint.branch_id), endpoint
    branch = branches.find(neon, project, id) if id else branches.default(neon, project)
    opened = neon.store.all(Endpoint, branch_id=branch.id)
    if not opened:
        raise NotFound("the branch has no endpoint")
    return branch, min(opened, key=lambda endpoint: endpoint.type != "read_write")
