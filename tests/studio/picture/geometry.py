"""What can be measured in a picture: what overlaps, crosses, or lies on something else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

Point = tuple[float, float]
_LITTLE = 0.05


@dataclass(frozen=True)
class Rectangle:
    """A box in the picture."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + self.height

    def overlaps(self, other: Rectangle) -> bool:
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )


@dataclass(frozen=True)
class Piece:
    """A level or upright piece of a line, of the line with this number."""

    line: int
    first: Point
    last: Point

    @property
    def level(self) -> bool:
        return self.first[1] == self.last[1]

    def through(self, box: Rectangle) -> bool:
        (x0, y0), (x1, y1) = sorted((self.first, self.last))
        return (
            x0 < box.right - _LITTLE
            and x1 > box.left + _LITTLE
            and min(y0, y1) < box.bottom - _LITTLE
            and max(y0, y1) > box.top + _LITTLE
        )


def overlapping(boxes: Sequence[Rectangle]) -> list[tuple[Rectangle, Rectangle]]:
    return [pair for pair in combinations(boxes, 2) if pair[0].overlaps(pair[1])]


def pieces(lines: Sequence[Sequence[Point]]) -> list[Piece]:
    return [
        Piece(number, first, last)
        for number, line in enumerate(lines)
        for first, last in pairwise(line)
        if first != last
    ]


def through_boxes(
    lines: Sequence[Sequence[Point]], boxes: Sequence[Rectangle]
) -> list[tuple[Piece, Rectangle]]:
    return [(piece, box) for piece in pieces(lines) for box in boxes if piece.through(box)]


def crossings(lines: Sequence[Sequence[Point]], nets: Sequence[object]) -> int:
    """In how many places lines of different nets cross."""
    places = set()
    levels = [piece for piece in pieces(lines) if piece.level]
    uprights = [piece for piece in pieces(lines) if not piece.level]
    for level in levels:
        left, right = sorted((level.first[0], level.last[0]))
        y = level.first[1]
        for upright in uprights:
            x = upright.first[0]
            top, bottom = sorted((upright.first[1], upright.last[1]))
            if nets[level.line] != nets[upright.line] and left < x < right and top < y < bottom:
                places.add((round(x, 2), round(y, 2)))
    return len(places)


def on_each_other(
    lines: Sequence[Sequence[Point]], nets: Sequence[object]
) -> list[tuple[Piece, Piece]]:
    """Pieces of different nets of which one lies on the other for more than a moment."""
    found = []
    for one, other in combinations(pieces(lines), 2):
        if nets[one.line] == nets[other.line] or one.level != other.level:
            continue
        along, across = (0, 1) if one.level else (1, 0)
        if abs(one.first[across] - other.first[across]) > 1:
            continue
        (a, b), (c, d) = (sorted((piece.first[along], piece.last[along])) for piece in (one, other))
        if min(b, d) - max(a, c) > 1:
            found.append((one, other))
    return found
