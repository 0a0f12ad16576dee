"""The fleets that tests ask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from neonup_cloud.fleets import Fleet, Quota, Tier
from tests.cloud.both import Both

FREE = Tier(
    "free",
    quota=Quota(active_time_seconds=36_000, logical_size_bytes=500_000_000),
    min_cu=0.25,
    max_cu=1,
    suspend_timeout_seconds=300,
    history_retention_seconds=21_600,
    branches=3,
    snapshots=1,
)
PRO = Tier(
    "pro",
    min_cu=0.5,
    max_cu=4,
    suspend_timeout_seconds=600,
    history_retention_seconds=604_800,
)
TIERS = (FREE, PRO)


class Asked:
    """A fleet that is asked with either driver: ``fleet(lambda fleet: fleet.projects())``."""

    def __init__(self, neon: Both, prefix: str):
        self._neon = neon
        self._prefix = prefix

    def __call__(self, ask: Callable[..., Any], **options: Any) -> Any:
        options = {"tiers": TIERS, "prefix": self._prefix} | options
        return self._neon(lambda neon: ask(Fleet(neon, **options)))
