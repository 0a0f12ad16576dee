"""A row's values as they are shown: as Postgres writes them, long ones cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Cursor, sql

from neonup_studio.data.relation import RelationColumn, ValueKind

SHOWN = 300
"""Characters of a value in a list."""
_BYTES = 24
"""Bytes of a bytea in a list."""


@dataclass(frozen=True)
class CellValue:
    """A value.

    Args:
        text: as Postgres writes it; None: NULL.
        cut: whether it is only the beginning.
        size: of a bytea: its bytes; of others None.
    """

    text: str | None
    cut: bool = False
    size: int | None = None

    @property
    def null(self) -> bool:
        """Whether there is no value."""
        return self.text is None


def cut_expressions(columns: Sequence[RelationColumn]) -> list[sql.Composable]:
    """For SELECT: each column's value, a long one's beginning; and the size of a bytea."""
    made: list[sql.Composable] = []
    for column in columns:
        name = column.identifier
        if column.kind is ValueKind.BYTES:
            made.append(sql.SQL("substring({} FROM 1 FOR {})").format(name, _BYTES + 1))
            made.append(sql.SQL("octet_length({})").format(name))
        else:
            made.append(beginning(column, SHOWN + 1))
    return made


def beginning(column: RelationColumn, length: int) -> sql.Composable:
    """A column's value as its type writes it; of one that can be long, so many characters."""
    if column.fixed:
        return column.identifier
    # A cast to text may write it otherwise than its type does; format() does not.
    cut = sql.SQL("CASE WHEN {0} IS NOT NULL THEN left(format('%s', {0}), {1}) END")
    return cut.format(column.identifier, length)


def cut_cells(columns: Sequence[RelationColumn], values: Sequence[str | None]) -> list[CellValue]:
    """The values of `cut_expressions`, as they are shown."""
    remaining = iter(values)
    cells = []
    for column in columns:
        text = next(remaining)
        if column.kind is ValueKind.BYTES:
            size = int(next(remaining) or 0)
            cells.append(_bytes_cell(text, size))
        elif text is not None and not column.fixed and len(text) > SHOWN:
            cells.append(CellValue(text[:SHOWN], cut=True))
        else:
            cells.append(CellValue(text))
    return cells


def _bytes_cell(text: str | None, size: int) -> CellValue:
    if text is None:
        return CellValue(None)
    hexadecimal = text.removeprefix("\\x")
    cut = len(hexadecimal) > 2 * _BYTES
    return CellValue(f"\\x{hexadecimal[: 2 * _BYTES]}", cut=cut, size=size)


def texts(cursor: Cursor[Any]) -> list[list[str | None]]:
    """A result's values as Postgres has written them."""
    result = cursor.pgresult
    if result is None:
        return []
    return [
        [_decoded(result.get_value(row, column)) for column in range(result.nfields)]
        for row in range(result.ntuples)
    ]


def _decoded(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "replace")
