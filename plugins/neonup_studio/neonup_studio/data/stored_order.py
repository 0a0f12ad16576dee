"""Rows of a table without a key, in the order in which its file has them, a few blocks at a time.

Postgres reads a range of places without reading what is before it, but sorts all of what it finds:
so the range is small at first.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from psycopg import Connection, sql

from neonup_studio.data.problem import DataProblem
from neonup_studio.data.relation import DescribedRelation

_BLOCKS = 8
_GROWTH = 4
_RANGES_SINCE = 140000
"""The version of Postgres that reads ranges of places."""


def windows(
    connection: Connection[Any], relation: DescribedRelation, tid: str | None, *, backward: bool
) -> Iterator[list[sql.Composable]]:
    """Conditions for ranges of blocks, one after the other, each larger than the one before.

    Args:
        tid: the place from which on rows are looked for; None: an end of the table.
    """
    if connection.info.server_version < _RANGES_SINCE:
        yield []
        return
    end = _end(connection, relation)
    start = _block(tid) if tid else end - 1 if backward else 0
    length = _BLOCKS
    while (start >= 0) if backward else (start < end):
        low = max(0, start - length + 1) if backward else start
        high = start + 1 if backward else start + length
        yield [
            sql.SQL("ctid >= {}::tid").format(f"({low},0)"),
            sql.SQL("ctid < {}::tid").format(f"({high},0)"),
        ]
        start = low - 1 if backward else high
        length *= _GROWTH


def _end(connection: Connection[Any], relation: DescribedRelation) -> int:
    """How many blocks its file has."""
    row = connection.execute(
        "SELECT pg_relation_size(%s::oid) / current_setting('block_size')::int8", [relation.oid]
    ).fetchone()
    return int(row[0]) if row and row[0] is not None else 0


def _block(tid: str) -> int:
    number, _, rest = tid.removeprefix("(").partition(",")
    if not number.isdecimal() or len(number) > 10 or not rest.endswith(")"):
        raise DataProblem("This address names no row of the table.")
    return int(number)
