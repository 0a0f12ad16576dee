"""How rows are shown: objects of Neon's OpenAPI document."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import quote

from neonup_emulator.neon import activity
from neonup_emulator.neon.accounts import allowances, plans
from neonup_emulator.neon.accounts.model import Organization
from neonup_emulator.neon.compute import addresses
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.metering import frames, usage
from neonup_emulator.neon.metering.usage import Usage
from neonup_emulator.neon.model import (
    Branch,
    BranchDatabase,
    DataState,
    Endpoint,
    EndpointState,
    Operation,
    OperationStatus,
    Project,
    Role,
    Snapshot,
)

Shown = dict[str, Any]

_LARGEST_BRANCH = 512 * 1024**3


def moment(value: datetime) -> str:
    """RFC 3339, UTC, to the microsecond's place that clients print."""
    return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _known(**values: Any) -> Shown:
    """The fields that are not None: Neon's document has no nulls."""
    return {
        name: moment(value) if isinstance(value, datetime) else value
        for name, value in values.items()
        if value is not None
    }


def project_item(neon: LocalNeon, project: Project, used: Usage | None = None) -> Shown:
    """A project in a list, with what it has used."""
    largest = plans.limits(allowances.plan_of(neon, project)).storage_bytes or _LARGEST_BRANCH
    return _known(
        id=project.id,
        platform_id="aws",
        region_id=project.region_id,
        name=project.name,
        provisioner="k8s-neonvm",
        default_endpoint_settings=project.default_endpoint_settings,
        settings=_settings(project),
        pg_version=project.pg_version,
        proxy_host="localhost",
        branch_logical_size_limit=largest >> 20,
        branch_logical_size_limit_bytes=largest,
        store_passwords=project.store_passwords,
        active_time=used.active_time_seconds if used else 0,
        cpu_used_sec=used.cpu_seconds if used else 0,
        creation_source="console",
        created_at=project.created_at,
        updated_at=project.updated_at,
        synthetic_storage_size=used.storage_bytes + used.written_data_bytes if used else 0,
        owner_id=project.org_id,
        org_id=project.org_id,
        history_retention_seconds=project.history_retention_seconds,
        deleted_at=project.deleted_at,
    )


def project(neon: LocalNeon, row: Project) -> Shown:
    """A project."""
    used = usage.of_project(neon, row)
    shown = project_item(neon, row, used)
    shown.pop("active_time")
    shown.pop("deleted_at", None)
    return shown | _known(
        data_storage_bytes_hour=frames.bytes_hours(neon, row, used.period_start),
        data_transfer_bytes=used.data_transfer_bytes,
        written_data_bytes=used.written_data_bytes,
        compute_time_seconds=used.compute_time_seconds,
        active_time_seconds=used.active_time_seconds,
        consumption_period_start=used.period_start,
        consumption_period_end=used.period_end,
        owner=_owner(neon, row),
    )


def _owner(neon: LocalNeon, row: Project) -> Shown:
    user = neon.people.user(row.owner_id)
    organization = neon.people.organization(row.org_id)
    plan = organization.plan if organization else "free"
    return {
        "email": user.email if user else "",
        "name": organization.name if organization else "",
        "branches_limit": plans.limits(plan).branches,
        "subscription_type": plans.SUBSCRIPTIONS[plan],
    }


def branch(row: Branch, used: Usage | None = None) -> Shown:
    """A branch, with what it has used."""
    return _known(
        id=row.id,
        project_id=row.project_id,
        parent_id=row.parent_id,
        parent_lsn=row.parent_lsn,
        parent_timestamp=row.parent_timestamp,
        name=row.name,
        current_state=row.state,
        pending_state=DataState.READY if row.is_unfinished else None,
        state_changed_at=row.state_changed_at or row.created_at,
        logical_size=used.logical_size_bytes if used else 0,
        creation_source="console",
        primary=row.default,
        default=row.default,
        protected=row.protected,
        cpu_used_sec=used.cpu_seconds if used else 0,
        compute_time_seconds=used.compute_time_seconds if used else 0,
        active_time_seconds=used.active_time_seconds if used else 0,
        written_data_bytes=used.written_data_bytes if used else 0,
        data_transfer_bytes=used.data_transfer_bytes if used else 0,
        created_at=row.created_at,
        updated_at=row.updated_at,
        expires_at=row.expires_at,
        ttl_interval_seconds=int((row.expires_at - row.updated_at).total_seconds())
        if row.expires_at
        else None,
        last_reset_at=row.last_reset_at,
        init_source=row.init_source,
        restored_from=row.restored_from,
        restore_status=_restore_status(row),
    )


