"""Charts of plain numbers: what is used of a limit, and how something went over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

NEAR = 0.8
"""From here on a meter warns."""


@dataclass(frozen=True)
class MeterBar:
    """An amount, in words and as a bar where it has a limit.

    Args:
        what: is measured.
        much: the amount in words.
        of: the limit in words; empty: none.
        share: of the limit; None: there is none.
    """

    what: str
    much: str
    of: str = ""
    share: float | None = None

    @property
    def width(self) -> float:
        """Of the bar, in percent."""
        return round(min(max(self.share or 0.0, 0.0), 1.0) * 100, 1)

    @property
    def state(self) -> str:
        """How near the limit is: empty, `near` or `over`."""
        share = self.share or 0.0
        return "over" if share >= 1 else "near" if share >= NEAR else ""


@dataclass(frozen=True)
class Stick:
    """One of a sparkline's sticks, in percent of the drawing."""

    x: float
    width: float
    y: float
    height: float
    title: str


def sticks(values: Sequence[tuple[str, float]]) -> list[Stick]:
    """A sparkline.

    Args:
        values: each with its title, oldest first.
    """
    largest = max((value for _, value in values), default=0) or 1
    step = 100 / max(len(values), 1)
    drawn = []
    for index, (title, value) in enumerate(values):
        height = max(100 * value / largest, 4 if value else 0)
        drawn.append(
            Stick(round(index * step, 3), round(step * 0.72, 3), 100 - height, height, title)
        )
    return drawn
