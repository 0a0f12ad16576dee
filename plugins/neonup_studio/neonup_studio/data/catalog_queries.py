"""The one query for a relation's description: a round trip, since databases can be far away."""

from __future__ import annotations

from neonup_inspect import estimates

# The operators by which a type's values are ordered belong to its btree operator class, or to that
# of a type it is stored alike; enums, arrays, ranges and rows have one for each kind.
_ORDERS = """
orders AS MATERIALIZED (
    SELECT oc.opcintype AS type, n.nspname::text AS schema
    FROM pg_catalog.pg_opclass oc
    JOIN pg_catalog.pg_am am ON am.oid = oc.opcmethod AND am.amname = 'btree'
    JOIN pg_catalog.pg_amop ao ON ao.amopfamily = oc.opcfamily AND ao.amopstrategy = 1
        AND ao.amoplefttype = oc.opcintype AND ao.amoprighttype = oc.opcintype
    JOIN pg_catalog.pg_operator o ON o.oid = ao.amopopr
    JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
    WHERE oc.opcdefault
)"""


def _order(type_: str, row: str) -> str:
    return f"""coalesce(
        (SELECT o.schema FROM orders o WHERE o.type = {type_}),
        (SELECT o.schema FROM pg_catalog.pg_cast k JOIN orders o ON o.type = k.casttarget
            WHERE k.castsource = {type_} AND k.castmethod = 'b' AND k.castcontext = 'i' LIMIT 1),
        CASE WHEN {row}.typtype IN ('c', 'e', 'r', 'm') THEN 'pg_catalog' END)"""


_BASE = """(
    WITH RECURSIVE chain AS (
        SELECT t.oid, t.typtype, t.typbasetype FROM pg_catalog.pg_type t WHERE t.oid = a.atttypid
        UNION ALL
        SELECT t.oid, t.typtype, t.typbasetype FROM chain
        JOIN pg_catalog.pg_type t ON t.oid = chain.typbasetype WHERE chain.typtype = 'd'
    ) SELECT chain.oid FROM chain WHERE chain.typtype <> 'd')"""

_COLUMNS = f"""(
    SELECT json_agg(json_build_object(
        'number', a.attnum, 'name', a.attname,
        'type', pg_catalog.format_type(a.atttypid, a.atttypmod),
        'base', pg_catalog.format_type(b.oid, -1),
        'plain', b.typname, 'category', b.typcategory, 'typtype', b.typtype,
        'array', b.typelem <> 0 AND b.typlen = -1 AND b.typcategory = 'A',
        'fixed', b.typlen > 0, 'typmod', a.atttypmod,
        'nullable', NOT a.attnotnull AND NOT t.typnotnull,
        'default', CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END,
        'generated', CASE WHEN a.attgenerated <> '' THEN pg_get_expr(d.adbin, d.adrelid) END,
        'domain_default', t.typdefault,
        'identity', a.attidentity,
        'comment', pg_catalog.col_description(a.attrelid, a.attnum),
        'collation', CASE WHEN a.attcollation <> t.typcollation THEN l.collname END,
        'order', CASE WHEN b.typelem <> 0 AND b.typlen = -1 AND b.typcategory = 'A'
            THEN CASE WHEN {_order("e.oid", "e")} IS NOT NULL THEN 'pg_catalog' END
            ELSE {_order("b.oid", "b")} END,
        'labels', CASE WHEN b.typtype = 'e' THEN (
            SELECT json_agg(v.enumlabel ORDER BY v.enumsortorder) FROM pg_catalog.pg_enum v
            WHERE v.enumtypid = b.oid) END
    ) ORDER BY a.attnum)
    FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    JOIN pg_catalog.pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN {_BASE} ELSE t.oid END
    LEFT JOIN pg_catalog.pg_type e ON e.oid = b.typelem
    LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)"""

# Rows are paged in the order of an index only where it has each of them once, without NULL, in the
# columns' own order.
_INDEXES = """(
    SELECT json_agg(json_build_object(
        'name', k.relname, 'definition', pg_catalog.pg_get_indexdef(i.indexrelid),
        'method', am.amname, 'primary', i.indisprimary, 'unique', i.indisunique,
        'valid', i.indisvalid,
        'keys', (SELECT json_agg(coalesce(a.attname, '') ORDER BY x.place)
            FROM unnest(i.indkey::int2[]) WITH ORDINALITY x (attnum, place)
            LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = x.attnum
            WHERE x.place <= i.indnkeyatts),
        'pages_rows', i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL
            AND i.indexprs IS NULL AND (i.indisprimary OR NOT EXISTS (
                SELECT FROM pg_catalog.pg_opclass o WHERE o.oid = ANY (i.indclass::oid[])
                    AND NOT o.opcdefault AND o.opcname <> 'varchar_ops'))
            AND NOT EXISTS (
                SELECT FROM unnest(i.indkey::int2[], i.indcollation::oid[])
                    WITH ORDINALITY x (attnum, sorting, place)
                JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = x.attnum
                WHERE x.place <= i.indnkeyatts
                    AND (NOT a.attnotnull OR x.sorting <> a.attcollation))
    ) ORDER BY i.indisprimary DESC, k.relname)
    FROM pg_catalog.pg_index i
    JOIN pg_catalog.pg_class k ON k.oid = i.indexrelid
    JOIN pg_catalog.pg_am am ON am.oid = k.relam
    WHERE i.indrelid = c.oid)"""


