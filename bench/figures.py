"""What a row of the table is, and how it prints."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


class Measure(enum.StrEnum):
    """What of the two figures is held against the target."""

    RATIO = "ratio"
    DIFFERENCE = "difference"
    OURS = "ours"


@dataclass(frozen=True)
class Figure:
    """One row: a figure of this project beside another's, and a target.

    Args:
        what: what was measured.
        against: what it is compared with.
        ours: this project's figure, in `unit`.
        theirs: the other's.
        unit: ``ms`` or ``MiB``.
        measure: what is held against the target.
        target: the most that it may be; None: it is only reported.
    """

    what: str
    against: str
    ours: float
    theirs: float
    unit: str
    measure: Measure
    target: float | None

    @property
    def value(self) -> float:
        """The figure that has a target."""
        if self.measure is Measure.RATIO:
            return self.ours / self.theirs
        return self.ours - self.theirs if self.measure is Measure.DIFFERENCE else self.ours

    @property
    def met(self) -> bool:
        return self.target is None or self.value <= self.target

    def as_dict(self, name: str) -> dict[str, Any]:
        """The row as plain data."""
        return {
            "name": name,
            "what": self.what,
            "ours": round(self.ours, 3),
            "against": self.against,
            "theirs": round(self.theirs, 3),
            "unit": self.unit,
            "ratio": round(self.ours / self.theirs, 3),
            "measure": self.measure.value,
            "value": round(self.value, 3),
            "target": self.target,
            "met": self.met,
        }

    def cells(self, name: str) -> tuple[str, ...]:
        """The row as the table shows it."""
        unit = "" if self.measure is Measure.RATIO else f" {self.unit}"
        sign = "+" if self.measure is Measure.DIFFERENCE else ""
        digits = 2 if self.measure is Measure.RATIO else 1
        target = "" if self.target is None else f" <= {sign}{self.target:g}{unit}"
        return (
            name,
            f"{self.ours:.1f} {self.unit}",
            f"{self.theirs:.1f} {self.unit}",
            f"{self.measure} {sign}{self.value:.{digits}f}{unit}{target}",
            "-" if self.target is None else "yes" if self.met else "NO",
            f"{self.what}, beside: {self.against}",
        )


HEADINGS = ("name", "neonup", "other", "target", "met", "what")
_WIDTHS = (18, 12, 12, 30, 3, 0)


def line(cells: Sequence[str]) -> str:
    """Cells in columns of fixed widths: a row is printed before the others are there."""
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, _WIDTHS, strict=True)).rstrip()
