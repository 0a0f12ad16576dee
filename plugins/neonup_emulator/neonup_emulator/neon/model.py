"""What the store keeps. Fields have the names of Neon's API where it has them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Literal

from msgspec import field
from msgspec.structs import replace

from neonup_emulator.neon import regions
from neonup_emulator.neon.accounts.model import Organization
from neonup_emulator.neon.accounts.project_access import Level
from neonup_emulator.neon.state.row import Owner, Row

EndpointType = Literal["read_only", "read_write"]
InitSource = Literal["parent-data", "parent-schema", "schema-only"]


class DataState(StrEnum):
    """Whether a branch or a snapshot has its data, in the words of Neon's API."""

    INIT = "init"
    """Its data is still being copied."""
    READY = "ready"
    """Its data is complete."""


class EndpointState(StrEnum):
    """Whether an endpoint's compute runs, in the words of Neon's API."""

    ACTIVE = "active"
    IDLE = "idle"


class OperationStatus(StrEnum):
    """How far an operation is, in the words of Neon's API."""

    SCHEDULING = "scheduling"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"


class Project(Row, frozen=True):
    """A project.

    Args:
        settings: as the API takes them: quota, allowed addresses, replication.
        default_endpoint_settings: for endpoints that are created without their own.
        tls: whether its servers speak TLS.
        engine: the id of the Postgres that its data belongs to.
        deleted_at: when it was deleted; it can be recovered for a while.
        creator_id: the member who created it; None: a key did, or it was given away.
    """

    OWNER: ClassVar[Owner] = Organization

    name: str
    org_id: str
    owner_id: str
    pg_version: int
    engine: str
    tls: bool
    created_at: datetime
    updated_at: datetime
    region_id: str = regions.DEFAULT
    store_passwords: bool = True
    history_retention_seconds: int = 86_400
    settings: dict[str, Any] = field(default_factory=dict)
    default_endpoint_settings: dict[str, Any] = field(default_factory=dict)
    deleted_at: datetime | None = None
    creator_id: str | None = None


class Branch(Row, frozen=True):
    """A branch.

    Args:
        cluster_id: its data.
        parent_lsn: where in its parent's log it begins.
        restored_from: the snapshot that it was created from.
        restore_target: the branch that it replaces once the restore is finalized.
        state: whether its data has been copied.
        backup_schedule: when snapshots of it are created.
        backup_looked: for each item of the schedule, the time up to which it was carried out.
    """

    OWNER: ClassVar[Owner] = Project

    project_id: str
    name: str
    cluster_id: str
    created_at: datetime
    updated_at: datetime
    state: DataState = DataState.INIT
    state_changed_at: datetime | None = None
    parent_id: str | None = None
    parent_lsn: str | None = None
    parent_timestamp: datetime | None = None
    default: bool = False
    protected: bool = False
    init_source: InitSource = "parent-data"
    expires_at: datetime | None = None
    last_reset_at: datetime | None = None
    annotation: dict[str, str] = field(default_factory=dict)
    restored_from: str | None = None
    restore_target: str | None = None
    backup_schedule: list[dict[str, Any]] = field(default_factory=list)
    backup_looked: list[datetime] = field(default_factory=list)

    @property
    def is_unfinished(self) -> bool:
        """Whether its data is still being copied."""
        return self.state is DataState.INIT

    @property
    def cluster_ids(self) -> tuple[str, ...]:
        """The cluster with its data."""
        return (self.cluster_id,)


class Endpoint(Row, frozen=True):
    """An address and port at which clients connect to a branch.

    Args:
        address: the address of this machine on which the front listens for it.
        port: the port on which the front listens.
        settings: Postgres's own, as the API takes them.
        replica_id: the cluster of a read-only endpoint's standby, once it has one.
        replica_of: the cluster of the branch from which the standby was copied.
        started_at: when it was created or last started through the API.
        suspended_at: when it was last suspended through the API.
    """

    OWNER: ClassVar[Owner] = Branch

    project_id: str
    branch_id: str
    type: EndpointType
    address: str
    port: int
    created_at: datetime
    updated_at: datetime
    autoscaling_limit_min_cu: float = 0.25
    autoscaling_limit_max_cu: float = 0.25
    suspend_timeout_seconds: int = 0
    disabled: bool = False
    name: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    pooler_enabled: bool = False
    passwordless_access: bool = True
    last_active: datetime | None = None
    started_at: datetime | None = None
    suspended_at: datetime | None = None
    replica_id: str | None = None
    replica_of: str | None = None

    @property
    def cluster_ids(self) -> tuple[str, ...]:
        """The cluster of its standby, if it has one."""
        return (self.replica_id,) if self.replica_id else ()

    @property
    def pg_settings(self) -> dict[str, str]:
        """Postgres's own settings, as the endpoint was given them through the API."""
        known = self.settings.get("pg_settings")
        return {name: str(value) for name, value in known.items()} if known else {}


