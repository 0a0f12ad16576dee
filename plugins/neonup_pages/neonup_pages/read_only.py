"""Which statements the query box runs while it only reads.

They run in a read-only transaction, which refuses to write. It does not refuse what has its effect
outside of it: ``neonup.effects`` says which functions do, and a statement that builds SQL while it
runs could name them in pieces, so that nothing but queries is taken.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from neonup import effects

if TYPE_CHECKING:
    import psycopg

_BEGINNING = re.compile(r"(?:\s|--[^\n]*|/\*(?:[^*/]|\*(?!/)|/(?!\*))*\*/|\()*")
"""White space, comments (none within another) and parentheses."""
_WORD = re.compile(r"[A-Za-z]+\b")
_QUERIES = frozenset({"SELECT", "WITH", "VALUES", "TABLE", "SHOW", "EXPLAIN"})
_PLANNED = frozenset({"SELECT", "WITH", "VALUES", "TABLE", "INSERT", "UPDATE", "DELETE", "MERGE"})
"""What EXPLAIN takes, and does not carry out."""

ALLOW = "Allow changes, if that is meant."


def refusal(
    connection: psycopg.Connection[Any], statement: str, *, plan: bool = False
) -> str | None:
    """Why a statement is not run; None where it may be.

    Args:
        connection: to the database, which knows what functions there are.
        statement: what somebody typed.
        plan: whether only its plan is asked for, so that it is not carried out.
    """
    begin = _BEGINNING.match(statement)
    rest = statement[begin.end() :] if begin else statement
    word = _WORD.match(rest)
    if rest and (word is None or word[0].upper() not in (_PLANNED if plan else _QUERIES)):
        if plan:
            return "A plan is made of SELECT, WITH, VALUES, TABLE, INSERT, UPDATE, DELETE or MERGE."
        return "Read-only takes a query: SELECT, WITH, VALUES, TABLE, SHOW or EXPLAIN."
    if effects.hides_names(statement):
        return 'Read-only takes no names that are written as U&"...": what they call is hidden.'
    answers = connection.execute(effects.QUESTION, effects.parameters(statement))
    if names := [name for (name,) in answers.fetchall()]:
        which = ", ".join(names)
        return f"It was not run: {which} may have effects that a read-only transaction lets pass."
    return None
