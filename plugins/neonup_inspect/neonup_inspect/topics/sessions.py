"""Sessions: who waits for whom, open transactions, and whose connections there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from neonup_inspect.finding import DatabaseFinding, Row, ServerFacts, Thresholds, Topic, weigh
from neonup_inspect.wording import count, shortened, span

_LOCKS = """
SELECT w.pid, w.usename AS "user", w.application_name AS application,
    extract(epoch FROM clock_timestamp() - w.query_start)::float8 AS waiting_seconds,
    (SELECT string_agg(DISTINCT
            l.mode || ' on ' || coalesce(l.relation::regclass::text, l.locktype), ', ')
        FROM pg_locks l WHERE l.pid = w.pid AND NOT l.granted) AS wants,
    w.query AS statement, b.pid AS blocked_by, h.state AS blocker_state,
    extract(epoch FROM clock_timestamp() - h.xact_start)::float8 AS blocker_seconds,
    h.query AS blocker_statement,
    (SELECT min(quote_literal(p.gid)) FROM pg_prepared_xacts p
        WHERE p.database = current_database() HAVING count(*) = 1) AS prepared
FROM pg_stat_activity w
CROSS JOIN LATERAL (SELECT DISTINCT unnest(pg_blocking_pids(w.pid)) AS pid) b
LEFT JOIN pg_stat_activity h ON h.pid = b.pid
WHERE w.datname = current_database()
    AND w.pid IN (SELECT l.pid FROM pg_locks l WHERE NOT l.granted)
ORDER BY w.query_start NULLS LAST, w.pid, b.pid LIMIT 500
"""

_TRANSACTIONS = """
SELECT a.pid, a.usename AS "user", a.application_name AS application, a.state,
    extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS open_seconds,
    extract(epoch FROM clock_timestamp() - a.state_change)::float8 AS state_seconds,
    a.query AS statement, NULL AS prepared
FROM pg_stat_activity a
WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
    AND a.backend_type = 'client backend' AND a.xact_start IS NOT NULL
UNION ALL
SELECT NULL, p.owner, NULL, 'prepared', extract(epoch FROM clock_timestamp() - p.prepared)::float8,
    NULL, NULL, quote_literal(p.gid)
FROM pg_prepared_xacts p WHERE p.database = current_database()
ORDER BY open_seconds DESC LIMIT 500
"""

_CONNECTIONS = """
SELECT coalesce(nullif(a.application_name, ''), '(unnamed)') AS application,
    a.usename AS "user", count(*) AS connections,
    count(*) FILTER (WHERE a.state = 'active') AS active,
    count(*) FILTER (WHERE a.state = 'idle') AS idle,
    count(*) FILTER (WHERE a.state LIKE 'idle in transaction%') AS in_transaction,
    quote_literal(coalesce(a.application_name, '')) AS application_literal,
    (SELECT count(*) FROM pg_stat_activity o WHERE o.usesysid IS NOT NULL
        AND coalesce(o.backend_type, 'client backend') = 'client backend') AS used,
    current_setting('max_connections')::int
        - current_setting('superuser_reserved_connections')::int AS allowed
FROM pg_stat_activity a
WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
    AND coalesce(a.backend_type, 'client backend') = 'client backend'
