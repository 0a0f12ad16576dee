"""One statement: read, written or explained.

A statement is sent by the extended protocol, which takes one and no more. What only reads is sent
as a cursor's query in a read-only transaction: Postgres's own grammar takes nothing but a query
there, so there is no list of forbidden words to be complete.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import AsyncConnection, AsyncCursor, sql

from neonup import SqlError
from neonup_mcp import guard, session, values
from neonup_mcp.session import StatementLimits

_BATCH = 50
"""Rows fetched at once: a few of them too many do not fill the memory."""

_QUERIES = "This tool takes one query: SELECT, WITH, VALUES or TABLE."

_CURSOR = "DECLARE neonup_mcp NO SCROLL CURSOR FOR "
_EXPLAIN = "EXPLAIN (FORMAT TEXT) "
_ANALYZE = "EXPLAIN (ANALYZE, BUFFERS, FORMAT TEXT) "
_CONTROL = frozenset({"BEGIN", "START TRANSACTION", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE"})


@dataclass(frozen=True)
class Rows:
    """What a statement returned.

    Args:
        status: Postgres's command tag, e.g. ``SELECT 3`` or ``INSERT 0 1``.
        columns: name and type of each.
        rows: the values, as JSON has them.
        truncated: whether there are more rows.
    """

    status: str
    columns: Sequence[tuple[str, str]] = ()
    rows: Sequence[Sequence[Any]] = ()
    truncated: bool = False


async def read(url: str, statement: str, limits: StatementLimits) -> Rows:
    """Run a query that reads.

    Raises:
        NeonupError: it is no query, may have effects, or failed; nothing has changed.
    """
    async with session.rolled_back(url, limits) as connection:
        await guard.check(connection, statement)
        cursor = connection.cursor()
        await _send_query(cursor, _CURSOR, statement)
        rows: list[list[Any]] = []
        room = limits.characters
        done = False
        while not done and len(rows) <= limits.rows and room > 0:
            wanted = min(_BATCH, limits.rows + 1 - len(rows))
            await _send(cursor, "", f"FETCH FORWARD {wanted} FROM neonup_mcp")
            fetched = [[values.as_json(value) for value in row] for row in await cursor.fetchall()]
            done = len(fetched) < wanted
            rows += fetched
            room -= sum(len(str(row)) for row in fetched)
        columns = await _columns(connection, cursor)
        shown = _within(rows, limits)
        return Rows(
            f"SELECT {len(shown)}", columns, shown, truncated=len(shown) < len(rows) or not done
        )


async def write(url: str, statement: str, limits: StatementLimits) -> Rows:
    """Run any one statement, as a transaction of its own.

    Raises:
        SqlError: it failed, and nothing has changed.
    """
    async with session.connected(url) as connection:
        await connection.execute(
            sql.SQL("SET statement_timeout = {}").format(limits.seconds * 1000)
        )
        cursor = connection.cursor()
        await _send(cursor, "", statement)
        status = cursor.statusmessage
        if not status:
            raise SqlError("There is no statement in it.")
        if status in _CONTROL:
            raise SqlError(
                f"{status} has no effect here: each call is a transaction of its own.",
                remedy="Put what belongs together into one statement, e.g. with WITH or DO.",
            )
        if cursor.description is None:
            return Rows(status)
        fetched = [
            [values.as_json(value) for value in row] for row in await cursor.fetchmany(limits.rows)
        ]
        shown = _within(fetched, limits)
        columns = await _columns(connection, cursor)
        return Rows(status, columns, shown, truncated=len(shown) < cursor.rowcount)


async def explain(
    url: str, statement: str, limits: StatementLimits, *, analyze: bool, writes: bool
) -> str:
    """The plan of a statement; it is run only with ``analyze``, and rolled back.

    Raises:
        NeonupError: it has no plan, may not be run here, or failed.
    """
    read_only = not (analyze and writes)
    async with session.rolled_back(url, limits, read_only=read_only) as connection:
        cursor = connection.cursor()
        if not analyze:
            await _send(cursor, _EXPLAIN, statement)
        elif writes:
            await _send(cursor, _ANALYZE, statement)
        else:
            await guard.check(connection, statement)
            await _send_query(cursor, _ANALYZE + _CURSOR, statement)
        return "\n".join(line for (line,) in await cursor.fetchall())


async def _send_query(cursor: AsyncCursor[Any], prefix: str, statement: str) -> None:
    """As `_send`, where Postgres takes nothing but a query."""
    try:
        await _send(cursor, prefix, statement)
    except SqlError as error:
        error.remedy = error.remedy or _QUERIES
        raise


async def _send(cursor: AsyncCursor[Any], prefix: str, statement: str) -> None:
    """Send one statement by the extended protocol."""
    if "\0" in statement:  # libpq would send what is before it
        raise SqlError("The statement has a zero byte in it.")
    try:
        await cursor.execute((prefix + statement).encode(), prepare=True)
    except psycopg.Error as error:
        raise session.as_error(error, prefix=prefix, statement=statement) from None


async def _columns(connection: AsyncConnection, cursor: AsyncCursor[Any]) -> list[tuple[str, str]]:
    described = cursor.description or []
    types = await connection.execute(
        "SELECT oid, pg_catalog.format_type(oid, NULL) FROM pg_catalog.pg_type WHERE oid = ANY(%s)",
        [[column.type_code for column in described]],
    )
    names: dict[int, str] = dict(await types.fetchall())
    return [(column.name, names[column.type_code]) for column in described]


def _within(rows: list[list[Any]], limits: StatementLimits) -> list[list[Any]]:
    """The first rows that are within the limits."""
    room = limits.characters
    for number, row in enumerate(rows[: limits.rows]):
        room -= sum(len(str(value)) for value in row)
        if room < 0 and number:
            return rows[:number]
    return rows[: limits.rows]
