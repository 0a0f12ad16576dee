"""The tables of a database as Neon's API tells them in JSON, beside the schema in SQL."""

from __future__ import annotations

from typing import Any

from neonup_local.neon import catalogs

_TABLES = """
SELECT json_build_object(
    'schema', n.nspname,
    'name', c.relname,
    'columns', COALESCE((
        SELECT json_agg(json_build_object(
            'name', a.attname,
            'type', format_type(a.atttypid, a.atttypmod),
            'nullable', NOT a.attnotnull,
            'generated', a.attgenerated <> ''
        ) ORDER BY a.attnum)
        FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    ), '[]'),
    'constraints', COALESCE((
        SELECT json_agg(json_strip_nulls(json_build_object(
            'name', k.conname,
            'type', CASE k.contype
                WHEN 'p' THEN 'primary_key' WHEN 'u' THEN 'unique' ELSE 'foreign_key' END,
            'columns', {columns},
            'referenced_table', CASE k.contype WHEN 'f' THEN (
                SELECT json_build_object(
                    'schema', fn.nspname, 'table', f.relname, 'columns', {referenced})
                FROM pg_class f JOIN pg_namespace fn ON fn.oid = f.relnamespace
                WHERE f.oid = k.confrelid
            ) END
        )) ORDER BY k.contype = 'f', k.contype, k.conname)
        FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype IN ('p', 'u', 'f')
    ), '[]'))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
AND NOT EXISTS (
    SELECT FROM pg_depend d
    WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY n.nspname, c.relname
"""

_NAMES = """(
    SELECT json_agg(a.attname ORDER BY key.position)
    FROM unnest({keys}) WITH ORDINALITY AS key (number, position)
    JOIN pg_attribute a ON a.attrelid = {table} AND a.attnum = key.number
)"""


def read(connection: catalogs.Connection) -> list[dict[str, Any]]:
    """The tables that `pg_dump` would write, with their columns and constraints."""
    statement = _TABLES.format(
        columns=_NAMES.format(keys="k.conkey", table="c.oid"),
        referenced=_NAMES.format(keys="k.confkey", table="f.oid"),
    )
    return [table for (table,) in connection.execute(statement.encode()).fetchall()]
