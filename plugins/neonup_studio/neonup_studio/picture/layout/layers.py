"""Which layer each box is in: right of those to which it leads, and where there is room."""

from __future__ import annotations

from collections.abc import Sequence

from neonup_studio.picture.layout.graph import BoxLink, Shape

_PASSES = 4


def assign(
    shapes: Sequence[Shape], links: Sequence[BoxLink], highest: float, gap: float
) -> list[int]:
    """The layer of each box, from 0 at the left; none is empty.

    Args:
        highest: what the boxes of a layer may take together, unless a single one is higher.
        gap: between two boxes, which is counted as well.
    """
    pairs = {(link.source, link.target) for link in links if link.source != link.target}
    order = _without_cycles(len(shapes), pairs)
    place = {box: index for index, box in enumerate(order)}
    before: list[set[int]] = [set() for _ in shapes]
    after: list[set[int]] = [set() for _ in shapes]
    for one, other in pairs:
        first, second = sorted((one, other), key=place.__getitem__)
        before[second].add(first)
        after[first].add(second)
    layers = _Layers([shape.height + gap for shape in shapes], highest)
    for box in _from_the_left(order, before):
        lowest = max((layers.of[each] + 1 for each in before[box]), default=0)
        layers.put(box, layers.room(box, lowest))
    for _ in range(_PASSES):
        moved = [_nearer(box, before, after, layers) for box in [*reversed(order), *order]]
        if not any(moved):
            break
    used = {layer: index for index, layer in enumerate(sorted(set(layers.of.values())))}
    return [used[layers.of[box]] for box in range(len(shapes))]


def _without_cycles(count: int, pairs: set[tuple[int, int]]) -> list[int]:
    """An order in which most boxes come after those to which they lead (Eades, Lin and Smyth)."""
    leads: list[set[int]] = [set() for _ in range(count)]
    led: list[set[int]] = [set() for _ in range(count)]
    for source, target in pairs:
        leads[source].add(target)
        led[target].add(source)
    left = set(range(count))
    first: list[int] = []
    last: list[int] = []
    while left:
        box = min(left, key=lambda each: (len(leads[each]) > 0, len(led[each]) > 0, each))
        if leads[box] and led[box]:
            box = max(left, key=lambda each: (len(led[each]) - len(leads[each]), -each))
        (first if not leads[box] or led[box] else last).append(box)
        left.remove(box)
        for target in leads[box]:
            led[target].discard(box)
        for source in led[box]:
            leads[source].discard(box)
    return [*first, *reversed(last)]


def _from_the_left(order: Sequence[int], before: Sequence[set[int]]) -> list[int]:
    """By depth, so that boxes at the beginning of long chains are not put off."""
    depth: dict[int, int] = {}
    for box in order:
        depth[box] = max((depth[each] + 1 for each in before[box]), default=0)
    return sorted(order, key=lambda box: depth[box])


class _Layers:
    """Where boxes are, and how much of each layer they take."""

    def __init__(self, heights: Sequence[float], highest: float):
        self.of: dict[int, int] = {}
        self._heights = heights
        self._highest = max([highest, *heights])
        self._used: dict[int, float] = {}

    def fits(self, box: int, layer: int) -> bool:
        return self._used.get(layer, 0) + self._heights[box] <= self._highest

    def room(self, box: int, lowest: int) -> int:
        """The first layer from `lowest` that has room."""
        while not self.fits(box, lowest):
            lowest += 1
        return lowest

    def put(self, box: int, layer: int) -> None:
        if box in self.of:
            self._used[self.of[box]] -= self._heights[box]
        self.of[box] = layer
        self._used[layer] = self._used.get(layer, 0) + self._heights[box]


def _nearer(
    box: int, before: Sequence[set[int]], after: Sequence[set[int]], layers: _Layers
) -> bool:
    """Move a box where its lines are shorter, if there is room; whether it was moved."""
    here = layers.of[box]
    lowest = max((layers.of[each] + 1 for each in before[box]), default=0)
    highest = min((layers.of[each] - 1 for each in after[box]), default=here)

    def length(layer: int) -> int:
        # The lines of those that lead here are one; each line from here may join another's.
        reach = max((layers.of[each] for each in after[box]), default=layer)
        return (reach - layer) * 2 + sum(layer - layers.of[each] for each in before[box])

    places = [
        layer for layer in range(lowest, highest + 1) if layer != here and layers.fits(box, layer)
    ]
    best = min(places, key=length, default=here)
    if length(best) >= length(here):
        return False
    layers.put(box, best)
    return True
