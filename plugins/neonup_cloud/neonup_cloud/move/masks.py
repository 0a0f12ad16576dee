"""Columns whose values stay in the cloud: ``[tool.neonup.pull] mask``.

::

    [tool.neonup.pull.mask]
    "users.email" = "hash"                      # the same value is always the same hash
    "users.phone" = "null"
    "users.name" = "text:Somebody"
    "users.birthday" = "sql:date_trunc('year', birthday)"   # over the row

A masking is part of the SELECT that the source's server answers, so that the values never reach
this machine. A partition's columns, and an inheriting table's, are masked with their parent's.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from neonup import Settings, SettingsError
from neonup.plugin.options import closest
from neonup_cloud.move import masking_rules
from neonup_cloud.move.contents import Table
from neonup_cloud.move.errors import MoveError
from neonup_cloud.move.masking_rules import MaskedColumn, UnfitRule
from neonup_cloud.move.session import Session
from neonup_cloud.options import PullOptions

_WHERE = "pyproject.toml [tool.neonup.pull] mask"
_PART = re.compile(r'"((?:[^"]|"")+)"|([^."]+)')

_COLUMNS = """
WITH RECURSIVE family AS (
    SELECT c.oid AS root, c.oid FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    UNION SELECT f.root, i.inhrelid FROM family f
    JOIN pg_catalog.pg_inherits i ON i.inhparent = f.oid)
SELECT n.nspname AS schema, c.relname AS table, k.oid::bigint AS holder, a.attname AS name,
    pg_catalog.quote_ident(a.attname) AS quoted, a.attgenerated <> '' AS generated,
    a.attnotnull AS required, t.typcategory = 'S' AS textual, t.typname AS type,
    CASE WHEN t.typname IN ('varchar', 'bpchar') AND a.atttypmod > 4 THEN a.atttypmod - 4 END
        AS width
FROM family f JOIN pg_catalog.pg_class c ON c.oid = f.root
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class k ON k.oid = f.oid AND k.relkind = 'r'
JOIN pg_catalog.pg_attribute a ON a.attrelid = k.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
ORDER BY c.oid, k.oid, a.attnum
"""


@dataclass(frozen=True)
class MaskedTable:
    """How the rows of a table with masked columns are read and written.

    Args:
        table: the table.
        columns: what COPY writes, a list as SQL takes it.
        query: the SELECT that reads them, masked.
    """

    table: Table
    columns: str
    query: str


def read(settings: Settings) -> dict[str, str]:
    """The maskings that the settings name, by column.

    Raises:
        SettingsError: one names no rule of `masking_rules`, or its argument is wrong.
    """
    maskings = dict(PullOptions.of(settings).mask or {})
    for column, masking in maskings.items():
        try:
            masking_rules.parse(masking)
        except ValueError as error:
            raise SettingsError(
                f"{_WHERE}: {masking!r} for {column!r} cannot be used: {error}.",
                checked=[f"the rules are {', '.join(masking_rules.RULES)}"],
                remedy="Correct it. Nothing was moved.",
            ) from None
    return maskings


def resolve(
    session: Session, tables: Iterable[Table], maskings: Mapping[str, str]
) -> list[MaskedTable]:
    """The tables whose rows are masked, each column of the settings being found.

    Args:
        session: the source.
        tables: all tables whose rows are moved.
        maskings: what `read` answers.

    Raises:
        SettingsError: a column does not exist, so would be moved as it is.
        MoveError: a masking cannot be used on its column.
    """
    if not maskings:
        return []
    rows = session.rows(_COLUMNS)
    salt = secrets.token_hex(16)  # else short values could be guessed from their hashes
    masked: dict[int, dict[str, str]] = {}
    for name, masking in maskings.items():
        columns = list(_find(rows, name))
        if not columns:
            close = closest(name, (f"{row['table']}.{row['name']}" for row in rows))
            raise SettingsError(
                f"{_WHERE} names the column {name!r}, which the database does not have.",
                checked=["names are taken as they are: table.column or schema.table.column"],
                remedy=f"{f'Did you mean {close!r}?' if close else 'Correct it.'} Nothing was "
                "moved.",
            )
        for column in columns:
            expression = _expression(name, column, masking, salt)
            masked.setdefault(column["holder"], {})[column["name"]] = expression
    by_oid = {table.oid: table for table in tables}
    return [
        _masked(by_oid[oid], rows, expressions)
        for oid, expressions in masked.items()
        if oid in by_oid
    ]


def _find(rows: Iterable[Mapping[str, Any]], name: str) -> Iterator[Mapping[str, Any]]:
    parts = [(quoted.replace('""', '"') or plain) for quoted, plain in _PART.findall(name)]
    if len(parts) not in (2, 3):
        raise SettingsError(f"{_WHERE}: {name!r} is not table.column or schema.table.column.")
    schema, (table, column) = (parts[0] if len(parts) == 3 else None), parts[-2:]
    for row in rows:
        if (row["table"], row["name"]) == (table, column) and schema in (None, row["schema"]):
            yield row


def _masked(
    table: Table, rows: Iterable[Mapping[str, Any]], expressions: Mapping[str, str]
) -> MaskedTable:
    own = {row["name"]: row for row in rows if row["holder"] == table.oid}
    columns = [row["quoted"] for row in own.values() if not row["generated"]]
    values = [
        f"({expressions[name]}\n)" if name in expressions else row["quoted"]
        for name, row in own.items()
        if not row["generated"]
    ]
    query = f"SELECT {', '.join(values)} FROM ONLY {table.quoted}"
    return MaskedTable(table, ", ".join(columns), query)


def _expression(name: str, column: Mapping[str, Any], masking: str, salt: str) -> str:
    if column["generated"]:
        raise MoveError(
            f"{name} is generated from other columns and cannot be masked itself.",
            remedy=f"Mask those in {_WHERE}.",
        )
    rule, argument = masking_rules.parse(masking)
    facts = {key: column[key] for key in ("quoted", "type", "textual", "width", "required")}
    try:
        return rule.expression(MaskedColumn(**facts, salt=salt), argument)
    except UnfitRule as error:
        raise MoveError(
            f"{name} {error.reason}.", remedy=f"In {_WHERE}, use {error.instead}."
        ) from None
