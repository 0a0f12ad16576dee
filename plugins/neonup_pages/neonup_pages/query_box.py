"""Runs what somebody typed, as the role of a connection and never as anybody else.

The connection is an ordinary client's: what the role may not do, the box may not do. A read-only
query is one statement in a read-only transaction that is rolled back, so that no statement can end
the transaction and write; `read_only` says which.
"""

from __future__ import annotations

import select
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.pq import DiagnosticField, ExecStatus

from neonup_pages import read_only as read_only_rules

if TYPE_CHECKING:
    from psycopg.pq.abc import PGconn, PGresult

ROWS = 200
"""Rows that are shown."""
LONGEST = 64 * 1024
"""Characters of a query."""
SECONDS = 10
"""How long a statement may run, where the connection's arguments do not say otherwise."""
_PATIENCE = 15
"""Seconds after which the box gives up, whatever the statement has set its own timeout to."""
_CELL = 1000
"""Characters of a value that are shown."""
_RESULTS = 20
_NUMBERS = frozenset({20, 21, 23, 26, 700, 701, 790, 1700})
"""Type ids that are shown on the right."""


class Ended(Exception):
    """The query was given up, and the server was asked to cancel it."""


@dataclass(frozen=True)
class ResultColumn:
    """A column of a result."""

    name: str
    type: str
    number: bool


@dataclass
class StatementResult:
    """What a statement answered.

    Args:
        tag: Postgres's own, e.g. ``SELECT 3``.
        columns: empty where it answers no rows.
        rows: the first `ROWS` of them, as text; None is NULL.
        more: whether there are others.
    """

    tag: str = ""
    columns: list[ResultColumn] = field(default_factory=list)
    rows: list[list[str | None]] = field(default_factory=list)
    more: bool = False


@dataclass(frozen=True)
class Problem:
    """Why a query failed, and where in it.

    Args:
        before: the query up to the place of the error; empty where there is none.
        at: the word there.
        after: the rest.
        line: counted from 1; 0 where there is no place.
        column: counted from 1.
    """

    message: str
    code: str = ""
    detail: str = ""
    hint: str = ""
    before: str = ""
    at: str = ""
    after: str = ""
    line: int = 0
    column: int = 0


_COPY = Problem("COPY from and to a client does not work here: use psql.")
_WRONG = {
    ExecStatus.EMPTY_QUERY: Problem("There is no statement in it."),
    ExecStatus.COPY_IN: _COPY,
    ExecStatus.COPY_OUT: _COPY,
    ExecStatus.COPY_BOTH: _COPY,
}


@dataclass(frozen=True)
class StatementOutcome:
    """The result of a query: what its statements answered, or a problem."""

    results: list[StatementResult]
    problem: Problem | None
    milliseconds: int


def run(
    arguments: Mapping[str, Any],
    query: str,
    *,
    read_only: bool,
    patience: float = _PATIENCE,
) -> StatementOutcome:
    """Run a query.

    Args:
        arguments: those of ``psycopg.connect``. They may limit how long a statement runs, which it
            can change itself.
        query: one statement, or several separated by semicolons where it may write.
        read_only: whether anything that writes is refused.
        patience: seconds after which all is given up.
    """
    begun = time.monotonic()
    results: list[StatementResult] = []
    problem = None
    if not query.strip():
        return StatementOutcome([], Problem("Type a query first."), 0)
    if "\0" in query or len(query) > LONGEST:
        return StatementOutcome(
            [], Problem(f"A query is text of at most {LONGEST:,} characters."), 0
        )
    try:
        connection = psycopg.connect(**arguments, client_encoding="UTF8", autocommit=True)
        with closing(connection):
            if read_only and (reason := read_only_rules.refusal(connection, query)):
                return StatementOutcome([], Problem(reason, hint=read_only_rules.ALLOW), 0)
            begun = time.monotonic()  # waking the compute is not the query's time
            deadline = begun + patience
            problem = _run(connection.pgconn, query, read_only, results, deadline)
    except Ended:
        problem = Problem(f"It ran for more than {patience:g} seconds and was cancelled.")
    except (psycopg.Error, UnicodeError) as error:
        problem = Problem(str(error).strip() or "The connection was lost.")
    return StatementOutcome(results, problem, round((time.monotonic() - begun) * 1000))


