"""Bodies of requests about projects."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from neonup_emulator.neon.regions import Region
from neonup_emulator.neon.requests.fields import (
    Annotation,
    Count,
    Id,
    Name,
    PgName,
    Provisioner,
    Retention,
    TimeOfDay,
    Timeout,
    Units,
    Weekday,
    check_fit,
)


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
            ValueError: a value is invalid; msgspec refuses the body then.
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
        check_fit(self.role_name, self.database_name)


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
    history_retention_seconds: Retention | UnsetType = UNSET
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
