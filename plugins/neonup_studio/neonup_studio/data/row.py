"""One row, with its values as they are, and the rows that refer to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import Connection, sql

from neonup_studio.data.cells import CellValue, texts
from neonup_studio.data.filters import ColumnFilter, Comparison, blame, conditions
from neonup_studio.data.literals import operator, typed
from neonup_studio.data.ordering import TID, identity, is_row
from neonup_studio.data.places import key_text, read_key
from neonup_studio.data.problem import DataProblem, as_problem
from neonup_studio.data.reading import reading
from neonup_studio.data.relation import DescribedRelation, ForeignKey, RelationColumn, ValueKind
from neonup_studio.data.rows import where

WHOLE = 256 * 1024
"""Characters of a value that are shown of a row; all of them can be downloaded."""
LARGEST = 64 * 1024 * 1024
"""Bytes of a value that can be downloaded."""
_BYTES = 2048
COUNTED = 100
"""Rows that refer to a row, up to which they are counted."""
_COUNTING = 2.0
"""Seconds for counting those of one foreign key."""


@dataclass(frozen=True)
class WholeRow:
    """A row.

    Args:
        key: for an address; None: nothing tells it from others.
        version: changes whenever somebody changes the row; None: it is not known.
        cells: one for each column.
    """

    key: str | None
    version: str | None
    cells: tuple[CellValue, ...]


@dataclass(frozen=True)
class Referring:
    """The rows of another table that refer to a row.

    Args:
        filters: by which they are found there.
        count: how many there are, at most `COUNTED` + 1; None: it took too long to count.
    """

    foreign_key: ForeignKey
    filters: tuple[ColumnFilter, ...]
    count: int | None


def by_key(connection: Connection[Any], relation: DescribedRelation, key: str) -> WholeRow | None:
    """The row with a key; None where it is not there any more.

    Raises:
        DataProblem: the key is none of this table, or the row cannot be read.
    """
    columns = identity(relation)
    if not columns:
        raise DataProblem(f"Nothing tells the rows of {relation.name} apart.")
    condition = is_row(columns, read_key(key, len(columns)))
    try:
        with reading(connection):
            return _read(connection, relation, [condition])
    except psycopg.Error as error:
        raise as_problem(error) from None


def by_filters(
    connection: Connection[Any], relation: DescribedRelation, filters: Sequence[ColumnFilter]
) -> WholeRow | None:
    """The first row that meets filters, such as a foreign key's; None where there is none.

    Raises:
        DataProblem: a filter cannot be used, which it names; or the row cannot be read.
    """
    wanted = conditions(relation, filters)
    try:
        with reading(connection):
            return _read(connection, relation, wanted)
    except psycopg.Error as error:
        raise blame(connection, relation, filters, error) from None


def _read(
    connection: Connection[Any], relation: DescribedRelation, wanted: Sequence[sql.Composable]
) -> WholeRow | None:
    key = identity(relation)
    shown = [_whole(column) for column in relation.columns]
    sizes = [_size(column) for column in relation.columns]
    versioned = relation.writable_kind
    more = [column.identifier for column in key] + [sql.SQL("xmin")] * versioned
    query = sql.SQL("SELECT {} FROM {}{} LIMIT 1").format(
        sql.SQL(", ").join([*shown, *sizes, *more]), relation.source, where(wanted)
    )
    rows = texts(connection.execute(query))
    if not rows:
        return None
    [values] = rows
    count = len(relation.columns)
    cells = tuple(
        _cell(column, values[number], values[count + number])
        for number, column in enumerate(relation.columns)
    )
    own = tuple(value or "" for value in values[2 * count : 2 * count + len(key)])
    return WholeRow(key_text(own) if key else None, values[-1] if versioned else None, cells)


def _whole(column: RelationColumn) -> sql.Composable:
    name = column.identifier
    if column.fixed:
        return name
    if column.kind is ValueKind.BYTES:
        return sql.SQL("substring({} FROM 1 FOR {})").format(name, _BYTES)
    shown = sql.SQL("CASE WHEN {0} IS NOT NULL THEN left(format('%s', {0}), {1}) END")
    return shown.format(name, WHOLE)


def _size(column: RelationColumn) -> sql.Composable:
    if column.fixed:
        return sql.SQL("NULL")
    if column.kind is ValueKind.BYTES:
        return sql.SQL("octet_length({})").format(column.identifier)
    return sql.SQL("CASE WHEN {0} IS NOT NULL THEN length(format('%s', {0})) END").format(
        column.identifier
    )


def _cell(column: RelationColumn, text: str | None, size: str | None) -> CellValue:
    if text is None or size is None:
        return CellValue(text)
    if column.kind is ValueKind.BYTES:
        return CellValue(text, cut=int(size) > _BYTES, size=int(size))
    return CellValue(text, cut=int(size) > WHOLE)


def value_bytes(
    connection: Connection[Any], relation: DescribedRelation, key: str, column: str
) -> bytes | None:
    """A value, whole: a bytea's own bytes, any other as UTF-8; None for NULL, or without the row.

    Raises:
        DataProblem: there is no such column or row, or it is larger than `LARGEST`.
    """
    found, columns = relation.column(column), identity(relation)
    if found is None or not columns:
        raise DataProblem(f"There is no column {column}.")
    name = found.identifier
    value: sql.Composable = name
    if found.kind is not ValueKind.BYTES:
        written = "CASE WHEN {0} IS NOT NULL THEN convert_to(format('%s', {0}), 'UTF8') END"
        value = sql.SQL(written).format(name)
    condition = is_row(columns, read_key(key, len(columns)))
    query = sql.SQL(
        "SELECT octet_length({0}), CASE WHEN octet_length({0}) <= {1} THEN {0} END FROM {2}{3}"
    ).format(value, LARGEST, relation.source, where([condition]))
    try:
        with reading(connection):
            row = connection.execute(query).fetchone()
    except psycopg.Error as error:
        raise as_problem(error) from None
    if row is None or row[0] is None:
        return None
    if row[1] is None:
        raise DataProblem(
            f"The value has {row[0]:,} bytes, more than the {LARGEST:,} that are sent here.",
            remedy="`neonup psql` with \\copy writes it to a file.",
        )
    return bytes(row[1])


def target_of(
    foreign_key: ForeignKey, relation: DescribedRelation, cells: Sequence[CellValue]
) -> tuple[ColumnFilter, ...] | None:
    """By which filters the row is found that a row refers to; None: it refers to none."""
    return _filters(foreign_key.columns, foreign_key.targets, relation, cells)


def referrers_of(
    foreign_key: ForeignKey, relation: DescribedRelation, cells: Sequence[CellValue]
) -> tuple[ColumnFilter, ...] | None:
    """By which filters the rows are found that refer to a row; None: they cannot be."""
    return _filters(foreign_key.targets, foreign_key.columns, relation, cells)


def _filters(
    own: Sequence[str],
    others: Sequence[str],
    relation: DescribedRelation,
    cells: Sequence[CellValue],
) -> tuple[ColumnFilter, ...] | None:
    by_name = {column.name: cell for column, cell in zip(relation.columns, cells, strict=True)}
    made = []
    for name, other in zip(own, others, strict=True):
        cell = by_name[name]
        if cell.text is None or cell.cut:
            return None
        made.append(ColumnFilter(other, Comparison.EQUAL, cell.text))
    return tuple(made)


def referring(
    connection: Connection[Any], relation: DescribedRelation, row: WholeRow
) -> list[Referring]:
    """Which rows of other tables refer to a row, counted as far as that is cheap.

    Raises:
        psycopg.OperationalError: the connection is lost.
    """
    found = []
    for foreign_key in relation.referrers:
        filters = referrers_of(foreign_key, relation, row.cells)
        if filters is not None:
            count = _count(connection, relation, foreign_key, filters)
            found.append(Referring(foreign_key, filters, count))
    return found


def _count(
    connection: Connection[Any],
    relation: DescribedRelation,
    foreign_key: ForeignKey,
    filters: Sequence[ColumnFilter],
) -> int | None:
    """At most `COUNTED` + 1; None where it took too long, or may not be read."""
    types = dict(zip(foreign_key.columns, relation.named(foreign_key.targets), strict=True))
    wanted = [
        sql.SQL("{} {} {}").format(
            sql.Identifier(one.column),
            operator(types[one.column], "="),
            typed(types[one.column], one.value),
        )
        for one in filters
    ]
    query = sql.SQL("SELECT count(*) FROM (SELECT FROM {}{} LIMIT {}) AS few").format(
        foreign_key.table.identifier, where(wanted), COUNTED + 1
    )
    try:
        with reading(connection, seconds=_COUNTING):
            row = connection.execute(query).fetchone()
    except psycopg.Error:
        if connection.closed:
            raise
        return None
    return int(row[0]) if row else None


def placed(relation: DescribedRelation) -> bool:
    """Whether rows are known by their places alone, so that a change makes them others."""
    return identity(relation) == (TID,)
