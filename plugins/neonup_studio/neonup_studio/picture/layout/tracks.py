"""The uprights of a channel: side by side, in an order by which few lines cross."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from neonup_studio.picture.layout.graph import Wire

CLOSE = 4.0
"""Two level lines nearer than that, in pixels, look like one."""
_SHIFT = 5.0
_REPAIRS = 12
_ROUNDS = 8
_TOUCH = 1000
"""A line that lies on another's is worse than any crossing."""


@dataclass(frozen=True)
class Arrangement:
    """How a channel's uprights stand.

    Args:
        tracks: of each wire that needs an upright, from 0 at the left.
        crossings: in how many places lines cross.
    """

    tracks: dict[Wire, int]
    crossings: int


def arrange(wires: Sequence[Wire]) -> Arrangement:
    """Arrange the uprights of one channel.

    Ends at the right may be moved by a few pixels where two lines would lie on each other.
    """
    uprights = _Uprights(wires)
    order = uprights.order()
    for _ in range(_REPAIRS):
        touching = uprights.touching(order)
        if touching is None:
            break
        _move(touching, wires)
        uprights = _Uprights(wires)
        order = uprights.order()
    return Arrangement(uprights.tracks(order), uprights.crossings(order))


class _Uprights:
    """The uprights of wires whose ends are where they are, by number."""

    def __init__(self, wires: Sequence[Wire]):
        self._wires = sorted(
            (wire for wire in wires if wire.beside or _height(wire) >= 0.01),
            key=lambda wire: min(end.y for end in (*wire.left, *wire.right)),
        )
        self._left = [[end.y for end in wire.left] for wire in self._wires]
        self._right = [[end.y for end in wire.right] for wire in self._wires]
        self._spans = [
            (min(left + right), max(left + right))
            for left, right in zip(self._left, self._right, strict=True)
        ]
        self._straight = [wire.main.y for wire in wires if not wire.beside and _height(wire) < 0.01]
        count = range(len(self._wires))
        self._costs = [[self._cost(one, other) for other in count] for one in count]

    def _meet(self, one: int, other: int) -> bool:
        (a, b), (c, d) = self._spans[one], self._spans[other]
        return a < d + CLOSE and c < b + CLOSE

    def _cost(self, one: int, other: int) -> int:
        """What it costs that `one` is at the left of `other`."""
        if one == other or not self._meet(one, other):
            return 0
        (a, b), (c, d) = self._spans[one], self._spans[other]
        right, left = self._right[one], self._left[other]
        cost = sum(c < y < d for y in right) + sum(a < y < b for y in left)
        return cost + _TOUCH * sum(abs(mine - its) < CLOSE for mine in right for its in left)

    def order(self) -> list[int]:
        """An order from the left in which few lines cross."""
        costs, left = self._costs, list(range(len(self._wires)))
        gain = [sum(costs[one]) - sum(row[one] for row in costs) for one in left]
        order: list[int] = []
        while left:
            one = min(left, key=gain.__getitem__)
            left.remove(one)
            order.append(one)
            for other in left:
                gain[other] += costs[one][other] - costs[other][one]
        for _ in range(_ROUNDS):
            swapped = False
            for at in range(len(order) - 1):
                one, other = order[at], order[at + 1]
                if costs[other][one] < costs[one][other]:
                    order[at], order[at + 1] = other, one
                    swapped = True
            if not swapped:
                break
        return order

    def touching(self, order: Sequence[int]) -> Wire | None:
        """A wire one of whose ends at the right lies on another's line."""
        for index, one in enumerate(order):
            if any(self._costs[one][other] >= _TOUCH for other in order[index + 1 :]):
                return self._wires[one]
        return None

    def crossings(self, order: Sequence[int]) -> int:
        """In how many places lines cross, in this order."""
        level = sum(low < y < high for y in self._straight for low, high in self._spans)
        return level + sum(self._costs[one][other] for one, other in combinations(order, 2))

    def tracks(self, order: Sequence[int]) -> dict[Wire, int]:
        """Each wire's track: as far left as those before it in the order leave room."""
        tracks: dict[int, int] = {}
        for one in order:
            before = [track for other, track in tracks.items() if self._meet(other, one)]
            tracks[one] = max(before, default=-1) + 1
        return {self._wires[one]: track for one, track in tracks.items()}


def _height(wire: Wire) -> float:
    heights = [end.y for end in (*wire.left, *wire.right)]
    return max(heights) - min(heights)


def _move(wire: Wire, wires: Sequence[Wire]) -> None:
    """Move the ends at the right that lie on others', away from the nearest other end."""
    lefts = [end.y for other in wires if other is not wire for end in other.left]
    for end in wire.right:
        if not any(abs(end.y - y) < CLOSE for y in lefts):
            continue
        rights = [other.y for each in wires for other in each.right if other is not end]
        end.offset += max(
            (-_SHIFT, _SHIFT),
            key=lambda by: min((abs(end.y + by - y) for y in (*lefts, *rights)), default=0),
        )
