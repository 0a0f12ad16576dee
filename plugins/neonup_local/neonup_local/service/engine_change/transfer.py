"""Everything of one cluster into a new one, and a comparison of both."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

from neonup import EngineError
from neonup.plugin import progress
from neonup_local.engine import admin, template
from neonup_local.service.engine_change import statements, survey
from neonup_local.service.engine_change.client_programs import ClientPrograms
from neonup_local.service.private_server import PrivateServer

_EXISTING = ("postgres", "template1")
"""The databases that every new cluster has."""

_ROLES = "SELECT json_agg(quote_ident(rolname)) FROM pg_roles"

_OWNED = """
SELECT coalesce(json_agg(json_build_array(quote_literal(extname),
    quote_literal(pg_get_userbyid(extowner)))), '[]')
FROM pg_extension WHERE extowner <> 10
"""
"""Those that do not belong to the first superuser, who creates them in the new cluster."""

_OWN = """
SET allow_system_table_mods = on;
BEGIN;
UPDATE pg_extension SET extowner = (SELECT oid FROM pg_authid WHERE rolname = {role})
    WHERE extname = {name};
INSERT INTO pg_shdepend (dbid, classid, objid, objsubid, refclassid, refobjid, deptype)
    SELECT d.oid, 'pg_extension'::regclass, e.oid, 0, 'pg_authid'::regclass, e.extowner, 'o'
    FROM pg_extension AS e, pg_database AS d
    WHERE e.extname = {name} AND d.datname = current_database();
COMMIT;
"""
"""An extension's owner, which is neither dumped nor to be changed by any statement."""

_CONTENT = r"""
SELECT CASE relkind
    WHEN 'r' THEN format('SELECT json_build_array(%L, count(*)) FROM ONLY %s',
        'rows of ' || name, name)
    ELSE format('SELECT json_build_array(%L, concat_ws('' '', last_value, is_called)) FROM %s',
        'value of ' || name, name) END
FROM (
    SELECT c.oid, c.relkind, format('%I.%I', n.nspname, c.relname) AS name
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'S') AND c.oid >= 16384 AND n.nspname !~ '^pg_(temp|toast)') AS c
WHERE NOT EXISTS (
    SELECT FROM pg_depend AS d
    WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
\gexec
SELECT json_build_array('number of large objects', count(*)) FROM pg_largeobject_metadata;
"""
"""A line each: the rows of tables and the values of sequences, without those of extensions, whose
scripts fill them; see `survey` for 16384."""


def copy(
    source: PrivateServer, target: PrivateServer, databases: tuple[str, ...], folder: Path
) -> None:
    """Copy roles, databases and their settings into a cluster that is new, and compare them.

    Args:
        source: the server that has the data.
        target: a server of a copy of the template.
        databases: the names of those of the source.
        folder: of `private_server.new_folder`.

    Raises:
        EngineError: a program failed, a statement was refused, or the contents differ.
    """
    clients = ClientPrograms(source, target, folder)
    clients.run("postgres", f"DROP DATABASE {template.DATABASE};")
    roles = clients.dump("pg_dumpall", "postgres", "--globals-only")
    known = survey.ask(target, "postgres", _ROLES)
    clients.run("postgres", statements.globals_for(roles, target.engine.major, known))
    total = len(databases)
    for number, database in enumerate(databases):
        how_far = partial(progress.HowFar, number, total, f"{number + 1} of {total} databases")
        with progress.work(f"Dumping and restoring {database}", how_far):
            _copy_database(clients, database)
            _compare(source, target, database)


def _copy_database(clients: ClientPrograms, database: str) -> None:
    major = clients.target.engine.major
    place, create = (database, ()) if database in _EXISTING else ("postgres", ("--create",))
    before = clients.dump("pg_dump", database, "--section=pre-data", *create)
    clients.run(place, statements.schema_for(before, major))
    clients.copy_rows(database)
    after = clients.dump("pg_dump", database, "--section=post-data")
    clients.run(database, statements.schema_for(after, major))
    for name, role in survey.ask(clients.source, database, _OWNED):
        clients.run(database, _OWN.format(name=name, role=role))


def _compare(source: PrivateServer, target: PrivateServer, database: str) -> None:
    before, after = (_content(server, database) for server in (source, target))
    differing = [
        f"{what} in the database {database}: {before.get(what)} now, {after.get(what)} there"
        for what in sorted({*before, *after})
        if before.get(what) != after.get(what)
    ]
    if differing:
        raise EngineError("The copy for the new engine is not the same.", checked=differing)


def _content(server: PrivateServer, database: str) -> dict[str, int | str]:
    lines = admin.run(server.engine, server.port, server.password, _CONTENT, database=database)
    return dict(json.loads(line) for line in lines.splitlines())
