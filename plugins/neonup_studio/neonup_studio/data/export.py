"""Rows as CSV, JSON and INSERT: whole values, bounded."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import Connection, sql

from neonup_studio.data.cells import texts
from neonup_studio.data.filters import blame, conditions
from neonup_studio.data.literals import literal
from neonup_studio.data.ordering import Ordering, identity, is_row
from neonup_studio.data.places import read_key
from neonup_studio.data.problem import DataProblem
from neonup_studio.data.reading import reading
from neonup_studio.data.relation import DescribedRelation, RelationColumn, ValueKind
from neonup_studio.data.rows import RowsRequest, page, where

ROWS = 10_000
"""Rows that are copied at most."""
SIZE = 32 * 1024 * 1024
"""Characters that are copied at most."""
_BATCH = 200
_SECONDS = 60.0


class CopyFormat(enum.StrEnum):
    """How rows are written."""

    CSV = "csv"
    JSON = "json"
    INSERT = "sql"


@dataclass(frozen=True)
class CopiedRows:
    """Rows as text.

    Args:
        rows: how many there are in it.
        more: whether there are others that the limits leave out.
    """

    text: str
    rows: int
    more: bool


def copied(
    connection: Connection[Any],
    relation: DescribedRelation,
    request: RowsRequest,
    format_: CopyFormat,
    *,
    keys: Sequence[str] | None = None,
    whole_page: bool = False,
) -> CopiedRows:
    """Rows as text, from one transaction that only reads.

    Args:
        connection: with autocommit, in no transaction.
        request: the order and the filters.
        keys: of the rows that are meant; None: those of the filters, from the first on.
        whole_page: whether the rows of the request's page are meant.

    Raises:
        DataProblem: a filter, a key or the order cannot be used; it took too long; or INSERT
            is asked for rows that are no table's.
    """
    if format_ is CopyFormat.INSERT and not relation.writable_kind:
        raise DataProblem(f"Rows of a {relation.kind.words} cannot be inserted.")
    limit = ROWS
    if whole_page:
        limit = request.limit
        if identity(relation):
            keys = [row.key for row in page(connection, relation, request).rows if row.key]
    query = _query(relation, request, format_, keys)
    try:
        with reading(connection, seconds=_SECONDS):
            rows, more = _fetched(connection, query, limit)
    except psycopg.Error as error:
        raise blame(connection, relation, request.filters, error) from None
    return CopiedRows(_written(connection, relation, rows, format_), len(rows), more)


def _query(
    relation: DescribedRelation,
    request: RowsRequest,
    format_: CopyFormat,
    keys: Sequence[str] | None,
) -> sql.Composed:
    ordering = Ordering.of(relation, request.order)
    wanted = conditions(relation, request.filters)
    columns = identity(relation)
    if keys is not None:
        rows = [is_row(columns, read_key(key, len(columns))) for key in keys] if columns else []
        either = sql.SQL(" OR ").join(sql.SQL("({})").format(row) for row in rows)
        wanted = [sql.SQL("({})").format(either) if rows else sql.SQL("false")]
    query = sql.SQL("SELECT {} FROM {} AS copied{}{}").format(
        _shown(relation, format_), relation.source, where(wanted), _by(ordering)
    )
    return sql.SQL("DECLARE neonup_studio NO SCROLL CURSOR FOR {}").format(query)


def _by(ordering: Ordering) -> sql.Composable:
    """The order, with NULL where the pages have it."""
    down = sql.SQL(" DESC" if ordering.descending else "")
    terms = [sql.SQL("{}{}").format(column.identifier, down) for column in ordering.key]
    if ordering.sort is not None:
        nulls = sql.SQL("FIRST" if ordering.nulls_first else "LAST")
        terms.insert(0, sql.SQL("{}{} NULLS {}").format(ordering.sort.identifier, down, nulls))
    return sql.SQL(" ORDER BY {}").format(sql.SQL(", ").join(terms)) if terms else sql.SQL("")


def _shown(relation: DescribedRelation, format_: CopyFormat) -> sql.Composable:
    if format_ is CopyFormat.JSON:
        return sql.SQL("row_to_json(copied)")
    columns = _inserted(relation) if format_ is CopyFormat.INSERT else relation.columns
    return sql.SQL(", ").join(column.identifier for column in columns)


def _inserted(relation: DescribedRelation) -> list[RelationColumn]:
    return [column for column in relation.columns if column.generated is None]


def _fetched(
    connection: Connection[Any], query: sql.Composed, limit: int
) -> tuple[list[list[str | None]], bool]:
    connection.execute(query)
    rows: list[list[str | None]] = []
    size = 0
    while True:
        batch = texts(connection.execute(f"FETCH {_BATCH} FROM neonup_studio".encode()))
        for row in batch:
            size += sum(len(value or "") for value in row)
            if len(rows) >= limit or (rows and size > SIZE):
                return rows, True
            rows.append(row)
        if len(batch) < _BATCH:
            return rows, False


def _written(
    connection: Connection[Any],
    relation: DescribedRelation,
    rows: Sequence[Sequence[str | None]],
    format_: CopyFormat,
) -> str:
    if format_ is CopyFormat.JSON:
        lines = ",\n".join(row[0] or "null" for row in rows)
        return f"[\n{lines}\n]\n" if rows else "[]\n"
    if format_ is CopyFormat.CSV:
        names = [column.name for column in relation.columns]
        return "".join(",".join(map(_csv, row)) + "\r\n" for row in [names, *rows])
    return "".join(_insert(connection, relation, rows))


def _csv(value: str | None) -> str:
    """A field, as Postgres's own COPY reads it: an empty text is quoted, and NULL is nothing."""
    if value is None:
        return ""
    if value in {"", "\\."} or any(sign in value for sign in ',"\r\n'):
        return '"' + value.replace('"', '""') + '"'
    return value


def _insert(
    connection: Connection[Any],
    relation: DescribedRelation,
    rows: Sequence[Sequence[str | None]],
) -> Iterator[str]:
    columns = _inserted(relation)
    table = relation.name.identifier.as_string(connection)
    if not columns:
        yield from (f"INSERT INTO {table} DEFAULT VALUES;\n" for _ in rows)
        return
    names = ", ".join(column.identifier.as_string(connection) for column in columns)
    always = any(column.identity == "always" for column in columns)
    override = " OVERRIDING SYSTEM VALUE" if always else ""
    for begin in range(0, len(rows), _BATCH):
        values = ",\n".join(
            f"    ({', '.join(_sql(connection, *one) for one in zip(columns, row, strict=True))})"
            for row in rows[begin : begin + _BATCH]
        )
        yield f"INSERT INTO {table} ({names}){override} VALUES\n{values};\n"


def _sql(connection: Connection[Any], column: RelationColumn, value: str | None) -> str:
    if value is None:
        return "NULL"
    if column.kind is ValueKind.NUMBER and _is_number(value):
        return value
    return literal(value).as_string(connection).lstrip()


def _is_number(value: str) -> bool:
    """Whether Postgres reads it as a number without quotes."""
    plain = value.removeprefix("-")
    return plain.replace(".", "", 1).isdecimal() and plain.isascii() and plain[:1] != "."
