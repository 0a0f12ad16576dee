"""A project's usage as charts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from neonup_emulator.api.web import charts
from neonup_emulator.api.web.charts import MeterBar, Stick
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.metering import usage
from neonup_emulator.neon.model import Project
from neonup_pages import wording

_HOURS = 48
_FIGURES: tuple[tuple[str, str, Callable[[float], str]], ...] = (
    ("Compute time", "compute_time_seconds", wording.span),
    ("Active time", "active_time_seconds", wording.span),
    ("Sent to clients", "data_transfer_bytes", wording.size),
    ("Written", "written_data_bytes", wording.size),
    ("Largest branch", "logical_size_bytes", wording.size),
    ("All branches", "storage_bytes", wording.size),
)
_NAMES = {name: label for label, name, _ in _FIGURES}


@dataclass(frozen=True)
class UsageView:
    """What a page says of a project's usage.

    Args:
        month: e.g. ``November 2026``.
        exceeded: what of the quota is used up; empty: nothing.
        hours: minutes that servers ran in each of the last hours.
        busiest: the most of them in an hour, in words.
    """

    month: str
    meters: list[MeterBar]
    exceeded: str
    hours: list[Stick]
    busiest: str


def of_project(neon: LocalNeon, project: Project) -> UsageView:
    """This month's figures, against the quota where there is one, and the last hours."""
    used = usage.of_project(neon, project)
    shares = used.fractions
    meters = []
    for label, name, say in _FIGURES:
        limit = used.quota.get(name)
        meters.append(
            MeterBar(label, say(getattr(used, name)), say(limit) if limit else "", shares.get(name))
        )
    hours = _hours(neon, project)
    return UsageView(
        f"{used.period_start:%B %Y}",
        meters,
        _NAMES.get(used.exceeded or "", "").lower(),
        charts.sticks([(f"{at}: {wording.span(seconds)}", seconds) for at, seconds in hours]),
        wording.span(max(seconds for _, seconds in hours)),
    )


def _hours(neon: LocalNeon, project: Project) -> list[tuple[str, float]]:
    """Seconds that servers ran in each hour, oldest first, with the hour's name."""
    now = neon.clock.now().replace(minute=0, second=0, microsecond=0)
    begins = [now - timedelta(hours=back) for back in range(_HOURS - 1, -1, -1)]
    ran = dict.fromkeys((int(begin.timestamp()) for begin in begins), 0.0)
    for row in neon.meter.rows(project.id):
        if row.at in ran:
            ran[row.at] += row.tally.active
    return [(f"{begin.day} {begin:%b, %H:00}", ran[int(begin.timestamp())]) for begin in begins]
