"""A page of a relation's rows: found by the values of the row before it, never counted off."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import Connection, sql

from neonup_studio.data import stored_order
from neonup_studio.data.cells import CellValue, beginning, cut_cells, cut_expressions, texts
from neonup_studio.data.filters import ColumnFilter, blame, conditions
from neonup_studio.data.ordering import TID, Ordering, OrderPart, RowOrder
from neonup_studio.data.places import LONGEST, RowPlace, key_text
from neonup_studio.data.problem import DataProblem, as_problem
from neonup_studio.data.reading import SECONDS, reading
from neonup_studio.data.relation import DescribedRelation

_BAD_VALUE = "22"
"""The class of errors of values."""


class PageMove(enum.StrEnum):
    """Which page is asked for."""

    FIRST = "first"
    NEXT = "next"
    PREVIOUS = "previous"
    LAST = "last"


@dataclass(frozen=True)
class RowsRequest:
    """Which rows are asked for.

    Args:
        filters: that rows meet, all of them.
        limit: how many rows a page has.
        place: of a row, from `RowsPage`; for the pages after it and before it.
    """

    order: RowOrder = field(default_factory=RowOrder)
    filters: tuple[ColumnFilter, ...] = ()
    limit: int = 50
    move: PageMove = PageMove.FIRST
    place: str = ""


@dataclass(frozen=True)
class ShownRow:
    """A row.

    Args:
        key: for an address; None: nothing tells it from others.
        cells: one for each column, long values cut.
    """

    key: str | None
    cells: list[CellValue]


@dataclass(frozen=True)
class RowsPage:
    """A page of rows.

    Args:
        next: the place that the next page comes after; None: this is the last.
        previous: the place that the page before comes before; None: this is the first.
        more: whether there are rows that cannot be paged to, since nothing tells rows apart.
    """

    rows: list[ShownRow]
    next: str | None
    previous: str | None
    more: bool = False


@dataclass(frozen=True)
class _Found:
    """A row of the query: what is shown, its key, and what it is sorted by."""

    cells: list[CellValue]
    place: RowPlace


def page(
    connection: Connection[Any],
    relation: DescribedRelation,
    request: RowsRequest,
    *,
    seconds: float = SECONDS,
) -> RowsPage:
    """A page of rows, in one transaction that only reads.

    Args:
        connection: with autocommit, in no transaction.
        seconds: that a statement may take.

    Raises:
        DataProblem: a filter or the order cannot be used, which it names; or it took too long.
    """
    ordering = Ordering.of(relation, request.order)
    wanted = conditions(relation, request.filters)
    place = None
    if request.move in {PageMove.NEXT, PageMove.PREVIOUS} and ordering.key:
        place = RowPlace.read(request.place, len(ordering.key))
    try:
        with reading(connection, seconds=seconds):
            return _page(connection, ordering, wanted, request, place)
    except psycopg.Error as error:
        if connection.closed:
            raise as_problem(error) from None
        raise blame(connection, relation, request.filters, error) from None


def _page(
    connection: Connection[Any],
    ordering: Ordering,
    wanted: Sequence[sql.Composable],
    request: RowsRequest,
    place: RowPlace | None,
) -> RowsPage:
    backward = request.move in {PageMove.PREVIOUS, PageMove.LAST} and bool(ordering.key)
    limit = request.limit
    found = _read(connection, ordering, wanted, limit + 1, place, backward=backward)
    more, found = len(found) > limit, found[:limit]
    if request.move is PageMove.PREVIOUS and not more:
        # A page that would begin before the first row is the first page, and a whole one.
        backward, place = False, None
        found = _read(connection, ordering, wanted, limit + 1, None, backward=False)
        more, found = len(found) > limit, found[:limit]
    if backward:
        found.reverse()
    rows = [_shown(row) for row in found]
    if not ordering.key:
        return RowsPage(rows, None, None, more)
    before = more if backward else place is not None
    after = request.move is PageMove.PREVIOUS if backward else more
    return RowsPage(
        rows,
        found[-1].place.text if found and after else None,
        found[0].place.text if found and before else None,
    )


def _shown(row: _Found) -> ShownRow:
    return ShownRow(key_text(row.place.key) if row.place.key else None, row.cells)


def _read(
    connection: Connection[Any],
    ordering: Ordering,
    wanted: Sequence[sql.Composable],
    limit: int,
    place: RowPlace | None,
    *,
    backward: bool,
) -> list[_Found]:
    """The rows beyond a place, in the order in which they are read."""
    parts = ordering.parts(backward=backward)
    if place is not None:
        parts = parts[parts.index(ordering.part_of(place)) :]
    found: list[_Found] = []
    for number, part in enumerate(parts):
        own = [*wanted, *ordering.condition(part)]
        if place is not None and number == 0:
            own.append(ordering.beyond(place, part, backward=backward))
        for window in _windows(connection, ordering, place, backward=backward):
            query = _query(ordering, part, [*own, *window], limit - len(found), backward=backward)
            found += _rows(connection, ordering, query)
            if len(found) >= limit:
                return found
    return found


def _windows(
    connection: Connection[Any], ordering: Ordering, place: RowPlace | None, *, backward: bool
) -> Iterator[list[sql.Composable]]:
    """Conditions under which rows are looked for, one after the other."""
    if ordering.sort is None and ordering.key == (TID,):
        down = ordering.descending is not backward
        tid = place.key[0] if place else None
        yield from stored_order.windows(connection, ordering.relation, tid, backward=down)
    else:
        yield []


def _query(
    ordering: Ordering,
    part: OrderPart,
    wanted: Sequence[sql.Composable],
    limit: int,
    *,
    backward: bool,
) -> sql.Composed:
    """The rows are found first, and their values are written for those alone."""
    relation, by = ordering.relation, ordering.by(part, backward=backward)
    shown = cut_expressions(relation.columns)
    shown += [column.identifier for column in ordering.key]
    if ordering.sort is not None:
        shown.append(beginning(ordering.sort, LONGEST + 1))
    every = "SELECT *, ctid FROM {}{}{} LIMIT {}"
    inner = sql.SQL(every if ordering.key == (TID,) else every.replace(", ctid", "")).format(
        relation.source, where(wanted), by, limit
    )
    return sql.SQL("SELECT {} FROM ({}) AS page{}").format(sql.SQL(", ").join(shown), inner, by)


def where(wanted: Sequence[sql.Composable]) -> sql.Composable:
    """The conditions as WHERE; nothing where there are none."""
    if not wanted:
        return sql.SQL("")
    return sql.SQL(" WHERE {}").format(sql.SQL(" AND ").join(wanted))


def _rows(connection: Connection[Any], ordering: Ordering, query: sql.Composed) -> list[_Found]:
    columns = ordering.relation.columns
    keys, sorts = len(ordering.key), int(ordering.sort is not None)
    found = []
    for values in texts(connection.execute(query)):
        end = len(values) - keys - sorts
        key = tuple(value or "" for value in values[end : end + keys])
        by = values[-1] if sorts else None
        long = by is not None and len(by) > LONGEST
        place = RowPlace(key, None if long else by, long)
        found.append(_Found(cut_cells(columns, values[:end]), place))
    return found


def valid(problem: DataProblem) -> bool:
    """Whether a problem is about what was typed, and not about the database."""
    return problem.sqlstate[:2] in {"", _BAD_VALUE}
