"""What is laid out: boxes in layers from left to right, and the lines through the channels between.

Lines that lead to the same row share one way, a net: a table to which thirty others lead has one
line to it, not thirty. A net passes a layer in a lane of its own, so that it meets no box.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Shape:
    """A box's size, in pixels."""

    width: float
    height: float


@dataclass(frozen=True)
class BoxLink:
    """A line from a row of a box to a row of a box, perhaps the same.

    Args:
        source: the index of the box where it begins.
        source_y: the row's middle, from the box's top.
        target: the index of the box where it ends.
        target_y: the row's middle there.
    """

    source: int
    source_y: float
    target: int
    target_y: float


@dataclass(eq=False)
class LayoutNode:
    """What has a place in a layer: a box, or the lane of a net that passes.

    Args:
        layer: which, from the left.
        height: 0 for a lane.
        box: its index; None for a lane.
        y: its top, once that is known.
    """

    layer: int
    height: float = 0.0
    box: int | None = None
    y: float = 0.0


@dataclass(eq=False)
class WireEnd:
    """Where a line meets a node, on one of its sides.

    Args:
        offset: from the node's top.
    """

    node: LayoutNode
    offset: float = 0.0

    @property
    def y(self) -> float:
        """Where that is in the picture."""
        return self.node.y + self.offset


@dataclass(eq=False)
class Wire:
    """A net's part in one channel: ends on both sides, and an upright between them.

    Args:
        channel: the one at the right of the layer with this number.
        leftwards: whether the target is at the left.
        main: the end in the target's direction.
        across: the other ends, on the channel's other side.
        beside: the ends on the same side as the main one: of a box that leads to itself.
        x: the upright's place, once that is known.
    """

    channel: int
    leftwards: bool
    main: WireEnd
    across: list[WireEnd] = field(default_factory=list)
    beside: list[WireEnd] = field(default_factory=list)
    x: float = 0.0

    @property
    def left(self) -> list[WireEnd]:
        """The ends on the channel's left side."""
        return [self.main, *self.beside] if self.leftwards else self.across

    @property
    def right(self) -> list[WireEnd]:
        """The ends on the channel's right side."""
        return self.across if self.leftwards else [self.main, *self.beside]


@dataclass
class LayoutGraph:
    """Nodes by layer, in their order, and wires by channel.

    Args:
        layers: from the left, each from the top.
        channels: as many as layers; each at the right of its layer.
        ways: for each link the wires from its source to its target, each with the end where
            it is entered.
    """

    layers: list[list[LayoutNode]]
    channels: list[list[Wire]]
    ways: list[list[tuple[Wire, WireEnd]]]
