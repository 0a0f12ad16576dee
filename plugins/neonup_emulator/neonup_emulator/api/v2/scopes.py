"""Which scopes an OAuth token needs for which operation.

Neon's document does not say it. What is below a project (branches, endpoints, roles) is part of
the project, so changing it takes `projects:update`. A key is good for all that its user can do, so
making one takes all that the official command line asks for, which makes keys.
"""

from __future__ import annotations

from neonup_emulator.api.v2.not_here import NOT_HERE
from neonup_emulator.neon.accounts.identity import Caller
from neonup_emulator.neon.errors import Forbidden

_PROJECTS = "urn:neoncloud:projects:"
_ORGS = "urn:neoncloud:orgs:"

_ALL = (
    *(f"{_PROJECTS}{verb}" for verb in ("create", "read", "update", "delete")),
    *(f"{_ORGS}{verb}" for verb in ("create", "read", "update", "delete", "permission")),
)

_OPERATIONS: dict[tuple[str, ...], str] = {
    (): "getCurrentUserInfo getCurrentUserOrganizations getAuthDetails getActiveRegions",
    (f"{_PROJECTS}create",): "createProject",
    (f"{_PROJECTS}read",): """
        listProjects listSharedProjects getProject getAvailablePreloadLibraries
        listProjectOperations getProjectOperation listProjectPermissions listProjectMembers
        getConnectionURI
        listProjectBranches countProjectBranches getProjectBranch listProjectBranchEndpoints
        getProjectBranchSchema getProjectBranchSchemaComparison getSnapshotSchedule listSnapshots
        listProjectEndpoints getProjectEndpoint
        listProjectBranchDatabases getProjectBranchDatabase
        listProjectBranchRoles getProjectBranchRole getProjectBranchRolePassword
        getConsumptionHistoryPerProject getConsumptionHistoryPerProjectV2
        getConsumptionHistoryPerBranchV2
        listProjectBranchBuckets listProjectBranchFunctions listCredentials
        listProjectBranchTriggers listProjectBranchCustomDomains getNeonAuth
        getProjectBranchDataAPI getProjectBranchStorage getProjectBranchAiGateway
        queryProjectBranchLogs listProjectBranchLogFields listProjectBranchLogFieldValues
    """,
    (f"{_PROJECTS}update",): """
        updateProject
        createProjectBranch updateProjectBranch deleteProjectBranch setDefaultProjectBranch
        restoreProjectBranch finalizeRestoreBranch
        createSnapshot updateSnapshot deleteSnapshot restoreSnapshot setSnapshotSchedule
        createProjectEndpoint updateProjectEndpoint deleteProjectEndpoint
        startProjectEndpoint suspendProjectEndpoint restartProjectEndpoint
        createProjectBranchDatabase updateProjectBranchDatabase deleteProjectBranchDatabase
        createProjectBranchRole deleteProjectBranchRole resetProjectBranchRolePassword
    """,
    (f"{_PROJECTS}delete",): "deleteProject recoverProject",
    (f"{_PROJECTS}permission",): """
        grantPermissionToProject revokePermissionFromProject createProjectTransferRequest
        setProjectMemberRole removeProjectMemberRole
        transferProjectsFromUserToOrg transferProjectsFromOrgToOrg
    """,
    # Whoever accepts a project has one more.
    (f"{_PROJECTS}create", f"{_PROJECTS}permission"): "acceptProjectTransferRequest",
    (f"{_ORGS}read",): """
        getOrganization getOrganizationMembers getOrganizationMember getOrganizationInvitations
        getOrganizationSpendingLimit listOrgApiKeys listApiKeys
    """,
    (f"{_ORGS}update",): "setOrganizationSpendingLimit deleteOrganizationSpendingLimit",
    (f"{_ORGS}permission",): """
        createOrganizationInvitations updateOrganizationMember removeOrganizationMember
        revokeApiKey revokeOrgApiKey
    """,
    _ALL: "createApiKey createOrgApiKey",
}

NEEDED: dict[str, tuple[str, ...]] = {
    id: scopes  # the operation's
    for scopes, ids in _OPERATIONS.items()
    for id in ids.split()  # noqa: A001
}
"""The scopes that an operation needs, all of them, by `operationId`."""


def check(caller: Caller, operation_id: str) -> None:
    """Let only those pass whose credential is good for the operation.

    Keys and sessions have no scopes, and are good for all. What is missing in the table is
    allowed to no token; what is not carried out at all says so itself.

    Raises:
        Forbidden: a token lacks a scope.
    """
    if caller.scopes is None or operation_id in NOT_HERE:
        return
    needed = NEEDED.get(operation_id)
    if needed is None:
        raise Forbidden(f"{operation_id} cannot be used with an OAuth token")
    if missing := [scope for scope in needed if scope not in caller.scopes]:
        raise Forbidden(f"the access token lacks the scope {' '.join(missing)}")
