"""How far down each node is: near those that it leads to, so that most lines are straight.

For nodes in a given order, the places whose distances to the wished ones add up to the least are
found by isotonic regression: neighbours that would overlap become one block, which is where the
median of its members' wishes is. No layer becomes much higher than the fullest one is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil

from neonup_studio.picture.layout.graph import LayoutGraph, LayoutNode

BOXES_APART = 26.0
LANES_APART = 12.0
_SWEEPS = 10

_STRAIGHT = {(True, True): 8.0, (True, False): 2.0, (False, False): 1.0}
"""How much a line between two lanes, a lane and a box, and two boxes wishes to be straight."""
_LOOSE = 1.08
"""How much higher than the fullest layer, packed, the picture may be."""
_STAY = 0.01
"""How much a node wishes to stay where it is."""

_Wish = tuple[float, float]
"""A place, and a weight."""


def settle(graph: LayoutGraph) -> None:
    """Set the top of each node; the highest one is at 0."""
    for layer in graph.layers:
        y = 0.0
        for node, gap in zip(layer, _gaps(layer), strict=True):
            node.y = y + gap
            y = node.y + node.height
    near = _neighbours(graph)
    fullest = max((layer[-1].y + layer[-1].height for layer in graph.layers), default=0.0)
    highest = float(ceil(_LOOSE * fullest))
    for sweep in range(_SWEEPS):
        both = sweep >= _SWEEPS - 2
        rightwards = sweep % 2 == 0
        for layer in graph.layers if rightwards else reversed(graph.layers):
            sides = {-1, 1} if both else {-1} if rightwards else {1}
            _settle(layer, near, sides, highest)
    top = min((node.y for layer in graph.layers for node in layer), default=0.0)
    for layer in graph.layers:
        for node in layer:
            node.y -= top


@dataclass(frozen=True)
class _Neighbour:
    """At which side it is, what is added to its top, and how much it wishes a straight line."""

    node: LayoutNode
    side: int
    offset: float
    weight: float


def _neighbours(graph: LayoutGraph) -> dict[LayoutNode, list[_Neighbour]]:
    near: dict[LayoutNode, list[_Neighbour]] = defaultdict(list)
    for wires in graph.channels:
        for wire in wires:
            for end in wire.across:
                main = wire.main
                lanes = sorted((main.node.box is None, end.node.box is None), reverse=True)
                weight = _STRAIGHT[lanes[0], lanes[1]]
                side = 1 if wire.leftwards else -1
                offset = end.offset - main.offset
                near[main.node].append(_Neighbour(end.node, side, offset, weight))
                near[end.node].append(_Neighbour(main.node, -side, -offset, weight))
    return near


def _gaps(layer: Sequence[LayoutNode]) -> list[float]:
    """The least gap above each node."""
    gaps = [0.0]
    for upper, lower in pairwise(layer):
        boxes = upper.box is not None and lower.box is not None
        gaps.append(BOXES_APART if boxes else LANES_APART)
    return gaps[: len(layer)]


def _settle(
    layer: Sequence[LayoutNode],
    near: dict[LayoutNode, list[_Neighbour]],
    sides: set[int],
    highest: float,
) -> None:
    blocks: list[tuple[list[LayoutNode], list[_Wish], float]] = []
    above: dict[LayoutNode, float] = {}
    room = 0.0
    for node, gap in zip(layer, _gaps(layer), strict=True):
        room += gap
        above[node] = room
        room += node.height
        wishes = [(node.y - above[node], _STAY)]
        wishes += [
            (each.node.y + each.offset - above[node], each.weight)
            for each in near[node]
            if each.side in sides
        ]
        nodes, place = [node], _median(wishes)
        while blocks and blocks[-1][2] > place:
            upper, others, _ = blocks.pop()
            nodes, wishes = upper + nodes, others + wishes
            place = _median(wishes)
        blocks.append((nodes, wishes, place))
    for nodes, _, place in blocks:
        for node in nodes:
            node.y = min(max(place, 0.0), highest - room) + above[node]


def _median(wishes: list[_Wish]) -> float:
    wishes.sort()
    half = sum(weight for _, weight in wishes) / 2
    for place, weight in wishes:
        half -= weight
        if half <= 0:
            return place
    return wishes[-1][0]
