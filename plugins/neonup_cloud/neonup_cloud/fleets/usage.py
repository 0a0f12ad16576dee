"""What a user's project has used of its quota, and the warnings that follow from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from neonup.plugin.http import Call
from neonup_cloud.api.answers import Branch, Project
from neonup_cloud.api.client import Groups
from neonup_cloud.fleets.register import UserProject
from neonup_cloud.fleets.tiers import Quota

LEVELS = (80, 95, 100)
"""Percent of a quota at which users are warned; at 100 Neon suspends the computes."""
QUOTAS = tuple(member.name for member in fields(Quota))
SIZE = "logical_size_bytes"


@dataclass(frozen=True)
class QuotaUse:
    """How much of one quota a project has used.

    Args:
        name: Neon's, e.g. ``active_time_seconds``.
        amount: seconds or bytes; of ``logical_size_bytes`` that of the largest branch.
        limit: the project's quota as Neon has it; 0 is unlimited.
    """

    name: str
    amount: int
    limit: int

    @property
    def percent(self) -> float | None:
        """How much of the quota is used, in percent; None if it is unlimited."""
        return 100 * self.amount / self.limit if self.limit else None


@dataclass(frozen=True)
class QuotaEvent:
    """A warning that a project has used a quota up to a level.

    Args:
        id: the same for the same warning during a billing period, so that it is handled once.
        project: whose.
        used: the figure.
        level: 80, 95 or 100: the highest that is reached.
    """

    id: str
    project: UserProject
    used: QuotaUse
    level: int

    def as_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return {
            "id": self.id,
            "user": self.project.user,
            "project_id": self.project.project_id,
            "quota": self.used.name,
            "level": self.level,
            "used": self.used.amount,
            "limit": self.used.limit,
        }


@dataclass(frozen=True)
class ProjectUsage:
    """What a project has used in its billing period, as Neon measured it: up to 15 minutes ago.

    Args:
        project: whose.
        figures: by Neon's names, in the order of `Quota`.
        period_start: when the billing period began; all but the size begins anew with the next.
        period_end: when it ends.
    """

    project: UserProject
    figures: dict[str, QuotaUse]
    period_start: datetime | None
    period_end: datetime | None

    @property
    def events(self) -> tuple[QuotaEvent, ...]:
        """A warning for each quota that is used to 80 % or more."""
        return tuple(self._events())

    def _events(self) -> Iterator[QuotaEvent]:
        for used in self.figures.values():
            reached = [level for level in LEVELS if (used.percent or 0) >= level]
            if reached:
                period = f"{self.period_start:%Y-%m-%d}" if self.period_start else ""
                where = f"{self.project.project_id}:{used.name}:{period}"
                yield QuotaEvent(f"{where}:{reached[-1]}", self.project, used, reached[-1])

    def as_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return {
            **self.project.as_dict(),
            "period_start": self.period_start,
            "period_end": self.period_end,
            "used": {
                use.name: {"used": use.amount, "limit": use.limit, "percent": use.percent}
                for use in self.figures.values()
            },
            "events": [event.as_dict() for event in self.events],
        }


def read(neon: Groups[None], project: UserProject) -> Call[ProjectUsage]:
    """Ask Neon what a project has used. No compute is started for that."""
    answer = yield from neon.projects.get(project.project_id)
    branches = yield from neon.branches.list(project.project_id)
    return of(project, answer, branches)


def of(project: UserProject, answer: Project, branches: list[Branch]) -> ProjectUsage:
    """The usage of a project, from Neon's answers."""
    quota = answer.settings.get("quota") or {}
    figures = {}
    for name in QUOTAS:
        if name == SIZE:
            amount = max((branch.logical_size or 0 for branch in branches), default=0)
        else:
            amount = getattr(answer, name) or 0
        figures[name] = QuotaUse(name, amount, int(quota.get(name) or 0))
    return ProjectUsage(
        project, figures, answer.consumption_period_start, answer.consumption_period_end
    )
