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
from neonup_cloud.fleets.deletion import Deletion, SweepReport
from neonup_cloud.fleets.downgrade import TierChange, TierExcess
from neonup_cloud.fleets.fleet import Fleet
from neonup_cloud.fleets.migrate import FailedMigration, MigrationReport, MigrationTarget, command
from neonup_cloud.fleets.naming import Label, Lifecycle, Naming
from neonup_cloud.fleets.provisioning import Layout
from neonup_cloud.fleets.register import Register, UserProject
from neonup_cloud.fleets.tiers import Quota, Tier, Tiers
from neonup_cloud.fleets.usage import ProjectUsage, QuotaEvent, QuotaUse

__all__ = [
    "ConsumptionRow",
    "Deletion",
    "FailedMigration",
    "Fleet",
    "Label",
    "Layout",
    "Lifecycle",
    "MigrationReport",
    "MigrationTarget",
    "Naming",
    "ProjectUsage",
    "Quota",
    "QuotaEvent",
    "QuotaUse",
    "Register",
    "SweepReport",
    "Tier",
    "TierChange",
    "TierExcess",
    "Tiers",
    "UserProject",
    "as_csv",
    "command",
    "declared",
    "errors",
]
