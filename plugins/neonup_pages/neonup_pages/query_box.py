"""Runs what somebody typed, as the role of a connection and never as anybody else.

The connection is an ordinary client's: what the role may not do, the box may not do. A read-only
query is one statement in a read-only transaction that is rolled back, so that no statement can end
the transaction and write; `read_only` says which. A plan is one statement as well, and whatever it
has changed is rolled back.
"""

from __future__ import annotations

import enum
import select
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.pq import ExecStatus, TransactionStatus

from neonup_pages import query_outcome
from neonup_pages import read_only as read_only_rules
from neonup_pages.query_outcome import Problem, QueryNotice, StatementOutcome, StatementResult

if TYPE_CHECKING:
    from psycopg.pq.abc import PGconn, PGresult

ROWS = 200
"""Rows that are shown, where nobody asks for more."""
LONGEST = 64 * 1024
"""Characters of a query."""
SECONDS = 10
"""How long a statement may run, where the connection's arguments do not say otherwise."""
_PATIENCE = 15.0
"""Seconds after which the box gives up, whatever the statement has set its own timeout to."""
CELL = 1000
"""Characters of a value that are shown."""
_SIZE = 8_000_000
"""Characters of all values that are shown."""
_RESULTS = 20
_LOOK = 0.5
"""Seconds between two looks at whether somebody has cancelled it."""
_MANNERS = 5.0
"""Seconds for a server to end what was cancelled."""

_COPY = Problem("COPY from and to a client does not work here: use psql.")
_WRONG = {
    ExecStatus.EMPTY_QUERY: Problem("There is no statement in it."),
    ExecStatus.COPY_IN: _COPY,
    ExecStatus.COPY_OUT: _COPY,
    ExecStatus.COPY_BOTH: _COPY,
}
_LEFT_OPEN = QueryNotice(
    "WARNING", "The transaction was not ended by COMMIT: what it has changed was rolled back."
)


class Ended(Exception):
    """The query was given up, and the server was asked to cancel it."""


class Explaining(enum.StrEnum):
    """What is put before a query whose plan is asked for, which is answered as JSON."""

    PLAN = "EXPLAIN (FORMAT JSON, SUMMARY, SETTINGS) "
    RUN = "EXPLAIN (FORMAT JSON, ANALYZE, BUFFERS, SETTINGS) "


class CancelSwitch:
    """Lets another thread cancel a query: on its own connection, and only while it runs."""

    def __init__(self) -> None:
        self.cancelled = False
        self._connection: psycopg.Connection[Any] | None = None
        self._lock = Lock()

    def cancel(self) -> None:
        """Cancel it, or what it would become: it may not have begun yet."""
        with self._lock:
            self.cancelled = True
            if self._connection is not None:
                with suppress(psycopg.Error):
                    self._connection.cancel_safe(timeout=_MANNERS)

    @contextmanager
    def guards(self, connection: psycopg.Connection[Any]) -> Iterator[None]:
        """A cancellation reaches this connection within the block, and none after it."""
        with self._lock:
            self._connection = connection
        try:
            yield
        finally:
            with self._lock:
                self._connection = None


@dataclass(frozen=True)
class RunLimits:
    """How much of a query is shown, and how long it may run.

    Args:
        rows: of each result.
        seconds: after which all is given up.
        cell: characters of a value.
        told: whether a transaction's end is left to the server, too, since this process may end
            first; a little later, so that it is said in our words.
    """

    rows: int = ROWS
    seconds: float = _PATIENCE
    cell: int = CELL
    told: bool = False


@dataclass
class _Run:
    """A query on its way."""

    query: str
    explain: Explaining | None
    read_only: bool
    limits: RunLimits
    switch: CancelSwitch
    deadline: float = 0
    shown: int = 0
    done: int = 0
    results: list[StatementResult] = field(default_factory=list)
    notices: list[QueryNotice] = field(default_factory=list)

    def hear(self, said: psycopg.errors.Diagnostic) -> None:
        """Keep what the server says, as long as there is not too much of it."""
        if len(self.notices) < query_outcome.NOTICES:
            self.notices.append(query_outcome.notice(said))


