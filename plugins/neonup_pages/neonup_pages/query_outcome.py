"""What a query has answered: results, notices, and an error with its place in the text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg
from psycopg.pq import DiagnosticField

from neonup_pages import read_only as read_only_rules

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

NOTICES = 50
"""Notices that are kept."""
_NOTICE = 4000
"""Characters of a notice."""
_NUMBERS = frozenset({20, 21, 23, 26, 700, 701, 790, 1700})
"""Type ids that are shown on the right."""


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
        rows: the first of them, as text; None is NULL.
        more: whether there are others.
        cut: whether a value is only the beginning of one.
    """

    tag: str = ""
    columns: list[ResultColumn] = field(default_factory=list)
    rows: list[list[str | None]] = field(default_factory=list)
    more: bool = False
    cut: bool = False


@dataclass(frozen=True)
class TextPlace:
    """A place in a text.

    Args:
        before: the text up to there.
        at: the word there.
        after: the rest.
    """

    before: str
    at: str
    after: str

    @property
    def line(self) -> int:
        """Counted from 1."""
        return self.before.count("\n") + 1

    @property
    def column(self) -> int:
        """Counted from 1."""
        return len(self.before) - self.before.rfind("\n")


@dataclass(frozen=True)
class Problem:
    """Why a query failed, and where.

    Args:
        message: what went wrong.
        code: the SQLSTATE.
        place: where in the query.
        inner: where in a statement that a function ran.
        context: in which function, as Postgres says it.
        statement: which of several it was, counted from 1; 0: there is only one.
    """

    message: str
    code: str = ""
    detail: str = ""
    hint: str = ""
    place: TextPlace | None = None
    inner: TextPlace | None = None
    context: str = ""
    statement: int = 0


@dataclass(frozen=True)
class QueryNotice:
    """What the server said beside the results.

    Args:
        severity: e.g. ``WARNING``.
        message: its text, with detail and hint.
    """

    severity: str
    message: str


@dataclass(frozen=True)
class StatementOutcome:
    """The result of a query: what its statements answered, or a problem."""

    results: list[StatementResult]
    problem: Problem | None
    milliseconds: int
    notices: list[QueryNotice] = field(default_factory=list)


def columns(result: PGresult) -> list[ResultColumn]:
    """The columns of a result."""
    types = psycopg.adapters.types
    shown = []
    for index in range(result.nfields):
        oid = result.ftype(index)
        info = types.get(oid)
        name = (result.fname(index) or b"").decode("utf-8", "replace")
        shown.append(ResultColumn(name, _type_name(oid, info), oid in _NUMBERS))
    return shown


def _type_name(oid: int, info: psycopg.types.TypeInfo | None) -> str:
    if info is None:
        return ""
    return f"{info.name}[]" if oid == info.array_oid else info.name


def notice(said: psycopg.errors.Diagnostic) -> QueryNotice:
    """A notice, as it is shown."""
    parts = filter(None, (said.message_primary, said.message_detail, said.message_hint))
    return QueryNotice(said.severity_nonlocalized or "NOTICE", "\n".join(parts)[:_NOTICE])


def problem(result: PGresult, query: str, *, read_only: bool, skip: int, done: int) -> Problem:
    """An error of the server.

    Args:
        result: what it answered.
        query: what was typed.
        read_only: whether nothing was to be written.
        skip: characters that were put before the query.
        done: statements that were carried out before.
    """

    def reported(which: DiagnosticField) -> str:
        return (result.error_field(which) or b"").decode("utf-8", "replace")

    message = reported(DiagnosticField.MESSAGE_PRIMARY) or result.get_error_message()
    hint = reported(DiagnosticField.MESSAGE_HINT)
    if "cannot insert multiple commands" in message:
        one = "Read-only" if read_only else "A plan"
        message = f"{one} takes one statement at a time."
        hint = "Run them one by one, or allow changes." if read_only else ""
    elif read_only and reported(DiagnosticField.SQLSTATE) == "25006":
        hint = hint or read_only_rules.ALLOW
    inner = reported(DiagnosticField.INTERNAL_QUERY)
    return Problem(
        message[:1].upper() + message[1:],
        reported(DiagnosticField.SQLSTATE),
        reported(DiagnosticField.MESSAGE_DETAIL),
        hint,
        place(query, reported(DiagnosticField.STATEMENT_POSITION), skip),
        place(inner, reported(DiagnosticField.INTERNAL_POSITION)),
        reported(DiagnosticField.CONTEXT),
        done + 1 if done else 0,
    )


def place(text: str, position: str, skip: int = 0) -> TextPlace | None:
    """The place that the server names; None where it names none in this text.

    Args:
        text: the query.
        position: counted from 1, in characters.
        skip: how many of them are before the text.
    """
    if not position.isdecimal() or not 0 <= (start := int(position) - 1 - skip) < len(text):
        return None
    end = start + 1
    while end < len(text) and (text[end].isalnum() or text[end] == "_"):
        end += 1
    return TextPlace(text[:start], text[start:end], text[end:])
