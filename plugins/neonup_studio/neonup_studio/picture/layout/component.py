"""Connected boxes laid out in layers; of several orders, the one with the fewest crossings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from neonup_studio.picture.layout import heights, layers, nets, order, tracks
from neonup_studio.picture.layout.graph import BoxLink, LayoutGraph, LayoutNode, Shape, Wire

MARGIN = 20.0
"""Pixels between a box and the first upright beside it; marks at lines' ends have room in it."""
TRACKS_APART = 9.0
NARROWEST = 44.0
"""A channel's least width."""

_FEW, _MANY = 80, 160
"""Boxes up to which more orders are tried."""
_TRIES_OF_FEW, _TRIES_OF_MANY = 8, 3

Point = tuple[float, float]


@dataclass(frozen=True)
class LaidComponent:
    """Where its boxes are (left, top, width), and the corners of its links' lines."""

    places: list[tuple[float, float, float]]
    ways: list[list[Point]]
    width: float
    height: float


def lay(shapes: Sequence[Shape], links: Sequence[BoxLink], aspect: float) -> LaidComponent:
    """Lay boxes out that lines connect.

    Args:
        aspect: how much wider than high the picture is to be.
    """
    layer_of = layers.assign(shapes, links, _highest(shapes, aspect), heights.BOXES_APART)
    drawings = (_draw(shapes, links, layer_of, seed or None) for seed in range(_tries(len(shapes))))
    return min(drawings, key=lambda drawing: drawing.crossings).component(links)


def _highest(shapes: Sequence[Shape], aspect: float) -> float:
    column = max(shape.width for shape in shapes) + 2 * NARROWEST
    total = sum(shape.height + heights.BOXES_APART for shape in shapes)
    return sqrt(total * column / aspect)


def _tries(boxes: int) -> int:
    return _TRIES_OF_FEW if boxes <= _FEW else _TRIES_OF_MANY if boxes <= _MANY else 1


def _draw(
    shapes: Sequence[Shape], links: Sequence[BoxLink], layer_of: Sequence[int], seed: int | None
) -> _Drawing:
    graph = nets.connect(shapes, links, layer_of)
    order.improve(graph, seed)
    heights.settle(graph)
    return _Drawing(graph, shapes)


class _Drawing:
    """Layers and channels side by side."""

    def __init__(self, graph: LayoutGraph, shapes: Sequence[Shape]):
        self._graph = graph
        self._widths = [
            max((shapes[node.box].width for node in layer if node.box is not None), default=0.0)
            for layer in graph.layers
        ]
        self._lefts: list[float] = []
        self.crossings = 0
        x = 0.0
        for width, channel in zip(self._widths, graph.channels, strict=True):
            self._lefts.append(x)
            x += width
            x += self._channel(channel, x, last=len(self._lefts) == len(graph.layers))
        self._right = x

    def _channel(self, wires: Sequence[Wire], x: float, *, last: bool) -> float:
        """Give the channel's wires their uprights, and return its width."""
        arrangement = tracks.arrange(wires)
        at = arrangement.tracks
        self.crossings += arrangement.crossings
        for wire, track in at.items():
            wire.x = x + MARGIN + track * TRACKS_APART
        if last and not at:
            return 0.0
        used = MARGIN + max(at.values(), default=0) * TRACKS_APART
        return used + 2 if last else max(NARROWEST, used + MARGIN)

    def component(self, links: Sequence[BoxLink]) -> LaidComponent:
        places: dict[int, tuple[float, float, float]] = {}
        for layer in self._graph.layers:
            for node in layer:
                if node.box is not None:
                    places[node.box] = (self._lefts[node.layer], node.y, self._widths[node.layer])
        nodes = [node for layer in self._graph.layers for node in layer]
        return LaidComponent(
            [places[box] for box in range(len(places))],
            [self._way(index) for index in range(len(links))],
            self._right,
            max(node.y + node.height for node in nodes),
        )

    def _way(self, index: int) -> list[Point]:
        points: list[Point] = []
        for wire, end in self._graph.ways[index]:
            if not points:
                points.append((self._side(end.node, right=end in wire.left), end.y))
            if abs(end.y - wire.main.y) >= 0.01:
                points += [(wire.x, end.y), (wire.x, wire.main.y)]
        wire, _ = self._graph.ways[index][-1]
        points.append((self._side(wire.main.node, right=wire.leftwards), wire.main.y))
        return points

    def _side(self, node: LayoutNode, *, right: bool) -> float:
        return self._lefts[node.layer] + (self._widths[node.layer] if right else 0.0)
