"""Projects, their operations, and whom they are shared with."""

from __future__ import annotations

from neonup_local.api.v2 import answers
from neonup_local.api.v2.operations import Answer, Call, operation
from neonup_local.api.v2.paging import page
from neonup_local.neon import permissions, projects
from neonup_local.neon.errors import NotFound
from neonup_local.neon.metering import usage
from neonup_local.neon.model import Operation, Permission, Project
from neonup_local.neon.requests import (
    CreateProject,
    GrantPermission,
    RevokePermission,
    UpdateProject,
)


@operation("listProjects", "GET /projects")
def list_projects(call: Call) -> Answer:
    org_id = call.query.get("org_id")
    if org_id is not None:
        call.neon.identity.organization(call.caller, org_id)
    found = projects.all_of(call.neon, call.caller, org_id=org_id, deleted=call.flag("recoverable"))
    return _listed(call, found)


@operation("listSharedProjects", "GET /projects/shared")
def list_shared_projects(call: Call) -> Answer:
    found = projects.shared_with(call.neon, call.caller)
    return _listed(call, found)


def _listed(call: Call, found: list[Project]) -> Answer:
    call.whole("timeout", 30_000, 100, 30_000)  # milliseconds; no list takes that long here
    if search := call.query.get("search"):
        found = [one for one in found if search.lower() in one.name.lower() or search in one.id]
    shown, cursor = page(
        call, found, lambda one: one.created_at, descending=True, default=10, largest=400
    )
    items, used = [], usage.of_projects(call.neon, shown)
    for project in shown:
        item = answers.project_item(project, used[project.id])
        if project.deleted_at is not None:
            until = project.deleted_at + projects.RECOVERABLE
            item["recoverable_until"] = answers.moment(until)
        items.append(item)
    answer = {"projects": items, "applications": {}, "integrations": {}}
    return answer | ({"pagination": {"cursor": cursor}} if cursor else {})


@operation("createProject", "POST /projects", status=201)
def create_project(call: Call) -> Answer:
    """Each region is this machine; the Postgres versions that this machine has."""
    created = projects.create(call.neon, call.caller, call.body(CreateProject).project)
    uri = answers.connection(created.project, created.endpoint, created.role, created.database.name)
    return {
        "project": answers.project(call.neon, created.project),
        "connection_uris": [uri],
        "roles": [answers.role(created.role, secret=True)],
        "databases": [answers.database(created.database)],
        **answers.operations(created.operations),
        "branch": answers.branch(created.branch),
        "endpoints": [answers.endpoint(call.neon, created.endpoint)],
    }


@operation("getProject", "GET /projects/{project_id}")
def get_project(call: Call) -> Answer:
    """What was consumed was measured, at most a minute ago."""
    return {"project": answers.project(call.neon, call.project())}


@operation("updateProject", "PATCH /projects/{project_id}")
def update_project(call: Call) -> Answer:
    """Quotas are enforced; allowed addresses and preload libraries are kept and shown."""
    changes = call.body(UpdateProject).project
    changed, operations = projects.update(call.neon, call.project(), changes)
    return {"project": answers.project(call.neon, changed), **answers.operations(operations)}


@operation("deleteProject", "DELETE /projects/{project_id}")
def delete_project(call: Call) -> Answer:
    """Can be recovered for seven days."""
    deleted = projects.delete(call.neon, call.whole_project("delete it"))
    return {"project": answers.project(call.neon, deleted)}


@operation("recoverProject", "POST /projects/{project_id}/recover")
def recover_project(call: Call) -> Answer:
    project, branches = projects.recover(call.neon, call.caller, call.path["project_id"])
    return {
        "project": answers.project(call.neon, project),
        "branches": [answers.branch(branch) for branch in branches],
    }


@operation("getAvailablePreloadLibraries", "GET /projects/{project_id}/available_preload_libraries")
def get_available_preload_libraries(call: Call) -> Answer:
    call.project()
    return {
        "libraries": [
            {
                "library_name": "pg_stat_statements",
                "description": "Statistics of the statements that were executed.",
                "is_default": True,
                "is_experimental": False,
                "version": "1.0",
            }
        ]
    }


@operation("listProjectOperations", "GET /projects/{project_id}/operations")
def list_project_operations(call: Call) -> Answer:
    project = call.project()
    found = call.neon.store.all(Operation, project_id=project.id)[::-1]
    shown, cursor = page(
        call, found, lambda one: one.created_at, descending=True, default=100, largest=1000
    )
    answer = answers.operations(shown)
    return answer | ({"pagination": {"cursor": cursor}} if cursor else {})


@operation("getProjectOperation", "GET /projects/{project_id}/operations/{operation_id}")
def get_project_operation(call: Call) -> Answer:
    project = call.project()
    found = call.neon.store.get(Operation, call.path["operation_id"])
    if found is None or found.project_id != project.id:
        raise NotFound("operation not found")
    return {"operation": answers.operation(found)}


@operation("listProjectPermissions", "GET /projects/{project_id}/permissions")
def list_project_permissions(call: Call) -> Answer:
    found = call.neon.store.all(Permission, project_id=call.project().id)
    return {"project_permissions": [_permission(one) for one in found]}


@operation("grantPermissionToProject", "POST /projects/{project_id}/permissions")
def grant_permission_to_project(call: Call) -> Answer:
    """Nobody is told; a user of that address reaches the project from now on."""
    project = call.whole_project("share it")
    return _permission(permissions.grant(call.neon, project, call.body(GrantPermission).email))


@operation(
    "revokePermissionFromProject",
    "DELETE /projects/{project_id}/permissions/{permission_id}",
    "DELETE /projects/{project_id}/permissions",  # neon-api 0.3, with the id in the body
)
def revoke_permission_from_project(call: Call) -> Answer:
    project = call.whole_project("share it")
    id = call.path.get("permission_id") or call.body(RevokePermission).permission_id  # noqa: A001
    permission = permissions.revoke(call.neon, project, id)
    return _permission(permission) | {"revoked_at": answers.moment(call.neon.clock.now())}


def _permission(row: Permission) -> answers.Shown:
    return {
        "id": row.id,
        "granted_to_email": row.granted_to_email,
        "granted_at": answers.moment(row.granted_at),
    }
