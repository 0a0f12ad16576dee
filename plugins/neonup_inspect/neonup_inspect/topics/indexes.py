"""Indexes: those that nobody reads, those that exist twice, and those that are missing."""

from __future__ import annotations

from collections.abc import Sequence

from neonup.plugin.commands import size
from neonup_inspect.finding import (
    DatabaseFinding,
    Row,
    ServerFacts,
    Thresholds,
    Topic,
    no_notes,
    weigh,
)
from neonup_inspect.topics.relations import BLOCK, COVERS, USER_TABLES, since
from neonup_inspect.wording import count

# An index that serves a constraint, a replica's identity or a partitioned index is never unused.
_UNUSED = f"""
WITH {USER_TABLES}
SELECT format('%I.%I', t.nspname, c.relname) AS "index", t.name AS "table",
    c.relpages * {BLOCK} AS size_bytes, s.idx_scan AS reads,
    coalesce(u.seq_scan, 0) + coalesce(u.idx_scan, 0) AS table_scans, i.indisvalid AS valid,
    EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = i.indrelid AND k.contype = 'f'
        AND {COVERS}) AS for_foreign_key
FROM user_tables t JOIN pg_index i ON i.indrelid = t.oid
JOIN pg_class c ON c.oid = i.indexrelid AND c.relkind = 'i' AND NOT c.relispartition
JOIN pg_stat_all_indexes s ON s.indexrelid = i.indexrelid
JOIN pg_stat_all_tables u ON u.relid = t.oid
WHERE NOT EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid)
    AND (NOT i.indisvalid OR s.idx_scan = 0 AND NOT i.indisunique AND NOT i.indisexclusion
        AND NOT i.indisreplident
        AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid))
ORDER BY i.indisvalid, c.relpages DESC, 1 LIMIT 500
"""

# Postgres's own texts of indexes (pg_get_indexdef) would wait for whoever locks the table.
_DUPLICATES = f"""
WITH {USER_TABLES},
indexes AS MATERIALIZED (
    SELECT i.indexrelid AS oid, i.indrelid, t.name AS "table", c.relkind, c.relpages,
        format('%I.%I', t.nspname, c.relname) AS name, c.relam, a.amname,
        i.indkey::int2[] AS keys, i.indclass::oid[] AS classes,
        i.indcollation::oid[] AS collations, i.indoption::int2[] AS options,
        i.indnkeyatts AS width, i.indnatts = i.indnkeyatts AS bare, i.indisunique,
        i.indimmediate, i.indisvalid, i.indisreplident,
        i.indexprs IS NULL AND i.indpred IS NULL AS plain, k.conname, k.contype,
        -- Where an expression was typed is kept with it, up to Postgres 16.
        regexp_replace(concat_ws(' ', i.indexprs, 'WHERE', i.indpred, c.reloptions, o.texts),
            ' :location -?[0-9]+', '', 'g') AS rest,
        to_jsonb(i) ->> 'indnullsnotdistinct' AS nulls,
        CASE WHEN i.indisprimary THEN 0 WHEN k.oid IS NOT NULL THEN 1
            WHEN i.indisunique THEN 2 ELSE 3 END AS rank
    FROM user_tables t JOIN pg_index i ON i.indrelid = t.oid
    JOIN pg_class c ON c.oid = i.indexrelid AND NOT c.relispartition
    JOIN pg_am a ON a.oid = c.relam
    LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
    CROSS JOIN LATERAL (SELECT string_agg(coalesce(e.attoptions::text, '-'), ' ' ORDER BY e.attnum)
        AS texts FROM pg_attribute e WHERE e.attrelid = i.indexrelid) o
)
SELECT DISTINCT ON (x.relpages, x.name) x.name AS "index", x."table", y.name AS covered_by,
    x.relpages * {BLOCK} AS size_bytes, x.width = y.width AS same, x.relkind,
    quote_ident(x.conname) AS constraint_name
FROM indexes x JOIN indexes y ON y.indrelid = x.indrelid AND y.oid <> x.oid AND y.relam = x.relam
WHERE y.indisvalid AND NOT x.indisreplident AND coalesce(x.contype, 'u') = 'u'
    AND NOT EXISTS (SELECT FROM pg_constraint f WHERE f.conindid = x.oid AND f.contype = 'f')
    AND CASE WHEN x.keys = y.keys
        THEN (x.rank, x.oid) > (y.rank, y.oid) AND x.width = y.width AND x.classes = y.classes
            AND x.collations = y.collations AND x.options = y.options AND x.rest = y.rest
            AND (NOT x.indisunique OR y.indisunique AND y.indimmediate
                AND x.nulls IS NOT DISTINCT FROM y.nulls)
        ELSE x.width < y.width AND NOT x.indisunique AND x.conname IS NULL AND x.bare
            AND x.plain AND y.plain AND x.amname = 'btree'
            AND x.keys[0:x.width - 1] = y.keys[0:x.width - 1]
            AND x.classes[0:x.width - 1] = y.classes[0:x.width - 1]
            AND x.collations[0:x.width - 1] = y.collations[0:x.width - 1]
            AND x.options[0:x.width - 1] = y.options[0:x.width - 1] END
ORDER BY x.relpages DESC, x.name, y.width, y.rank, y.oid LIMIT 500
"""

