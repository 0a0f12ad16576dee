"""The errors of a fleet.

NeonupError
└── FleetError              a user's project is not as the call needs it
    ├── NoProject           the user has none
    ├── ProjectGone         the project of the stored id does not exist any more
    ├── DeletionPending     it is waiting to be deleted
    ├── KeyReplaced         another process has replaced a user's key at the same time
    └── TierExceeded        what it uses does not fit the smaller tier
"""

from __future__ import annotations

from neonup import NeonupError


class FleetError(NeonupError):
    """A user's project is not as the call needs it."""

    code = "fleet"


class NoProject(FleetError):
    """The user has no project."""

    code = "fleet_no_project"


class ProjectGone(FleetError):
    """The project of the stored id does not exist any more, or is another user's."""

    code = "fleet_project_gone"


class DeletionPending(FleetError):
    """The user's project is waiting to be deleted."""

    code = "fleet_deletion_pending"


class KeyReplaced(FleetError):
    """Another process has replaced the user's key at the same time; this one's is revoked."""

    code = "fleet_key_replaced"


class TierExceeded(FleetError):
    """What a project uses does not fit the smaller tier; nothing was changed."""

    code = "fleet_tier_exceeded"
