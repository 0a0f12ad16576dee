"""What the plans of organizations allow, and what bills call them."""

from __future__ import annotations

from neonup.plugin.plans import LIMITS, PlanLimits
from neonup_emulator.neon.accounts.model import Plan

SUBSCRIPTIONS: dict[Plan, str] = {
    "free": "free_v2",
    "agent_free": "free_v2",
    "launch": "launch",
    "scale": "scale",
    "agent": "scale",
    "business": "business",
    "enterprise": "direct_sales",
}
"""What the API calls a plan where it shows a bill; neon-api 0.3 knows no newer names."""


def limits(plan: Plan) -> PlanLimits:
    """What a plan allows."""
    return LIMITS[plan]
