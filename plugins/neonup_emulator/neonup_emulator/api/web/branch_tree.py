"""Branches as a tree over time: where everything is in the drawing that `_tree.html` renders.

Positions along the time are percentages and those across are pixels, so that the drawing is as wide
as its place while its text keeps its size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise

from neonup_emulator.neon.model import Branch, Snapshot
from neonup_pages import wording

ROW = 46
TOP = 26
COLOURS = 6
LARGEST = 40
"""More branches than that are in the list alone."""

_FAIR = 0.45
"""How much of the axis is shared evenly between moments, so that a busy minute can be read."""
_NOW, _NOW_WITH_FUTURE, _END = 96.0, 78.0, 97.0
_APART = 25.0
"""Between two labels of the axis, in percent."""
_LATE = 38.0
"""Lines that begin behind this have their names at their ends."""


@dataclass(frozen=True)
class Dot:
    """A snapshot or a restore on a branch's line."""

    x: float
    kind: str
    title: str


@dataclass(frozen=True)
class Line:
    """A branch.

    Args:
        x: where it begins, in percent.
        width: to its end, the present.
        y: its row, in pixels.
        drop: pixels down from its parent's row; 0 for a root.
        colour: one of `COLOURS`.
        name: as far as there is room.
        kind: what is special about it, e.g. ``default``.
        late: its name is at its end.
        expires: where it will be deleted, in percent; None: nowhere.
        title: in words.
    """

    id: str
    x: float
    width: float
    y: int
    drop: int
    colour: int
    name: str
    kind: str
    late: bool
    expires: float | None
    title: str
    dots: tuple[Dot, ...] = ()


@dataclass(frozen=True)
class Tick:
    """A label of the axis."""

    x: float
    label: str
    anchor: str


@dataclass(frozen=True)
class Tree:
    """The drawing."""

    lines: list[Line]
    ticks: list[Tick]
    now: float
    height: int
    description: str
    left_out: int = 0
    colours: dict[str, int] = field(default_factory=dict)


def draw(branches: Sequence[Branch], snapshots: Sequence[Snapshot], now: datetime) -> Tree:
    """Lay the branches of a project out.

    Args:
        branches: all of them; the newest are left out where there are too many.
        snapshots: of the project.
        now: the present.
    """
    shown = sorted(branches, key=lambda branch: (not branch.default, branch.created_at))[:LARGEST]
    starts = {branch.id: _start(branch, shown) for branch in shown}
    expiries = [branch.expires_at for branch in shown if branch.expires_at]
    dots = {branch.id: _dots(branch, snapshots, starts[branch.id]) for branch in shown}
    past = [*starts.values(), *(at for branch_dots in dots.values() for at, _, _ in branch_dots)]
    scale = _Scale(past, now, expiries)
    order = _order(shown, starts)
    colours = {branch.id: index % COLOURS for index, branch in enumerate(order)}
    rows = {branch.id: TOP + ROW * index for index, branch in enumerate(order)}
    lines = [
        replace(
            _line(branch, starts[branch.id], colours[branch.id], rows, scale),
            dots=tuple(Dot(scale(at), kind, title) for at, kind, title in dots[branch.id]),
        )
        for branch in order
    ]
    return Tree(
        lines,
        _ticks(past, now, scale),
        scale.now,
        TOP + ROW * len(order) + 8,
        _description(branches, snapshots),
        len(branches) - len(shown),
        colours,
    )


class _Scale:
    """From moments to percent: in part by the time that passes, in part evenly."""

    def __init__(self, past: Sequence[datetime], now: datetime, future: Sequence[datetime]):
        self.now = _NOW_WITH_FUTURE if future else _NOW
        self._at = _spread([*past, now], 1.0, self.now)
        if future:
            ahead = _spread([now, *future], self.now, _END)
            # The first thing to come keeps its distance from the present.
            self._at |= {
                moment: max(x, self.now + 5) for moment, x in ahead.items() if moment > now
            }

    def __call__(self, moment: datetime) -> float:
        return round(self._at.get(moment, self.now), 2)


