"""Filters: a column, how it is compared, and with what."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import Connection, sql

from neonup_studio.data.literals import literal, operator, typed
from neonup_studio.data.problem import DataProblem, as_problem
from neonup_studio.data.relation import DescribedRelation, RelationColumn, ValueKind


class Comparison(enum.StrEnum):
    """How a column is compared; the value is how addresses write it."""

    EQUAL = "eq"
    DIFFERENT = "ne"
    LESS = "lt"
    AT_MOST = "le"
    GREATER = "gt"
    AT_LEAST = "ge"
    CONTAINS = "has"
    BEGINS = "begins"
    INCLUDES = "includes"
    NULL = "null"
    NOT_NULL = "notnull"

    @property
    def words(self) -> str:
        """For people."""
        return _WORDS[self]

    @property
    def takes_value(self) -> bool:
        """Whether there is something to compare with."""
        return self not in {Comparison.NULL, Comparison.NOT_NULL}


_WORDS = {
    Comparison.EQUAL: "=",
    Comparison.DIFFERENT: "≠",
    Comparison.LESS: "<",
    Comparison.AT_MOST: "≤",
    Comparison.GREATER: ">",
    Comparison.AT_LEAST: "≥",
    Comparison.CONTAINS: "contains the text",
    Comparison.BEGINS: "begins with",
    Comparison.INCLUDES: "includes (@>)",
    Comparison.NULL: "is NULL",
    Comparison.NOT_NULL: "is not NULL",
}
_SIGNS = {
    Comparison.EQUAL: "=",
    Comparison.DIFFERENT: "<>",
    Comparison.LESS: "<",
    Comparison.AT_MOST: "<=",
    Comparison.GREATER: ">",
    Comparison.AT_LEAST: ">=",
}
_INCLUDING = frozenset({ValueKind.ARRAY, ValueKind.JSON, ValueKind.OTHER})


@dataclass(frozen=True)
class ColumnFilter:
    """A condition that rows meet.

    Args:
        column: its name.
        value: as a person typed it; Postgres makes a value of the column's type of it.
    """

    column: str
    comparison: Comparison
    value: str = ""


def conditions(
    relation: DescribedRelation, filters: Sequence[ColumnFilter]
) -> list[sql.Composable]:
    """The filters for WHERE.

    Raises:
        DataProblem: there is no such column, or it cannot be compared so; it says which filter.
    """
    made = []
    for number, wanted in enumerate(filters):
        column = relation.column(wanted.column)
        if column is None:
            raise DataProblem(
                f"There is no column {wanted.column}.",
                column=wanted.column,
                filter_number=number,
            )
        try:
            made.append(_condition(column, wanted))
        except DataProblem as problem:
            problem.column, problem.filter_number = column.name, number
            raise
    return made


def _condition(column: RelationColumn, wanted: ColumnFilter) -> sql.Composable:
    name, comparison = column.identifier, wanted.comparison
    if comparison is Comparison.NULL:
        return sql.SQL("{} IS NULL").format(name)
    if comparison is Comparison.NOT_NULL:
        return sql.SQL("{} IS NOT NULL").format(name)
    if comparison in _SIGNS:
        sign = operator(column, _SIGNS[comparison])
        return sql.SQL("{} {} {}").format(name, sign, typed(column, wanted.value))
    if comparison is Comparison.INCLUDES:
        if column.kind not in _INCLUDING:
            raise DataProblem(f"Values of {column.type} include no others.")
        return sql.SQL("{} @> {}").format(name, typed(column, wanted.value))
    escaped = wanted.value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    if comparison is Comparison.BEGINS:
        return sql.SQL("{}::text LIKE {}").format(name, literal(f"{escaped}%"))
    return sql.SQL("{}::text ILIKE {}").format(name, literal(f"%{escaped}%"))


def blame(
    connection: Connection[Any],
    relation: DescribedRelation,
    filters: Sequence[ColumnFilter],
    error: psycopg.Error,
) -> DataProblem:
    """Which filter a query has failed for: each is tried alone, without reading a row.

    The connection is in no transaction.
    """
    if (error.sqlstate or "")[:2] in {"22", "23", "42"}:
        for number, wanted in enumerate(filters):
            try:
                [condition] = conditions(relation, [wanted])
                query = sql.SQL("SELECT FROM {} WHERE {} LIMIT 0")
                connection.execute(query.format(relation.source, condition))
            except DataProblem as problem:
                problem.filter_number = number
                return problem
            except psycopg.Error as own:
                return as_problem(own, column=wanted.column, filter_number=number)
    return as_problem(error)
