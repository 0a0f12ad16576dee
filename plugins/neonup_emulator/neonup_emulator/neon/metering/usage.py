"""What projects and branches have used in this month, and which of their quotas they reached.

A month is one of UTC, as the local Neon's clock says. Reading wakes no server.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.metering.consumption import Tally
from neonup_emulator.neon.model import Branch, Project

QUOTAS = (
    "active_time_seconds",
    "compute_time_seconds",
    "written_data_bytes",
    "data_transfer_bytes",
    "logical_size_bytes",
)
"""The names of what can be limited, as in `project.settings.quota`."""


@dataclass(frozen=True)
class Usage:
    """Figures of a project or branch.

    Args:
        active_time_seconds: that servers ran in this month.
        compute_time_seconds: those times the servers' size in compute units.
        cpu_seconds: of the processor, in this month; 0 where the machine does not tell.
        written_data_bytes: of the write-ahead log in this month.
        data_transfer_bytes: sent to clients in this month.
        logical_size_bytes: of the branch's databases; a project's is its largest branch's.
        storage_bytes: of all branches' databases.
        period_start: the month's begin.
        period_end: and its end.
        quota: limits by name; those that are 0 or not set are not in it.
    """

    active_time_seconds: int
    compute_time_seconds: int
    cpu_seconds: int
    written_data_bytes: int
    data_transfer_bytes: int
    logical_size_bytes: int
    storage_bytes: int
    period_start: datetime
    period_end: datetime
    quota: dict[str, int] = field(default_factory=dict)

    @property
    def fractions(self) -> dict[str, float]:
        """How much of each quota is used: 1.0 and more is all of it."""
        return {name: getattr(self, name) / limit for name, limit in self.quota.items()}

    @property
    def exceeded(self) -> str | None:
        """The name of the first quota that is used up."""
        return next((name for name, share in self.fractions.items() if share >= 1), None)


def period(now: datetime) -> tuple[datetime, datetime]:
    """The begin and the end of the month."""
    begin = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return begin, (begin + timedelta(days=32)).replace(day=1)


def of_project(neon: LocalNeon, project: Project) -> Usage:
    """What a project has used, with its quota."""
    return of_projects(neon, [project])[project.id]


def of_projects(neon: LocalNeon, projects: Iterable[Project]) -> dict[str, Usage]:
    """What projects have used, by their ids; a few queries for all of them."""
    by_id = {project.id: project for project in projects}
    tallies, sizes = neon.meter.figures(period(neon.clock.now())[0], list(by_id))
    usages = {}
    for id, project in by_id.items():  # noqa: A001
        tally = Tally()
        for hour in tallies.get(id, {}).values():
            tally.add(hour)
        known = list(sizes.get(id, {}).values())
        usages[id] = _usage(neon, tally, max(known, default=0), sum(known), quota_of(project))
    return usages


def of_branch(neon: LocalNeon, branch: Branch) -> Usage:
    """What a branch has used; its quota is the project's, which all branches share."""
    return of_branches(neon, branch.project_id, [branch])[branch.id]


def of_branches(neon: LocalNeon, project_id: str, branches: Iterable[Branch]) -> dict[str, Usage]:
    """What branches of one project have used, by their ids."""
    project = neon.store.get(Project, project_id)
    quota = quota_of(project) if project else {}
    tallies, sizes = neon.meter.figures(period(neon.clock.now())[0], [project_id])
    usages = {}
    for branch in branches:
        tally = tallies.get(project_id, {}).get(branch.id, Tally())
        size = sizes.get(project_id, {}).get(branch.id, 0)
        usages[branch.id] = _usage(neon, tally, size, size, quota)
    return usages


def exceeded(neon: LocalNeon, project: Project) -> str | None:
    """The name of a quota that a project has used up, e.g. ``data_transfer_bytes``.

    A branch that is larger than ``logical_size_bytes`` does not concern the others, but is found
    here as well.
    """
    return of_project(neon, project).exceeded if quota_of(project) else None


def quota_of(project: Project) -> dict[str, int]:
    """The limits of a project; 0 stands for none."""
    quota = project.settings.get("quota") or {}
    return {name: int(quota[name]) for name in QUOTAS if quota.get(name)}


def _usage(
    neon: LocalNeon, tally: Tally, largest: int, stored: int, quota: dict[str, int]
) -> Usage:
    begin, end = period(neon.clock.now())
    return Usage(
        active_time_seconds=int(tally.active),
        compute_time_seconds=int(tally.compute),
        cpu_seconds=int(tally.cpu),
        written_data_bytes=tally.written,
        data_transfer_bytes=tally.sent,
        logical_size_bytes=largest,
        storage_bytes=stored,
        period_start=begin,
        period_end=end,
        quota=quota,
    )
