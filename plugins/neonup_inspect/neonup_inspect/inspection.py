"""Looks at a database: the topics' queries, in one transaction that only reads and is soon over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import psycopg
from psycopg import Connection, sql
from psycopg.rows import dict_row

from neonup import NeonupError, SqlError, drivers, libpq, urls
from neonup_inspect.finding import (
    DatabaseFinding,
    DatabaseReport,
    Row,
    ServerFacts,
    Thresholds,
    Topic,
    TopicReport,
)
from neonup_inspect.topics import TOPICS
from neonup_inspect.wording import masked

_CONNECT = 15
"""Seconds for a connection: a suspended database in the cloud takes some to wake."""

# Names mean Postgres's own, whatever a schema has; nobody waits long for this, and it for nobody.
_LIMITS = """
SET TRANSACTION READ ONLY;
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL statement_timeout = '10s';
SET LOCAL lock_timeout = '1s';
SET LOCAL jit = off
"""

_FACTS = """
SELECT current_setting('server_version_num')::int AS version, quote_ident(current_user) AS role,
    pg_has_role('pg_read_all_stats', 'USAGE') AS sees_all,
    (SELECT count(*) FROM pg_stat_activity a WHERE a.datname = current_database()
        AND a.query = '<insufficient privilege>') AS hidden_sessions,
    pg_is_in_recovery() AS standby,
    current_setting('neon.timeline_id', true) IS NOT NULL AS neon,
    (SELECT d.stats_reset FROM pg_stat_database d WHERE d.datname = current_database())
        AS stats_reset,
    (SELECT count(*) FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname !~ '^pg_'
        WHERE NOT has_sequence_privilege(s.seqrelid, 'SELECT, USAGE')) AS unreadable_sequences,
    current_setting('pg_stat_statements.max', true) IS NOT NULL AS statements_loaded,
    (SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
        WHERE e.extname = 'pg_stat_statements') AS statements_schema
"""

_STATEMENTS = frozenset({"statement", "blocker_statement"})
"""Columns with what somebody else has typed."""


def inspect(
    connection: Connection[Any],
    topics: Iterable[str] | None = None,
    *,
    provider: str | None = None,
    thresholds: Thresholds | None = None,
) -> DatabaseReport:
    """Look at a database; nothing is changed, and nothing stays set in the connection.

    The catalogs and statistics are read, never a table of the user's. Any role may do so; what it
    may not see is said in notes. A topic that takes too long, or waits for a lock, says so as well.

    Args:
        connection: to any Postgres from 13 on, also through a pooler; in a transaction or not.
        topics: names of `TOPICS`; None: all.
        provider: who created the database, see `ServerFacts`.
        thresholds: from where on something is a finding; None: the defaults.

    Raises:
        NeonupError: there is no such topic.
        psycopg.OperationalError: the connection is lost.
    """
    chosen = [topic_named(name) for name in (TOPICS if topics is None else topics)]
    limits = thresholds or Thresholds()
    reports: list[TopicReport] = []
    findings: list[DatabaseFinding] = []
    with connection.transaction(force_rollback=True):
        connection.execute(_LIMITS)
        (facts_row,) = _rows(connection, sql.SQL(_FACTS))
        facts = ServerFacts(**facts_row, provider=provider)
        for topic in chosen:
            rows, notes = _answer(connection, topic, facts)
            findings += topic.findings(rows, facts, limits)
            plain = [{column: row[column] for column in topic.columns} for row in rows]
            reports.append(TopicReport(topic.name, topic.question, topic.columns, plain, notes))
    return DatabaseReport(_worst_first(findings), reports)


def _worst_first(findings: Iterable[DatabaseFinding]) -> list[DatabaseFinding]:
    """The findings, each statement once: an index that exists twice may be unused as well."""
    ordered = sorted(
        findings, key=lambda finding: (-finding.weight, finding.topic, finding.subject)
    )
    once: dict[object, DatabaseFinding] = {}
    for finding in ordered:
        once.setdefault(finding.statement or (finding.topic, finding.subject), finding)
    return [*once.values()]


def inspect_url(
    url: str,
    topics: Iterable[str] | None = None,
    *,
    own: bool = False,
    provider: str | None = None,
    thresholds: Thresholds | None = None,
) -> DatabaseReport:
    """As `inspect`, with a connection of its own.

    Args:
        url: of the database, in any form.
        topics: as `inspect`.
        own: whether neonup created it, so that libpq's variables lead nowhere else.
        provider: as `inspect`.
        thresholds: as `inspect`.

    Raises:
        NeonupError: there is no such topic.
        SqlError: nobody answers, or the connection is lost.
    """
    try:
        with _connected(url, own) as connection:
            return inspect(connection, topics, provider=provider, thresholds=thresholds)
    except psycopg.Error as error:
        message = urls.mask(error.diag.message_primary or str(error).strip())
        raise SqlError(f"The database cannot be inspected: {message}") from None


@contextmanager
def _connected(url: str, own: bool) -> Iterator[Connection[Any]]:
    arguments = {
        "connect_timeout": _CONNECT,
        **drivers.psycopg_arguments(libpq.hardened(url, own), pooled=True),
    }
    with libpq.service_hidden(own):
        connection = psycopg.connect(
            **arguments, application_name="neonup inspect", client_encoding="utf8"
        )
    with connection:
        yield connection


def topic_named(name: str) -> Topic:
    """A topic.

    Raises:
        NeonupError: there is none of that name.
    """
    if (topic := TOPICS.get(name)) is None:
        raise NeonupError(
            f"There is no topic {name!r}.", remedy=f"The topics are {', '.join(TOPICS)}."
        )
    return topic


def _answer(
    connection: Connection[Any], topic: Topic, facts: ServerFacts
) -> tuple[Sequence[Row], list[str]]:
    """A topic's rows and notes; where its query fails, none, and a note."""
    query = sql.SQL(topic.query)
    if "{statements}" in topic.query:
        if facts.statements_schema is None:
            return [], topic.notes([], facts)
        view = sql.Identifier(facts.statements_schema, "pg_stat_statements")
        return _tried(connection, topic, facts, query.format(statements=view))
    return _tried(connection, topic, facts, query)


def _tried(
    connection: Connection[Any], topic: Topic, facts: ServerFacts, query: sql.SQL | sql.Composed
) -> tuple[Sequence[Row], list[str]]:
    try:
        with connection.transaction():
            rows = _rows(connection, query)
    except psycopg.Error as error:
        if connection.broken:
            raise
        message = urls.mask(error.diag.message_primary or str(error).strip())
        return [], [f"{topic.name} was not looked at: {message}."]
    return rows, topic.notes(rows, facts)


def _rows(connection: Connection[Any], query: sql.SQL | sql.Composed) -> list[Row]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return [
            {name: _plain(name, value) for name, value in row.items()}
            for row in cursor.execute(query).fetchall()
        ]


def _plain(name: str, value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if name in _STATEMENTS and isinstance(value, str):
        return masked(value)
    return value