def _columns_of(relation: str, numbers: str) -> str:
    return f"""(SELECT json_agg(a.attname ORDER BY x.place)
        FROM unnest({numbers}) WITH ORDINALITY x (attnum, place)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = {relation} AND a.attnum = x.attnum)"""


_CONSTRAINTS = f"""(
    SELECT json_agg(json_build_object(
        'name', k.conname, 'kind', k.contype,
        'definition', pg_catalog.pg_get_constraintdef(k.oid), 'valid', k.convalidated,
        'columns', {_columns_of("k.conrelid", "k.conkey")}
    ) ORDER BY k.contype DESC, k.conname)
    FROM pg_catalog.pg_constraint k WHERE k.conrelid = c.oid AND k.contype <> 'f')"""

_FOREIGN_KEY = f"""json_build_object(
        'name', k.conname,
        'table', json_build_array(sn.nspname, s.relname),
        'columns', {_columns_of("k.conrelid", "k.conkey")},
        'target', json_build_array(tn.nspname, t.relname),
        'targets', {_columns_of("k.confrelid", "k.confkey")},
        'definition', pg_catalog.pg_get_constraintdef(k.oid))"""

_JOINED = """
    FROM pg_catalog.pg_constraint k
    JOIN pg_catalog.pg_class s ON s.oid = k.conrelid
    JOIN pg_catalog.pg_namespace sn ON sn.oid = s.relnamespace
    JOIN pg_catalog.pg_class t ON t.oid = k.confrelid
    JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
    WHERE k.contype = 'f'"""

# A foreign key of or to a partitioned table has a copy for each partition.
_REFERENCES = f"""(
    SELECT json_agg({_FOREIGN_KEY} ORDER BY k.conname) {_JOINED} AND k.conrelid = c.oid
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint u
            WHERE u.oid = k.conparentid AND u.conrelid = k.conrelid))"""

_REFERRERS = f"""(
    SELECT json_agg({_FOREIGN_KEY} ORDER BY sn.nspname, s.relname, k.conname) {_JOINED}
        AND k.confrelid = c.oid
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint u
            WHERE u.oid = k.conparentid AND u.confrelid = k.confrelid))"""

DESCRIPTION = f"""
WITH {_ORDERS}
SELECT c.oid::int8 AS oid, c.relkind::text AS kind,
    pg_catalog.obj_description(c.oid, 'pg_class') AS comment,
    c.relkind IN ('r', 'm') AND m.amname = 'heap' AS heap,
    c.relkind = 'r' AND EXISTS (SELECT FROM pg_catalog.pg_inherits h WHERE h.inhparent = c.oid)
        AS children,
    c.relrowsecurity AND row_security_active(c.oid) AS row_security,
    {estimates.rows("c")} AS rows,
    CASE WHEN c.relkind IN ('v', 'm') THEN pg_catalog.pg_get_viewdef(c.oid, true) END AS query,
    CASE WHEN c.relkind = 'p' THEN pg_catalog.pg_get_partkeydef(c.oid) END AS partition_key,
    CASE WHEN c.relispartition THEN pg_catalog.pg_get_expr(c.relpartbound, c.oid) END AS bound,
    (SELECT json_build_array(n.nspname, p.relname) FROM pg_catalog.pg_inherits h
        JOIN pg_catalog.pg_class p ON p.oid = h.inhparent
        JOIN pg_catalog.pg_namespace n ON n.oid = p.relnamespace
        WHERE h.inhrelid = c.oid AND c.relispartition) AS parent,
    (SELECT v.srvname::text FROM pg_catalog.pg_foreign_table f
        JOIN pg_catalog.pg_foreign_server v ON v.oid = f.ftserver WHERE f.ftrelid = c.oid)
        AS server,
    {_COLUMNS} AS columns,
    {_INDEXES} AS indexes,
    {_CONSTRAINTS} AS constraints,
    {_REFERENCES} AS "references",
    {_REFERRERS} AS referrers,
    CASE WHEN c.relkind = 'p' THEN (
        SELECT json_agg(json_build_array(n.nspname, p.relname) ORDER BY n.nspname, p.relname)
        FROM pg_catalog.pg_inherits h JOIN pg_catalog.pg_class p ON p.oid = h.inhrelid
        JOIN pg_catalog.pg_namespace n ON n.oid = p.relnamespace
        WHERE h.inhparent = c.oid) END AS partitions
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_am m ON m.oid = c.relam
LEFT JOIN pg_catalog.pg_stat_all_tables s ON s.relid = c.oid
WHERE n.nspname = %s AND c.relname = %s AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
"""

# Which versions the rows of the catalogs have that make up most of a description.
FINGERPRINT = """
SELECT c.oid::int8, c.xmin::text,
    (SELECT string_agg(a.xmin::text || ' ' || a.attnum, ',' ORDER BY a.attnum)
        FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid),
    (SELECT string_agg(i.xmin::text || ' ' || i.indexrelid, ',' ORDER BY i.indexrelid)
        FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid),
    (SELECT string_agg(k.xmin::text || ' ' || k.oid, ',' ORDER BY k.oid)
        FROM pg_catalog.pg_constraint k WHERE k.conrelid = c.oid OR k.confrelid = c.oid)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = %s
"""

# What asks for a size waits for whoever holds an exclusive lock.
INDEX_SIZES = """
SELECT k.relname::text, pg_relation_size(k.oid)
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class k ON k.oid = i.indexrelid
WHERE i.indrelid = %s::oid AND k.relkind = 'i' AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_locks l
    WHERE l.relation = k.oid AND l.mode = 'AccessExclusiveLock')
"""
