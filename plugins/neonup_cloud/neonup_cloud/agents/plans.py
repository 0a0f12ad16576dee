"""Neon's plans for agent platforms, and tiers within their limits.

Of Neon's page for agent platforms, https://neon.com/use-cases/ai-agents. The plan needs Neon's
approval, and what an agreement says is what counts: `AgentPlan` takes other limits as well.
"""

from __future__ import annotations

from dataclasses import dataclass

from neonup import SettingsError
from neonup.plugin.plans import LIMITS, PlanLimits
from neonup_cloud.fleets import Quota, Tier


@dataclass(frozen=True)
class AgentPlan:
    """A plan within which a platform's tiers are.

    Args:
        limits: what it allows each project.
    """

    limits: PlanLimits

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
            history = self.limits.history_seconds
        self._check(name, max_cu, history, suspend_timeout_seconds)
        return Tier(
            name,
            quota=quota or Quota(),
            min_cu=min_cu,
            max_cu=max_cu,
            suspend_timeout_seconds=suspend_timeout_seconds,
            history_retention_seconds=history,
            org_id=org_id,
            branches=self.limits.branches,
            snapshots=self.limits.manual_snapshots,
        )

    def _check(self, name: str, max_cu: float, history: int, idle: int) -> None:
        limits, shortest = self.limits, self.limits.min_suspend_seconds
        allowed = limits.always_on if idle == -1 else idle == 0 or idle >= shortest
        if max_cu > limits.max_cu or history > limits.history_seconds or not allowed:
            raise SettingsError(
                f"The tier {name} is beyond its plan.",
                checked=(
                    f"compute units: {max_cu:g}, up to {limits.max_cu:g}",
                    f"seconds of history: {history}, up to {limits.history_seconds}",
                    f"idle seconds before it suspends: {idle}, from {shortest} on",
                ),
            )


FREE = AgentPlan(LIMITS["agent_free"])
"""The organization that Neon sponsors."""
PAID = AgentPlan(LIMITS["agent"])
"""The organization that is billed; it may have been given up to 100 snapshots."""
