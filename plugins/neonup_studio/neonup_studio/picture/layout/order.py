"""The order within layers, by which few lines cross: sweeps by barycentre, then swaps."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from random import Random

from neonup_studio.picture.layout.graph import LayoutGraph, LayoutNode, Wire, WireEnd

_SWEEPS = 12
_SWAPS = 12
"""Rounds of each, at most."""

_Place = tuple[int, float]


def improve(graph: LayoutGraph, seed: int | None = None) -> None:
    """Order the nodes of each layer.

    Args:
        seed: begin with an order by chance, the same for each seed; None: as it is.
    """
    if seed is not None:
        chance = Random(seed)  # noqa: S311, nothing is kept secret by it
        for layer in graph.layers:
            chance.shuffle(layer)
    order = _Order(graph)
    best, kept = order.crossings(), [list(layer) for layer in graph.layers]
    for sweep in range(_SWEEPS):
        order.sweep(rightwards=sweep % 2 == 0)
        crossings = order.crossings()
        if crossings < best:
            best, kept = crossings, [list(layer) for layer in graph.layers]
        if not best:
            break
    order.take(kept)
    if best:
        for _ in range(_SWAPS):
            if not order.swap():
                break


class _Order:
    """The graph's layers, with each node's place in its own."""

    def __init__(self, graph: LayoutGraph):
        self._layers = graph.layers
        self._edges = [_edges(wires) for wires in graph.channels]
        self._left: dict[LayoutNode, list[tuple[float, WireEnd]]] = defaultdict(list)
        self._right: dict[LayoutNode, list[tuple[float, WireEnd]]] = defaultdict(list)
        for edges in self._edges:
            for left, right in edges:
                self._left[right.node].append((_fraction(right), left))
                self._right[left.node].append((_fraction(left), right))
        self._place: dict[LayoutNode, int] = {}
        for layer in self._layers:
            self._number(layer)

    def take(self, layers: Sequence[Sequence[LayoutNode]]) -> None:
        for layer, kept in zip(self._layers, layers, strict=True):
            layer[:] = kept
            self._number(layer)

    def _number(self, layer: Sequence[LayoutNode]) -> None:
        for place, node in enumerate(layer):
            self._place[node] = place

    def _at(self, end: WireEnd) -> _Place:
        return (self._place[end.node], end.offset)

    def crossings(self) -> int:
        total = 0
        for edges in self._edges:
            places = sorted((self._at(left), self._at(right)) for left, right in edges)
            passed: list[_Place] = []
            for _, right in places:
                total += len(passed) - bisect_right(passed, right)
                insort(passed, right)
        return total

    def sweep(self, *, rightwards: bool) -> None:
        """Order each layer by where the lines from the layer before lead."""
        near = self._left if rightwards else self._right
        layers = self._layers if rightwards else self._layers[::-1]
        for before, layer in pairwise(layers):
            scale = len(layer) / len(before)
            wishes = {node: self._wish(node, near[node], scale) for node in layer}
            layer.sort(key=lambda node, wishes=wishes: wishes[node])  # type: ignore[misc]
            self._number(layer)

    def _wish(self, node: LayoutNode, near: Sequence[tuple[float, WireEnd]], scale: float) -> float:
        if not near:
            return self._place[node]
        places = [self._place[end.node] + _fraction(end) - own + 0.5 for own, end in near]
        return scale * sum(places) / len(places) - 0.5

    def swap(self) -> bool:
        """Swap neighbours where fewer lines cross then; whether any were swapped."""
        swapped = False
        for layer in self._layers:
            for at in range(len(layer) - 1):
                upper, lower = layer[at], layer[at + 1]
                if self._between(upper, lower) > self._between(lower, upper):
                    layer[at], layer[at + 1] = lower, upper
                    self._place[upper], self._place[lower] = at + 1, at
                    swapped = True
        return swapped

    def _between(self, upper: LayoutNode, lower: LayoutNode) -> int:
        """How many lines of the two cross, with one of them above the other."""
        total = 0
        for near in (self._left, self._right):
            above = sorted(self._at(end) for _, end in near[upper])
            for _, end in near[lower]:
                total += len(above) - bisect_right(above, self._at(end))
        return total


def _fraction(end: WireEnd) -> float:
    return end.offset / end.node.height if end.node.height else 0.5


def _edges(wires: Sequence[Wire]) -> list[tuple[WireEnd, WireEnd]]:
    return [
        (wire.main, end) if wire.leftwards else (end, wire.main)
        for wire in wires
        for end in wire.across
    ]
