"""Step 2 of the flow: the database that is already there, and who says so.

The real environment wins over ``.env.local``, which wins over ``.env``. What neonup itself put
into the environment is marked and ranks as the file that it came from, so that a reloaded child
process reads the file again.
"""

from __future__ import annotations

import contextlib
import os
from _thread import allocate_lock  # `threading` would cost every start its import
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from neonup.database import USER, Database
from neonup.env import dotenv, record
from neonup.errors import EnvFileError, NeonupError, SettingsError
from neonup.settings import Settings, resolve

if TYPE_CHECKING:
    from neonup.arguments import Arguments

MARKS = "NEONUP_MARKS"
ENVIRONMENT = "environment"

_marking = allocate_lock()  # one thread at a time changes the marks, which are one variable
if hasattr(os, "register_at_fork"):  # a child begins with a lock that nobody holds
    os.register_at_fork(
        before=_marking.acquire,
        after_in_child=_marking.release,
        after_in_parent=_marking.release,
    )


def find(project: Path | str | None = None, **arguments: Unpack[Arguments]) -> Database | None:
    """The project's database as recorded, unchecked; None if there is none.

    Raises:
        SettingsError, EnvFileError: as `neonup.ensure`.
    """
    return find_database(resolve(project, **arguments))


def find_database(
    settings: Settings, environ: MutableMapping[str, str] | None = None
) -> Database | None:
    """As `find`, for settings that are resolved already."""
    environ = os.environ if environ is None else environ
    url = environ.get(settings.key, "")
    if is_exported(settings, environ):
        return _exported(settings, url, environ)
    is_ours = bool(url)
    database = recorded(settings, pipes=not is_ours)
    if database is None and is_ours:
        for path in _files(settings):
            if path.is_fifo():  # which this start has emptied: it is read once
                return _of_the_user(settings, url, environ, str(path))
    return database


def is_exported(settings: Settings, environ: MutableMapping[str, str]) -> bool:
    """Whether the environment names the database and neonup did not put that there."""
    url = environ.get(settings.key, "")
    return bool(url) and not is_marked(settings.key, url, environ)


def _exported(settings: Settings, url: str, environ: Mapping[str, str]) -> Database:
    """The database that the environment names; it needs no file, whatever state one is in."""
    database = None
    if settings.enabled and settings.env != "production":  # else nothing follows from a record
        with contextlib.suppress(EnvFileError):
            database = recorded(settings, pipes=False)
    if database is not None and url in (database.url, database.direct):
        return database.with_(source=ENVIRONMENT)  # the file's URL, exported by a shell
    return _of_the_user(settings, url, environ, ENVIRONMENT)


def _of_the_user(settings: Settings, url: str, environ: Mapping[str, str], source: str) -> Database:
    direct_url = environ.get(f"{settings.key}_DIRECT") or None
    return Database(url, USER, direct_url=direct_url, key=settings.key, source=source)


def recorded(settings: Settings, *, pipes: bool = True) -> Database | None:
    """The database that a file records; its ``source`` is that file's path.

    Args:
        settings: the project's.
        pipes: False: no named pipe is read that was not read before.
    """
    for path in _files(settings):
        database = recorded_in(path, settings.key, pipes=pipes)
        if database is not None:
            return database.in_scheme(settings.url_scheme)
    return None


def recorded_in(path: Path, key: str, *, pipes: bool = True) -> Database | None:
    """The database that one file records under a key; None: it records none."""
    file = dotenv.read(path, pipes=pipes)
    return record.parse(file, key) if file.text and key in file.text else None


def file_of(settings: Settings, *, pipes: bool = True) -> Path:
    """The file that records the database, since its value wins; where none does, the one to use.

    Args:
        settings: the project's.
        pipes: as in `recorded`.
    """
    database = recorded(settings, pipes=pipes)
    return Path(database.source) if database is not None else settings.env_file


def _files(settings: Settings) -> list[Path]:
    local = beside(settings)
    return [settings.env_file] if local is None else [local, settings.env_file]


def beside(settings: Settings) -> Path | None:
    """``.env.local``, which wins over ``.env``; None where another file is named."""
    if settings.source("env_file") != "default":
        return None
    return settings.env_file.with_name(f"{settings.env_file.name}.local")


def every(settings: Settings) -> list[Database]:
    """The databases that the files record, under whichever keys; the first file wins."""
    databases: dict[str, Database] = {}
    for path in _files(settings):
        file = dotenv.read(path)
        for key in record.keys(file):
            database = record.parse(file, key)
            if database is not None:
                databases.setdefault(key, database)
    return list(databases.values())


def is_same(database: Database | None, other: Database | None) -> bool:
    """Whether two records mean one database, be it under a renewed URL; None is no record."""
    if database is None or other is None:
        return database is other
    if database.id and other.id:
        return (database.provider, database.id) == (other.provider, other.id)
    return database.url == other.url


