"""Tables: empty space, sequential scans, what was in the cache, and sizes."""

from __future__ import annotations

from collections.abc import Sequence

from neonup.plugin.commands import size
from neonup_inspect import estimates
from neonup_inspect.finding import (
    DatabaseFinding,
    Row,
    ServerFacts,
    Thresholds,
    Topic,
    no_notes,
    weigh,
)
from neonup_inspect.topics.relations import BLOCK, USER_TABLES, since
from neonup_inspect.wording import count, percent

# A page has 24 bytes of its own, a row 4 in the page and a head of 23, all in steps of 8:
# https://www.postgresql.org/docs/18/storage-page-layout.html. In an index a row's head has 8 bytes,
# and its pages have 16 more: https://www.postgresql.org/docs/18/btree.html
_BLOAT = f"""
WITH {USER_TABLES},
options AS (
    SELECT c.oid, max(o.option_value) FILTER (WHERE o.option_name = 'fillfactor')::float8 AS fill,
        bool_or(o.option_name = 'autovacuum_enabled' AND NOT o.option_value::bool) AS unattended
    FROM pg_class c CROSS JOIN LATERAL pg_options_to_table(c.reloptions) o
    WHERE c.reloptions IS NOT NULL GROUP BY c.oid
),
stats AS MATERIALIZED (
    SELECT schemaname, tablename, attname, null_frac, (1 - null_frac) * avg_width AS width
    FROM pg_stats WHERE NOT inherited AND schemaname !~ '^pg_'
),
columns AS (
    SELECT t.oid, count(*) AS number, count(s.width) AS known, sum(s.width) AS width,
        coalesce(max(s.null_frac), 0) > 0 AS nulls
    FROM user_tables t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0
        AND NOT a.attisdropped AND a.attgenerated <> 'v'
    LEFT JOIN stats s ON s.schemaname = t.nspname AND s.tablename = t.relname
        AND s.attname = a.attname
    GROUP BY t.oid
),
keys AS (
    SELECT i.indexrelid AS oid, i.indrelid, count(*) AS number, count(s.width) AS known,
        sum(s.width) AS width, coalesce(max(s.null_frac), 0) > 0 AS nulls
    FROM user_tables t JOIN pg_index i ON i.indrelid = t.oid AND i.indexprs IS NULL
        AND i.indisvalid
    CROSS JOIN LATERAL unnest(i.indkey::int2[]) x (attnum)
    JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = x.attnum
    LEFT JOIN stats s ON s.schemaname = t.nspname AND s.tablename = t.relname
        AND s.attname = a.attname
    GROUP BY i.indexrelid, i.indrelid
),
estimates AS (
    SELECT 'table' AS kind, t.name AS name, t.name AS "table", t.relpages, t.reltuples, t.oid,
        CASE WHEN c.known = c.number AND t.reltuples >= 0 THEN ceil(t.reltuples
            * (4 + 8 * ceil((23 + CASE WHEN c.nulls THEN ceil(c.number / 8.0) ELSE 0 END) / 8.0)
                + 8 * ceil(c.width / 8))
            / (({BLOCK} - 24) * coalesce(o.fill, 100) / 100)) END AS needed
    FROM user_tables t LEFT JOIN columns c USING (oid) LEFT JOIN options o USING (oid)
    WHERE t.relkind IN ('r', 'm')
    UNION ALL
    SELECT 'index', format('%I.%I', t.nspname, i.relname), t.name, i.relpages, NULL, NULL,
        CASE WHEN k.known = k.number AND i.reltuples >= 0 THEN 1 + ceil(i.reltuples
            * (4 + CASE WHEN k.nulls THEN 16 ELSE 8 END + 8 * ceil(k.width / 8))
            / (({BLOCK} - 40) * coalesce(o.fill, 90) / 100)) END
    FROM keys k JOIN user_tables t ON t.oid = k.indrelid JOIN pg_class i ON i.oid = k.oid
    JOIN pg_am m ON m.oid = i.relam AND m.amname = 'btree'
    LEFT JOIN options o ON o.oid = i.oid
    WHERE i.relkind = 'i'
)
SELECT e.kind, e.name, e."table", e.relpages * {BLOCK} AS size_bytes,
    CASE WHEN e.needed > e.relpages THEN 0 ELSE (e.relpages - e.needed) * {BLOCK} END::bigint
        AS wasted_bytes,
    CASE WHEN e.needed > e.relpages THEN 0 ELSE 1 - e.needed / nullif(e.relpages, 0) END::float8
        AS wasted_ratio,
    CASE WHEN e.kind = 'table' THEN coalesce({estimates.rows("e")}, 0) END AS live_rows,
    s.n_dead_tup AS dead_rows,
    greatest(s.last_vacuum, s.last_autovacuum) AS last_vacuum,
    coalesce(o.unattended, false) AS unattended
FROM estimates e LEFT JOIN pg_stat_all_tables s ON s.relid = e.oid
LEFT JOIN options o ON o.oid = e.oid
ORDER BY 5 DESC NULLS LAST, s.n_dead_tup DESC NULLS LAST, 2 LIMIT 500
"""

