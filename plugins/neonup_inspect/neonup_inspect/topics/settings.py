"""Settings that differ from those that Neon documents, of which a program notices something."""

from __future__ import annotations

from collections.abc import Sequence

from neonup_inspect.finding import DatabaseFinding, Row, ServerFacts, Thresholds, Topic, weigh

SOURCE = "https://neon.com/docs/reference/compatibility"
"""Where the values are from, as the page stood in 2025; not those by the size of the compute."""

_SETTINGS = """
SELECT s.name AS setting, s.setting || coalesce(' ' || s.unit, '') AS here,
    n.value || coalesce(' ' || s.unit, '') AS at_neon, s.source AS set_by, n.effect,
    CASE s.source WHEN 'database' THEN 'DATABASE ' || quote_ident(current_database())
        WHEN 'user' THEN 'ROLE ' || quote_ident(session_user)
        WHEN 'database user' THEN 'ROLE ' || quote_ident(session_user)
            || ' IN DATABASE ' || quote_ident(current_database()) END AS holder
FROM (VALUES
    ('idle_in_transaction_session_timeout', '300000',
        'Neon ends a session that is idle in a transaction for five minutes.'),
    ('client_connection_check_interval', '60000',
        'Neon looks each minute whether the client of a running statement is still there.'),
    ('wal_level', 'replica', 'Logical replication is switched on at Neon by the project.'),
    ('max_replication_slots', '10', 'Logical replication has so many slots.'),
    ('max_wal_senders', '10', 'Replication has so many connections.'),
    ('wal_sender_timeout', '10000', 'A replica that says nothing is given up after that.'),
    ('max_parallel_workers', '8', 'Plans may have so many helpers at once.'),
    ('password_encryption', 'scram-sha-256', 'How new passwords are stored.')
) n (name, value, effect) JOIN pg_settings s ON s.name = n.name AND s.setting <> n.value
ORDER BY s.name
"""


def _settings(
    rows: Sequence[Row], _facts: ServerFacts, _limits: Thresholds
) -> list[DatabaseFinding]:
    """Those that somebody has set for this database or role; a server's own are its way to be."""
    return [
        DatabaseFinding(
            "settings",
            f"setting {row['setting']}",
            f"It is {row['here']} for {row['holder']}; Neon's is {row['at_neon']}. {row['effect']}",
            f"ALTER {row['holder']} RESET {row['setting']};",
            weigh(10, 0),
        )
        for row in rows
        if row["holder"] is not None
    ]


def _notes(_rows: Sequence[Row], _facts: ServerFacts) -> list[str]:
    return [f"Neon's values are those of {SOURCE}; others depend on the size of the compute."]


TOPICS = (
    Topic(
        "settings",
        "Which settings differ from those that Neon documents?",
        _SETTINGS,
        ("setting", "here", "at_neon", "set_by", "effect"),
        _settings,
        _notes,
    ),
)
