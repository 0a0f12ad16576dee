"""What the API's bodies may hold; msgspec refuses what is not of these types.

Names and limits are those of Neon's OpenAPI document. A field that is absent is `UNSET`.
"""

from __future__ import annotations

from datetime import datetime
from ipaddress import ip_address, ip_network
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from neonup_emulator.neon.model import EndpointType, InitSource
from neonup_emulator.neon.regions import Region

Id = Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,60}$")]
Name = Annotated[str, Meta(min_length=1, max_length=256)]
PgName = Annotated[str, Meta(min_length=1, max_length=63, pattern=r"^[^\x00]+$")]
Units = Annotated[float, Meta(ge=0.25, le=1024)]
Timeout = Annotated[int, Meta(ge=-1, le=604_800)]
Retention = Annotated[int, Meta(ge=0, le=2_592_000)]
Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Moment = Annotated[datetime, Meta(tz=True)]
Email = Annotated[str, Meta(min_length=1, max_length=256, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]
Weekday = Annotated[int, Meta(ge=1, le=7)]
TimeOfDay = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Provisioner = Literal["k8s-neonvm", "k8s-pod", "docker", "serverless-platform"]
Annotation = Annotated[dict[str, str], Meta(max_length=50)]


def _fit(*names: str | UnsetType | None) -> None:
    """Postgres counts a name's bytes, not its characters, and cuts what is too long.

    Raises:
        ValueError: one is too long; msgspec refuses the body then.
    """
    for name in names:
        if isinstance(name, str) and len(name.encode()) > 63:
            raise ValueError(f"a name of at most 63 bytes was expected, not {name!r}")


class QuotaSettings(Struct, omit_defaults=True):
    """Limits of a project; what reaches one suspends its endpoints."""

    active_time_seconds: Count | UnsetType = UNSET
    compute_time_seconds: Count | UnsetType = UNSET
    written_data_bytes: Count | UnsetType = UNSET
    data_transfer_bytes: Count | UnsetType = UNSET
    logical_size_bytes: Count | UnsetType = UNSET


class AllowedIps(Struct, omit_defaults=True):
    """Which addresses may connect: single ones, networks, and ranges as ``10.0.0.1-10.0.0.9``."""

    ips: list[str] | UnsetType = UNSET
    protected_branches_only: bool | UnsetType = UNSET

    def __post_init__(self) -> None:
        """Refuse what is no address.

        Raises:
            ValueError: one is none; msgspec refuses the body then.
        """
        for text in self.ips or ():
            try:
                first, dash, last = text.partition("-")
                if not dash:
                    ip_network(text.strip(), strict=False)
                elif int(ip_address(first.strip())) > int(ip_address(last.strip())):
                    raise ValueError
            except ValueError:
                raise ValueError(f"{text!r} in ips is no address, network or range") from None


class PreloadLibraries(Struct, omit_defaults=True):
    """Libraries that a server loads at its start."""

    use_defaults: bool | UnsetType = UNSET
    enabled_libraries: list[str] | UnsetType = UNSET


class MaintenanceWindow(Struct):
    """When a project may be updated: on days from 1, Monday, to 7, Sunday, in UTC."""

    weekdays: Annotated[list[Weekday], Meta(min_length=1, max_length=7)]
    start_time: TimeOfDay
    end_time: TimeOfDay


class ProjectSettings(Struct, omit_defaults=True):
    """The settings of a project."""

    quota: QuotaSettings | UnsetType = UNSET
    allowed_ips: AllowedIps | UnsetType = UNSET
    enable_logical_replication: bool | UnsetType = UNSET
    maintenance_window: MaintenanceWindow | UnsetType = UNSET
    block_public_connections: bool | UnsetType = UNSET
    block_vpc_connections: bool | UnsetType = UNSET
    audit_log_level: Literal["base", "extended", "full"] | UnsetType = UNSET
    hipaa: bool | UnsetType = UNSET
    preload_libraries: PreloadLibraries | UnsetType = UNSET


class EndpointSettings(Struct, omit_defaults=True):
    """The settings of an endpoint."""

    pg_settings: dict[str, str] | UnsetType = UNSET
    pgbouncer_settings: dict[str, str] | UnsetType = UNSET
    preload_libraries: PreloadLibraries | UnsetType = UNSET


class DefaultEndpointSettings(Struct, omit_defaults=True):
    """What a project's endpoints get that are created without their own."""

    pg_settings: dict[str, str] | UnsetType = UNSET
    pgbouncer_settings: dict[str, str] | UnsetType = UNSET
    autoscaling_limit_min_cu: Units | UnsetType = UNSET
    autoscaling_limit_max_cu: Units | UnsetType = UNSET
    suspend_timeout_seconds: Timeout | UnsetType = UNSET


class FirstBranch(Struct):
    """The first branch of a new project."""

    name: Name = "main"
    role_name: PgName | None = None
    database_name: PgName | None = None
    annotations: Annotation = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse names that Postgres would cut."""
        _fit(self.role_name, self.database_name)


class NewProject(Struct):
    """A project to be created."""

    name: Name | None = None
    settings: ProjectSettings | UnsetType = UNSET
    branch: FirstBranch = field(default_factory=FirstBranch)
    autoscaling_limit_min_cu: Units | UnsetType = UNSET
    autoscaling_limit_max_cu: Units | UnsetType = UNSET
    provisioner: Provisioner | UnsetType = UNSET
    region_id: Region | None = None
    default_endpoint_settings: DefaultEndpointSettings | UnsetType = UNSET
    pg_version: int | None = None
    store_passwords: bool = True
    history_retention_seconds: Retention = 86_400
    org_id: Id | None = None


class CreateProject(Struct):
    """Body of `createProject`."""

    project: NewProject


class ProjectChanges(Struct):
    """What changes of a project."""

    name: Name | UnsetType = UNSET
    settings: ProjectSettings | UnsetType = UNSET
    default_endpoint_settings: DefaultEndpointSettings | UnsetType = UNSET
    history_retention_seconds: Retention | UnsetType = UNSET


class UpdateProject(Struct):
    """Body of `updateProject`."""

    project: ProjectChanges


class NewBranch(Struct):
    """A branch to be created; without a parent it branches from the default one."""

    name: Name | None = None
    parent_id: Id | None = None
    parent_lsn: str | None = None
    parent_timestamp: Moment | None = None
    protected: bool = False
    archived: bool = False
    init_source: InitSource = "parent-data"
    expires_at: Moment | None = None


class BranchEndpoint(Struct):
    """An endpoint to be created with a branch."""

    type: EndpointType
    settings: EndpointSettings | UnsetType = UNSET
    autoscaling_limit_min_cu: Units | UnsetType = UNSET
    autoscaling_limit_max_cu: Units | UnsetType = UNSET
    provisioner: Provisioner | UnsetType = UNSET
    suspend_timeout_seconds: Timeout | UnsetType = UNSET


class CreateBranch(Struct):
    """Body of `createProjectBranch`."""

    branch: NewBranch = field(default_factory=NewBranch)
    endpoints: list[BranchEndpoint] = field(default_factory=list)
    annotation_value: Annotation = field(default_factory=dict)


class BranchChanges(Struct):
    """What changes of a branch; an expiry of null takes it away."""

    name: Name | UnsetType = UNSET
    protected: bool | UnsetType = UNSET
    expires_at: Moment | UnsetType | None = UNSET


class UpdateBranch(Struct):
    """Body of `updateProjectBranch`."""

    branch: BranchChanges


class RestoreBranch(Struct):
    """Where a branch's new data comes from."""

    source_branch_id: Id
    source_lsn: str | None = None
    source_timestamp: Moment | None = None
    preserve_under_name: Name | None = None


class NewSnapshot(Struct):
    """What some clients send to `createSnapshot`, whose parameters are in the query."""

    name: Name | None = None
    timestamp: Moment | None = None
    lsn: str | None = None
    expires_at: Moment | None = None


class RestoreSnapshot(Struct):
    """Body of `restoreSnapshot`."""

    name: Name | None = None
    target_branch_id: Id | None = None
    finalize_restore: bool = False


class FinalizeRestore(Struct):
    """Body of `finalizeRestoreBranch`: what the branch that is replaced is called."""

    name: Name | None = None


class SnapshotChanges(Struct):
    """What changes of a snapshot."""

    name: Name | UnsetType = UNSET
    expires_at: Moment | UnsetType | None = UNSET


class UpdateSnapshot(Struct):
    """Body of `updateSnapshot`."""

    snapshot: SnapshotChanges


class EndpointOptions(Struct):
    """What can be set of an endpoint."""

    settings: EndpointSettings | UnsetType = UNSET
    autoscaling_limit_min_cu: Units | UnsetType = UNSET
    autoscaling_limit_max_cu: Units | UnsetType = UNSET
    provisioner: Provisioner | UnsetType = UNSET
    pooler_enabled: bool | UnsetType = UNSET
    pooler_mode: Literal["transaction"] | UnsetType = UNSET
    disabled: bool | UnsetType = UNSET
    passwordless_access: bool | UnsetType = UNSET
    suspend_timeout_seconds: Timeout | UnsetType = UNSET
    name: Annotated[str, Meta(min_length=1, max_length=64)] | UnsetType = UNSET


class Schedule(Struct, omit_defaults=True):
    """When snapshots are created."""

    frequency: Literal["hourly", "daily", "weekly", "monthly", "yearly"]
    hour: Annotated[int, Meta(ge=0, le=23)] | UnsetType = UNSET
    day: Annotated[int, Meta(ge=1, le=31)] | UnsetType = UNSET
    month: Annotated[int, Meta(ge=1, le=12)] | UnsetType = UNSET
    retention_seconds: Annotated[int, Meta(ge=3600)] | UnsetType = UNSET


class BackupSchedule(Struct):
    """Body of `setSnapshotSchedule`."""

    schedule: list[Schedule]


class NewEndpoint(EndpointOptions, kw_only=True):
    """An endpoint to be created."""

    branch_id: Id
    type: EndpointType
    region_id: Region | UnsetType = UNSET


class CreateEndpoint(Struct):
    """Body of `createProjectEndpoint`."""

    endpoint: NewEndpoint


class EndpointChanges(EndpointOptions, kw_only=True):
    """What changes of an endpoint."""

    branch_id: Id | UnsetType = UNSET


class UpdateEndpoint(Struct):
    """Body of `updateProjectEndpoint`."""

    endpoint: EndpointChanges


class NewDatabase(Struct):
    """A database to be created."""

    name: PgName
    owner_name: PgName

    def __post_init__(self) -> None:
        """Refuse names that Postgres would cut."""
        _fit(self.name, self.owner_name)


class CreateDatabase(Struct):
    """Body of `createProjectBranchDatabase`."""

    database: NewDatabase


class DatabaseChanges(Struct):
    """What changes of a database."""

    name: PgName | UnsetType = UNSET
    owner_name: PgName | UnsetType = UNSET

    def __post_init__(self) -> None:
        """Refuse names that Postgres would cut."""
        _fit(self.name, self.owner_name)


class UpdateDatabase(Struct):
    """Body of `updateProjectBranchDatabase`."""

    database: DatabaseChanges


class NewRole(Struct):
    """A role to be created."""

    name: PgName
    no_login: bool = False

    def __post_init__(self) -> None:
        """Refuse names that Postgres would cut."""
        _fit(self.name)


class CreateRole(Struct):
    """Body of `createProjectBranchRole`."""

    role: NewRole


class CreateKey(Struct):
    """Body of `createApiKey`."""

    key_name: Annotated[str, Meta(min_length=1, max_length=64)]


class CreateOrgKey(CreateKey):
    """Body of `createOrgApiKey`."""

    project_id: Id | None = None


class GrantPermission(Struct):
    """Body of `grantPermissionToProject`."""

    email: Email


class RevokePermission(Struct):
    """What neon-api sends to `revokePermissionFromProject`."""

    permission_id: str


def given(changes: Struct) -> dict[str, Any]:
    """The fields of a body that were there, as plain values."""
    from msgspec import to_builtins

    return {
        name: to_builtins(value) if isinstance(value := getattr(changes, name), Struct) else value
        for name in changes.__struct_fields__
        if getattr(changes, name) is not UNSET
    }