def _run(
    connection: PGconn, query: str, read_only: bool, results: list[StatementResult], deadline: float
) -> Problem | None:
    if read_only:
        connection.exec_(b"BEGIN READ ONLY")
        connection.send_query_params(query.encode(), None)
    else:
        connection.send_query(query.encode())
    connection.set_single_row_mode()
    while connection.flush():
        select.select([], [connection.socket], [], 1)
    current: StatementResult | None = None
    while (result := _next(connection, deadline)) is not None:
        if result.status in _WRONG:
            return _WRONG[ExecStatus(result.status)]
        if result.status == ExecStatus.FATAL_ERROR:
            return _problem(result, query, read_only)
        if current is None:
            current = StatementResult(columns=_columns(result))
        _take(current, result)
        if result.status != ExecStatus.SINGLE_TUPLE:
            _end(current, result, results)
            current = None
        elif current.more and read_only:  # nothing that writes is lost by not reading on
            _cancel(connection)
            current.tag = f"More than {ROWS} rows"
            results.append(current)
            return None
    return None  # closing the connection rolls a read-only transaction back


def _next(connection: PGconn, deadline: float) -> PGresult | None:
    """The next result, without holding up other threads while the server works."""
    while connection.is_busy():
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([connection.socket], [], [], left)[0]:
            _cancel(connection)
            raise Ended
        connection.consume_input()
    return connection.get_result()


def _cancel(connection: PGconn) -> None:
    with suppress(psycopg.Error):
        connection.get_cancel().cancel()


def _columns(result: PGresult) -> list[ResultColumn]:
    types = psycopg.adapters.types
    shown = []
    for index in range(result.nfields):
        oid = result.ftype(index)
        info = types.get(oid)
        name = (result.fname(index) or b"").decode("utf-8", "replace")
        shown.append(ResultColumn(name, info.name if info else "", oid in _NUMBERS))
    return shown


def _take(current: StatementResult, result: PGresult) -> None:
    for row in range(result.ntuples):
        if len(current.rows) >= ROWS:
            current.more = True
            return
        values = (result.get_value(row, column) for column in range(result.nfields))
        current.rows.append([None if value is None else _shown(value) for value in values])


def _shown(value: bytes) -> str:
    text = value[: 4 * _CELL].decode("utf-8", "replace")
    return text if len(text) <= _CELL else f"{text[:_CELL]}…"


def _end(current: StatementResult, result: PGresult, results: list[StatementResult]) -> None:
    current.tag = (result.command_status or b"").decode()
    if len(results) < _RESULTS:
        results.append(current)


def _problem(result: PGresult, query: str, read_only: bool) -> Problem:
    def reported(which: DiagnosticField) -> str:
        return (result.error_field(which) or b"").decode("utf-8", "replace")

    message = reported(DiagnosticField.MESSAGE_PRIMARY) or result.get_error_message()
    hint = reported(DiagnosticField.MESSAGE_HINT)
    if read_only and "multiple commands" in message:
        message = "Read-only takes one statement at a time."
        hint = "Run them one by one, or allow changes."
    elif read_only and reported(DiagnosticField.SQLSTATE) == "25006":
        hint = hint or read_only_rules.ALLOW
    before, at, after = _place(query, reported(DiagnosticField.STATEMENT_POSITION))
    return Problem(
        message[:1].upper() + message[1:],
        reported(DiagnosticField.SQLSTATE),
        reported(DiagnosticField.MESSAGE_DETAIL),
        hint,
        before,
        at,
        after,
        before.count("\n") + 1 if at else 0,
        len(before) - (before.rfind("\n") + 1) + 1 if at else 0,
    )


def _place(query: str, position: str) -> tuple[str, str, str]:
    """The query before, at and after the place that the server names."""
    if not position.isdecimal() or not 1 <= int(position) <= len(query):
        return "", "", ""
    start = int(position) - 1
    end = start + 1
    while end < len(query) and (query[end].isalnum() or query[end] == "_"):
        end += 1
    return query[:start], query[start:end], query[end:]