_FOREIGN_KEYS = f"""
WITH {USER_TABLES}
SELECT t.name AS "table", quote_ident(k.conname) AS foreign_key, c.names AS columns,
    k.confrelid::regclass::text AS refers_to, r.live::bigint AS estimated_rows, t.relkind
FROM pg_constraint k JOIN user_tables t ON t.oid = k.conrelid
CROSS JOIN LATERAL (
    SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY x.place) AS names
    FROM unnest(k.conkey) WITH ORDINALITY x (attnum, place)
    JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = x.attnum) c
CROSS JOIN LATERAL (
    WITH RECURSIVE parts AS (SELECT t.oid AS relid UNION ALL
        SELECT h.inhrelid FROM pg_inherits h JOIN parts ON h.inhparent = parts.relid)
    SELECT sum(CASE WHEN p.reltuples > 0 THEN p.reltuples
        ELSE pg_stat_get_live_tuples(p.oid) END) AS live
    FROM parts JOIN pg_class p ON p.oid = parts.relid AND p.relkind <> 'p') r
WHERE k.contype = 'f' AND k.conparentid = 0 AND NOT EXISTS (
    SELECT FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid
    JOIN pg_am m ON m.oid = ic.relam AND m.amname IN ('btree', 'hash')
    WHERE i.indrelid = k.conrelid AND i.indisvalid AND {COVERS}
        -- WHERE column IS NOT NULL leaves nothing out that a foreign key looks for.
        AND (i.indpred IS NULL OR cardinality(k.conkey) = 1 AND i.indpred::text ~ ('^[{{]NULLTEST '
            || ':arg [{{]VAR :varno 1 :varattno ' || k.conkey[1]
            || ' [^{{}}]*[}}] :nulltesttype 1 ')))
ORDER BY r.live DESC NULLS LAST, 1, 2 LIMIT 500
"""


def _unused(rows: Sequence[Row], _facts: ServerFacts, limits: Thresholds) -> list[DatabaseFinding]:
    findings = []
    for row in rows:
        subject = f"index {row['index']}"
        if not row["valid"]:
            reason = (
                f"It is invalid: building it has failed, and nobody reads it, while {row['table']} "
                "is written into it. If it is unique, remove repeated values first."
            )
            statement = f"REINDEX INDEX CONCURRENTLY {row['index']};"
            findings.append(DatabaseFinding("unused", subject, reason, statement, weigh(40, 1)))
        elif (
            row["size_bytes"] >= limits.index_bytes
            and row["table_scans"] >= limits.table_scans
            and not row["for_foreign_key"]
        ):
            reason = (
                f"Nobody has read it, while {row['table']} was read "
                f"{count(row['table_scans'], 'time')}. It takes {size(row['size_bytes'])}, and "
                "each write takes longer for it."
            )
            statement = f"DROP INDEX CONCURRENTLY {row['index']};"
            findings.append(
                DatabaseFinding("unused", subject, reason, statement, weigh(20, row["size_bytes"]))
            )
    return findings


def _duplicates(
    rows: Sequence[Row], _facts: ServerFacts, limits: Thresholds
) -> list[DatabaseFinding]:
    findings = []
    for row in rows:
        if not row["same"] and row["size_bytes"] < limits.index_bytes:
            continue
        covered = (
            f"It is the same as {row['covered_by']}."
            if row["same"]
            else f"{row['covered_by']} begins with its columns, and serves the same queries."
        )
        reason = f"{covered} It takes {size(row['size_bytes'])}, and each write keeps both."
        how = "" if row["relkind"] == "I" else "CONCURRENTLY "
        statement = f"DROP INDEX {how}{row['index']};"
        if row["constraint_name"] is not None:
            statement = f"ALTER TABLE {row['table']} DROP CONSTRAINT {row['constraint_name']};"
        weight = weigh(30, row["size_bytes"])
        findings.append(
            DatabaseFinding("duplicates", f"index {row['index']}", reason, statement, weight)
        )
    return findings


def _foreign_keys(
    rows: Sequence[Row], _facts: ServerFacts, limits: Thresholds
) -> list[DatabaseFinding]:
    findings = []
    for row in rows:
        if (row["estimated_rows"] or 0) < limits.referencing_rows:
            continue
        reason = (
            f"No index begins with {row['columns']}: a DELETE from {row['refers_to']} reads all of "
            f"{row['table']}, about {count(row['estimated_rows'], 'row')}; joins may as well."
        )
        how = "CONCURRENTLY " if row["relkind"] == "r" else ""
        if not how:
            reason += " A partitioned table is locked against writes while it is built."
        findings.append(
            DatabaseFinding(
                "foreign-keys",
                f"foreign key {row['foreign_key']} of {row['table']}",
                reason,
                f"CREATE INDEX {how}ON {row['table']} ({row['columns']});",
                weigh(50, row["estimated_rows"]),
            )
        )
    return findings


TOPICS = (
    Topic(
        "unused",
        "Which indexes does nobody read?",
        _UNUSED,
        ("index", "table", "size_bytes", "reads", "table_scans", "valid", "for_foreign_key"),
        _unused,
        since,
    ),
    Topic(
        "duplicates",
        "Which indexes does another one replace?",
        _DUPLICATES,
        ("index", "table", "covered_by", "size_bytes"),
        _duplicates,
        no_notes,
    ),
    Topic(
        "foreign-keys",
        "Which foreign keys have no index?",
        _FOREIGN_KEYS,
        ("table", "foreign_key", "columns", "refers_to", "estimated_rows"),
        _foreign_keys,
        no_notes,
    ),
)
