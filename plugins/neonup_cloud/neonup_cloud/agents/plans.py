"""The limits of Neon's plans for agent platforms, and tiers within it, as data.

Of Neon's page for agent platforms, https://neon.com/use-cases/ai-agents. What an agreement with
Neon says is what counts: `PlanLimits` takes other figures as well.
"""

from __future__ import annotations

from dataclasses import dataclass

from neonup import SettingsError
from neonup_cloud.fleets import Quota, Tier

DAY = 86_400


@dataclass(frozen=True)
class PlanLimits:
    """The limits of a plan, for each project.

    Args:
        branches: how many it may have.
        snapshots: how many manual ones.
        max_cu: compute units that a compute may grow to.
        history_seconds: how far back its history may reach.
        min_suspend_seconds: the shortest idle time after which a compute may be suspended.
        always_on: whether a compute may be kept from being suspended.
    """

    branches: int
    snapshots: int
    max_cu: float
    history_seconds: int
    min_suspend_seconds: int
    always_on: bool

    def tier(
        self,
        name: str,
        org_id: str,
        *,
        quota: Quota | None = None,
        min_cu: float = 0.25,
        max_cu: float = 2,
        suspend_timeout_seconds: int = 300,
        history_retention_seconds: int | None = None,
    ) -> Tier:
        """A tier of a fleet within these limits.

        Args:
            name: the tier's.
            org_id: the organization with the plan.
            quota: nothing is limited if None.
            min_cu: compute units at least.
            max_cu: compute units at most.
            suspend_timeout_seconds: idle seconds before a compute is suspended; -1 never, 0 Neon's
                default.
            history_retention_seconds: all that the plan allows if None.

        Raises:
            SettingsError: the plan does not allow it.
        """
        history = history_retention_seconds
        if history is None:
            history = self.history_seconds
        self._check(name, max_cu, history, suspend_timeout_seconds)
        return Tier(
            name,
            quota=quota or Quota(),
            min_cu=min_cu,
            max_cu=max_cu,
            suspend_timeout_seconds=suspend_timeout_seconds,
            history_retention_seconds=history,
            org_id=org_id,
            branches=self.branches,
            snapshots=self.snapshots,
        )

    def _check(self, name: str, max_cu: float, history: int, idle: int) -> None:
        allowed = self.always_on if idle == -1 else idle == 0 or idle >= self.min_suspend_seconds
        if max_cu > self.max_cu or history > self.history_seconds or not allowed:
            raise SettingsError(
                f"The tier {name} is beyond its plan.",
                checked=(
                    f"compute units: {max_cu:g}, up to {self.max_cu:g}",
                    f"seconds of history: {history}, up to {self.history_seconds}",
                    f"idle seconds before it suspends: {idle}, from {self.min_suspend_seconds} on",
                ),
            )


FREE = PlanLimits(
    branches=10,
    snapshots=1,
    max_cu=2,
    history_seconds=DAY,
    min_suspend_seconds=300,
    always_on=False,
)
"""The organization that Neon sponsors."""
PAID = PlanLimits(
    branches=1000,
    snapshots=10,
    max_cu=16,
    history_seconds=7 * DAY,
    min_suspend_seconds=60,
    always_on=True,
)
"""The organization that is billed; it may have been given up to 100 snapshots."""