_SCANS = f"""
WITH {USER_TABLES}
SELECT t.name AS "table", t.relpages * {BLOCK} AS size_bytes,
    coalesce({estimates.rows("t")}, 0) AS live_rows,
    s.seq_scan AS scans, s.seq_tup_read / s.seq_scan AS rows_per_scan,
    coalesce(s.idx_scan, 0) AS index_scans
FROM user_tables t JOIN pg_stat_all_tables s ON s.relid = t.oid
WHERE s.seq_scan > 0
ORDER BY s.seq_tup_read DESC, 1 LIMIT 500
"""

_CACHE = f"""
WITH {USER_TABLES}
(SELECT 'the whole database' AS name, true AS whole, blks_hit + blks_read AS blocks,
    blks_read AS read_blocks, blks_hit::float8 / nullif(blks_hit + blks_read, 0) AS hit_ratio,
    pg_size_bytes(current_setting('shared_buffers')) AS shared_buffers
FROM pg_stat_database WHERE datname = current_database())
UNION ALL
(SELECT t.name, false, h.hits + h.reads, h.reads,
    h.hits::float8 / nullif(h.hits + h.reads, 0), NULL
FROM user_tables t JOIN pg_statio_all_tables s ON s.relid = t.oid
CROSS JOIN LATERAL (VALUES (
    coalesce(s.heap_blks_hit, 0) + coalesce(s.idx_blks_hit, 0) + coalesce(s.toast_blks_hit, 0),
    coalesce(s.heap_blks_read, 0) + coalesce(s.idx_blks_read, 0)
        + coalesce(s.toast_blks_read, 0))) h (hits, reads)
WHERE h.hits + h.reads > 0
ORDER BY h.reads DESC, 1 LIMIT 500)
"""

# What asks for a size waits for whoever holds, or waits for, an exclusive lock.
_SIZES = f"""
WITH {USER_TABLES},
locked AS MATERIALIZED (
    SELECT l.relation FROM pg_locks l WHERE l.mode = 'AccessExclusiveLock'
        AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
)
SELECT t.name AS "table", CASE WHEN t.reltuples >= 0 THEN t.reltuples::bigint END AS estimated_rows,
    s.total AS total_bytes, s.rows_only AS rows_bytes, s.indexes AS index_bytes,
    s.total - s.rows_only - s.indexes AS long_values_bytes
FROM user_tables t CROSS JOIN LATERAL (
    SELECT pg_total_relation_size(t.oid) AS total, pg_relation_size(t.oid) AS rows_only,
        pg_indexes_size(t.oid) AS indexes
    WHERE NOT EXISTS (SELECT FROM locked l JOIN pg_index i ON l.relation = i.indexrelid
            WHERE i.indrelid = t.oid)
        AND t.oid NOT IN (SELECT l.relation FROM locked l WHERE l.relation IS NOT NULL)) s
WHERE t.relkind <> 'p'
ORDER BY s.total DESC, 1 LIMIT 500
"""


def _bloat(rows: Sequence[Row], facts: ServerFacts, limits: Thresholds) -> list[DatabaseFinding]:
    findings = []
    for row in rows:
        if row["kind"] == "table" and (row["dead_rows"] or 0) >= max(
            limits.dead_rows, limits.dead_ratio * row["live_rows"]
        ):
            findings.append(_dead(row))
        elif (row["wasted_bytes"] or 0) >= limits.wasted_bytes and (
            row["wasted_ratio"] >= limits.wasted_ratio
        ):
            findings.append(_wasted(row))
    return findings


def _dead(row: Row) -> DatabaseFinding:
    reason = (
        f"{count(row['dead_rows'], 'row')} beside {row['live_rows']:,} others "
        f"{'is' if row['dead_rows'] == 1 else 'are'} dead: deleted or replaced, and still read by "
        "each scan."
    )
    last = row["last_vacuum"]
    reason += (
        f" It was {'never vacuumed' if last is None else f'vacuumed at {last:%Y-%m-%d %H:%M}'}."
    )
    statement = f"VACUUM (ANALYZE) {row['name']};"
    if row["unattended"]:
        reason += " Autovacuum is off for it."
        statement = f"ALTER TABLE {row['name']} RESET (autovacuum_enabled);\n{statement}"
    return DatabaseFinding(
        "bloat", f"table {row['name']}", reason, statement, weigh(40, row["dead_rows"])
    )


