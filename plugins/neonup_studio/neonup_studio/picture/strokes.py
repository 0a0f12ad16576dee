"""The paths of lines, and of the marks at their ends, as SVG writes them."""

from __future__ import annotations

from collections.abc import Sequence

from neonup_studio.picture.layout.component import Point

_ROUND = 8.0
_FOOT = 9.0
_HEAD = 8.0
_HALF = 4.0
_INSET = 5.0


def rounded(corners: Sequence[Point]) -> str:
    """A line whose corners are round."""
    parts = [f"M{_at(corners[0])}"]
    for index in range(1, len(corners) - 1):
        before, corner, after = corners[index - 1 : index + 2]
        radius = min(_ROUND, _length(before, corner) / 2, _length(corner, after) / 2)
        parts.append(f"L{_at(_towards(corner, before, radius))}")
        parts.append(f"Q{_at(corner)} {_at(_towards(corner, after, radius))}")
    parts.append(f"L{_at(corners[-1])}")
    return "".join(parts)


def foot(corners: Sequence[Point], *, unique: bool) -> str:
    """The mark where a line begins: a crow's foot where many rows lead to one, or a bar."""
    (x, y), step = corners[0], _direction(corners)
    if unique:
        return f"M{_at((x + 6 * step, y - _HALF))}v{2 * _HALF:g}"
    tip = (x + _FOOT * step, y)
    return f"M{_at((x, y - _HALF))}L{_at(tip)}L{_at((x, y + _HALF))}"


def head(corners: Sequence[Point]) -> str:
    """The arrow's head where a line ends."""
    (x, y), step = corners[-1], _direction(corners[::-1])
    back = x + _HEAD * step
    return f"M{_at((x, y))}L{_at((back, y - _HALF))}L{_at((back, y + _HALF))}Z"


def bracket(x: float, rows: Sequence[float], *, rightwards: bool) -> str:
    """What holds the rows of one key together, within the box at whose edge they are."""
    inner = x + (_INSET if rightwards else -_INSET)
    upright = f"M{_at((inner, rows[0]))}L{_at((inner, rows[-1]))}"
    return upright + "".join(f"M{_at((x, y))}L{_at((inner, y))}" for y in rows)


def _direction(corners: Sequence[Point]) -> int:
    x = corners[0][0]
    away = next((other for other, _ in corners[1:] if other != x), x)
    return 1 if away >= x else -1


def _length(one: Point, other: Point) -> float:
    return abs(one[0] - other[0]) + abs(one[1] - other[1])


def _towards(one: Point, other: Point, by: float) -> Point:
    length = _length(one, other)
    if not length:
        return one
    return (
        one[0] + (other[0] - one[0]) * by / length,
        one[1] + (other[1] - one[1]) * by / length,
    )


def _at(point: Point) -> str:
    return f"{round(point[0], 1):g} {round(point[1], 1):g}"