def run(
    arguments: Mapping[str, Any],
    query: str,
    *,
    read_only: bool,
    explain: Explaining | None = None,
    limits: RunLimits | None = None,
    switch: CancelSwitch | None = None,
) -> StatementOutcome:
    """Run a query.

    Args:
        arguments: those of ``psycopg.connect``. They may limit how long a statement runs, which it
            can change itself.
        query: one statement, or several separated by semicolons where it may write.
        read_only: whether anything that writes is refused.
        explain: asks for the plan of one statement; whatever that changes is rolled back.
        limits: how much is shown, and when it is given up.
        switch: cancels it.
    """
    run_ = _Run(query, explain, read_only, limits or RunLimits(), switch or CancelSwitch())
    begun = time.monotonic()
    problem = None
    if not query.strip():
        return StatementOutcome([], Problem("Type a query first."), 0)
    if "\0" in query or len(query) > LONGEST:
        return StatementOutcome(
            [], Problem(f"A query is text of at most {LONGEST:,} characters."), 0
        )
    try:
        connection = psycopg.connect(**{**arguments, "client_encoding": "UTF8"}, autocommit=True)
        with closing(connection), run_.switch.guards(connection):
            plan = explain is Explaining.PLAN
            if read_only and (reason := read_only_rules.refusal(connection, query, plan=plan)):
                return StatementOutcome([], Problem(reason, hint=read_only_rules.ALLOW), 0)
            connection.add_notice_handler(run_.hear)
            begun = time.monotonic()  # waking the compute is not the query's time
            run_.deadline = begun + run_.limits.seconds
            problem = _run(connection.pgconn, run_)
            open_ = connection.info.transaction_status == TransactionStatus.INTRANS
            if open_ and not read_only and not explain:
                run_.notices.append(_LEFT_OPEN)
    except Ended:
        problem = Problem(f"It ran for more than {run_.limits.seconds:g} seconds.")
    except (psycopg.Error, UnicodeError) as error:
        problem = Problem(str(error).strip() or "The connection was lost.")
    spent = time.monotonic() - begun
    problem = _given_up(run_, problem, spent)
    return StatementOutcome(run_.results, problem, round(spent * 1000), run_.notices)


def _given_up(run_: _Run, problem: Problem | None, spent: float) -> Problem | None:
    """In one's own words, why it was cancelled, if it was."""
    if problem is None or problem.code not in {"", "57014"}:
        return problem
    if run_.switch.cancelled:
        return Problem(f"It was cancelled after {spent:.1f} seconds.", problem.code)
    if run_.deadline and time.monotonic() >= run_.deadline:
        seconds = f"{run_.limits.seconds:g} seconds"
        return Problem(f"It ran for more than {seconds} and was cancelled.", problem.code)
    return problem


def _run(connection: PGconn, run_: _Run) -> Problem | None:
    text = f"{run_.explain or ''}{run_.query}".encode()
    if run_.read_only or run_.explain:
        connection.exec_(_begin(run_))
        connection.send_query_params(text, None)
    else:
        connection.send_query(text)
    connection.set_single_row_mode()
    while connection.flush():
        select.select([], [connection.socket], [], 1)
    current: StatementResult | None = None
    while (result := _next(connection, run_)) is not None:
        if result.status in _WRONG:
            return _WRONG[ExecStatus(result.status)]
        if result.status == ExecStatus.FATAL_ERROR:
            return query_outcome.problem(
                result,
                run_.query,
                read_only=run_.read_only,
                skip=len(run_.explain or ""),
                done=run_.done,
            )
        if current is None:
            current = StatementResult(columns=query_outcome.columns(result))
        _take(run_, current, result)
        if result.status != ExecStatus.SINGLE_TUPLE:
            _end(run_, current, result)
            current = None
        elif current.more and run_.read_only:  # nothing that writes is lost by not reading on
            _cancel(connection)
            current.tag = f"More than {len(current.rows):,} rows"
            run_.results.append(current)
            return None
    return None  # closing the connection rolls a transaction back that is not ended


def _begin(run_: _Run) -> bytes:
    begin = b"BEGIN READ ONLY" if run_.read_only else b"BEGIN"
    if not run_.limits.told:
        return begin
    timeout = round((run_.limits.seconds + _MANNERS) * 1000)
    return b"%s; SET LOCAL statement_timeout = %d" % (begin, timeout)


def _next(connection: PGconn, run_: _Run) -> PGresult | None:
    """The next result, without holding up other threads while the server works."""
    while connection.is_busy():
        now = time.monotonic()
        if run_.switch.cancelled:  # also if it was before there was something to cancel
            run_.deadline = min(run_.deadline, now + _MANNERS)
            _cancel(connection)
        if now >= run_.deadline:
            _cancel(connection)
            raise Ended
        if select.select([connection.socket], [], [], min(run_.deadline - now, _LOOK))[0]:
            connection.consume_input()
    return connection.get_result()


def _cancel(connection: PGconn) -> None:
    with suppress(psycopg.Error):
        connection.get_cancel().cancel()


def _take(run_: _Run, current: StatementResult, result: PGresult) -> None:
    for row in range(result.ntuples):
        if len(current.rows) >= run_.limits.rows or run_.shown >= _SIZE:
            current.more = True
            return
        values = (result.get_value(row, column) for column in range(result.nfields))
        current.rows.append([_shown(run_, current, value) for value in values])


def _shown(run_: _Run, current: StatementResult, value: bytes | None) -> str | None:
    if value is None:
        return None
    most = run_.limits.cell
    text = value[: 4 * most].decode("utf-8", "replace")
    if len(text) > most:
        current.cut = True
        text = f"{text[:most]}…"
    run_.shown += len(text)
    return text


def _end(run_: _Run, current: StatementResult, result: PGresult) -> None:
    run_.done += 1
    current.tag = (result.command_status or b"").decode()
    if len(run_.results) < _RESULTS:
        run_.results.append(current)
