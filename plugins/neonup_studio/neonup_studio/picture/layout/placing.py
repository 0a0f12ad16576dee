"""Boxes and lines laid out: connected ones in layers, and below them those without lines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from neonup_studio.picture.layout.component import LaidComponent, Point, lay
from neonup_studio.picture.layout.graph import BoxLink, Shape

APART = 48.0
"""Pixels between two groups of boxes."""
GRID_APART = 26.0
ASPECT = 1.5
"""How much wider than high the picture is to be."""


@dataclass(frozen=True)
class BoxPlace:
    """Where a box is: its left upper corner, and its width, which may be more than it needs."""

    x: float
    y: float
    width: float


@dataclass(frozen=True)
class BoxLayout:
    """Where everything is, in pixels.

    Args:
        places: the boxes', in their order.
        ways: the corners of each link's line, from its source to its target.
        loose: where the boxes without lines begin; None: there are none, or nothing else.
    """

    places: list[BoxPlace]
    ways: list[list[Point]]
    width: float
    height: float
    loose: float | None = None


def lay_out(shapes: Sequence[Shape], links: Sequence[BoxLink]) -> BoxLayout:
    """Lay boxes and links out; the same ones always look the same."""
    groups = _groups(len(shapes), links)
    linked = [
        group
        for group in groups
        if len(group) > 1 or any(link.source == group[0] for link in links)
    ]
    loose = [group[0] for group in groups if group not in linked]
    laid = [_lay(group, shapes, links) for group in linked]
    wide = _wide(
        [
            *((part.width, part.height) for part in laid),
            *((shapes[box].width, shapes[box].height) for box in loose),
        ]
    )
    canvas = _Canvas(len(shapes), len(links))
    _shelve(linked, laid, links, wide, canvas)
    begin = canvas.height + APART if linked and loose else 0.0
    _grid(loose, shapes, max(wide, canvas.width), begin, canvas)
    return BoxLayout(
        [canvas.places[box] for box in range(len(shapes))],
        [canvas.ways[link] for link in range(len(links))],
        canvas.width,
        canvas.height,
        begin if linked and loose else None,
    )


class _Canvas:
    """What has been placed, and how much room it takes."""

    def __init__(self, boxes: int, links: int):
        self.places: dict[int, BoxPlace] = {}
        self.ways: dict[int, list[Point]] = {}
        self.width = 0.0
        self.height = 0.0

    def cover(self, x: float, y: float) -> None:
        self.width, self.height = max(self.width, x), max(self.height, y)


def _groups(count: int, links: Sequence[BoxLink]) -> list[list[int]]:
    """The boxes that lines connect, the largest groups first."""
    near: dict[int, set[int]] = defaultdict(set)
    for link in links:
        near[link.source].add(link.target)
        near[link.target].add(link.source)
    groups: list[list[int]] = []
    seen: set[int] = set()
    for box in range(count):
        if box in seen:
            continue
        group, waiting = [], [box]
        seen.add(box)
        while waiting:
            each = waiting.pop()
            group.append(each)
            new = sorted(near[each] - seen)
            seen.update(new)
            waiting += new
        groups.append(sorted(group))
    return sorted(groups, key=lambda group: (-len(group), group))


def _lay(group: Sequence[int], shapes: Sequence[Shape], links: Sequence[BoxLink]) -> LaidComponent:
    index = {box: at for at, box in enumerate(group)}
    own = [
        BoxLink(index[link.source], link.source_y, index[link.target], link.target_y)
        for link in links
        if link.source in index
    ]
    return lay([shapes[box] for box in group], own, ASPECT)


def _wide(sizes: Sequence[tuple[float, float]]) -> float:
    area = sum((width + APART) * (height + APART) for width, height in sizes)
    return max([sqrt(area * ASPECT), *(width for width, _ in sizes)])


def _shelve(
    groups: Sequence[Sequence[int]],
    laid: Sequence[LaidComponent],
    links: Sequence[BoxLink],
    wide: float,
    canvas: _Canvas,
) -> None:
    """Put groups side by side as long as there is room, high ones first."""
    x = y = bottom = 0.0
    for at in sorted(range(len(groups)), key=lambda at: (-laid[at].height, at)):
        group, part = groups[at], laid[at]
        if x and x + part.width > wide:
            x, y = 0.0, bottom + APART
        for box, (left, top, width) in zip(group, part.places, strict=True):
            canvas.places[box] = BoxPlace(x + left, y + top, width)
        members = set(group)
        own = [index for index, link in enumerate(links) if link.source in members]
        for index, way in zip(own, part.ways, strict=True):
            canvas.ways[index] = [(x + left, y + top) for left, top in way]
        canvas.cover(x + part.width, y + part.height)
        x, bottom = x + part.width + APART, max(bottom, y + part.height)


def _grid(
    loose: Sequence[int], shapes: Sequence[Shape], wide: float, y: float, canvas: _Canvas
) -> None:
    """Put boxes into rows, in columns of one width."""
    if not loose:
        return
    width = max(shapes[box].width for box in loose)
    columns = max(1, int((wide + GRID_APART) // (width + GRID_APART)))
    for first in range(0, len(loose), columns):
        row = loose[first : first + columns]
        for column, box in enumerate(row):
            x = column * (width + GRID_APART)
            canvas.places[box] = BoxPlace(x, y, width)
            canvas.cover(x + width, y + shapes[box].height)
        y += max(shapes[box].height for box in row) + GRID_APART
