"""Neon's other services of a branch, of which the local Neon has none.

Clients such as ``neon status`` and ``neon env pull`` ask a branch what it has. They are told the
truth in the words of Neon's document: lists are empty, and what is one for each branch does not
exist (404, with the document's ``reason`` where it has reasons). What would create something
answers 501.
"""

from __future__ import annotations

from neonup_emulator.api.v2.branches import branch_of
from neonup_emulator.api.v2.operations import Answer, RequestContext, operation
from neonup_emulator.neon import databases
from neonup_emulator.neon.errors import NotEnabled, NotFound

_BRANCH = "/projects/{project_id}/branches/{branch_id}"
_LOGS = f"{_BRANCH}/logs"


@operation("listProjectBranchBuckets", f"GET {_BRANCH}/buckets")
def list_project_branch_buckets(call: RequestContext) -> Answer:
    """There are none."""
    branch_of(call)
    return {"buckets": []}


@operation("listProjectBranchFunctions", f"GET {_BRANCH}/functions")
def list_project_branch_functions(call: RequestContext) -> Answer:
    """There are none."""
    branch_of(call)
    call.whole("limit", default=50, smallest=1, largest=1000)
    return {"functions": []}


@operation("listCredentials", f"GET {_BRANCH}/credentials")
def list_credentials(call: RequestContext) -> Answer:
    """404: a project without Neon's platform services has none.

    After an empty list `neon env pull` of npm's neon 6.2.3 creates one for the AI Gateway, and ends
    with an error without writing a file, whether that answers 501 or 404. At this status with these
    words it warns and leaves the gateway out, as at Neon in a region that has none. `neon status`
    takes either.
    """
    branch_of(call)
    raise NotFound("branch credentials are not available for this project")


@operation("listProjectBranchTriggers", f"GET {_BRANCH}/triggers")
def list_project_branch_triggers(call: RequestContext) -> Answer:
    """There are none."""
    branch_of(call)
    return {"triggers": []}


@operation("listProjectBranchCustomDomains", f"GET {_BRANCH}/custom-domains")
def list_project_branch_custom_domains(call: RequestContext) -> Answer:
    """There are none."""
    branch_of(call)
    return {"custom_domains": []}


@operation("getNeonAuth", f"GET {_BRANCH}/auth")
def get_neon_auth(call: RequestContext) -> Answer:
    """404: no branch has it."""
    branch_of(call)
    raise NotFound("Neon Auth is not enabled on this branch")


@operation("getProjectBranchDataAPI", f"GET {_BRANCH}/data-api/{{database_name}}")
def get_project_branch_data_api(call: RequestContext) -> Answer:
    """404: no database has it."""
    databases.find(call.neon, branch_of(call), call.path["database_name"])
    raise NotFound("the Data API is not enabled for this database")


@operation("getProjectBranchStorage", f"GET {_BRANCH}/storage")
def get_project_branch_storage(call: RequestContext) -> Answer:
    """404: `region_unavailable`."""
    _check(call)
    raise NotEnabled("object storage is not available here", "region_unavailable")


@operation("getProjectBranchAiGateway", f"GET {_BRANCH}/ai_gateway")
def get_project_branch_ai_gateway(call: RequestContext) -> Answer:
    """404: `ai_gateway_unavailable`."""
    _check(call)
    raise NotEnabled("the AI Gateway is not available here", "ai_gateway_unavailable")


@operation("queryProjectBranchLogs", f"POST {_LOGS}/query")
def query_project_branch_logs(call: RequestContext) -> Answer:
    """404: `telemetry_not_enabled`."""
    raise _no_logs(call)


@operation("listProjectBranchLogFields", f"GET {_LOGS}/fields")
def list_project_branch_log_fields(call: RequestContext) -> Answer:
    """404: `telemetry_not_enabled`."""
    raise _no_logs(call)


@operation("listProjectBranchLogFieldValues", f"GET {_LOGS}/fields/{{field_name}}/values")
def list_project_branch_log_field_values(call: RequestContext) -> Answer:
    """404: `telemetry_not_enabled`."""
    raise _no_logs(call)


def _no_logs(call: RequestContext) -> NotEnabled:
    _check(call)
    return NotEnabled("the branch collects no telemetry", "telemetry_not_enabled")


def _check(call: RequestContext) -> None:
    """As `branch_of`, where a 404 names its reason.

    Raises:
        NotEnabled: there is no such project or branch.
    """
    try:
        branch_of(call)
    except NotFound as missing:
        raise NotEnabled(missing.message, "branch_not_found") from None
