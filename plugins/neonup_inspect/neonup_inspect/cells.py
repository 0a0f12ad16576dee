"""The cells of a topic's table, for people: the ending of a column says what its numbers are."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from neonup.plugin.commands import date, size
from neonup_inspect.wording import percent, shortened, span

_SCALES = {"_bytes": size, "_seconds": span, "_ratio": percent}
"""What the ending of a column's name says of its numbers."""


def heading(column: str) -> str:
    """A column's name as a heading."""
    for ending in _SCALES:
        column = column.removesuffix(ending)
    return column.replace("_", " ")


def text(column: str, value: Any) -> str | None:
    """A value of a column; None where there is none."""
    if value is None:
        return None
    for ending, words in _SCALES.items():
        if column.endswith(ending):
            return words(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return date(value)
    return shortened(value) if isinstance(value, str) else str(value)
