"""The limits of plans: the page about the local Neon shows those that it keeps to."""

from __future__ import annotations

import re

from docsite.operation import ROOT
from neonup.plugin.plans import LIMITS, PlanLimits

_UNITS = {"minute": 60, "hour": 3_600, "day": 86_400}


def _time(seconds: int) -> str:
    unit, size = next(
        (unit, size) for unit, size in reversed(_UNITS.items()) if seconds % size == 0
    )
    count = seconds // size
    return f"{count} {unit}{'s' if count > 1 else ''}"


def _row(limits: PlanLimits) -> list[str]:
    suspends = f"{_time(limits.min_suspend_seconds)} or more"
    return [
        f"{limits.projects:,}",
        f"{limits.branches:,}",
        f"{limits.manual_snapshots}",
        "yes" if limits.schedules else "no",
        f"{limits.max_cu:g}",
        _time(limits.history_seconds),
        suspends + (", or never" if limits.always_on else ""),
        f"{limits.storage_bytes >> 30} GB" if limits.storage_bytes else "",
    ]


def test_the_pages_table_is_the_data() -> None:
    page = (ROOT / "docs/local-neon.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in page.partition("| | projects | branches |")[2].splitlines()[2:]
        if line.startswith("|")
    ]
    shown = {
        plan: row[1:] for row in rows for plan in re.findall(r"`(\w+)`", row[0]) if plan in LIMITS
    }
    assert shown == {plan: _row(limits) for plan, limits in LIMITS.items()}
