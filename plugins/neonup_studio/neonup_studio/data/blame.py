"""Which column a change has failed for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import Connection, sql

from neonup_studio.data.literals import literal
from neonup_studio.data.problem import DataProblem, as_problem
from neonup_studio.data.relation import DescribedRelation, RelationColumn

_TOO_LONG = "22001"


def blamed(
    connection: Connection[Any],
    relation: DescribedRelation,
    values: Mapping[str, str],
    error: psycopg.Error,
) -> DataProblem:
    """An error of Postgres, with the column whose value it is about where that can be told.

    Args:
        connection: in no transaction.
        values: what was typed, by column.
    """
    column = _named(relation, error) or _refused(connection, relation, values, error)
    return as_problem(error, column=column)


def _named(relation: DescribedRelation, error: psycopg.Error) -> str | None:
    """What Postgres says itself: the column, or a constraint with one column, or its first."""
    if error.diag.column_name:
        return error.diag.column_name
    name = error.diag.constraint_name
    if not name or error.diag.table_name not in {None, relation.name.name}:
        return None  # another table's, e.g. of rows that refer to this one
    columns: list[tuple[str, ...]] = [
        constraint.columns for constraint in relation.constraints if constraint.name == name
    ]
    columns += [key.columns for key in relation.references if key.name == name]
    columns += [index.keys for index in relation.indexes if index.name == name]
    return next((names[0] for names in columns if names and names[0]), None)


def _refused(
    connection: Connection[Any],
    relation: DescribedRelation,
    values: Mapping[str, str],
    error: psycopg.Error,
) -> str | None:
    """The column whose type does not take its value: each is tried alone."""
    state = error.sqlstate or ""
    if state[:2] not in {"22", "23"}:
        return None
    for name, value in values.items():
        column = relation.column(name)
        if column is None:
            continue
        if state == _TOO_LONG and column.limit is not None:
            # A cast would cut it. What is too long by spaces alone is taken.
            if len(value.rstrip(" ")) > column.limit:
                return name
        elif not _taken(connection, column, value, state):
            return name
    return None


def _taken(connection: Connection[Any], column: RelationColumn, value: str, state: str) -> bool:
    query = sql.SQL("SELECT {}::{}").format(literal(value), sql.SQL(column.type))
    try:
        connection.execute(query)
    except psycopg.Error as error:
        return error.sqlstate != state
    return True
