"""Sequences: how many of their numbers are used, by what fits into the sequence and its column."""

from __future__ import annotations

from collections.abc import Sequence

from neonup_inspect.finding import DatabaseFinding, Row, ServerFacts, Thresholds, Topic, weigh
from neonup_inspect.wording import count, percent

_SEQUENCES = """
WITH sequences AS MATERIALIZED (
    SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS name, s.seqtypid, s.seqincrement,
        s.seqmin, s.seqmax, s.seqstart, s.seqcycle
    FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
        AND has_sequence_privilege(s.seqrelid, 'SELECT, USAGE') AND NOT EXISTS (
            SELECT FROM pg_depend e
            WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')
),
users AS (
    SELECT DISTINCT ON (d.sequence) d.sequence, format('%I.%I', n.nspname, c.relname) AS "table",
        quote_ident(a.attname) AS "column", a.atttypid, a.attidentity <> '' AS identity
    FROM (
        SELECT objid AS sequence, refobjid AS relid, refobjsubid AS attnum FROM pg_depend
        WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_class'::regclass
            AND deptype IN ('a', 'i') AND refobjsubid > 0
        UNION ALL
        SELECT p.refobjid, f.adrelid, f.adnum FROM pg_depend p JOIN pg_attrdef f ON f.oid = p.objid
        WHERE p.classid = 'pg_attrdef'::regclass AND p.refclassid = 'pg_class'::regclass) d
    JOIN sequences s ON s.oid = d.sequence
    JOIN pg_attribute a ON a.attrelid = d.relid AND a.attnum = d.attnum AND NOT a.attisdropped
    JOIN pg_class c ON c.oid = d.relid JOIN pg_namespace n ON n.oid = c.relnamespace
    ORDER BY d.sequence,
        array_position(ARRAY['int2', 'int4']::regtype[], a.atttypid::regtype) NULLS LAST, 2, 3
),
bounds AS (
    SELECT s.*, u."table", u."column", u.atttypid, u.identity,
        pg_sequence_last_value(s.oid) AS last_value, x.most AS column_most,
        least(s.seqmax, x.most) AS highest, greatest(s.seqmin, -x.most - 1) AS lowest
    FROM sequences s LEFT JOIN users u ON u.sequence = s.oid
    LEFT JOIN (VALUES ('int2'::regtype, 32767), ('int4', 2147483647)) x (type, most)
        ON x.type = u.atttypid
)
SELECT b.name AS "sequence", b."table", b."column", format_type(b.seqtypid, NULL) AS type,
    b.last_value, CASE WHEN b.seqincrement > 0 THEN b.highest ELSE b.lowest END AS end_value,
    CASE WHEN b.seqincrement > 0 THEN (b.last_value::numeric - b.seqmin + 1)
            / greatest(b.highest::numeric - b.seqmin + 1, 1)
        ELSE (b.seqmax::numeric - b.last_value + 1)
            / greatest(b.seqmax::numeric - b.lowest + 1, 1) END::float8 AS used_ratio,
    CASE WHEN b.seqincrement > 0 THEN b.highest::numeric - b.last_value
        ELSE b.last_value::numeric - b.lowest END::float8 / abs(b.seqincrement) AS left_numbers,
    b.seqcycle AS cycles, b.identity, b.column_most, b.seqtypid <> 'int8'::regtype AS narrow,
    CASE WHEN b.seqincrement > 0 THEN 'MAXVALUE' ELSE 'MINVALUE' END AS bound
FROM bounds b WHERE b.last_value IS NOT NULL
ORDER BY used_ratio DESC, 1 LIMIT 500
"""


def _sequences(
    rows: Sequence[Row], _facts: ServerFacts, limits: Thresholds
) -> list[DatabaseFinding]:
    findings = []
    for row in rows:
        if row["used_ratio"] < limits.sequence_ratio or row["cycles"]:
            continue
        left = max(0, int(row["left_numbers"]))
        column = "" if row["table"] is None else f" for {row['table']}.{row['column']}"
        reason = (
            f"{percent(row['used_ratio'])} of its numbers are used, {left:,} are left{column}; "
            "after that every INSERT fails."
        )
        if row["column_most"] is not None:
            reason += " Widening the column rewrites and locks the table; columns that refer to it "
            reason += "need the same."
        weight = weigh(80 if row["used_ratio"] >= 0.9 else 70, 10 * row["used_ratio"])
        findings.append(
            DatabaseFinding("sequences", f"sequence {row['sequence']}", reason, _wider(row), weight)
        )
    return findings


def _wider(row: Row) -> str:
    """What gives a sequence more numbers: a type for it and for its column, or a farther bound."""
    statements = []
    # A column's identity takes the type of the column.
    if row["narrow"] and not (row["identity"] and row["column_most"] is not None):
        statements.append(f"ALTER SEQUENCE {row['sequence']} AS bigint;")
    if row["column_most"] is not None:
        statements.append(f"ALTER TABLE {row['table']} ALTER COLUMN {row['column']} TYPE bigint;")
    if not statements:
        statements.append(f"ALTER SEQUENCE {row['sequence']} NO {row['bound']};")
    return "\n".join(statements)


def _unreadable(_rows: Sequence[Row], facts: ServerFacts) -> list[str]:
    if not facts.unreadable_sequences:
        return []
    return [
        f"{facts.role} may not read {count(facts.unreadable_sequences, 'sequence')}: "
        "GRANT SELECT ON SEQUENCE shows how far they are."
    ]


TOPICS = (
    Topic(
        "sequences",
        "Which sequences come to their end?",
        _SEQUENCES,
        ("sequence", "table", "column", "type", "last_value", "end_value", "used_ratio"),
        _sequences,
        _unreadable,
    ),
)
