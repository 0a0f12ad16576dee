"""Values of Postgres as JSON has them, short enough to be read."""

from __future__ import annotations

import json
import math
from typing import Any

from psycopg import adapters
from psycopg.adapt import AdaptersMap, Loader

LONGEST = 2000
"""Characters of one value; what is longer is cut, and says so."""

_LARGEST = 2**53
"""Whole numbers beyond it are not exact where JSON's numbers are floating point."""


class _AsText(Loader):
    """A value as Postgres writes it."""

    def load(self, data: Any) -> str:
        return bytes(data).decode()


def _readable() -> AdaptersMap:
    adapters_map = AdaptersMap(adapters)
    for name in (
        *("bytea", "numeric", "uuid", "inet", "cidr", "money"),
        *("date", "time", "timetz", "timestamp", "timestamptz", "interval"),
        *("int4range", "int8range", "numrange", "daterange", "tsrange", "tstzrange"),
        *("int4multirange", "int8multirange", "nummultirange"),
        *("datemultirange", "tsmultirange", "tstzmultirange", "record"),
    ):
        adapters_map.register_loader(name, _AsText)
    return adapters_map


READABLE = _readable()
"""Loaders for a connection whose values `as_json` takes.

Dates, times and decimals stay as Postgres writes them: its ``infinity`` and its year 10000 are none
of Python's, and JSON has no exact fractions.
"""


def as_json(value: Any) -> Any:
    """A loaded value as JSON has it; one that is too long becomes text that says so."""
    if isinstance(value, str):
        return shortened(value)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if abs(value) <= _LARGEST else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, list | dict):
        text = json.dumps(value, ensure_ascii=False, default=str)
        if len(text) > LONGEST:
            return shortened(text)
        return [as_json(item) for item in value] if isinstance(value, list) else value
    return shortened(str(value))


def shortened(text: str) -> str:
    """The beginning of a text, and how much was left out."""
    left = len(text) - LONGEST
    return text if left <= 0 else f"{text[:LONGEST]}... [{left} more characters]"


def as_text(value: Any) -> str:
    """A value of `as_json` as a cell of a table: on one line, NULL unlike an empty text."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    return (
        str(value)
        .replace("\\", "\\\\")
        .replace("\n", "\\n")
        .replace("\r", "\\r")
        .replace("|", "\\|")
    )
