"""Whether an engine can run what is in a cluster, and whether on the same data directory."""

from __future__ import annotations

from neonup import EngineError
from neonup_local.engine import admin
from neonup_local.engine.binaries import Engine
from neonup_local.service.engine_change import survey
from neonup_local.service.engine_change.survey import Survey
from neonup_local.service.private_server import PrivateServer

_UPDATES = """
SELECT coalesce(json_agg(json_build_array(name, installed_version, default_version, EXISTS (
    SELECT FROM pg_extension_update_paths(name)
    WHERE source = installed_version AND target = default_version AND path IS NOT NULL))), '[]')
FROM pg_available_extensions
WHERE installed_version IS DISTINCT FROM default_version AND installed_version IS NOT NULL
"""


def refuse_impossible(present: Survey, engine: Engine) -> None:
    """Refuse where an engine lacks what is in use.

    Raises:
        EngineError: it does; names each extension, and where it is installed.
    """
    if missing := _missing(present, engine):
        raise EngineError(
            f"{engine.id} lacks what is in use. Nothing was changed.",
            checked=missing,
            remedy="`neonup engine list` shows which engine has what. What is not needed can be "
            "dropped.",
        )
    if present.tablespaces:
        raise EngineError(
            "A database with tablespaces cannot be moved to another engine. Nothing was changed.",
            checked=[f"the tablespace {name}" for name in present.tablespaces],
            remedy="Move what is in them to pg_default, and drop them.",
        )
    if present.closed:
        raise EngineError(
            "A database that allows no connections cannot be read. Nothing was changed.",
            checked=[f"the database {name}" for name in present.closed],
            remedy="ALTER DATABASE ... ALLOW_CONNECTIONS true, or drop it.",
        )


def _missing(present: Survey, engine: Engine) -> list[str]:
    missing = [
        f"the extension {name} {version}, in the database {database}"
        for database, extensions in present.extensions.items()
        for name, version in extensions.items()
        if not engine.has(name)
    ]
    if not engine.icu:
        missing += [
            f"ICU, for the collation {collation.name} in the database {collation.database}"
            for collation in sorted(present.collations)
            if collation.icu
        ]
    return missing


def why_not_in_place(present: Survey, server: PrivateServer) -> list[str]:
    """Why a copy of the data directory cannot stay as it is, with the other engine's server on it.

    Args:
        present: what the engine in use found.
        server: the other engine's, on the copy.

    Raises:
        EngineError: the server refused.
    """
    versions = {collation[:2]: collation.version for collation in survey.of(server).collations}
    reasons = [
        f"the collation {collation.name} in the database {collation.database} has version "
        f"{collation.version} now and {versions.get(collation[:2])} there"
        for collation in sorted(present.collations)
        if versions.get(collation[:2]) != collation.version
    ]
    for database in present.databases:
        reasons += [
            f"the extension {name} in the database {database} has version {installed} now and "
            f"{default} there"
            for name, installed, default, updatable in survey.ask(server, database, _UPDATES)
            if not updatable
        ]
    return reasons


def update(present: Survey, own: Engine, server: PrivateServer) -> None:
    """Bring a data directory to what the other engine has: extensions' versions, ICU's collations.

    Args:
        present: what the engine in use found.
        own: that engine.
        server: the other engine's, on the copy.

    Raises:
        EngineError: the server refused.
    """
    for database in present.databases:
        names = [name for name, *_ in survey.ask(server, database, _UPDATES)]
        _run(server, database, *(f'ALTER EXTENSION "{name}" UPDATE;' for name in names))
    if server.engine.icu and not own.icu:
        # An initdb without ICU has recorded none of its collations.
        _run(server, "postgres", "ALTER DATABASE template0 ALLOW_CONNECTIONS true;")
        for database in (*present.databases, "template0"):
            _run(server, database, "SELECT pg_import_system_collations('pg_catalog');")
        _run(server, "postgres", "ALTER DATABASE template0 ALLOW_CONNECTIONS false;")


def _run(server: PrivateServer, database: str, *statements: str) -> None:
    if statements:
        sql = "\n".join(statements)
        admin.run(server.engine, server.port, server.password, sql, database=database)