class Role(Row, frozen=True):
    """A role of a branch; its id is made of the branch's id and the role's name.

    Args:
        password: None where it cannot log in, or was created by SQL.
        verifier: what Postgres keeps of the password.
    """

    OWNER: ClassVar[Owner] = Branch

    project_id: str
    branch_id: str
    name: str
    created_at: datetime
    updated_at: datetime
    password: str | None = None
    verifier: str | None = None

    @staticmethod
    def id_of(branch_id: str, name: str) -> str:
        """The id of the row of the role with that name in a branch."""
        return f"{branch_id}/{name}"

    def inherited(self, branch_id: str, now: datetime) -> Role:
        """The role with its password in a new branch."""
        return replace(self, id=self.id_of(branch_id, self.name), branch_id=branch_id)


class BranchDatabase(Row, frozen=True):
    """A database of a branch, as it was when the branch's server was last looked at."""

    OWNER: ClassVar[Owner] = Branch

    project_id: str
    branch_id: str
    name: str
    owner_name: str
    number: int
    created_at: datetime
    updated_at: datetime

    @staticmethod
    def id_of(branch_id: str, name: str) -> str:
        """The id of the row of the database with that name in a branch."""
        return f"{branch_id}/{name}"

    def inherited(self, branch_id: str, now: datetime) -> BranchDatabase:
        """The database in a new branch."""
        own = {"id": self.id_of(branch_id, self.name), "branch_id": branch_id}
        return replace(self, **own, created_at=now, updated_at=now)


class Operation(Row, frozen=True):
    """An operation of Neon's API: a step of a change, which clients poll until it has finished."""

    OWNER: ClassVar[Owner] = Project

    project_id: str
    action: str
    created_at: datetime
    updated_at: datetime
    branch_id: str | None = None
    endpoint_id: str | None = None
    status: OperationStatus = OperationStatus.RUNNING
    error: str | None = None

    @property
    def is_running(self) -> bool:
        """Whether its change has neither finished nor failed."""
        return self.status in (OperationStatus.SCHEDULING, OperationStatus.RUNNING)


class Snapshot(Row, frozen=True):
    """A branch as it was at a moment.

    Args:
        cluster_id: its data.
        at: the moment.
        slug: unique in the project, chosen by whoever created it or made up, and never another;
            None where it was created before there were slugs.
        manual: created by a person, not by a schedule.
        size: bytes of its databases, as far as they are known.
    """

    OWNER: ClassVar[Owner] = Project

    project_id: str
    name: str
    source_branch_id: str
    cluster_id: str
    created_at: datetime
    at: datetime
    slug: str | None = None
    lsn: str | None = None
    expires_at: datetime | None = None
    manual: bool = True
    size: int | None = None
    state: DataState = DataState.INIT

    @property
    def is_unfinished(self) -> bool:
        """Whether its data is still being copied."""
        return self.state is DataState.INIT

    @property
    def cluster_ids(self) -> tuple[str, ...]:
        """The cluster with its data."""
        return (self.cluster_id,)


class Permission(Row, frozen=True):
    """The permission of a user, by their email address, to use a project of somebody else."""

    OWNER: ClassVar[Owner] = Project

    project_id: str
    granted_to_email: str
    granted_at: datetime


class ProjectGrant(Row, frozen=True):
    """A permission for a project that a member of its organization was given."""

    OWNER: ClassVar[Owner] = Project

    project_id: str
    member_id: str
    level: Level
    granted_at: datetime
