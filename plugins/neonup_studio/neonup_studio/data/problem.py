"""Why something cannot be shown or changed, and at which field."""

from __future__ import annotations

import psycopg

from neonup import NeonupError

TOO_LONG = "57014"
"""SQLSTATE of a statement that was cancelled, here by its timeout."""
LOCKED = "55P03"


class DataProblem(NeonupError):
    """A question or a change that Postgres, or the studio, refuses.

    Args:
        message: what is wrong.
        column: whose field it is about.
        filter_number: which filter it is about, counted from 0.
        remedy: what to do.
        code: SQLSTATE; empty where Postgres was not asked.
    """

    code = "data"

    def __init__(
        self,
        message: str,
        *,
        column: str | None = None,
        filter_number: int | None = None,
        remedy: str | None = None,
        sqlstate: str = "",
    ):
        super().__init__(message, remedy=remedy)
        self.column = column
        self.filter_number = filter_number
        self.sqlstate = sqlstate


def said(error: psycopg.Error) -> str:
    """What Postgres says, as a sentence."""
    message = (error.diag.message_primary or str(error)).strip() or "The connection was lost"
    message = message[:1].upper() + message[1:]
    return message if message.endswith((".", "!", "?")) else f"{message}."


def as_problem(
    error: psycopg.Error, *, column: str | None = None, filter_number: int | None = None
) -> DataProblem:
    """An error of Postgres, in the words of the studio where it has any."""
    state = error.sqlstate or ""
    message, remedy = said(error), error.diag.message_hint
    if state == TOO_LONG:
        message = "It took too long, and was given up."
        remedy = "Filter or sort by a column with an index."
    elif state == LOCKED:
        message = "Another transaction has locked it."
        remedy = "Try again; `neonup inspect locks` shows who waits for whom."
    elif detail := error.diag.message_detail:
        message = f"{message} {detail}"
    return DataProblem(
        message, column=column, filter_number=filter_number, remedy=remedy, sqlstate=state
    )
