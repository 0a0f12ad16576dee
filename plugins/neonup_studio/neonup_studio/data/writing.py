"""A row added, changed or deleted: the statement first, then the very same one is run."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import Connection, sql

from neonup_studio.data import row as rows
from neonup_studio.data.blame import blamed
from neonup_studio.data.cells import texts
from neonup_studio.data.literals import literal
from neonup_studio.data.ordering import is_row
from neonup_studio.data.places import key_text, read_key
from neonup_studio.data.problem import DataProblem, as_problem
from neonup_studio.data.relation import DescribedRelation, RelationColumn
from neonup_studio.data.row import WholeRow

_BEGIN = """
BEGIN READ WRITE;
SET LOCAL statement_timeout = '30s';
SET LOCAL lock_timeout = '5s';
SET LOCAL idle_in_transaction_session_timeout = '60s';
SET LOCAL "DateStyle" = 'ISO';
SET LOCAL "IntervalStyle" = 'postgres';
SET LOCAL extra_float_digits = 1
"""


class Assigned(enum.Enum):
    """What a column is given that is no text."""

    NULL = "NULL"
    DEFAULT = "DEFAULT"


Assignments = Mapping[str, str | Assigned]
"""New values by columns' names; other columns keep theirs, or get their default."""


class RowChanged(DataProblem):
    """Somebody else has changed the row, or deleted it, since it was shown.

    Args:
        now: the row as it is; None: it is gone.
    """

    def __init__(self, now: WholeRow | None):
        what = "changed" if now else "deleted"
        super().__init__(
            f"Somebody has {what} this row meanwhile; nothing was done.",
            remedy="Look at it as it is now, and decide again." if now else None,
        )
        self.now = now


@dataclass(frozen=True)
class RowChange:
    """A change of one row.

    Args:
        statement: as it is shown and run.
        key: of the row that is changed or deleted, for an address; None: one is added.
        version: the row's, when it was shown; None: it is not compared.
        values: what was typed, by column.
    """

    relation: DescribedRelation
    statement: sql.Composed
    key: str | None
    version: str | None
    values: Assignments

    def text(self, connection: Connection[Any]) -> str:
        """The transaction as SQL, exactly as it is run."""
        return f"BEGIN;\n{self.statement.as_string(connection)};\nCOMMIT;"


def addition(relation: DescribedRelation, values: Assignments) -> RowChange:
    """A new row.

    Raises:
        DataProblem: it is no table, or a value can be given to no such column.
    """
    _check(relation, values, keyed=False)
    given = {name: value for name, value in values.items() if value is not Assigned.DEFAULT}
    columns = relation.named(list(given))
    returning = sql.SQL("\nRETURNING {}").format(_names(relation.key)) if relation.key else None
    if columns:
        statement = sql.SQL("INSERT INTO {} ({})\nVALUES ({})").format(
            relation.name.identifier,
            _names(columns),
            sql.SQL(", ").join(_value(column, given[column.name]) for column in columns),
        )
    else:
        statement = sql.SQL("INSERT INTO {} DEFAULT VALUES").format(relation.name.identifier)
    return RowChange(
        relation, statement + returning if returning else statement, None, None, values
    )


def alteration(
    relation: DescribedRelation, key: str, version: str | None, values: Assignments
) -> RowChange:
    """New values for some columns of a row.

    Raises:
        DataProblem: it has no key, there is no value, or one can be given to no such column.
    """
    _check(relation, values, keyed=True)
    if not values:
        raise DataProblem("Nothing is different.")
    columns = relation.named(list(values))
    assigned = sql.SQL(",\n    ").join(
        sql.SQL("{} = {}").format(column.identifier, _value(column, values[column.name]))
        for column in columns
    )
    statement = sql.SQL("UPDATE {}\nSET {}\nWHERE {}\nRETURNING {}").format(
        relation.source, assigned, _row(relation, key), _names(relation.key)
    )
    return RowChange(relation, statement, key, version, values)


def deletion(relation: DescribedRelation, key: str, version: str | None) -> RowChange:
    """A row that goes.

    Raises:
        DataProblem: it has no key.
    """
    _check(relation, {}, keyed=True)
    statement = sql.SQL("DELETE FROM {}\nWHERE {}").format(relation.source, _row(relation, key))
    return RowChange(relation, statement, key, version, {})


def carry_out(connection: Connection[Any], change: RowChange) -> str | None:
    """Make a change, in one transaction; the row's key afterwards, where it has one.

    The row is locked and compared with the one that was shown before anything is done to it.

    Args:
        connection: with autocommit, in no transaction.

    Raises:
        RowChanged: somebody else was faster; nothing has changed.
        DataProblem: Postgres refuses, for the value of a column if it says which; nothing has
            changed.
    """
    try:
        connection.execute(_BEGIN)
        try:
            key = _carried_out(connection, change)
            connection.execute("COMMIT")
        except BaseException:
            if not connection.closed:
                connection.execute("ROLLBACK")
            raise
    except psycopg.Error as error:
        if connection.closed:
            raise as_problem(error) from None
        raise blamed(connection, change.relation, _typed(change.values), error) from None
    return key


def _carried_out(connection: Connection[Any], change: RowChange) -> str | None:
    if change.key is not None and change.version is not None:
        _compare(connection, change, change.key)
    cursor = connection.execute(change.statement)
    if cursor.rowcount != 1:
        raise DataProblem(
            f"{cursor.statusmessage}: one row was meant, so nothing was done.",
            remedy="A trigger, a rule or a policy of the table may have kept it from happening.",
        )
    if not cursor.description:
        return None
    [values] = texts(cursor)
    return key_text([value or "" for value in values])


def _compare(connection: Connection[Any], change: RowChange, key: str) -> None:
    query = sql.SQL("SELECT xmin FROM {} WHERE {} FOR UPDATE").format(
        change.relation.source, _row(change.relation, key)
    )
    found = texts(connection.execute(query))
    if found != [[change.version]]:
        connection.execute("ROLLBACK")
        raise RowChanged(rows.by_key(connection, change.relation, key))


def _check(relation: DescribedRelation, values: Assignments, *, keyed: bool) -> None:
    if not relation.writable_kind:
        raise DataProblem(f"{relation.name} is a {relation.kind.words}: its rows are not its own.")
    if keyed and not relation.key:
        raise DataProblem(
            f"{relation.name} has no primary key, so that a row cannot be told from another.",
            remedy="Add a primary key, or change it by a statement.",
        )
    for name in values:
        column = relation.column(name)
        if column is None:
            raise DataProblem(f"There is no column {name}.", column=name)
        if not column.assignable:
            raise DataProblem("Postgres itself gives it its value.", column=name)


def _row(relation: DescribedRelation, key: str) -> sql.Composed:
    values = read_key(key, len(relation.key))
    if all(column.order_schema == "pg_catalog" for column in relation.key):
        return sql.SQL(" AND ").join(
            sql.SQL("{} = {}").format(column.identifier, literal(value))
            for column, value in zip(relation.key, values, strict=True)
        )
    return is_row(relation.key, values)


def _names(columns: Sequence[RelationColumn]) -> sql.Composed:
    return sql.SQL(", ").join(column.identifier for column in columns)


def _value(column: RelationColumn, value: str | Assigned) -> sql.Composable:
    if isinstance(value, Assigned):
        return sql.SQL(value.value)
    try:
        return literal(value)
    except DataProblem as problem:
        problem.column = column.name
        raise


def _typed(values: Assignments) -> dict[str, str]:
    return {name: value for name, value in values.items() if isinstance(value, str)}
