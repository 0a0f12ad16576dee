"""What can go from one database to another, and what cannot: found out before anything is moved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from neonup.plugin.postgres import ICU
from neonup_cloud.move.contents import ServerContents
from neonup_cloud.move.session import Session

Explain = Callable[[str], str | None]
"""Says how to get an extension, or `ICU`, that the target lacks; None if that is not known."""

_EXTENSIONS = """
SELECT extname AS name, extversion AS version FROM pg_catalog.pg_extension
WHERE extname <> 'plpgsql' ORDER BY extname
"""

_SCHEMAS = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"

_COLLATIONS = f"""
SELECT DISTINCT l.collname AS name, l.collprovider = 'i' AS icu,
    l.collnamespace = 'pg_catalog'::pg_catalog.regnamespace AS builtin
FROM pg_catalog.pg_collation l WHERE l.collname <> 'default' AND (
    l.collnamespace <> 'pg_catalog'::pg_catalog.regnamespace
    OR l.oid IN (
        SELECT a.attcollation FROM pg_catalog.pg_attribute a
        JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE {_SCHEMAS}
        UNION SELECT t.typcollation FROM pg_catalog.pg_type t
        JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
        WHERE t.typtype = 'd' AND {_SCHEMAS}))
ORDER BY l.collname
"""

_POLICY_ROLES = """
SELECT DISTINCT pg_catalog.quote_ident(r.rolname) AS role
FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_roles r ON r.oid = ANY (p.polroles) ORDER BY 1
"""

_GRANTED = """
SELECT DISTINCT pg_catalog.quote_ident(r.rolname) AS role FROM (
    SELECT relacl AS acl, relowner AS owner FROM pg_catalog.pg_class
    UNION ALL SELECT a.attacl, c.relowner FROM pg_catalog.pg_attribute a
        JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
    UNION ALL SELECT nspacl, nspowner FROM pg_catalog.pg_namespace
    UNION ALL SELECT proacl, proowner FROM pg_catalog.pg_proc
    UNION ALL SELECT typacl, typowner FROM pg_catalog.pg_type
    UNION ALL SELECT defaclacl, defaclrole FROM pg_catalog.pg_default_acl
    UNION ALL SELECT lomacl, lomowner FROM pg_catalog.pg_largeobject_metadata
) q, LATERAL pg_catalog.aclexplode(q.acl) x JOIN pg_catalog.pg_roles r ON r.oid = x.grantee
WHERE x.grantee <> q.owner AND r.rolname !~ '^pg_' ORDER BY 1
"""

_OWNERS = f"""
SELECT DISTINCT pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(c.relowner)) AS role
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND {_SCHEMAS} ORDER BY 1
"""

_OTHERS = """
SELECT what, pg_catalog.string_agg(name, ', ' ORDER BY name) AS names FROM (
    SELECT 'event triggers' AS what, pg_catalog.quote_ident(evtname) AS name
        FROM pg_catalog.pg_event_trigger
        WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend m WHERE m.deptype = 'e'
            AND m.objid = pg_event_trigger.oid)
    UNION ALL SELECT 'publications', pg_catalog.quote_ident(pubname)
        FROM pg_catalog.pg_publication
    UNION ALL SELECT 'rows of foreign tables',
        pg_catalog.quote_ident(c.relname) FROM pg_catalog.pg_class c WHERE c.relkind = 'f'
    UNION ALL SELECT 'settings of the database (ALTER DATABASE ... SET)',
        pg_catalog.split_part(setting, '=', 1)
        FROM pg_catalog.pg_db_role_setting s, LATERAL unnest(s.setconfig) AS setting
        WHERE s.setdatabase = (SELECT oid FROM pg_catalog.pg_database
            WHERE datname = pg_catalog.current_database())
) q GROUP BY what ORDER BY what
"""

_NEW_IN_18 = r"""
SELECT what, pg_catalog.string_agg(name, ', ' ORDER BY name) AS names FROM (
    SELECT 'virtual generated columns' AS what,
        a.attrelid::pg_catalog.regclass || '.' || pg_catalog.quote_ident(a.attname) AS name
        FROM pg_catalog.pg_attribute a WHERE a.attgenerated = 'v' AND NOT a.attisdropped
    UNION ALL SELECT CASE WHEN c.conenforced THEN 'temporal constraints'
            ELSE 'constraints that are NOT ENFORCED' END, pg_catalog.quote_ident(c.conname)
        FROM pg_catalog.pg_constraint c WHERE c.conperiod OR NOT c.conenforced
    UNION ALL SELECT 'defaults of uuidv7() or uuidv4()',
        d.adrelid::pg_catalog.regclass || '.' || pg_catalog.quote_ident(a.attname)
        FROM pg_catalog.pg_attrdef d JOIN pg_catalog.pg_attribute a
            ON a.attrelid = d.adrelid AND a.attnum = d.adnum
        WHERE pg_catalog.pg_get_expr(d.adbin, d.adrelid) ~ '\muuidv[47]\('
) q GROUP BY what ORDER BY what
"""
"""What Postgres 18 has and older ones do not.

