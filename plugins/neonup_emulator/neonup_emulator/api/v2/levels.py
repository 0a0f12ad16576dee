"""Which permission for a project an operation takes: to read it Viewer, to change it Editor.

As https://neon.com/docs/manage/user-permissions has it (July and August 2026), which names kinds of
actions, not operations. Where it is silent the higher permission is taken: a schema is read from
the database, which viewers may not query.
"""

from __future__ import annotations

from neonup_emulator.api.v2.operations import ApiOperation, RequestContext
from neonup_emulator.neon.accounts.project_access import Level
from neonup_emulator.neon.errors import Forbidden
from neonup_emulator.neon.model import Project
from neonup_emulator.neon.projects import not_enough

_OTHERS: dict[str, Level | None] = {
    # With these somebody connects, or sees what is in a database.
    "getConnectionURI": Level.EDITOR,
    "getProjectBranchRolePassword": Level.EDITOR,
    "getProjectBranchSchema": Level.EDITOR,
    "getProjectBranchSchemaComparison": Level.EDITOR,
    # Who may use the project, and whether it is there.
    "setProjectMemberRole": Level.ADMIN,
    "removeProjectMemberRole": Level.ADMIN,
    "grantPermissionToProject": Level.ADMIN,
    "revokePermissionFromProject": Level.ADMIN,
    "deleteProject": Level.ADMIN,
    "recoverProject": Level.ADMIN,
    "createProjectTransferRequest": Level.ADMIN,
    # Whoever accepts a project does not have it yet.
    "acceptProjectTransferRequest": None,
}


def needed(operation: ApiOperation) -> Level | None:
    """The permission that an operation takes; None: it asks for another right, or is about no
    single project."""
    if "{project_id}" not in operation.path:
        return None
    return _OTHERS.get(operation.id, Level.VIEWER if operation.method == "GET" else Level.EDITOR)


def check(call: RequestContext, operation: ApiOperation) -> None:
    """Let only those pass who may do that with the project that the address names.

    A project that is not there, or hidden from the caller, is the operation's to refuse.

    Raises:
        Forbidden: the caller's permission is not enough.
    """
    least = needed(operation)
    project = call.neon.store.get(Project, call.path.get("project_id", "")) if least else None
    level = call.caller.level(project) if project else None
    if least is None or level is None or level >= least:
        return
    if call.caller.project_id is not None:
        raise Forbidden(f"a key of one project cannot do this: it is an {level.name.lower()}")
    raise Forbidden(not_enough(level, least))
