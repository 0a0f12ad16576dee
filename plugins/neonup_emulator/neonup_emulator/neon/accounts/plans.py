"""What the plans of organizations allow, as data.

Of Neon's documentation, and where that gives a range or speaks of agreements, the local Neon's
choice: the number of projects, and which paid plan has how many snapshots.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from neonup_emulator.neon.accounts.model import Plan

_DAY = 86_400


@dataclass(frozen=True)
class Limits:
    """The limits of a plan.

    Args:
        projects: that an organization may have; deleted ones do not count.
        branches: that a project may have.
        manual_snapshots: that a project may have, beside those of a schedule.
        max_cu: compute units that an endpoint may grow to.
        history_seconds: how far back a project's history may reach.
        min_suspend_seconds: the shortest idle time after which an endpoint may be suspended.
    """

    projects: int
    branches: int
    manual_snapshots: int
    max_cu: float
    history_seconds: int
    min_suspend_seconds: int


_FREE = Limits(
    projects=100,
    branches=10,
    manual_snapshots=1,
    max_cu=2,
    history_seconds=_DAY,
    min_suspend_seconds=300,
)
_LAUNCH = Limits(
    projects=100,
    branches=1000,
    manual_snapshots=10,
    max_cu=16,
    history_seconds=7 * _DAY,
    min_suspend_seconds=60,
)
_LARGE = replace(_LAUNCH, projects=1000, manual_snapshots=100)

LIMITS: dict[Plan, Limits] = {
    "free": _FREE,
    "launch": _LAUNCH,
    "scale": _LARGE,
    "agent": _LARGE,
    "business": _LARGE,
    "enterprise": _LARGE,
}
"""The limits of every plan, the smallest plan first."""


SUBSCRIPTIONS: dict[Plan, str] = {
    "free": "free_v2",
    "launch": "launch",
    "scale": "scale",
    "agent": "scale",
    "business": "business",
    "enterprise": "direct_sales",
}
"""What the API calls a plan where it shows a bill; neon-api 0.3 knows no newer names."""


def limits(plan: Plan) -> Limits:
    """What a plan allows."""
    return LIMITS[plan]