GROUP BY a.application_name, a.usename ORDER BY count(*) DESC, 1, 2 LIMIT 500
"""

_IDLE = "idle in transaction"


def _locks(rows: Sequence[Row], _facts: ServerFacts, limits: Thresholds) -> list[DatabaseFinding]:
    blockers: dict[int, set[int]] = defaultdict(set)
    for row in rows:
        blockers[row["pid"]].add(row["blocked_by"])
    findings = []
    for root in sorted({row["blocked_by"] for row in rows} - blockers.keys()):
        behind = _behind(root, blockers)
        waiting = [row for row in rows if row["pid"] in behind]
        longest = max((row["waiting_seconds"] or 0 for row in waiting), default=0)
        hidden = any(row["waiting_seconds"] is None for row in waiting)
        if longest < limits.wait_seconds and not hidden:
            continue
        blocker = next(row for row in rows if row["blocked_by"] == root)
        findings.append(_blocker(root, blocker, sorted(behind), longest))
    return findings


def _behind(root: int, blockers: Mapping[int, set[int]]) -> set[int]:
    """The sessions that wait for one, and for those that wait for it."""
    behind: set[int] = set()
    added = {root}
    while added:
        added = {pid for pid, others in blockers.items() if others & added} - behind
        behind |= added
    return behind


def _blocker(pid: int, row: Row, behind: Sequence[int], longest: float) -> DatabaseFinding:
    waiting = f"{count(len(behind), 'session')} ({', '.join(map(str, behind))})"
    how_long = f"{'' if len(behind) == 1 else ', the longest'} for {span(longest)}"
    reason = f"It lets {waiting} wait{how_long if longest else ''}."
    if pid == 0:
        statement = f"ROLLBACK PREPARED {row['prepared']};" if row["prepared"] else None
        reason += " It was prepared and never finished: COMMIT PREPARED keeps what it did."
        return DatabaseFinding(
            "locks", "a prepared transaction", reason, statement, weigh(90, longest)
        )
    state = row["blocker_state"]
    if state is not None:
        opened = "" if row["blocker_seconds"] is None else f" for {span(row['blocker_seconds'])}"
        reason += f" It is {state}, its transaction open{opened}; its last statement:"
        reason += f" {shortened(row['blocker_statement'])}"
    ending = "pg_cancel_backend" if state == "active" else "pg_terminate_backend"
    return DatabaseFinding(
        "locks", f"session {pid}", reason, f"SELECT {ending}({pid});", weigh(90, longest)
    )


def _transactions(
    rows: Sequence[Row], _facts: ServerFacts, limits: Thresholds
) -> list[DatabaseFinding]:
    findings = []
    for row in rows:
        idle = (row["state"] or "").startswith(_IDLE)
        limit = limits.idle_transaction_seconds if idle else limits.transaction_seconds
        if row["open_seconds"] < limit or (idle and row["state_seconds"] < limit):
            continue
        reason = f"Its transaction is open for {span(row['open_seconds'])}"
        if row["prepared"] is not None:
            subject = f"prepared transaction {row['prepared']}"
            reason += ", prepared and never finished: COMMIT PREPARED keeps what it did."
            statement = f"ROLLBACK PREPARED {row['prepared']};"
        else:
            subject = f"session {row['pid']}"
            ending = "pg_terminate_backend" if idle else "pg_cancel_backend"
            statement = f"SELECT {ending}({row['pid']});"
            reason += f", {'idle' if idle else 'working'} for {span(row['state_seconds'])}; "
            reason += f"its last statement: {shortened(row['statement'])}."
        reason += " Its locks stay, and vacuum removes nothing that it could still see."
        findings.append(
            DatabaseFinding(
                "transactions", subject, reason, statement, weigh(60, row["open_seconds"])
            )
        )
    return findings


def _connections(
    rows: Sequence[Row], _facts: ServerFacts, limits: Thresholds
) -> list[DatabaseFinding]:
    if not rows or rows[0]["used"] < limits.connections_ratio * rows[0]["allowed"]:
        return []
    most = rows[0]
    reason = (
        f"{most['used']} of {most['allowed']} connections of the server are used; "
        f"{most['connections']} of them by {most['application']} ({most['idle']} idle). "
        "A smaller pool, or the pooled URL, needs fewer. The statement ends those of it that have "
        "been idle for ten minutes."
    )
    statement = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle'"
        f" AND datname = current_database() AND application_name = {most['application_literal']}"
        " AND state_change < now() - interval '10 minutes';"
    )
    weight = weigh(70, 10 * most["used"] / most["allowed"])
    return [DatabaseFinding("connections", most["application"], reason, statement, weight)]


def _hidden(_rows: Sequence[Row], facts: ServerFacts) -> list[str]:
    if not facts.hidden_sessions:
        return []
    return [
        f"What {count(facts.hidden_sessions, 'session')} of other roles did is hidden from "
        f"{facts.role}. GRANT pg_read_all_stats TO {facts.role}; shows it."
    ]


TOPICS = (
    Topic(
        "locks",
        "Who waits for a lock, and who holds it?",
        _LOCKS,
        ("pid", "user", "application", "waiting_seconds", "wants", "blocked_by", "blocker_state",
         "statement", "blocker_statement"),
        _locks,
        _hidden,
    ),
    Topic(
        "transactions",
        "Which transactions are open, and for how long?",
        _TRANSACTIONS,
        ("pid", "user", "application", "state", "open_seconds", "state_seconds", "statement"),
        _transactions,
        _hidden,
    ),
    Topic(
        "connections",
        "Whose connections are there?",
        _CONNECTIONS,
        ("application", "user", "connections", "active", "idle", "in_transaction"),
        _connections,
        _hidden,
    ),
)  # fmt: skip
