"""Embedded Postgres: a Neon project for each user of a platform.

with NeonClient() as neon:
    fleet = Fleet(neon, [Tier("free", quota=Quota(active_time_seconds=36_000))], prefix="acme")
    project = fleet.provision("anna@example.com", "free")
    url = fleet.connection("anna@example.com", project_id=project.project_id)
"""

from __future__ import annotations

from neonup.neon.platform import errors
from neonup.neon.platform.consumption import ConsumptionRow, as_csv
from neonup.neon.platform.declared import declared
from neonup.neon.platform.deletion import Deletion, Sweep
from neonup.neon.platform.downgrade import Excess, TierChange
from neonup.neon.platform.fleet import Fleet
from neonup.neon.platform.migrate import Failed, MigrationReport, Target, command
from neonup.neon.platform.naming import Label, Naming, Standing
from neonup.neon.platform.provisioning import Layout
from neonup.neon.platform.register import Register, UserProject
from neonup.neon.platform.tiers import Quota, Tier, Tiers
from neonup.neon.platform.usage import QuotaEvent, Usage, Used

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
