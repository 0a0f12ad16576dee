"""What is in a database, from Postgres's catalog: relations with columns, keys and indexes."""

from __future__ import annotations

from typing import Any, LiteralString

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from neonup import NeonupError
from neonup_mcp import session
from neonup_mcp.session import StatementLimits

_RELATIONS = """
SELECT c.oid, n.nspname AS schema, c.relname AS name,
    CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'v' THEN 'view'
        WHEN 'm' THEN 'materialized view' ELSE 'foreign table' END AS kind,
    CASE WHEN c.relkind IN ('r', 'p', 'm') AND c.reltuples >= 0
        THEN c.reltuples::bigint END AS estimated_rows,
    CASE WHEN c.relkind = 'p' THEN (SELECT sum(pg_catalog.pg_total_relation_size(t.relid))::bigint
            FROM pg_catalog.pg_partition_tree(c.oid) t)
        WHEN c.relkind IN ('r', 'm') THEN pg_catalog.pg_total_relation_size(c.oid)
        END AS size_bytes,
    pg_catalog.left(pg_catalog.obj_description(c.oid, 'pg_class'), 500) AS comment
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
    AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND (%(schema)s::text IS NULL OR n.nspname = %(schema)s)
    AND (%(tables)s::text[] IS NULL OR c.relname = ANY(%(tables)s)
        OR n.nspname || '.' || c.relname = ANY(%(tables)s))
ORDER BY n.nspname, c.relname
"""

_COLUMNS = """
SELECT a.attrelid AS oid, a.attname AS name,
    pg_catalog.format_type(a.atttypid, a.atttypmod) AS type, NOT a.attnotnull AS nullable,
    CASE WHEN a.attidentity <> '' THEN 'identity'
        WHEN a.attgenerated <> '' THEN 'generated: ' || e.expression
        ELSE e.expression END AS "default",
    pg_catalog.left(pg_catalog.col_description(a.attrelid, a.attnum), 500) AS comment
FROM pg_catalog.pg_attribute a
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
CROSS JOIN LATERAL pg_catalog.left(pg_catalog.pg_get_expr(d.adbin, d.adrelid), 500) e (expression)
WHERE a.attrelid = ANY(%(oids)s) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
"""

# A NOT NULL is said of its column.
_CONSTRAINTS = """
SELECT conrelid AS oid,
    conname || ': ' || pg_catalog.left(pg_catalog.pg_get_constraintdef(oid), 1000) AS definition
FROM pg_catalog.pg_constraint
WHERE conrelid = ANY(%(oids)s) AND contype IN ('p', 'u', 'f', 'c', 'x')
ORDER BY conrelid, pg_catalog.array_position('{p,u,f,c,x}'::"char"[], contype), conname
"""

_INDEXES = """
SELECT i.indrelid AS oid, pg_catalog.left(pg_catalog.pg_get_indexdef(i.indexrelid), 1000)
    || CASE WHEN i.indisvalid THEN '' ELSE ' (invalid)' END AS definition
FROM pg_catalog.pg_index i
WHERE i.indrelid = ANY(%(oids)s) AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint c
    WHERE c.conindid = i.indexrelid AND c.conrelid = i.indrelid)
ORDER BY i.indrelid, i.indexrelid
"""

_ENUMS = """
SELECT pg_catalog.format_type(t.oid, NULL) AS name,
    (pg_catalog.array_agg(e.enumlabel::text ORDER BY e.enumsortorder))[:50] AS labels
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_enum e ON e.enumtypid = t.oid
GROUP BY t.oid ORDER BY 1 LIMIT 50
"""

_SERVER = """
SELECT pg_catalog.current_setting('server_version') AS version,
    pg_catalog.pg_database_size(pg_catalog.current_database()) AS size_bytes,
    ARRAY(SELECT extname || ' ' || extversion FROM pg_catalog.pg_extension ORDER BY 1) AS extensions
"""

Row = dict[str, Any]


async def describe(
    url: str, limits: StatementLimits, *, schema: str | None, tables: list[str] | None, most: int
) -> Row:
    """Everything about the relations, by the names of the fields of `neonup_mcp.schema.Schema`.

    Args:
        url: the database.
        limits: how long it may take.
        schema: only this one; None: every schema but Postgres's own.
        tables: only these, each with or without its schema; None: all.
        most: how many are described; the others are only named.

    Raises:
        NeonupError: a table that was asked for is not there; or the database cannot be read.
    """
    async with session.rolled_back(url, limits) as connection:
        relations = await _rows(connection, _RELATIONS, {"schema": schema, "tables": tables})
        _check_found(tables, relations)
        described = {row.pop("oid"): row for row in relations[:most]}
        oids = {"oids": list(described)}
        for row in described.values():
            row.update(columns=[], constraints=[], indexes=[])
        for column in await _rows(connection, _COLUMNS, oids):
            described[column.pop("oid")]["columns"].append(column)
        for kind, query in (("constraints", _CONSTRAINTS), ("indexes", _INDEXES)):
            for row in await _rows(connection, query, oids):
                described[row["oid"]][kind].append(row["definition"])
        (server,) = await _rows(connection, _SERVER)
        return {
            **server,
            "tables": list(described.values()),
            "others": [f"{row['schema']}.{row['name']}" for row in relations[most:]],
            "enums": {row["name"]: row["labels"] for row in await _rows(connection, _ENUMS)},
        }


def _check_found(tables: list[str] | None, relations: list[Row]) -> None:
    names = {row["name"] for row in relations} | {
        f"{row['schema']}.{row['name']}" for row in relations
    }
    if missing := [name for name in tables or () if name not in names]:
        raise NeonupError(
            f"There is no table {', '.join(map(repr, missing))}.",
            remedy="describe_schema without tables lists all.",
        )


async def _rows(
    connection: AsyncConnection, query: LiteralString, values: dict[str, Any] | None = None
) -> list[Row]:
    async with connection.cursor(row_factory=dict_row) as cursor:
        return await (await cursor.execute(query, values)).fetchall()