def _wasted(row: Row) -> DatabaseFinding:
    reason = (
        f"About {size(row['wasted_bytes'])} of {size(row['size_bytes'])} are empty, "
        f"{percent(row['wasted_ratio'])}, by the widths that ANALYZE has found."
    )
    if row["kind"] == "table":
        reason += " New rows fill it; to give it back, VACUUM FULL locks the table meanwhile."
        statement = f"VACUUM (FULL, ANALYZE) {row['name']};"
    else:
        statement = f"REINDEX INDEX CONCURRENTLY {row['name']};"
    subject = f"{row['kind']} {row['name']}"
    return DatabaseFinding("bloat", subject, reason, statement, weigh(30, row["wasted_bytes"]))


def _scans(rows: Sequence[Row], _facts: ServerFacts, limits: Thresholds) -> list[DatabaseFinding]:
    return [
        DatabaseFinding(
            "scans",
            f"table {row['table']}",
            f"It was read from end to end {count(row['scans'], 'time')}, "
            f"{count(row['rows_per_scan'], 'row')} each, and by an index "
            f"{count(row['index_scans'], 'time')}. `neonup inspect outliers` shows the statements, "
            "and EXPLAIN which of their columns need an index.",
            None,
            weigh(40, row["scans"] * row["rows_per_scan"] / 1_000_000),
        )
        for row in rows
        if row["scans"] >= limits.scans and row["rows_per_scan"] >= limits.scanned_rows
    ]


def _cache(rows: Sequence[Row], facts: ServerFacts, limits: Thresholds) -> list[DatabaseFinding]:
    # Neon has a cache of its own between these and the storage.
    return [
        DatabaseFinding(
            "cache",
            row["name"],
            f"{percent(row['hit_ratio'])} of {count(row['blocks'], 'block')} were in shared "
            f"buffers, which are {size(row['shared_buffers'])}. A superuser may enlarge them, "
            "and restart.",
            f"ALTER SYSTEM SET shared_buffers = '{4 * row['shared_buffers'] >> 20}MB';",
            weigh(20, row["read_blocks"]),
        )
        for row in rows
        if row["whole"]
        and not facts.neon
        and row["read_blocks"] >= limits.read_blocks
        and row["hit_ratio"] < limits.cache_ratio
    ]


def _without_estimate(rows: Sequence[Row], facts: ServerFacts) -> list[str]:
    unknown = [
        row["name"] for row in rows if row["kind"] == "table" and row["wasted_bytes"] is None
    ]
    if not unknown:
        return []
    return [
        f"The empty space of {count(len(unknown), 'table')} cannot be estimated, which ANALYZE has "
        f"not seen yet, or {facts.role} may not read: {', '.join(unknown[:3])}"
        f"{', ...' if len(unknown) > 3 else '.'}"
    ]


def _cache_notes(rows: Sequence[Row], facts: ServerFacts) -> list[str]:
    notes = since(rows, facts)
    if facts.neon:
        notes.append(
            "Neon's local file cache is not counted here: `neon inspect db lfc-hit-rate` shows it."
        )
    return notes


def _sizes(_rows: Sequence[Row], _facts: ServerFacts, _limits: Thresholds) -> list[DatabaseFinding]:
    return []


TOPICS = (
    Topic(
        "bloat",
        "How much of tables and indexes is empty or dead? (an estimate)",
        _BLOAT,
        ("kind", "name", "size_bytes", "wasted_bytes", "wasted_ratio", "live_rows", "dead_rows",
         "last_vacuum"),
        _bloat,
        _without_estimate,
    ),
    Topic(
        "scans",
        "Which tables are read from end to end?",
        _SCANS,
        ("table", "size_bytes", "live_rows", "scans", "rows_per_scan", "index_scans"),
        _scans,
        since,
    ),
    Topic(
        "cache",
        "How much of what was asked for was in shared buffers?",
        _CACHE,
        ("name", "blocks", "read_blocks", "hit_ratio"),
        _cache,
        _cache_notes,
    ),
    Topic(
        "sizes",
        "How large are the tables?",
        _SIZES,
        ("table", "estimated_rows", "total_bytes", "rows_bytes", "index_bytes",
         "long_values_bytes"),
        _sizes,
        no_notes,
    ),
)  # fmt: skip
