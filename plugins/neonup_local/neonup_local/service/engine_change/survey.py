"""What in a cluster decides which engines can run it: extensions, collations and their versions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from neonup_local.engine import admin
from neonup_local.service.private_server import PrivateServer

_CLUSTER = """
SELECT json_build_object(
    'databases', (SELECT json_agg(datname ORDER BY datname) FROM pg_database WHERE datallowconn),
    'closed', (SELECT coalesce(json_agg(datname ORDER BY datname), '[]') FROM pg_database
        WHERE NOT datallowconn AND datname <> 'template0'),
    'tablespaces', (SELECT coalesce(json_agg(spcname ORDER BY spcname), '[]') FROM pg_tablespace
        WHERE spcname NOT IN ('pg_default', 'pg_global')))
"""

# From 16384 on (FirstNormalObjectId in access/transam.h) objects are not made by initdb.
# ``unicode`` has an OID that no dependency is recorded for, so what columns and the like have is
# read from their own catalogs; views and functions have dependencies only.
_DATABASE = """
WITH used AS (
    SELECT attcollation AS oid FROM pg_attribute WHERE attrelid >= 16384
    UNION SELECT unnest(indcollation::oid[]) FROM pg_index WHERE indexrelid >= 16384
    UNION SELECT unnest(partcollation::oid[]) FROM pg_partitioned_table
    UNION SELECT typcollation FROM pg_type WHERE oid >= 16384
    UNION SELECT rngcollation FROM pg_range WHERE rngtypid >= 16384
    UNION SELECT refobjid FROM pg_depend
        WHERE refclassid = 'pg_collation'::regclass AND deptype = 'n'
    UNION SELECT oid FROM pg_collation
        WHERE oid >= 16384 AND collnamespace <> 'pg_catalog'::regnamespace)
SELECT json_build_object(
    'extensions', (SELECT json_object_agg(extname, extversion) FROM pg_extension),
    'collations', (
        SELECT json_agg(json_build_array(name, provider = 'i', version) ORDER BY name) FROM (
            SELECT c.oid::regcollation::text AS name, c.collprovider AS provider,
                pg_collation_actual_version(c.oid) AS version
            FROM pg_collation AS c JOIN used USING (oid) WHERE c.collprovider <> 'd'
            UNION SELECT 'the default', d.datlocprovider,
                pg_database_collation_actual_version(d.oid)
            FROM pg_database AS d WHERE d.datname = current_database()) AS found))
"""


class UsedCollation(NamedTuple):
    """A collation that something in a database uses.

    Args:
        database: its name.
        name: the collation's, or ``the default`` for the database's own.
        icu: whether ICU provides it.
        version: the provider's, at present; None where it has none.
    """

    database: str
    name: str
    icu: bool
    version: str | None


@dataclass(frozen=True)
class Survey:
    """What was found in a cluster.

    Args:
        databases: the names of those that one can connect to.
        closed: the names of the others.
        tablespaces: the names of those outside the data directory.
        extensions: of each database, the version of each.
        collations: those in use.
    """

    databases: tuple[str, ...]
    closed: tuple[str, ...]
    tablespaces: tuple[str, ...]
    extensions: Mapping[str, Mapping[str, str]]
    collations: frozenset[UsedCollation]


def of(server: PrivateServer) -> Survey:
    """Look at a running server.

    Raises:
        EngineError: it refused.
    """
    cluster = ask(server, "postgres", _CLUSTER)
    contents = {database: ask(server, database, _DATABASE) for database in cluster["databases"]}
    return Survey(
        tuple(cluster["databases"]),
        tuple(cluster["closed"]),
        tuple(cluster["tablespaces"]),
        {database: content["extensions"] or {} for database, content in contents.items()},
        frozenset(
            UsedCollation(database, *collation)
            for database, content in contents.items()
            for collation in content["collations"] or []
        ),
    )


def ask(server: PrivateServer, database: str, query: str) -> Any:
    """The JSON value that a query answers: names in it may have any letter.

    Raises:
        EngineError: the server refused.
    """
    return json.loads(admin.run(server.engine, server.port, server.password, query,
                                database=database))  # fmt: skip
