"""Functions whose effects a read-only transaction does not prevent.

Postgres refuses to write in such a transaction. It does not refuse functions whose effect is
outside of it: ``pg_terminate_backend`` ends the application's connections, ``dblink`` opens one of
its own, ``pg_create_physical_replication_slot`` leaves a slot, and ``query_to_xml`` runs any text
as SQL. Postgres marks functions that may have effects as VOLATILE, so those of Postgres itself and
of extensions count as such by name, whichever the server has, except for the harmless ones below.

The names are looked for in the statement's whole text, strings and comments included: what looks
for more than there is cannot be deceived by quotes. Only ``U&"..."`` can write a name in other
letters. Functions that the project itself has defined are its own, and cannot write.

A statement that builds SQL while it runs (``DO``, ``CALL``) can name them in pieces: who relies on
this takes nothing but queries.
"""

from __future__ import annotations

import re

_HARMLESS = (
    # Values that differ from call to call.
    *("random", "random_normal", "gen_random_uuid", "gen_random_bytes", "uuidv4", "uuidv7"),
    *("uuid_generate_v1", "uuid_generate_v4", "clock_timestamp", "timeofday", "current_query"),
    *("array_sample", "array_shuffle", "normal_rand"),
    # What there is, and how it is used.
    *("currval", "lastval", "pg_sequence_last_value", "pg_blocking_pids", "pg_is_in_recovery"),
    *("pg_current_wal_lsn", "pg_partition_ancestors", "pg_partition_tree", "pg_relation_size"),
    *("pg_table_size", "pg_indexes_size", "pg_total_relation_size", "pg_database_size"),
    *("pg_stat_statements", "pg_stat_statements_info", "pg_buffercache", "pg_buffercache_pages"),
)

_RUN_SQL = ("crosstab", "crosstab2", "crosstab3", "crosstab4", "connectby", "xpath_table")
"""Functions of tablefunc and xml2 that run text as SQL, and are not marked VOLATILE."""

QUESTION = """
    SELECT DISTINCT p.proname FROM pg_catalog.pg_proc p
    WHERE p.proname = ANY(%(words)s)
    AND (p.provolatile = 'v' AND p.proname <> ALL(%(harmless)s) OR p.proname = ANY(%(run_sql)s))
    AND NOT 'pg_catalog.internal'::pg_catalog.regtype = ANY(p.proargtypes)
    AND (p.pronamespace = 'pg_catalog'::pg_catalog.regnamespace OR EXISTS (
        SELECT FROM pg_catalog.pg_depend d
        WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
        AND d.objid = p.oid AND d.deptype = 'e'))
    ORDER BY p.proname
"""
"""What to ask the server: the names of the functions with effects that a statement names."""


def parameters(statement: str) -> dict[str, list[str]]:
    """The parameters of `QUESTION` for a statement."""
    words = set(re.findall(r"[a-z_][a-z0-9_]*", statement.lower()))
    return {"words": list(words), "harmless": list(_HARMLESS), "run_sql": list(_RUN_SQL)}


def hides_names(statement: str) -> bool:
    """Whether a statement may write names in other letters, so that they cannot be seen."""
    return re.search('U&"', statement, re.IGNORECASE) is not None