def uses_file(home: Path, provider: str, id_: str) -> str:
    """The file that lists the folders which use a database; see `neonup.start.owner`."""
    name = "".join(c if c.isalnum() or c in "_.-" else "_" for c in f"{provider}-{id_}")
    return os.path.join(home, "folders", name)  # noqa: PTH118 - read at every start


def is_recorded_here(settings: Settings, database: Database) -> bool:
    """Whether the database is recorded as this folder's own, by one small read at every start."""
    try:
        path = uses_file(settings.home, database.provider, database.id or "")
        with open(path, "rb") as file:  # noqa: PTH123 - as above
            uses = file.read()
    except OSError:
        return False
    own = b"\0=" + os.fsencode(settings.project) + b"\0"
    if database.source != ENVIRONMENT:
        own += os.fsencode(database.source) + b"\0"
    return own in uses


def check_ours(database: Database) -> None:
    """Raise NeonupError for a database that neonup did not create: the user's own."""
    if database.provider == USER:
        raise NeonupError(
            f"{database.key} is your own database, which neonup leaves alone.",
            checked=[f"it is from {database.source}"],
        )


def instead(database: Database) -> str:
    """Why a new database is wanted although there is one, for an error."""
    return f"{database.key} (from {database.source}) was to get a new database in its place"


def check_replaceable(database: Database) -> None:
    """Raise SettingsError where a variable of the shell's would hide another database's URL."""
    if database.source == ENVIRONMENT:
        raise SettingsError(
            f"{database.key} is set in the environment, which wins over any file.",
            remedy=f"Unset it there: unset {database.key}",
        )


def database_variables(settings: Settings, database: Database) -> dict[str, str]:
    """The variables with which a project reaches a database, by name.

    These are the key, the key's direct form where that URL differs, and the variables of
    ``[tool.neonup.variables]``. Which of them the user has set already is for the caller to see.

    Args:
        settings: the project's.
        database: its database, or another one in its place, e.g. a test's; ``url`` and
            ``direct_url`` count.

    Raises:
        SettingsError: the URL is none of a Postgres database, and parts of it are needed.
    """
    values = {settings.key: database.url}
    if database.direct_url and database.direct_url != database.url:
        values[f"{settings.key}_DIRECT"] = database.direct_url
    if settings.variables:
        from neonup.postgres import templates  # which most projects do without

        values |= templates.fill(settings.variables, database.url, database.direct)
    return values


def publish(settings: Settings, database: Database, environ: MutableMapping[str, str]) -> list[str]:
    """Put the database's variables into the environment, marked where they are not there already.

    Returns:
        What a banner should say: which variables of ``[tool.neonup.variables]`` the user has set
        to something else, in the environment or in the file. They stay as they are.
    """
    values = database_variables(settings, database.in_scheme(settings.url_scheme))
    others = own_variables(settings, environ) if settings.variables else {}
    for name, value in values.items():
        is_variable = name in settings.variables  # marked in any case: what a shell has exported
        if name not in others and (is_variable or environ.get(name) != value):
            mark(name, value, environ)
    names = [name for name, value in others.items() if values.get(name, value) != value]
    if not names:
        return []
    are = "are your own, and stay as they are" if names[1:] else "is your own, and stays as it is"
    return [
        f"{', '.join(names)} {are}: {'they do' if names[1:] else 'it does'} not lead to this "
        "database until you remove what sets it"
    ]


def own_variables(settings: Settings, environ: MutableMapping[str, str]) -> dict[str, str]:
    """What the user has set variables of the project to, in the environment or in the file."""
    file = dotenv.read(file_of(settings, pipes=False), pipes=False)
    others = record.own_values(file, settings.key, settings.variables)
    exported = {name: environ[name] for name in settings.variables if environ.get(name)}
    ours = record.written(file, settings.key)
    in_file = {(name, file.statements[index].value) for index, name in ours.items()}
    return others | {
        name: value
        for name, value in exported.items()
        if not is_marked(name, value, environ) and (name, value) not in in_file
    }


def mark(key: str, value: str, environ: MutableMapping[str, str]) -> None:
    """Put a value into the environment, marked as neonup's."""
    with _marking:
        words = environ.get(MARKS, "").split()
        others = [word for word in words if not word.startswith(f"{key}:")]
        environ[key] = value
        environ[MARKS] = " ".join([*others, _mark(key, value)])


def is_marked(key: str, value: str, environ: MutableMapping[str, str]) -> bool:
    """Whether neonup itself put the value there."""
    return _mark(key, value) in environ.get(MARKS, "").split()


def _mark(key: str, value: str) -> str:
    return f"{key}:{record.checksum(value)}"
