"""From boxes in layers and links to nets: lanes through layers, and wires through channels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from neonup_studio.picture.layout.graph import (
    BoxLink,
    LayoutGraph,
    LayoutNode,
    Shape,
    Wire,
    WireEnd,
)

PORTS_APART = 5.0
"""Pixels between two lines that meet a row at the same side, if it has room for them."""
_ROW, _LOW = 14.0, 40.0
"""A row's room for ends; a box that is no higher than that has one row, which has more."""

_Net = tuple[int, float, bool]
"""Which row of which box it leads to, and whether it comes from the right."""


def connect(
    shapes: Sequence[Shape], links: Sequence[BoxLink], layer_of: Sequence[int]
) -> LayoutGraph:
    """Make the graph of boxes whose layers are known; within them, their order is as it comes."""
    count = max(layer_of, default=-1) + 1
    boxes = [
        LayoutNode(layer, shape.height, box)
        for box, (layer, shape) in enumerate(zip(layer_of, shapes, strict=True))
    ]
    graph = LayoutGraph([[] for _ in range(count)], [[] for _ in range(count)], [[] for _ in links])
    for node in boxes:
        graph.layers[node.layer].append(node)
    nets: dict[_Net, list[int]] = defaultdict(list)
    for index, link in enumerate(links):
        leftwards = layer_of[link.source] >= layer_of[link.target]
        nets[link.target, link.target_y, leftwards].append(index)
    for (target, target_y, leftwards), members in nets.items():
        _Laying(graph, boxes, leftwards, WireEnd(boxes[target], target_y)).lay(links, members)
    _spread(graph)
    return graph


class _Laying:
    """One net, laid from its target on."""

    def __init__(
        self, graph: LayoutGraph, boxes: Sequence[LayoutNode], leftwards: bool, target: WireEnd
    ):
        self._graph = graph
        self._boxes = boxes
        self._leftwards = leftwards
        self._step = 1 if leftwards else -1
        self._target = target

    def lay(self, links: Sequence[BoxLink], members: Sequence[int]) -> None:
        home = self._target.node.layer
        reach = max(abs(self._boxes[links[index].source].layer - home) for index in members)
        wires = self._wires(max(reach, 1))
        ends: dict[tuple[LayoutNode, float], WireEnd] = {}
        for index in members:
            node = self._boxes[links[index].source]
            distance = abs(node.layer - home)
            wire = wires[max(distance, 1) - 1]
            place = (node, links[index].source_y)
            if place not in ends:
                ends[place] = WireEnd(*place)
                (wire.across if distance else wire.beside).append(ends[place])
            way = [(wire, ends[place])]
            way += [(wires[at], wires[at].across[0]) for at in range(distance - 2, -1, -1)]
            self._graph.ways[index] = way

    def _wires(self, reach: int) -> list[Wire]:
        """One for each channel, from the target on; the first end across is the next one's main."""
        wires: list[Wire] = []
        main = self._target
        for at in range(reach):
            layer = main.node.layer
            wire = Wire(layer if self._leftwards else layer - 1, self._leftwards, main)
            self._graph.channels[wire.channel].append(wire)
            wires.append(wire)
            if at < reach - 1:
                lane = LayoutNode(layer + self._step)
                self._graph.layers[lane.layer].append(lane)
                main = WireEnd(lane)
                wire.across.append(main)
        return wires


def _spread(graph: LayoutGraph) -> None:
    """Move apart the ends that meet a box at the same place."""
    places: dict[tuple[LayoutNode, float, bool], list[WireEnd]] = defaultdict(list)
    for wires in graph.channels:
        for wire in wires:
            for ends, on_the_right in ((wire.left, True), (wire.right, False)):
                for end in ends:
                    if end.node.box is not None:
                        places[end.node, end.offset, on_the_right].append(end)
    for (node, _, _), ends in places.items():
        room = _ROW if node.height > _LOW else node.height - PORTS_APART
        apart = min(PORTS_APART, room / max(len(ends) - 1, 1))
        for index, end in enumerate(ends):
            end.offset += (index - (len(ends) - 1) / 2) * apart
