"""What Neon's plans allow, as data, in one place for fleets and the local Neon.

Of Neon's documentation, changelog and agent guide. Where a source gives a range or speaks of
agreements, the smaller figure is here: what is built within it works everywhere. What an agreement
with Neon says is what counts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

__all__ = ["LIMITS", "PlanLimits"]

_DAY = 86_400


@dataclass(frozen=True)
class PlanLimits:
    """The limits of a plan, for each project where nothing else is said.

    Args:
        as_of: when Neon's documentation said so.
        projects: that an organization may have; deleted ones do not count.
        branches: that a project may have.
        manual_snapshots: that a project may have, beside those of a schedule.
        schedules: whether snapshots may be created by the clock.
        max_cu: compute units that a compute may grow to.
        history_seconds: how far back a project's history may reach.
        min_suspend_seconds: the shortest idle time after which a compute may be suspended.
        always_on: whether a compute may be kept from being suspended.
        storage_bytes: that a project may store; None: what it stores is billed.
    """

    as_of: date
    projects: int
    branches: int
    manual_snapshots: int
    schedules: bool
    max_cu: float
    history_seconds: int
    min_suspend_seconds: int
    always_on: bool
    storage_bytes: int | None = None


_FREE = PlanLimits(
    as_of=date(2026, 10, 1),
    projects=100,
    branches=10,
    manual_snapshots=1,
    schedules=False,
    max_cu=2,
    history_seconds=_DAY // 4,
    min_suspend_seconds=300,
    always_on=False,
    storage_bytes=1024**3,
)
_LAUNCH = PlanLimits(
    as_of=date(2026, 10, 1),
    projects=100,
    branches=5_000,
    manual_snapshots=100,
    schedules=True,
    max_cu=16,
    history_seconds=7 * _DAY,
    min_suspend_seconds=300,
    always_on=True,
)
_SCALE = replace(_LAUNCH, projects=1_000, history_seconds=30 * _DAY, min_suspend_seconds=60)
# For agent platforms; both need Neon's approval. The guide's table says 10 snapshots, its text 100.
_AGENT = replace(
    _SCALE,
    projects=30_000,
    branches=1_000,
    manual_snapshots=10,
    schedules=False,
    history_seconds=7 * _DAY,
)
_AGENT_FREE = replace(_FREE, projects=30_000, history_seconds=_DAY, storage_bytes=None)

LIMITS: dict[str, PlanLimits] = {
    "free": _FREE,
    "launch": _LAUNCH,
    "scale": _SCALE,
    "business": _SCALE,
    "enterprise": _SCALE,
    "agent_free": _AGENT_FREE,
    "agent": _AGENT,
}
"""The limits of every plan, by its name, the smallest first; then those for agent platforms: of
the organization that Neon sponsors, and of the one that is billed."""
