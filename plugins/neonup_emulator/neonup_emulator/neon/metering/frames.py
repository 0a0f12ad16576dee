"""The history of consumption: hours, days or months, and what was consumed in each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.errors import NotAcceptable
from neonup_emulator.neon.metering.consumption import DAILY, HOURLY, HourlyConsumption, Tally
from neonup_emulator.neon.model import Branch, Project, Snapshot

Granularity = Literal["hourly", "daily", "monthly"]

_WINDOWS = {"hourly": HOURLY, "daily": DAILY, "monthly": timedelta(days=365)}
_HOUR = 3600


@dataclass
class Frame:
    """What was consumed from `begin` to `end`.

    Args:
        size: bytes of the databases at its end.
        root: bytes of root branches times hours.
        child: what child branches have of their own, times hours: what was written to them since
            they began, but no more than their size.
        history: bytes of the log with which root branches can be restored, times hours.
        snapshots: bytes of snapshots times hours.
    """

    begin: datetime
    end: datetime
    tally: Tally = field(default_factory=Tally)
    size: int = 0
    root: float = 0.0
    child: float = 0.0
    history: float = 0.0
    snapshots: float = 0.0

    @property
    def size_hours(self) -> float:
        """Bytes of storage times hours."""
        return self.root + self.child

    def add(self, other: Frame) -> None:
        """Add what another branch consumed in the same time."""
        self.tally.add(other.tally)
        self.size += other.size
        self.root += other.root
        self.child += other.child
        self.history += other.history


def edges(
    begin: datetime, end: datetime, granularity: Granularity, now: datetime
) -> list[tuple[datetime, datetime]]:
    """The hours, days or months of UTC between two moments, which are rounded down.

    Raises:
        NotAcceptable: they begin too long ago, or end before they begin.
    """
    first, last = _floor(begin, granularity), _floor(end, granularity)
    if first < _floor(now - _WINDOWS[granularity], granularity):
        raise NotAcceptable(
            f"from is out of range: {granularity} figures are kept for "
            f"{_WINDOWS[granularity].days} days"
        )
    if begin > end:
        raise NotAcceptable("from must be before to")
    bounds = []
    while first < last and first <= now:
        following = _following(first, granularity)
        bounds.append((first, following))
        first = following
    return bounds


def of_project(
    neon: LocalNeon, project: Project, spans: list[tuple[datetime, datetime]]
) -> list[Frame]:
    """What a project consumed in each span, oldest first; deleted branches count."""
    frames = [Frame(*span) for span in spans]
    for of_branch in of_branches(neon, project, spans).values():
        for frame, more in zip(frames, of_branch, strict=True):
            frame.add(more)
    now = neon.clock.now()
    for snapshot in neon.store.all(Snapshot, project_id=project.id):
        for frame in frames:
            seconds = (min(frame.end, now) - max(frame.begin, snapshot.created_at)).total_seconds()
            frame.snapshots += (snapshot.size or 0) * max(0.0, seconds) / _HOUR
    return [frame for frame in frames if frame.end > project.created_at]


def of_branches(
    neon: LocalNeon, project: Project, spans: list[tuple[datetime, datetime]]
) -> dict[str, list[Frame]]:
    """What each branch of a project consumed in each span, by its id."""
    branches = neon.store.all(Branch, project_id=project.id)
    rows: dict[str, list[HourlyConsumption]] = {branch.id: [] for branch in branches}
    for row in neon.meter.rows(project.id):
        rows.setdefault(row.branch_id, []).append(row)
    roots = {branch.id for branch in branches if branch.parent_id is None}
    retention = timedelta(seconds=project.history_retention_seconds)
    return {
        id: _frames(own, spans, neon.clock.now(), retention if id in roots else None)
        for id, own in rows.items()  # noqa: A001
    }


def bytes_hours(neon: LocalNeon, project: Project, begin: datetime) -> int:
    """Bytes of storage times hours since a moment."""
    frames = of_project(neon, project, [(begin, neon.clock.now())])
    return int(sum(frame.size_hours for frame in frames))


def _frames(
    rows: list[HourlyConsumption],
    spans: Iterable[tuple[datetime, datetime]],
    now: datetime,
    retention: timedelta | None,
) -> list[Frame]:
    """The frames of one branch.

    Args:
        rows: oldest first.
        retention: how long a root branch's history is; None: it is a child.
    """
    frames, waiting = [], rows[::-1]
    size = written = 0
    for begin, end in spans:
        frame, at = Frame(begin, end), begin.timestamp()
        until = min(end, now).timestamp()
        while waiting and waiting[-1].at < end.timestamp():
            row = waiting.pop()
            if row.at >= begin.timestamp():
                _store(frame, size, written, row.at - at, is_root=retention is not None)
                at = row.at
                frame.tally.add(row.tally)
            size = size if row.size is None else row.size
            written += row.tally.written
        _store(frame, size, written, until - at, is_root=retention is not None)
        frame.size = size
        if retention is not None:
            since = (end - retention).timestamp()
            log = sum(row.tally.written for row in rows if since <= row.at < end.timestamp())
            frame.history = log * max(0.0, until - begin.timestamp()) / _HOUR
        frames.append(frame)
    return frames


def _store(frame: Frame, size: int, written: int, seconds: float, *, is_root: bool) -> None:
    hours = max(0.0, seconds) / _HOUR
    if is_root:
        frame.root += size * hours
    else:
        frame.child += min(size, written) * hours


def _floor(moment: datetime, granularity: Granularity) -> datetime:
    hour = moment.replace(minute=0, second=0, microsecond=0)
    if granularity == "hourly":
        return hour
    day = hour.replace(hour=0)
    return day if granularity == "daily" else day.replace(day=1)


def _following(moment: datetime, granularity: Granularity) -> datetime:
    if granularity == "hourly":
        return moment + timedelta(hours=1)
    if granularity == "daily":
        return moment + timedelta(days=1)
    return (moment + timedelta(days=32)).replace(day=1)