def _spread(moments: Sequence[datetime], begin: float, end: float) -> dict[datetime, float]:
    known = sorted(set(moments))
    spans = [(b - a).total_seconds() for a, b in pairwise(known)]
    total = sum(spans)
    positions, x = {known[0]: begin}, begin
    for moment, seconds in zip(known[1:], spans, strict=True):
        share = (1 - _FAIR) * seconds / total + _FAIR / len(spans)
        x += (end - begin) * share
        positions[moment] = x
    return positions


def _start(branch: Branch, shown: Sequence[Branch]) -> datetime:
    """Where it leaves its parent: a moment of the parent's, as far as that is drawn."""
    parent = next((other for other in shown if other.id == branch.parent_id), None)
    if parent is None:
        return branch.created_at
    return max(branch.parent_timestamp or branch.created_at, parent.created_at)


def _dots(
    branch: Branch, snapshots: Sequence[Snapshot], start: datetime
) -> list[tuple[datetime, str, str]]:
    dots = [
        (max(snapshot.at, start), "shot", f"Snapshot {snapshot.name}, {wording.when(snapshot.at)}")
        for snapshot in snapshots
        if snapshot.source_branch_id == branch.id
    ]
    if branch.last_reset_at is not None:
        at = wording.when(branch.last_reset_at)
        dots.append((max(branch.last_reset_at, start), "reset", f"Restored, {at}"))
    return dots


def _order(shown: Sequence[Branch], starts: dict[str, datetime]) -> list[Branch]:
    """Each below its parent, the latest next to it: then no line crosses another."""
    ids = {each.id for each in shown}
    order: list[Branch] = []
    waiting = sorted(
        (each for each in shown if each.parent_id not in ids),
        key=lambda each: (each.default, -each.created_at.timestamp()),
    )
    while waiting:
        branch = waiting.pop()
        order.append(branch)
        children = [each for each in shown if each.parent_id == branch.id]
        waiting += sorted(children, key=lambda child: starts[child.id])
    return order


def _line(
    branch: Branch, start: datetime, colour: int, rows: dict[str, int], scale: _Scale
) -> Line:
    x, y = scale(start), rows[branch.id]
    kinds = [
        *(["default"] if branch.default else []),
        *(["protected"] if branch.protected else []),
        *(["restored"] if branch.restored_from else []),
    ]
    return Line(
        id=branch.id,
        x=x,
        width=round(scale.now - x, 2),
        y=y,
        drop=y - rows[branch.parent_id] if branch.parent_id in rows else 0,
        colour=colour,
        name=wording.short(branch.name, 22),
        kind=" · ".join(kinds),
        late=x > _LATE,
        expires=scale(branch.expires_at) if branch.expires_at else None,
        title=f"{branch.name}: {wording.when(start)}",
    )


def _ticks(past: Sequence[datetime], now: datetime, scale: _Scale) -> list[Tick]:
    label = _labels(now - min([*past, now]))
    ticks: list[Tick] = []
    for moment in sorted(set(past)):
        x = scale(moment)
        if scale.now - x >= _APART and (not ticks or x - ticks[-1].x >= _APART):
            ticks.append(Tick(x, label(moment), "middle" if ticks else "start"))
    return [*ticks, Tick(scale.now, "now", "middle")]


def _labels(total: timedelta) -> Callable[[datetime], str]:
    if total > timedelta(days=2):
        return lambda moment: f"{moment.day} {moment:%b}"
    return lambda moment: (
        f"{moment:%H:%M}" if total > timedelta(minutes=20) else f"{moment:%H:%M:%S}"
    )


def _description(branches: Sequence[Branch], snapshots: Sequence[Snapshot]) -> str:
    names = {branch.id: branch.name for branch in branches}
    parts = [
        f"{branch.name} from {names[branch.parent_id]}"
        for branch in branches
        if branch.parent_id in names
    ][:LARGEST]
    count = wording.counted(len(branches), "branch", "branches")
    shots = wording.counted(len(snapshots), "snapshot")
    return f"{count} and {shots}. {'; '.join(parts)}".strip()
