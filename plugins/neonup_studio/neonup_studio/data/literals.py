"""Values in statements: always quoted by libpq, and cast to their type by Postgres."""

from __future__ import annotations

from psycopg import sql

from neonup_studio.data.problem import DataProblem
from neonup_studio.data.relation import RelationColumn


def literal(value: str) -> sql.Literal:
    """A text, quoted.

    Raises:
        DataProblem: Postgres knows no such text.
    """
    if "\0" in value:
        raise DataProblem("A value of Postgres has no zero byte in it.")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise DataProblem("A value has half of a character in it.") from None
    return sql.Literal(value)


def typed(column: RelationColumn, value: str) -> sql.Composed:
    """A text as a value of a column's type, to compare with.

    Raises:
        DataProblem: Postgres knows no such text.
    """
    return sql.SQL("{}::{}").format(literal(value), sql.SQL(column.base))


def operator(column: RelationColumn, sign: str) -> sql.SQL:
    """An operator of the column's own order, whatever `search_path` is.

    Raises:
        DataProblem: its values have no order.
    """
    if column.order_schema is None:
        raise DataProblem(f"Values of {column.type} have no order.", column=column.name)
    schema = '"' + column.order_schema.replace('"', '""') + '"'
    return sql.SQL(f"OPERATOR({schema}.{sign})")
