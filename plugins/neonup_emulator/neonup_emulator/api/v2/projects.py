"""Projects, their operations, and whom they are shared with."""

from __future__ import annotations

from neonup_emulator.api.v2 import serializers
from neonup_emulator.api.v2.operations import Answer, RequestContext, operation
from neonup_emulator.api.v2.paging import page
from neonup_emulator.neon import permissions, projects
from neonup_emulator.neon.changes import project_creation
from neonup_emulator.neon.errors import NotFound
from neonup_emulator.neon.metering import usage
from neonup_emulator.neon.model import Operation, Permission, Project
from neonup_emulator.neon.requests.access import GrantPermission, RevokePermission
from neonup_emulator.neon.requests.projects import CreateProject, UpdateProject


@operation("listProjects", "GET /projects")
def list_projects(call: RequestContext) -> Answer:
    org_id = call.query.get("org_id")
    if org_id is not None:
        call.neon.identity.organization(call.caller, org_id)
    listed = projects.all_of(
        call.neon, call.caller, org_id=org_id, deleted=call.flag("recoverable")
    )
    return _listed(call, listed)


@operation("listSharedProjects", "GET /projects/shared")
def list_shared_projects(call: RequestContext) -> Answer:
    listed = projects.shared_with(call.neon, call.caller)
    return _listed(call, listed)


def _listed(call: RequestContext, listed: list[Project]) -> Answer:
    call.whole("timeout", 30_000, 100, 30_000)  # milliseconds; no list takes that long here
    if search := call.query.get("search"):
        listed = [
            project
            for project in listed
            if search.lower() in project.name.lower() or search in project.id
        ]
    shown, cursor = page(
        call, listed, lambda project: project.created_at, descending=True, default=10, largest=400
    )
    items, used = [], usage.of_projects(call.neon, shown)
    for project in shown:
        item = serializers.project_item(call.neon, project, used[project.id])
        item |= _permission_for(call, project)
        if project.deleted_at is not None:
            until = project.deleted_at + projects.RECOVERABLE
            item["recoverable_until"] = serializers.moment(until)
        items.append(item)
    answer = {"projects": items, "applications": {}, "integrations": {}}
    return answer | ({"pagination": {"cursor": cursor}} if cursor else {})


@operation("createProject", "POST /projects", status=201)
def create_project(call: RequestContext) -> Answer:
    """Each region is this machine; the Postgres versions that this machine has."""
    created = project_creation.create(call.neon, call.caller, call.body(CreateProject).project)
    uri = serializers.connection(
        created.project, created.endpoint, created.role, created.database.name
    )
    return {
        "project": serializers.project(call.neon, created.project),
        "connection_uris": [uri],
        "roles": [serializers.role(created.role, secret=True)],
        "databases": [serializers.database(created.database)],
        **serializers.operations(created.operations),
        "branch": serializers.branch(created.branch),
        "endpoints": [serializers.endpoint(call.neon, created.endpoint)],
    }


@operation("getProject", "GET /projects/{project_id}")
def get_project(call: RequestContext) -> Answer:
    """What was consumed was measured, at most a minute ago."""
    project = call.project()
    return {"project": serializers.project(call.neon, project) | _permission_for(call, project)}


@operation("updateProject", "PATCH /projects/{project_id}")
def update_project(call: RequestContext) -> Answer:
    """Quotas are enforced; allowed addresses and preload libraries are kept and shown."""
    changes = call.body(UpdateProject).project
    changed, operations = projects.update(call.neon, call.project(), changes)
    return {
        "project": serializers.project(call.neon, changed),
        **serializers.operations(operations),
    }


@operation("deleteProject", "DELETE /projects/{project_id}")
def delete_project(call: RequestContext) -> Answer:
    """Can be recovered for seven days."""
    deleted = projects.delete(call.neon, call.project())
    return {"project": serializers.project(call.neon, deleted)}


@operation("recoverProject", "POST /projects/{project_id}/recover")
def recover_project(call: RequestContext) -> Answer:
    project, branches = projects.recover(call.neon, call.caller, call.path["project_id"])
    return {
        "project": serializers.project(call.neon, project),
        "branches": [serializers.branch(branch) for branch in branches],
    }


@operation("getAvailablePreloadLibraries", "GET /projects/{project_id}/available_preload_libraries")
def get_available_preload_libraries(call: RequestContext) -> Answer:
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
def list_project_operations(call: RequestContext) -> Answer:
    project = call.project()
    operations = call.neon.store.all(Operation, project_id=project.id)[::-1]
    shown, cursor = page(
        call, operations, lambda other: other.created_at, descending=True, default=100, largest=1000
    )
    answer = serializers.operations(shown)
    return answer | ({"pagination": {"cursor": cursor}} if cursor else {})


@operation("getProjectOperation", "GET /projects/{project_id}/operations/{operation_id}")
def get_project_operation(call: RequestContext) -> Answer:
    project = call.project()
    operation = call.neon.store.get(Operation, call.path["operation_id"])
    if operation is None or operation.project_id != project.id:
        raise NotFound("operation not found")
    return {"operation": serializers.operation(operation)}


@operation("listProjectPermissions", "GET /projects/{project_id}/permissions")
def list_project_permissions(call: RequestContext) -> Answer:
    permissions = call.neon.store.all(Permission, project_id=call.project().id)
    return {"project_permissions": [_permission(permission) for permission in permissions]}


@operation("grantPermissionToProject", "POST /projects/{project_id}/permissions")
def grant_permission_to_project(call: RequestContext) -> Answer:
    """Nobody is told; a user of that address reaches the project from now on."""
    project = call.project()
    return _permission(permissions.grant(call.neon, project, call.body(GrantPermission).email))


@operation(
    "revokePermissionFromProject",
    "DELETE /projects/{project_id}/permissions/{permission_id}",
    "DELETE /projects/{project_id}/permissions",  # neon-api 0.3, with the id in the body
)
def revoke_permission_from_project(call: RequestContext) -> Answer:
    project = call.project()
    id = call.path.get("permission_id") or call.body(RevokePermission).permission_id  # noqa: A001
    permission = permissions.revoke(call.neon, project, id)
    return _permission(permission) | {"revoked_at": serializers.moment(call.neon.clock.now())}


def _permission_for(call: RequestContext, project: Project) -> serializers.Shown:
    """What the caller may do with a project; the document says it to people alone, not to keys of
    organizations."""
    level = None if call.caller.is_organization else call.caller.level(project)
    return {"effective_project_permission": level.name} if level else {}


def _permission(row: Permission) -> serializers.Shown:
    return {
        "id": row.id,
        "granted_to_email": row.granted_to_email,
        "granted_at": serializers.moment(row.granted_at),
    }
