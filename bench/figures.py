"""What a row of the table is: what is measured beside what, and the most that the ratio may be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Pair = tuple[float, float]
"""This project's figure, and the other's, in the row's unit."""


@dataclass(frozen=True)
class Case:
    """A row: a figure of this project beside another's.

    Machines differ by two and more, so a target is a ratio to what was measured in the same run.

    Args:
        name: the row's name, which ``--only`` takes.
        what: what is measured.
        against: what it is measured beside.
        unit: ``ms``, ``s``, ``MiB``, ``%``, or empty for a count.
        target: the most that the ratio of both may be; None: it is only reported.
        measure: measures both sides, with some repeats.
    """

    name: str
    what: str
    against: str
    unit: str
    target: float | None
    measure: Callable[[int], Pair]


@dataclass(frozen=True)
class Moment:
    """How the machine was when a row was measured.

    Args:
        time: the date and the time of day.
        python_pass: milliseconds of ``python -c pass``.
        load: processes that wanted to run in the last minute; None where it is not known.
    """

    time: str
    python_pass: float
    load: float | None


@dataclass(frozen=True)
class Figure:
    """A row's figures.

    Args:
        case: the row.
        ours: this project's figure, in the row's unit.
        theirs: the other's.
        moment: when they were measured.
    """

    case: Case
    ours: float
    theirs: float
    moment: Moment

    @property
    def ratio(self) -> float:
        """What is held against the target."""
        return self.ours / self.theirs

    @property
    def met(self) -> bool:
        return self.case.target is None or self.ratio <= self.case.target

    def as_dict(self) -> dict[str, Any]:
        """The row as plain data."""
        return {
            "name": self.case.name,
            "what": self.case.what,
            "ours": round(self.ours, 3),
            "against": self.case.against,
            "theirs": round(self.theirs, 3),
            "unit": self.case.unit,
            "ratio": round(self.ratio, 3),
            "target": self.case.target,
            "met": self.met,
            "time": self.moment.time,
            "python_pass": round(self.moment.python_pass, 1),
            "load": self.moment.load,
        }

    def cells(self) -> tuple[str, ...]:
        """The row as the printed table shows it."""
        target = "" if self.case.target is None else f" <= {self.case.target:g}"
        return (
            self.case.name,
            amount(self.ours, self.case.unit),
            amount(self.theirs, self.case.unit),
            f"{self.ratio:.2f}{target}",
            "-" if self.case.target is None else "yes" if self.met else "NO",
            f"{self.case.what}, beside: {self.case.against}",
        )


def amount(number: float, unit: str) -> str:
    """A number with its unit, to three figures or a tenth."""
    digits = 0 if not unit or number >= 100 else 1 if number >= 1 else 3
    return f"{number:,.{digits}f} {unit}".rstrip()


HEADINGS = ("name", "neonup", "other", "ratio", "met", "what")
_WIDTHS = (20, 12, 12, 16, 3, 0)


def line(cells: Sequence[str]) -> str:
    """Cells in columns of fixed widths: a row is printed before the others are there."""
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, _WIDTHS, strict=True)).rstrip()
