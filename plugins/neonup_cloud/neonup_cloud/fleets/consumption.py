"""What users' projects consumed, as rows that a bill can be made of."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from neonup import SettingsError
from neonup.plugin.http import Call, Pause, Request
from neonup_cloud.api.answers import Granularity, ProjectConsumption
from neonup_cloud.api.groups.consumption import METRICS
from neonup_cloud.fleets.register import Register, UserProject

T = TypeVar("T")
A_MINUTE = 30
"""Requests for consumption that Neon accepts in a minute, about (its documentation)."""


@dataclass(frozen=True)
class ConsumptionRow:
    """What a project consumed in a span of time.

    Args:
        user: the user's key; None if names hold hashes, or Neon does not list the project any
            more because it was deleted long ago.
        project_id: Neon's id.
        tier: the tier that it has now; None as above.
        start: of the span, UTC.
        end: of the span, UTC.
        amounts: by Neon's names, e.g. ``compute_unit_seconds``.
    """

    user: str | None
    project_id: str
    tier: str | None
    start: datetime
    end: datetime
    amounts: dict[str, float]

    def as_dict(self) -> dict[str, Any]:
        """As flat, plain data for JSON or CSV."""
        return {
            "user": self.user,
            "project_id": self.project_id,
            "tier": self.tier,
            "start": self.start.isoformat(),
            "end": self.end.isoformat(),
            **self.amounts,
        }


def as_csv(rows: Iterable[ConsumptionRow], metrics: Sequence[str] = METRICS) -> str:
    """Rows as CSV with a header (RFC 4180). Moments are ISO 8601, UTC.

    A user's key that a spreadsheet would take for a formula is written with a ``'`` before it.
    """
    text = io.StringIO()
    columns = ["user", "project_id", "tier", "start", "end", *metrics]
    writer = csv.DictWriter(text, columns, extrasaction="ignore")
    writer.writeheader()
    for row in rows:
        flat = row.as_dict()
        if row.user and row.user[0] in "=+-@\t\r":
            flat["user"] = f"'{row.user}"
        writer.writerow(flat)
    return text.getvalue()


def rows(
    register: Register,
    start: datetime,
    end: datetime,
    granularity: Granularity,
    metrics: Sequence[str],
) -> Call[list[ConsumptionRow]]:
    """What the projects of the tiers' organizations consumed; see `Fleet.consumption`."""
    for moment in (start, end):
        if moment.tzinfo is None:
            raise SettingsError(
                f"The time {moment} needs a time zone.",
                remedy="Give an aware datetime, e.g. datetime(2026, 11, 1, tzinfo=UTC).",
            )
    whose = yield from _whose(register)
    organizations = {
        project.org_id: None for project in whose.values() if project and project.org_id
    }
    asked = RequestCount()
    consumed_rows: list[ConsumptionRow] = []
    for org_id in organizations:
        consumed = yield from paced(
            register.neon.consumption.projects(
                org_id=org_id, start=start, end=end, granularity=granularity, metrics=metrics
            ),
            asked,
        )
        for project_consumption in consumed:
            project = whose.get(project_consumption.project_id)
            if project or project_consumption.project_id not in whose:
                consumed_rows.extend(_rows(project_consumption, project))
    return consumed_rows


@dataclass
class RequestCount:
    """Counts the requests of several calls."""

    times: int = 0


def paced(call: Call[T], asked: RequestCount) -> Call[T]:
    """A call that keeps to Neon's limit: after `A_MINUTE` requests it pauses before each."""
    reply = None
    try:
        while True:
            step = call.send(reply)
            if isinstance(step, Request):
                if asked.times >= A_MINUTE:
                    yield Pause(60 / A_MINUTE)
                asked.times += 1
            reply = yield step
    except StopIteration as stop:
        result: T = stop.value
        return result


def _whose(register: Register) -> Call[dict[str, UserProject | None]]:
    """The owner of each project in the fleet's organizations; None if it is not the fleet's."""
    owners: dict[str, UserProject | None] = {}
    for org_id in register.tiers.organizations(register.neon.api.org_id):
        for deleted in (True, None):
            listed = yield from register.neon.projects.list(org_id=org_id, recoverable=deleted)
            owners |= {project.id: register.read(project) for project in listed}
    return owners


def _rows(consumed: ProjectConsumption, project: UserProject | None) -> Iterator[ConsumptionRow]:
    for period in consumed.periods:
        for frame in period.consumption:
            yield ConsumptionRow(
                project.user if project else None,
                consumed.project_id,
                project.tier if project else None,
                frame.timeframe_start.astimezone(UTC),
                frame.timeframe_end.astimezone(UTC),
                {metric.metric_name: metric.value for metric in frame.metrics},
            )
