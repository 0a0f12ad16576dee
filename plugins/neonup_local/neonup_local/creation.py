"""A new database for a project: its engine by what the project needs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from neonup import DatabaseSpec, EngineError, Settings
from neonup_local.engine import admin, template
from neonup_local.engine.binaries import Engine
from neonup_local.engine.choosing import EngineNeeds
from neonup_local.needs.missing import missing_in, remedy
from neonup_local.needs.project import of_project
from neonup_local.needs.search import Need, ProjectNeeds
from neonup_local.service.databases import LocalDatabases
from neonup_local.service.records import Record


def engine_needs(settings: Settings, needs: ProjectNeeds | None = None) -> EngineNeeds:
    """What the engine of a project's new database has to have, by the setting or the files.

    Args:
        settings: the project's.
        needs: what the project needs, where it was searched for that already.
    """
    if settings.extensions:
        return EngineNeeds(settings.extensions)
    return EngineNeeds(wanted=(needs or of_project(settings)).features)


def check_engine(databases: LocalDatabases, settings: Settings) -> None:
    """Make sure that there is an engine for a new database, before the present one is deleted.

    Raises:
        EngineError: there is none, or none has what the setting ``extensions`` names.
    """
    databases.new_engine(EngineNeeds(settings.extensions))


def create(
    databases: LocalDatabases,
    id: str,  # noqa: A002
    spec: DatabaseSpec,
    settings: Settings,
    *,
    password: str | None,
    port: int | None,
) -> tuple[Record, str | None]:
    """Create a project's database.

    Returns:
        Its record, and a sentence about what the project needs and its engine lacks.

    Raises:
        EngineError: it could not be made, or no engine has what the setting ``extensions`` names.
    """
    needs = of_project(settings)
    record = databases.create(
        id,
        name=spec.project.name,
        password=password,
        port=port,
        logical_replication=spec.logical_replication,
        project=spec.project,
        key=spec.key,
        needs=engine_needs(settings, needs),
    )
    return record, _remark(databases, record, needs.needs)


def _remark(databases: LocalDatabases, record: Record, needs: Sequence[Need]) -> str | None:
    if not needs:
        return None
    engine = databases.engine_of(record)
    missing = missing_in(engine, needs)
    if not missing:
        return None
    named = ", ".join(f"{need.feature} ({need.place})" for need in missing)
    return f"{engine.name} lacks {named}: {remedy(databases.home, engine, needs, missing)}"


def create_privileged(databases: LocalDatabases, record: Record, extensions: Sequence[str]) -> None:
    """Create those extensions that only a superuser may create; the server runs.

    The others are left to the owner, who then owns them, as at Neon.

    Raises:
        EngineError: Postgres refused.
    """
    if extensions:
        run_privileged(databases.home, databases.engine_of(record), record.port, extensions)


def run_privileged(home: Path, engine: Engine, port: int, extensions: Sequence[str]) -> None:
    """As `create_privileged`, on any server of this home."""
    statements = [
        f'CREATE EXTENSION IF NOT EXISTS "{name}" CASCADE;'
        for name in extensions
        if engine.needs_superuser(name)
    ]
    if statements:
        admin.run(engine, port, template.admin_password(home), "\n".join(statements))


def create_role_database(home: Path, engine: Engine, port: int) -> None:
    """Create the database that libpq takes where a URL names none: it is called as the role.

    Raises:
        EngineError: Postgres refused.
    """
    owner, password = template.OWNER, template.admin_password(home)
    missing = f"NOT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = '{owner}')"
    create = f"SELECT 'CREATE DATABASE {owner} OWNER {owner}' WHERE {missing} \\gexec"
    try:
        admin.run(engine, port, password, create)
    except EngineError:
        if admin.run(engine, port, password, f"SELECT {missing}").strip() != "f":
            raise  # else another process was faster
