"""The tables that queries look at, and notes on statistics that several topics have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from neonup_inspect.finding import Row, ServerFacts

USER_TABLES: Final = """
user_tables AS (
    SELECT c.oid, n.nspname, c.relname, format('%I.%I', n.nspname, c.relname) AS name,
        c.relkind, c.relpages, c.reltuples, c.reloptions
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname !~ '^pg_'
        AND n.nspname <> 'information_schema' AND NOT EXISTS (
            SELECT FROM pg_depend e
            WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')
)
"""
"""Tables and materialized views that are neither Postgres's nor an extension's nor temporary."""

BLOCK: Final = "current_setting('block_size')::bigint"
"""Bytes of a page. A size in pages is as of the last vacuum or analyze, and takes no lock."""

COVERS: Final = """i.indnkeyatts >= cardinality(k.conkey)
        AND (i.indkey::int2[])[0:cardinality(k.conkey) - 1] @> k.conkey"""
"""Whether the index ``i`` begins with the columns of the constraint ``k``, in any order."""


def since(_rows: Sequence[Row], facts: ServerFacts) -> list[str]:
    """Since when the statistics are counted, and by which server."""
    notes = []
    if facts.stats_reset is not None:
        notes.append(f"Statistics are counted since {facts.stats_reset:%Y-%m-%d %H:%M %Z}.".strip())
    if facts.neon:  # https://neon.com/docs/extensions/pg_stat_statements says it of statements
        notes.append("At Neon they may begin anew with each start of the compute.")
    if facts.standby:
        notes.append("This is a read replica: what the primary reads is not counted here.")
    return notes