def annotation(row: Branch) -> Shown:
    """A branch's annotation."""
    return {
        "object": {"type": "console/branch", "id": row.id},
        "value": row.annotation,
        "created_at": moment(row.created_at),
        "updated_at": moment(row.updated_at),
    }


def endpoint(neon: LocalNeon, row: Endpoint) -> Shown:
    """An endpoint; whether it is active is asked of its server."""
    host = addresses.host(row)
    return _known(
        host=host,
        id=row.id,
        name=row.name,
        project_id=row.project_id,
        branch_id=row.branch_id,
        autoscaling_limit_min_cu=row.autoscaling_limit_min_cu,
        autoscaling_limit_max_cu=row.autoscaling_limit_max_cu,
        region_id="aws-us-east-2",
        type=row.type,
        current_state=EndpointState.ACTIVE if activity.is_active(neon, row) else EndpointState.IDLE,
        settings=row.settings,
        pooler_enabled=row.pooler_enabled,
        pooler_mode="transaction",
        disabled=row.disabled,
        passwordless_access=row.passwordless_access,
        last_active=row.last_active,
        creation_source="console",
        created_at=row.created_at,
        updated_at=row.updated_at,
        started_at=row.started_at,
        suspended_at=row.suspended_at,
        proxy_host="localhost",
        suspend_timeout_seconds=row.suspend_timeout_seconds,
        provisioner="k8s-neonvm",
    )


def operation(row: Operation) -> Shown:
    """An operation."""
    spent = row.updated_at - row.created_at
    return _known(
        id=row.id,
        project_id=row.project_id,
        branch_id=row.branch_id,
        endpoint_id=row.endpoint_id,
        action=row.action,
        status=row.status,
        error=row.error,
        failures_count=int(row.status is OperationStatus.FAILED),
        created_at=row.created_at,
        updated_at=row.updated_at,
        total_duration_ms=int(spent.total_seconds() * 1000),
    )


def operations(rows: list[Operation]) -> Shown:
    """The operations of a change."""
    return {"operations": [operation(row) for row in rows]}


def role(row: Role, *, secret: bool = False) -> Shown:
    """A role; its password only where it was set just now."""
    return _known(
        branch_id=row.branch_id,
        name=row.name,
        password=row.password if secret else None,
        protected=False,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def database(row: BranchDatabase) -> Shown:
    """A database."""
    return _known(
        id=row.number,
        branch_id=row.branch_id,
        name=row.name,
        owner_name=row.owner_name,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def snapshot(row: Snapshot) -> Shown:
    """A snapshot."""
    return _known(
        id=row.id,
        name=row.name,
        slug=row.slug,
        lsn=row.lsn,
        timestamp=row.at,
        source_branch_id=row.source_branch_id,
        created_at=row.created_at,
        expires_at=row.expires_at,
        manual=row.manual,
        full_size=row.size,
    )


def _restore_status(row: Branch) -> str | None:
    if row.restored_from is None:
        return None
    return "restored" if row.restore_target else "finalized"


def organization(row: Organization) -> Shown:
    """An organization."""
    return _known(
        id=row.id,
        name=row.name,
        handle=row.handle,
        plan=row.plan,
        created_at=row.created_at,
        managed_by="console",
        updated_at=row.created_at,
    )


def uri(project: Project, endpoint: Endpoint, role: Role, database: str) -> str:
    """The URL of a database; it asks for TLS where the server speaks it."""
    password = f":{quote(role.password, safe='')}" if role.password else ""
    options = "?sslmode=require&channel_binding=require" if project.tls else ""
    return (
        f"postgresql://{quote(role.name, safe='')}{password}@{addresses.host(endpoint)}"
        f"/{quote(database, safe='')}{options}"
    )


def connection(project: Project, endpoint: Endpoint, role: Role, database: str) -> Shown:
    """A URL and its parts; pooled and direct hosts are the same here."""
    host = addresses.host(endpoint)
    return {
        "connection_uri": uri(project, endpoint, role, database),
        "connection_parameters": {
            "database": database,
            "password": role.password or "",
            "role": role.name,
            "host": host,
            "pooler_host": host,
        },
    }


def _settings(project: Project) -> Shown:
    defaults: Shown = {
        "allowed_ips": {"ips": [], "protected_branches_only": False},
        "enable_logical_replication": False,
        "block_public_connections": False,
        "block_vpc_connections": False,
        "hipaa": False,
    }
    return defaults | project.settings
