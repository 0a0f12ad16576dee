"""The tables and foreign keys of a database, by one query of its catalog."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.rows import dict_row

from neonup_studio.picture.structure import (
    SchemaTable,
    TableColumn,
    TableKey,
    TableName,
    TableStructure,
)

# Partitions, and what only they have of foreign keys, count as their root's. Tables of extensions
# are left out.
_QUERY = """
WITH seen AS MATERIALIZED (
    SELECT c.oid, n.nspname, c.relname, c.relkind
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'f') AND NOT c.relispartition
      AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
      AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
      AND NOT EXISTS (
          SELECT FROM pg_catalog.pg_depend d
          WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
            AND d.objid = c.oid AND d.deptype = 'e'
      )
), columns AS (
    SELECT a.attrelid AS source, json_agg(json_build_array(
        a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), NOT a.attnotnull,
        coalesce(a.attnum = ANY (i.indkey), false)
    ) ORDER BY a.attnum) AS found
    FROM seen
    JOIN pg_catalog.pg_attribute a
      ON a.attrelid = seen.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_catalog.pg_index i ON i.indrelid = seen.oid AND i.indisprimary
    GROUP BY a.attrelid
), constraints AS MATERIALIZED (
    SELECT k.oid, k.conname, k.conrelid, k.confrelid, k.conkey, k.confkey,
           coalesce(pg_catalog.pg_partition_root(k.conrelid), k.conrelid) AS source,
           coalesce(pg_catalog.pg_partition_root(k.confrelid), k.confrelid) AS target
    FROM pg_catalog.pg_constraint k
    WHERE k.contype = 'f' AND k.conparentid = 0
), keys AS (
    SELECT k.source, json_agg(json_build_array(
        k.conname, target.nspname, target.relname,
        ARRAY(
            SELECT a.attname::text
            FROM unnest(k.conkey) WITH ORDINALITY AS part (number, place)
            JOIN pg_catalog.pg_attribute a
              ON a.attrelid = k.conrelid AND a.attnum = part.number
            ORDER BY part.place
        ),
        ARRAY(
            SELECT a.attname::text
            FROM unnest(k.confkey) WITH ORDINALITY AS part (number, place)
            JOIN pg_catalog.pg_attribute a
              ON a.attrelid = k.confrelid AND a.attnum = part.number
            ORDER BY part.place
        ),
        EXISTS (
            SELECT FROM pg_catalog.pg_index i
            WHERE i.indrelid = k.conrelid AND i.indisunique AND i.indpred IS NULL
              AND (i.indkey::pg_catalog.int2[])[0:i.indnkeyatts - 1] <@ k.conkey
        )
    ) ORDER BY k.conname, k.oid) AS found
    FROM constraints k JOIN seen target ON target.oid = k.target
    GROUP BY k.source
)
SELECT seen.nspname AS schema, seen.relname AS name, seen.relkind = 'p' AS partitioned,
       coalesce(columns.found, '[]') AS columns, coalesce(keys.found, '[]') AS foreign_keys
FROM seen
LEFT JOIN columns ON columns.source = seen.oid
LEFT JOIN keys ON keys.source = seen.oid
ORDER BY seen.nspname, seen.relname
"""


def read(connection: psycopg.Connection[Any]) -> TableStructure:
    """Read the tables of all schemas that the role can use, and their foreign keys.

    Args:
        connection: to the database; nothing is changed, and a transaction may be begun.

    Raises:
        psycopg.Error: the server did not answer, or refused.
    """
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(_QUERY).fetchall()
    foreign_keys = {key for row in rows for key in _foreign_keys(row)}
    return TableStructure(
        tuple(_table(row) for row in rows),
        tuple(
            sorted(foreign_keys, key=lambda key: (key.source, key.name, key.columns, key.target))
        ),
    )


def _name(row: dict[str, Any]) -> TableName:
    return TableName(row["schema"], row["name"])


def _table(row: dict[str, Any]) -> SchemaTable:
    return SchemaTable(
        _name(row), tuple(TableColumn(*column) for column in row["columns"]), row["partitioned"]
    )


def _foreign_keys(row: dict[str, Any]) -> list[TableKey]:
    return [
        TableKey(name, _name(row), tuple(columns), TableName(schema, target), tuple(keys), unique)
        for name, schema, target, columns, keys, unique in row["foreign_keys"]
    ]
