"""What Neon's API answers, as far as neonup uses it; fields that are not named are passed over.

The names and meanings are those of Neon's OpenAPI document. Sizes are bytes, times are aware.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from msgspec import Struct, field


class ApiObject(Struct, frozen=True, kw_only=True):
    """Part of an answer. ``repr`` shows neither a password nor a connection URI."""

    def __repr__(self) -> str:
        shown = (
            f"{name}={'***' if name in _SECRET and value else value!r}"
            for name in self.__struct_fields__
            if (value := getattr(self, name)) not in (None, [], {})
        )
        return f"{type(self).__name__}({', '.join(shown)})"


ProjectRole = Literal["viewer", "editor", "admin"]
ProjectPermission = Literal["VIEWER", "EDITOR", "ADMIN"]
"""What one may do with a project: read; connect and change; say who may use it, and delete it."""

_SECRET = frozenset({"password", "connection_uri", "uri", "key"})


class Project(ApiObject, frozen=True, kw_only=True):
    """A project. A list leaves out what it consumed in the billing period."""

    id: str
    name: str
    region_id: str = ""
    pg_version: int = 0
    org_id: str | None = None
    owner_id: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    default_endpoint_settings: dict[str, Any] = field(default_factory=dict)
    history_retention_seconds: int | None = None
    synthetic_storage_size: int | None = None
    compute_last_active_at: datetime | None = None
    effective_project_permission: ProjectPermission | None = None
    deleted_at: datetime | None = None
    recoverable_until: datetime | None = None
    active_time_seconds: int | None = None
    compute_time_seconds: int | None = None
    written_data_bytes: int | None = None
    data_transfer_bytes: int | None = None
    consumption_period_start: datetime | None = None
    consumption_period_end: datetime | None = None


class Branch(ApiObject, frozen=True, kw_only=True):
    """A branch."""

    id: str
    project_id: str
    name: str
    current_state: str = ""
    default: bool = False
    protected: bool = False
    parent_id: str | None = None
    parent_lsn: str | None = None
    parent_timestamp: datetime | None = None
    logical_size: int | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    expires_at: datetime | None = None
    init_source: str | None = None
    restored_from: str | None = None
    restore_status: str | None = None


class Endpoint(ApiObject, frozen=True, kw_only=True):
    """A compute endpoint."""

    id: str
    project_id: str
    branch_id: str
    host: str
    type: str
    current_state: str = ""
    disabled: bool = False
    suspend_timeout_seconds: int = 0
    autoscaling_limit_min_cu: float | None = None
    autoscaling_limit_max_cu: float | None = None


class Role(ApiObject, frozen=True, kw_only=True):
    """A role of a branch; its password is there right after a creation or reset only."""

    name: str
    branch_id: str = ""
    password: str | None = None
    protected: bool = False


class BranchDatabase(ApiObject, frozen=True, kw_only=True):
    """A database of a branch."""

    id: int
    name: str
    owner_name: str
    branch_id: str = ""


class Operation(ApiObject, frozen=True, kw_only=True):
    """Something that Neon does in the background."""

    id: str
    project_id: str
    action: str
    status: str
    branch_id: str | None = None
    endpoint_id: str | None = None
    error: str | None = None


class Snapshot(ApiObject, frozen=True, kw_only=True):
    """A kept copy of a branch; its slug is unique in the project, its name may not be."""

    id: str
    name: str
    created_at: datetime
    slug: str | None = None
    source_branch_id: str | None = None
    timestamp: datetime | None = None
    lsn: str | None = None
    expires_at: datetime | None = None
    manual: bool | None = None
    full_size: int | None = None


class TransferRequest(ApiObject, frozen=True, kw_only=True):
    """An offer of a project to whoever accepts it; its id is a secret."""

    id: str
    project_id: str
    created_at: datetime
    expires_at: datetime

    def __repr__(self) -> str:
        return f"TransferRequest(project_id={self.project_id!r}, expires_at={self.expires_at!r})"


class Organization(ApiObject, frozen=True, kw_only=True):
    """An organization."""

    id: str
    name: str
    plan: str = ""
    handle: str = ""


class User(ApiObject, frozen=True, kw_only=True):
    """Who the key belongs to."""

    id: str
    email: str
    login: str = ""
    name: str = ""
    plan: str = ""
    projects_limit: int | None = None


class ConnectionDetails(ApiObject, frozen=True, kw_only=True):
    """How one connects to a new branch."""

    connection_uri: str


class WithOperations(ApiObject, frozen=True, kw_only=True):
    """What a creation or change answers: the thing itself, and what Neon still has to do for it."""

    operations: list[Operation] = field(default_factory=list)


class CreatedProject(WithOperations, frozen=True, kw_only=True):
    """A new project with its first branch."""

    project: Project
    branch: Branch
    endpoints: list[Endpoint] = field(default_factory=list)
    roles: list[Role] = field(default_factory=list)
    databases: list[BranchDatabase] = field(default_factory=list)
    connection_uris: list[ConnectionDetails] = field(default_factory=list)


class CreatedBranch(WithOperations, frozen=True, kw_only=True):
    """A new or changed branch."""

    branch: Branch
    endpoints: list[Endpoint] = field(default_factory=list)
    roles: list[Role] = field(default_factory=list)
    databases: list[BranchDatabase] = field(default_factory=list)
    connection_uris: list[ConnectionDetails] = field(default_factory=list)


class CreatedSnapshot(WithOperations, frozen=True, kw_only=True):
    """A new snapshot."""

    snapshot: Snapshot


class ChangedEndpoint(WithOperations, frozen=True, kw_only=True):
    """A new or changed endpoint."""

    endpoint: Endpoint


class ChangedRole(WithOperations, frozen=True, kw_only=True):
    """A new or changed role."""

    role: Role


class ChangedDatabase(WithOperations, frozen=True, kw_only=True):
    """A new or changed database."""

    database: BranchDatabase


class Operations(WithOperations, frozen=True, kw_only=True):
    """Only operations."""


class ConsumptionMetric(ApiObject, frozen=True, kw_only=True):
    """One figure of a time span."""

    metric_name: str
    value: float


class ConsumptionFrame(ApiObject, frozen=True, kw_only=True):
    """What a project consumed in a span of time."""

    timeframe_start: datetime
    timeframe_end: datetime
    metrics: list[ConsumptionMetric] = field(default_factory=list)


class ConsumptionPeriod(ApiObject, frozen=True, kw_only=True):
    """A billing period's spans."""

    period_id: str = ""
    period_plan: str = ""
    consumption: list[ConsumptionFrame] = field(default_factory=list)


class ProjectConsumption(ApiObject, frozen=True, kw_only=True):
    """A project's consumption."""

    project_id: str
    periods: list[ConsumptionPeriod] = field(default_factory=list)


Granularity = Literal["hourly", "daily", "monthly"]
