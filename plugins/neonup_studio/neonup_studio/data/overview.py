"""The list of what has rows, from the catalogs and statistics; no row is counted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from psycopg import Connection
from psycopg.rows import namedtuple_row

from neonup_inspect import estimates
from neonup_studio.data.relation import RelationKind, RelationName, RelationSummary

# What asks for a size waits for whoever holds, or waits for, an exclusive lock.
_RELATIONS = f"""
WITH locked AS MATERIALIZED (
    SELECT l.relation FROM pg_catalog.pg_locks l WHERE l.mode = 'AccessExclusiveLock'
        AND l.relation IS NOT NULL AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d
            WHERE d.datname = current_database())
)
SELECT c.oid::int8 AS oid, n.nspname::text AS schema, c.relname::text AS name,
    c.relkind::text AS kind,
    CASE WHEN c.relkind NOT IN ('v', 'p') THEN coalesce(
        {estimates.rows("c")}, CASE WHEN size.rows_only = 0 THEN 0 END) END AS rows,
    size.total AS size,
    greatest(s.last_analyze, s.last_autoanalyze) AS analyzed,
    pg_catalog.obj_description(c.oid, 'pg_class') AS comment,
    h.inhparent::int8 AS parent,
    has_schema_privilege(n.oid, 'USAGE')
        AND has_any_column_privilege(c.oid, 'SELECT') AS readable,
    (SELECT e.extname::text FROM pg_catalog.pg_depend d
        JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
        WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid
            AND d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.deptype = 'e'
    ) AS extension
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_inherits h ON h.inhrelid = c.oid AND c.relispartition
LEFT JOIN pg_catalog.pg_stat_all_tables s ON s.relid = c.oid
LEFT JOIN LATERAL (
    SELECT pg_total_relation_size(c.oid) AS total, pg_relation_size(c.oid) AS rows_only
    WHERE c.relkind IN ('r', 'm') AND c.oid NOT IN (SELECT l.relation FROM locked l)
        AND NOT EXISTS (SELECT FROM locked l JOIN pg_catalog.pg_index i
            ON i.indexrelid = l.relation WHERE i.indrelid = c.oid)) size ON true
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relpersistence <> 't'
    AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
ORDER BY n.nspname, c.relname
"""


@dataclass(frozen=True)
class SchemaOverview:
    """A schema, and what has rows in it."""

    name: str
    relations: list[RelationSummary]


def schemas(connection: Connection[Any]) -> list[SchemaOverview]:
    """All schemas of the user's, with what has rows in them; empty ones as well.

    A partition comes right after its table. A partitioned table has the sums of its partitions.

    Raises:
        psycopg.Error: the catalogs cannot be read.
    """
    found: dict[str, list[RelationSummary]] = defaultdict(list)
    for (name,) in connection.execute(
        "SELECT nspname::text FROM pg_catalog.pg_namespace WHERE nspname !~ '^pg_'"
        " AND nspname <> 'information_schema' AND has_schema_privilege(oid, 'USAGE') ORDER BY 1"
    ).fetchall():
        found[name] = []
    for summary in relations(connection):
        found[summary.name.schema].append(summary)
    return [SchemaOverview(name, found[name]) for name in sorted(found)]


def relations(connection: Connection[Any]) -> list[RelationSummary]:
    """Everything with rows, in order of schemas and names, each partition after its table.

    Raises:
        psycopg.Error: the catalogs cannot be read.
    """
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        rows: list[Any] = cursor.execute(_RELATIONS).fetchall()
    names = {row.oid: RelationName(row.schema, row.name) for row in rows}
    plain = {row.oid: _summary(row, names) for row in rows}
    below: dict[int, list[int]] = defaultdict(list)
    for row in rows:
        if row.parent in names:
            below[row.parent].append(row.oid)
    ordered: list[RelationSummary] = []
    for row in rows:
        if row.parent not in names:
            ordered += _with_partitions(row.oid, plain, below)
    return ordered


def _summary(row: Any, names: dict[int, RelationName]) -> RelationSummary:
    return RelationSummary(
        name=names[row.oid],
        kind=RelationKind(row.kind),
        rows=row.rows,
        size=row.size,
        analyzed=row.analyzed,
        comment=row.comment,
        parent=names.get(row.parent),
        partitions=0,
        readable=row.readable,
        extension=row.extension,
    )


def _with_partitions(
    oid: int, plain: dict[int, RelationSummary], below: dict[int, list[int]]
) -> list[RelationSummary]:
    """A relation with the sums of its partitions, and these after it."""
    parts = [_with_partitions(part, plain, below) for part in below[oid]]
    inside = [summary for part in parts for summary in part]
    summary = plain[oid]
    if summary.kind is RelationKind.PARTITIONED:
        direct = [part[0] for part in parts]
        summary = replace(
            summary,
            rows=_sum(part.rows for part in direct),
            size=_sum(part.size for part in direct if part.kind is not RelationKind.FOREIGN),
            partitions=len(inside),
        )
    return [summary, *inside]


def _sum(numbers: Iterator[int | None]) -> int | None:
    """The sum; None where one of them is unknown."""
    total = 0
    for number in numbers:
        if number is None:
            return None
        total += number
    return total
