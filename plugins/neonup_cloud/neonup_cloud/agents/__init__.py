"""Databases of applications that agents write: versions that can be restored, and tiers in two
organizations."""

from __future__ import annotations

from neonup_cloud.agents.plans import FREE, PAID, AgentPlan
from neonup_cloud.agents.snapshot_versions import ProjectVersions
from neonup_cloud.agents.tier_changes import RefusedTierChange, TierChanges, TierReport

__all__ = [
    "FREE",
    "PAID",
    "AgentPlan",
    "ProjectVersions",
    "RefusedTierChange",
    "TierChanges",
    "TierReport",
]