https://www.postgresql.org/docs/18/release-18.html
"""


@dataclass(frozen=True)
class Plan:
    """What is known before anything is moved.

    Args:
        obstacles: why it cannot be done, a sentence each; none: it can.
        remarks: what will be different in the target.
    """

    obstacles: tuple[str, ...]
    remarks: tuple[str, ...]


def make(
    source: Session, source_server: ServerContents, target_server: ServerContents, explain: Explain
) -> Plan:
    """Compare what a database needs with what a server offers.

    Args:
        source: the database that is read.
        source_server: its server.
        target_server: the target's.
        explain: says how to get what the target lacks.
    """
    obstacles = [
        *_extensions(source, target_server, explain),
        *_collations(source, target_server, explain),
        *_versions(source, source_server, target_server),
        *_policies(source, target_server),
    ]
    remarks = [*_roles(source, source_server, target_server), *_left_behind(source, target_server)]
    if source_server.encoding != target_server.encoding:
        remarks.append(
            f"text is converted from {source_server.encoding} to {target_server.encoding}"
        )
    if source_server.sorting != target_server.sorting:
        remarks.append(
            f"text sorts by the locale {target_server.sorting} now, not by {source_server.sorting}"
        )
    return Plan(tuple(obstacles), tuple(remarks))


def _extensions(source: Session, target_server: ServerContents, explain: Explain) -> Iterator[str]:
    for row in source.rows(_EXTENSIONS):
        if row["name"] not in target_server.extensions:
            how = explain(row["name"])
            lacks = f"the extension {row['name']}, which the target does not have"
            yield f"{lacks}. {how}" if how else lacks


def _collations(source: Session, target_server: ServerContents, explain: Explain) -> Iterator[str]:
    icu = any(name.endswith("-x-icu") for name in target_server.collations)
    for row in source.rows(_COLLATIONS):
        if row["icu"] and not icu:
            how = explain(ICU)
            lacks = f"the collation {row['name']}: the target was built without ICU"
            yield f"{lacks}. {how}" if how else lacks
        elif row["builtin"] and row["name"] not in target_server.collations:
            yield f"the collation {row['name']}, which the target does not have"


def _versions(
    source: Session, source_server: ServerContents, target_server: ServerContents
) -> Iterator[str]:
    if source_server.major >= 18 > target_server.major:
        for row in source.rows(_NEW_IN_18):
            unknown = f"which Postgres {target_server.major} does not know"
            yield f"{row['what']}, {unknown}: {row['names']}"


def _policies(source: Session, target_server: ServerContents) -> Iterator[str]:
    for row in source.rows(_POLICY_ROLES):
        if row["role"] not in target_server.roles:
            yield f"row-level security for the role {row['role']}: create it in the target first"


def _roles(
    source: Session, source_server: ServerContents, target_server: ServerContents
) -> Iterator[str]:
    if lacking := missing_roles(source, target_server):
        yield f"privileges of roles that the target does not have stay behind: {', '.join(lacking)}"
    owners = [row["role"] for row in source.rows(_OWNERS)]
    if set(owners) - {source_server.quoted_role, target_server.quoted_role}:
        yield f"everything belongs to {target_server.role} now, not to {', '.join(owners)}"


def _left_behind(source: Session, target_server: ServerContents) -> Iterator[str]:
    for row in source.rows(_OTHERS):
        if row["what"] != "event triggers" or not target_server.superuser:
            yield f"{row['what']} stay behind: {row['names']}"


def missing_roles(source: Session, target_server: ServerContents) -> list[str]:
    """The roles with privileges in the source that the target does not have, quoted for SQL."""
    return [row["role"] for row in source.rows(_GRANTED) if row["role"] not in target_server.roles]
