"""The order of a relation's rows, and the conditions for what is before or after a row in it.

Rows are never counted off: what comes after a row is asked for by its values (keyset
pagination). All columns of an order go the same way, so that one comparison of rows says it, which
an index answers. NULL compares with nothing, so that the rows with NULL are a part of the order for
themselves.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql

from neonup_studio.data.literals import operator, typed
from neonup_studio.data.places import RowPlace
from neonup_studio.data.problem import DataProblem
from neonup_studio.data.relation import DescribedRelation, RelationColumn, ValueKind

TID = RelationColumn(
    number=-1,
    name="ctid",
    type="tid",
    base="pg_catalog.tid",
    kind=ValueKind.OTHER,
    fixed=True,
    nullable=False,
    default=None,
    identity="",
    generated=None,
    comment=None,
    collation=None,
    order_schema="pg_catalog",
    labels=(),
    limit=None,
)
"""A row's place in its table's file, as a column."""


@dataclass(frozen=True)
class RowOrder:
    """What rows are sorted by.

    Args:
        column: its name; None: the key.
        nulls_first: whether the rows without a value come first.
    """

    column: str | None = None
    descending: bool = False
    nulls_first: bool = False


class OrderPart(enum.Enum):
    """A part of an order: the rows with a value in the sorted column, or those with NULL."""

    VALUES = "values"
    NULLS = "nulls"


@dataclass(frozen=True)
class Ordering:
    """An order of one relation's rows.

    Args:
        sort: the column that rows are sorted by, where it is not a key's only one.
        key: what tells rows apart: the key's columns, or `TID`; empty: nothing does.
    """

    relation: DescribedRelation
    sort: RelationColumn | None
    key: tuple[RelationColumn, ...]
    descending: bool
    nulls_first: bool

    @classmethod
    def of(cls, relation: DescribedRelation, order: RowOrder) -> Ordering:
        """The order that is asked for.

        Raises:
            DataProblem: there is no such column, or its values have no order.
        """
        key = identity(relation)
        sort = None
        if order.column is not None:
            sort = relation.column(order.column)
            if sort is None:
                raise DataProblem(f"There is no column {order.column}.", column=order.column)
            operator(sort, "<")
        return cls(relation, sort, key, order.descending, order.nulls_first)

    def terms(self, part: OrderPart) -> tuple[RelationColumn, ...]:
        """The columns that the rows of a part are ordered by."""
        if self.sort is None or part is OrderPart.NULLS:
            return self.key
        return (self.sort, *(column for column in self.key if column.name != self.sort.name))

    def parts(self, *, backward: bool) -> list[OrderPart]:
        """The parts in the order in which they are read."""
        if self.sort is None or not self.sort.nullable:
            return [OrderPart.VALUES]
        parts = [OrderPart.VALUES, OrderPart.NULLS]
        return parts[::-1] if self.nulls_first is not backward else parts

    def part_of(self, place: RowPlace) -> OrderPart:
        """Where a row is."""
        if self.sort is None or not self.sort.nullable:
            return OrderPart.VALUES
        known = place.sorted_by is not None or place.by_reference
        return OrderPart.VALUES if known else OrderPart.NULLS

    def condition(self, part: OrderPart) -> list[sql.Composable]:
        """What the rows of a part have in common."""
        if self.sort is None or not self.sort.nullable:
            return []
        empty = sql.SQL("IS NULL" if part is OrderPart.NULLS else "IS NOT NULL")
        return [sql.SQL("{} {}").format(self.sort.identifier, empty)]

    def by(self, part: OrderPart, *, backward: bool) -> sql.Composable:
        """For ORDER BY; empty where nothing orders the rows."""
        down = self.descending is not backward
        terms = [
            sql.SQL("{} DESC" if down else "{}").format(column.identifier)
            for column in self.terms(part)
        ]
        return sql.SQL(" ORDER BY {}").format(sql.SQL(", ").join(terms)) if terms else sql.SQL("")

    def beyond(self, place: RowPlace, part: OrderPart, *, backward: bool) -> sql.Composable:
        """The rows of a part that come after a place in it, or before.

        Raises:
            DataProblem: the place has values that Postgres knows nothing like.
        """
        terms = self.terms(part)
        values = [self._value(column, place) for column in terms]
        sign = "<" if self.descending is not backward else ">"
        return _compared(terms, values, sign)

    def _value(self, column: RelationColumn, place: RowPlace) -> sql.Composable:
        if self.sort is not None and column.name == self.sort.name:
            if place.by_reference:
                query = sql.SQL("(SELECT {} FROM {} WHERE {})")
                same = is_row(self.key, place.key)
                return query.format(column.identifier, self.relation.source, same)
            return typed(column, place.sorted_by or "")
        by_name = dict(zip((one.name for one in self.key), place.key, strict=True))
        return typed(column, by_name[column.name])


def identity(relation: DescribedRelation) -> tuple[RelationColumn, ...]:
    """What tells a relation's rows apart: its key, or their places; empty where nothing does."""
    return relation.key or ((TID,) if relation.heap else ())


def is_row(key: Sequence[RelationColumn], values: Sequence[str]) -> sql.Composed:
    """The condition that only one row meets.

    Raises:
        DataProblem: the values are none that Postgres knows.
    """
    return sql.SQL(" AND ").join(
        sql.SQL("{} {} {}").format(column.identifier, operator(column, "="), typed(column, value))
        for column, value in zip(key, values, strict=True)
    )


def _compared(
    terms: Sequence[RelationColumn], values: Sequence[sql.Composable], sign: str
) -> sql.Composable:
    """A row's columns compared with values, the first of them first."""
    if len({column.order_schema for column in terms}) == 1:
        if len(terms) == 1:
            left: sql.Composable = terms[0].identifier
            right = values[0]
        else:
            row = sql.SQL("ROW({})")
            left = row.format(sql.SQL(", ").join(column.identifier for column in terms))
            right = row.format(sql.SQL(", ").join(values))
        return sql.SQL("{} {} {}").format(left, operator(terms[0], sign), right)
    # One operator cannot stand for those of several schemas.
    first, rest = terms[0], _compared(terms[1:], values[1:], sign)
    return sql.SQL("({0} {1} {2} AND ({0} {3} {2} OR {4}))").format(
        first.identifier,
        operator(first, f"{sign}="),
        values[0],
        operator(first, sign),
        rest,
    )
