"""Lines of ``neonup doctor``: what the project needs, and whether its engine has it."""

from __future__ import annotations

from collections.abc import Iterator

from neonup import Database, EngineError, Settings, State
from neonup.plugin.hooks import Finding
from neonup.plugin.project import find_database
from neonup_local.creation import engine_needs
from neonup_local.engine.binaries import Engine
from neonup_local.needs.missing import remedy
from neonup_local.needs.project import of_project
from neonup_local.needs.search import ProjectNeeds
from neonup_local.options import LocalOptions
from neonup_local.provider import LocalProvider
from neonup_local.service.databases import LocalDatabases

_TOPIC = "needs"
_SUPERUSER = "Name it in the setting extensions: neonup creates it in a new database."


def findings(settings: Settings) -> Iterator[Finding]:
    """What the project needs, each beside what the engine of its database has.

    It is the engine of the database that exists, as its record says, else the one that a new
    database would get. Of a database that is not on this machine nothing is said.

    Args:
        settings: the project's.
    """
    database = find_database(settings)
    provider = settings.provider if database is None else database.provider
    if provider not in ("auto", LocalProvider.name):
        return
    needs = of_project(settings)
    if needs.files and not (needs.needs and needs.complete):
        yield Finding(_TOPIC, _searched(needs))
    if not needs.needs:
        return
    databases = LocalProvider(settings).databases
    try:
        engine, whose = _engine(databases, settings, needs, database)
    except EngineError as error:
        yield Finding(_TOPIC, error.message, error.remedy)
        return
    superuser = LocalOptions.of(settings).superuser
    for need in needs.needs:
        text = f"{need.feature} ({need.place}): {whose}, Postgres {engine.version} of {engine.name}"
        if not engine.has(need.feature):
            advice = remedy(settings.home, engine, needs.needs, [need])
            yield Finding(_TOPIC, f"{text}, lacks it", f"{advice}.")
        elif (
            engine.needs_superuser(need.feature)
            and need.feature not in settings.extensions
            and not superuser
        ):
            yield Finding(_TOPIC, f"{text}, lets only a superuser create it", _SUPERUSER)
        else:
            yield Finding(_TOPIC, f"{text}, has it")


def extensions(settings: Settings) -> Finding:
    """A table: which engine of this machine has which extension."""
    engines = [row for row in LocalProvider(settings).engines() if not row["why_not"]]
    has = [str(row["extensions"] or "").split(", ") for row in engines]
    names = sorted({name for listed in has for name in listed if name})
    width = max(map(len, names), default=0)
    numbered = [(str(number), listed) for number, listed in enumerate(has, 1)]
    lines = [f"{n}  {row['name']}, Postgres {row['version']}" for n, row in enumerate(engines, 1)]
    for name in names:
        marks = [number if name in listed else "-" for number, listed in numbered]
        lines.append(f"{name.ljust(width)}  {' '.join(marks)}")
    return Finding("extensions", "\n".join(lines))


def _engine(
    databases: LocalDatabases,
    settings: Settings,
    needs: ProjectNeeds,
    database: Database | None,
) -> tuple[Engine, str]:
    """The engine that counts, and whose it is.

    Raises:
        EngineError: it is not on this machine any more, or there is none.
    """
    if database is not None:
        record = databases.get(LocalProvider(settings).id_of(database))
        if record is not None and databases.state(record) is not State.MISSING:
            return databases.engine_of(record), "the database's engine"
    candidate = databases.new_engine(engine_needs(settings, needs))
    if candidate.engine is None:
        raise EngineError(f"{candidate.name} cannot be used: {candidate.why_not}.")
    return candidate.engine, "the engine of a new database"


def _searched(needs: ProjectNeeds) -> str:
    limits = "" if needs.complete else "; the search was ended there, since it took too long"
    return f"{needs.files} SQL and Python files were searched for extensions{limits}"
