"""How many of Alembic's migrations a database lacks: by files and its table, without Alembic."""

from __future__ import annotations

import ast
import configparser
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from neonup.database import Database
from neonup.errors import NeonupError
from neonup.postgres import destination
from neonup.settings import Settings

_COMMAND = re.compile(
    r"(?:\bcd\s+(?P<folder>[^\s'\"&;]+)\s*&&.*?)?"
    r"(?:\balembic\b(?:\s+(?:-c|--config)[\s=]+(?P<config>[^\s'\"]+))?"
    r"|\bflask\b.*?\bdb\s+upgrade\b(?:.*?\s(?:-d|--directory)[\s=]+(?P<directory>[^\s'\"]+))?)"
)
"""Alembic's command, or Flask-Migrate's, as it stands in the setting ``migrate``."""

_ITSELF = frozenset({"alembic", "db"})
"""Words of command lines about migrations: ``alembic upgrade head``, ``flask db upgrade``."""

_MOST = 500
"""Files; to read more would take longer than a start should."""

_QUERY = "SELECT version_num FROM alembic_version"


def remarks(settings: Settings, database: Database) -> list[str]:
    """What a banner adds about migrations that the database lacks; nothing where none can be told.

    Only a database that neonup created on this machine is asked, which answers at once.
    """
    if settings.migrate is None or settings.migrate_on != "new":
        return []
    if not database.own or settings.env == "production":
        return []
    if _ITSELF & {Path(word).stem for word in sys.orig_argv}:
        return []
    try:
        if destination.elsewhere(database.direct) is not None:
            return []
        folder = scripts(settings.migrate, settings.project)
        revisions = {} if folder is None else _revisions(folder / "versions")
        lacking = _lacking(revisions, _applied(settings, database)) if revisions else 0
    except (NeonupError, OSError, ValueError, SyntaxError, configparser.Error):
        return []  # Alembic itself says what is wrong with its files
    if not lacking:
        return []
    are = "migration is" if lacking == 1 else "migrations are"
    return [f"{lacking} {are} not applied: {settings.migrate}"]


def scripts(command: str, project: Path) -> Path | None:
    """Alembic's folder (``env.py``, ``versions``) for a command that runs it, or Flask-Migrate.

    Args:
        command: for a shell.
        project: where it runs.

    Returns:
        The folder, which need not exist; None: the command runs neither, or the files of Alembic
        do not say it, or there are several.

    Raises:
        OSError, ValueError, configparser.Error: its files cannot be read.
    """
    found = _COMMAND.search(command)
    if found is None:
        return None
    folder = project / (found["folder"] or "")
    if "alembic" not in found[0]:
        return folder / (found["directory"] or "migrations")
    config = folder / (found["config"] or "alembic.ini")
    table: Mapping[str, object] = {}
    if config.suffix == ".ini" and config.is_file():
        parser = configparser.ConfigParser(interpolation=None)
        parser.read(config, encoding="utf-8")
        table = dict(parser["alembic"]) if parser.has_section("alembic") else {}
    elif (pyproject := folder / "pyproject.toml").is_file():
        table = tomllib.loads(pyproject.read_text("utf-8")).get("tool", {}).get("alembic", {})
    location = table.get("script_location")
    if not isinstance(location, str) or "version_locations" in table:
        return None
    return folder / location.replace("%(here)s", str(config.parent))


def _revisions(folder: Path) -> dict[str, tuple[str, ...]]:
    """The migrations of a folder, each with those that it follows or depends on."""
    files = list(folder.glob("*.py"))
    if len(files) > _MOST:
        return {}
    revisions: dict[str, tuple[str, ...]] = {}
    for file in files:
        names = dict(_assigned(ast.parse(file.read_bytes())))
        if isinstance(revision := names.get("revision"), str):
            before = (*_several(names.get("down_revision")), *_several(names.get("depends_on")))
            revisions[revision] = before
    return revisions


def _assigned(module: ast.Module) -> Iterator[tuple[str, object]]:
    """What a migration's file says of itself; what is no plain value counts as nothing."""
    for statement in module.body:
        if isinstance(statement, ast.Assign):
            targets = statement.targets
        elif isinstance(statement, ast.AnnAssign):
            targets = [statement.target]
        else:
            continue
        for target in targets:
            if isinstance(target, ast.Name) and statement.value is not None:
                try:
                    yield target.id, ast.literal_eval(statement.value)
                except ValueError:
                    continue


def _several(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(map(str, value)) if isinstance(value, list | tuple) else ()


def _applied(settings: Settings, database: Database) -> list[str]:
    """The newest migrations that a database has.

    Raises:
        EngineError: Alembic's table is not there under its usual name, or there is no psql.
    """
    from neonup.clients.psql import psql_command
    from neonup.postgres.session import PsqlSession

    session = PsqlSession(*psql_command(database.direct, settings.pg_bin, own=database.own))
    try:
        return [version for (version,) in session.run(_QUERY)]
    finally:
        session.close()


def _lacking(revisions: Mapping[str, tuple[str, ...]], applied: list[str]) -> int:
    """How many migrations a database lacks; none where it has one that no file here has."""
    has: set[str] = set()
    left = list(applied)
    while left:
        revision = left.pop()
        if revision not in revisions:
            return 0
        if revision not in has:
            has.add(revision)
            left += revisions[revision]
    return len(revisions) - len(has)
