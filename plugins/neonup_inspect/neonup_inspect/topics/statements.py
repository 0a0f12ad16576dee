"""Statements: which take the most time, and which are run most often, by pg_stat_statements."""

from __future__ import annotations

import re
from collections.abc import Sequence

from neonup import USER
from neonup_inspect.finding import DatabaseFinding, Row, ServerFacts, Thresholds, Topic, weigh
from neonup_inspect.topics.relations import since
from neonup_inspect.wording import count, percent, shortened, span

_OUTLIERS = """
SELECT s.total_exec_time / 1000 AS total_seconds,
    s.total_exec_time / nullif(sum(s.total_exec_time) OVER (), 0) AS share_ratio,
    s.calls, s.mean_exec_time / 1000 AS mean_seconds, s.rows, s.query AS statement
FROM {statements} s JOIN pg_database d ON d.oid = s.dbid
WHERE d.datname = current_database()
ORDER BY s.total_exec_time DESC LIMIT 25
"""

_CALLS = """
SELECT s.calls, s.calls / nullif(sum(s.calls) OVER (), 0)::float8 AS share_ratio,
    s.total_exec_time / 1000 AS total_seconds, s.mean_exec_time / 1000 AS mean_seconds, s.rows,
    s.query AS statement
FROM {statements} s JOIN pg_database d ON d.oid = s.dbid
WHERE d.datname = current_database()
ORDER BY s.calls DESC LIMIT 25
"""

_PLANNED = re.compile(r"\s*(SELECT|WITH|INSERT|UPDATE|DELETE|MERGE|VALUES|TABLE)\b", re.IGNORECASE)
_LONGEST = 10_000
"""Characters of a statement that may stand in another one."""


def _outliers(rows: Sequence[Row], facts: ServerFacts, limits: Thresholds) -> list[DatabaseFinding]:
    findings = []
    for row in rows:
        if row["total_seconds"] < limits.statement_seconds:
            continue
        if row["share_ratio"] < limits.statement_share:
            continue
        reason = (
            f"It takes {percent(row['share_ratio'])} of all time that statements take: "
            f"{count(row['calls'], 'call')} of {span(row['mean_seconds'])} each."
        )
        subject = shortened(row["statement"])
        statement = _explain(row["statement"], facts)
        weight = weigh(40, row["total_seconds"])
        findings.append(DatabaseFinding("outliers", subject, reason, statement, weight))
    return findings


def _explain(statement: str, facts: ServerFacts) -> str | None:
    """How Postgres would run a statement whose values are not known; from 16 on it can say so."""
    if facts.version < 160000 or len(statement) > _LONGEST or not _PLANNED.match(statement):
        return None
    return f"EXPLAIN (GENERIC_PLAN) {statement.strip().rstrip(';')};"


def _calls(_rows: Sequence[Row], _facts: ServerFacts, _limits: Thresholds) -> list[DatabaseFinding]:
    return []


def _notes(rows: Sequence[Row], facts: ServerFacts) -> list[str]:
    if facts.statements_schema is None:
        return [how_to_get(facts)]
    notes = since(rows, facts)
    if not facts.sees_all:
        notes.append(
            f"Other roles' statements are hidden from {facts.role}. "
            f"GRANT pg_read_all_stats TO {facts.role}; shows them."
        )
    return notes


def how_to_get(facts: ServerFacts) -> str:
    """How statements are counted where they are not, on this provider."""
    create = "CREATE EXTENSION pg_stat_statements;"
    if facts.statements_loaded or facts.neon:  # Neon loads it by default
        return f"Statements are not shown: pg_stat_statements is not created here. {create}"
    if facts.provider == "local":
        return (
            "Statements are not counted: this engine has no pg_stat_statements. "
            "`neonup engine` changes it."
        )
    if facts.provider in (USER, None):
        return (
            "Statements are not counted. Whoever runs the server adds pg_stat_statements to "
            f"shared_preload_libraries and restarts it; then {create}"
        )
    return (
        "Statements are not counted. Add pg_stat_statements to the project's preload libraries in "
        f"Neon's console, restart the compute; then {create}"
    )


TOPICS = (
    Topic(
        "outliers",
        "Which statements take the most time?",
        _OUTLIERS,
        ("total_seconds", "share_ratio", "calls", "mean_seconds", "rows", "statement"),
        _outliers,
        _notes,
    ),
    Topic(
        "calls",
        "Which statements are run most often?",
        _CALLS,
        ("calls", "share_ratio", "total_seconds", "mean_seconds", "rows", "statement"),
        _calls,
        _notes,
    ),
)
