"""What is in a database, and what a server can take, as far as moving data is concerned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from neonup_cloud.move.session import Session

# Schemas of the user's, and objects that no extension brought.
_OWN_SCHEMA = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
_NO_MEMBER = """NOT EXISTS (SELECT FROM pg_catalog.pg_depend m
    WHERE m.classid = '{0}'::pg_catalog.regclass AND m.objid = {1}.oid AND m.deptype = 'e')"""

_TABLES = f"""
SELECT c.oid::bigint AS oid, n.nspname AS schema, c.relname AS name,
    pg_catalog.format('%I.%I', n.nspname, c.relname) AS quoted
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND {_OWN_SCHEMA} AND {_NO_MEMBER.format("pg_class", "c")}
ORDER BY n.nspname, c.relname
"""

_OBJECTS = f"""
SELECT CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
        WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'foreign table' ELSE 'table' END AS kind,
    pg_catalog.format('%I.%I', n.nspname, c.relname) AS name
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND {_OWN_SCHEMA}
    AND {_NO_MEMBER.format("pg_class", "c")}
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend o WHERE c.relkind = 'S' AND o.objid = c.oid
        AND o.classid = 'pg_class'::pg_catalog.regclass AND o.deptype IN ('a', 'i')
        AND o.refclassid = 'pg_class'::pg_catalog.regclass)
UNION ALL
SELECT CASE p.prokind WHEN 'a' THEN 'aggregate' WHEN 'p' THEN 'procedure' ELSE 'function' END,
    CASE WHEN p.prokind = 'a' AND p.pronargs = 0
        THEN pg_catalog.format('%I.%I(*)', n.nspname, p.proname)
        ELSE pg_catalog.format('%I.%I(%s)', n.nspname, p.proname,
            pg_catalog.pg_get_function_identity_arguments(p.oid)) END
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE {_OWN_SCHEMA} AND {_NO_MEMBER.format("pg_proc", "p")}
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend i WHERE i.objid = p.oid
        AND i.classid = 'pg_proc'::pg_catalog.regclass AND i.deptype = 'i')
UNION ALL
SELECT CASE t.typtype WHEN 'd' THEN 'domain' ELSE 'type' END,
    pg_catalog.format('%I.%I', n.nspname, t.typname)
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
WHERE (t.typtype IN ('d', 'e', 'r') OR (t.typtype = 'c' AND c.relkind = 'c'))
    AND {_OWN_SCHEMA} AND {_NO_MEMBER.format("pg_type", "t")}
UNION ALL
SELECT 'large object', o.oid::text FROM pg_catalog.pg_largeobject_metadata o
"""
"""All that could be in the way, or be overwritten; no empty schemas, no columns' sequences."""

_SERVER = """
SELECT pg_catalog.current_setting('server_version_num')::int / 10000 AS major,
    pg_catalog.current_setting('server_encoding') AS encoding,
    d.datcollate AS sorting, d.datname AS database,
    pg_catalog.shobj_description(d.oid, 'pg_database') AS comment,
    pg_catalog.pg_has_role(d.datdba, 'USAGE') AS owns_database,
    r.rolname AS role, pg_catalog.quote_ident(r.rolname) AS quoted_role, r.rolsuper AS superuser,
    ARRAY(SELECT pg_catalog.quote_ident(o.rolname) FROM pg_catalog.pg_roles o) AS roles,
    ARRAY(SELECT pg_catalog.quote_ident(o.rolname) FROM pg_catalog.pg_roles o
        WHERE pg_catalog.pg_has_role(o.oid, 'MEMBER')) AS member_of,
    (SELECT pg_catalog.jsonb_object_agg(a.name, a.default_version)
        FROM pg_catalog.pg_available_extensions a) AS extensions,
    ARRAY(SELECT DISTINCT l.collname FROM pg_catalog.pg_collation l
        WHERE l.collnamespace = 'pg_catalog'::pg_catalog.regnamespace) AS collations
FROM pg_catalog.pg_database d, pg_catalog.pg_roles r
WHERE d.datname = pg_catalog.current_database() AND r.rolname = current_user
"""


@dataclass(frozen=True)
class Table:
    """A table that holds rows of its own: a partition is one, a partitioned table is not.

    Args:
        oid: Postgres's number for it.
        schema: its schema, unquoted.
        name: its name, unquoted.
        quoted: schema and name as SQL takes them.
    """

    oid: int
    schema: str
    name: str
    quoted: str


@dataclass(frozen=True)
class ServerContents:
    """What a server and a database are like.

    Args:
        major: the server's major version.
        encoding: the database's, e.g. ``UTF8``.
        sorting: the locale by which its text sorts.
        database: its name.
        comment: the comment on it, where neonup notes the scripts that ran.
        owns_database: whether the connected role owns it.
        role: the role that is connected.
        quoted_role: its name as SQL takes it.
        superuser: whether it is one.
        roles: all roles, quoted where SQL wants that.
        member_of: those that the connected one may act as.
        extensions: what ``CREATE EXTENSION`` takes, with the version that it makes.
        collations: the names of the server's own.
    """

    major: int
    encoding: str
    sorting: str
    database: str
    comment: str | None
    owns_database: bool
    role: str
    quoted_role: str
    superuser: bool
    roles: Sequence[str]
    member_of: Sequence[str]
    extensions: Mapping[str, str]
    collations: Sequence[str]


def server(session: Session) -> ServerContents:
    """What the server of a session is like."""
    return ServerContents(**session.rows(_SERVER)[0])


def tables(session: Session) -> list[Table]:
    """The tables whose rows are moved, by schema and name."""
    return [Table(**row) for row in session.rows(_TABLES)]


def objects(session: Session) -> list[tuple[str, str]]:
    """Kind and quoted name of everything that is not the system's or an extension's."""
    return [(row["kind"], row["name"]) for row in session.rows(_OBJECTS)]


def count(session: Session, counted: Sequence[Table]) -> dict[str, int]:
    """The number of rows of each table, by its quoted name."""
    queries = "\n".join(f"SELECT count(*) FROM ONLY {table.quoted};" for table in counted)
    numbers = session.lines(queries)
    return {table.quoted: int(number) for table, number in zip(counted, list(numbers), strict=True)}


def clearing(session: Session) -> str:
    """The statements that remove everything that `objects` finds; extensions stay.

    Another role's objects, which only it can drop, are an error of theirs when that runs.
    """
    words = {"large object": "SELECT pg_catalog.lo_unlink({});"}
    drop = "DROP {} IF EXISTS {} CASCADE;"
    statements = []
    for kind, name in objects(session):
        if kind in words:
            statements.append(words[kind].format(name))
        else:
            statements.append(drop.format(kind.upper(), name))
    return "\n".join(statements)
