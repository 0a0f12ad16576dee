"""Embedded Postgres: a Neon project for each user of a platform.

with NeonClient() as neon:
    fleet = Fleet(neon, [Tier("free", quota=Quota(active_time_seconds=36_000))], prefix="acme")
    project = fleet.provision("anna@example.com", "free")
    url = fleet.connection("anna@example.com", project_id=project.project_id)
"""

from __future__ import annotations

from neonup_cloud.fleets import errors
from neonup_cloud.fleets.consumption import ConsumptionRow, as_csv
from neonup_cloud.fleets.declared import declared
from neonup_cloud.fleets.deletion import Deletion, Sweep
from neonup_cloud.fleets.downgrade import Excess, TierChange
from neonup_cloud.fleets.fleet import Fleet
from neonup_cloud.fleets.migrate import Failed, MigrationReport, Target, command
from neonup_cloud.fleets.naming import Label, Naming, Standing
from neonup_cloud.fleets.provisioning import Layout
from neonup_cloud.fleets.register import Register, UserProject
from neonup_cloud.fleets.tiers import Quota, Tier, Tiers
from neonup_cloud.fleets.usage import QuotaEvent, Usage, Used

__all__ = [
    "ConsumptionRow",
    "Deletion",
    "Excess",
    "Failed",
    "Fleet",
    "Label",
    "Layout",
    "MigrationReport",
    "Naming",
    "Quota",
    "QuotaEvent",
    "Register",
    "Standing",
    "Sweep",
    "Target",
    "Tier",
    "TierChange",
    "Tiers",
    "Usage",
    "Used",
    "UserProject",
    "as_csv",
    "command",
    "declared",
    "errors",
]
