"""Bodies of requests about branches."""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType, field

from neonup_emulator.neon.model import EndpointType, InitSource
from neonup_emulator.neon.requests.endpoints import EndpointSettings
from neonup_emulator.neon.requests.fields import (
    Annotation,
    Id,
    Moment,
    Name,
    OptionalId,
    Provisioner,
    Timeout,
    Units,
)


class NewBranch(Struct):
    """A branch to be created; without a parent it branches from the default one.

    An empty parent is none, as Neon's document says; an empty LSN likewise, which
    terraform-provider-neon sends where its user names none.
    """

    name: Name | None = None
    parent_id: OptionalId | None = None
    parent_lsn: str | None = None
    parent_timestamp: Moment | None = None
    protected: bool = False
    archived: bool = False
    init_source: InitSource = "parent-data"
    expires_at: Moment | None = None

    def __post_init__(self) -> None:
        self.parent_id = self.parent_id or None
        self.parent_lsn = self.parent_lsn or None


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
