"""What a read-only statement may not call, though a read-only transaction would let it.

Postgres refuses to write in such a transaction. It does not refuse functions whose effect is
outside of it: ``pg_terminate_backend`` ends the application's connections, ``dblink`` opens one of
its own, and ``query_to_xml`` runs any text as SQL. Postgres marks functions that may have effects
as VOLATILE, so those of Postgres itself and of extensions are refused by name, whichever the server
has, except for the harmless ones below.

The names are looked for in the statement's whole text, strings and comments included: what looks
for more than there is cannot be deceived by quotes. Only ``U&"..."`` can write a name in other
letters, and is refused. Functions that the project itself has defined are its own: they run, and
cannot write.
"""

from __future__ import annotations

import re

from psycopg import AsyncConnection

from neonup import NeonupError

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

_FORBIDDEN = """
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

_REMEDY = "Leave it out. What has effects needs `neonup mcp --allow-writes` and the tool write_sql."


async def check(connection: AsyncConnection, statement: str) -> None:
    """Refuse a statement whose text names a function with effects.

    Raises:
        NeonupError: it does.
    """
    if re.search('U&"', statement, re.IGNORECASE):
        raise NeonupError(
            'Names written as U&"..." are refused: what they call cannot be seen.',
            remedy="Write the name in plain quotes.",
        )
    words = set(re.findall(r"[a-z_][a-z0-9_]*", statement.lower()))
    found = await connection.execute(
        _FORBIDDEN, {"words": list(words), "harmless": list(_HARMLESS), "run_sql": list(_RUN_SQL)}
    )
    if names := [name for (name,) in await found.fetchall()]:
        raise NeonupError(
            f"The statement was not run: {', '.join(names)} may have effects that a read-only "
            "transaction does not prevent.",
            checked=["functions that Postgres marks VOLATILE, anywhere in the text"],
            remedy=_REMEDY,
        )
