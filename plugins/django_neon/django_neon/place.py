"""Where the database of an entry is: looked for at the first connection of the process."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, cast

import neonup
from django_neon import development
from django_neon.errors import DatabaseUnavailable
from neonup import Arguments, Database, NeonupError
from neonup_web.source import DatabaseSource

_lock = threading.RLock()  # neonup's own lock is between processes
_databases: dict[tuple[Any, ...], Database] = {}
_reported: set[str] = set()

PLACE = ("HOST", "PORT", "USER", "PASSWORD")
"""What tells where a server is, and who connects."""

_CONNECT_TIMEOUT = 30
"""Seconds that a server elsewhere may take to answer: a suspended compute wakes in a few."""


def arguments(described: Mapping[str, Any]) -> dict[str, Any]:
    """The settings with which neonup finds an entry's database; ``project`` is one of them."""
    project = development.project()
    settings: dict[str, Any] = {"project": project, "key": described.get("key")}
    env_file = described.get("env_file")
    if env_file is not None:
        settings["env_file"] = env_file if project is None else project / env_file
    return settings


def database(described: Mapping[str, Any], *, again: bool = False) -> Database:
    """The database of an entry, as `neonup.ensure` finds or creates it, once a process.

    Args:
        described: the entry's ``NEON``.
        again: whether to look again, since a connection failed.

    Raises:
        DatabaseUnavailable: there is none; it is looked for again at the next call.
    """
    identity = tuple(described.get(name) for name in ("key", "env_file"))
    with _lock:
        if identity not in _databases or again:
            try:
                _databases[identity] = _source(described).ensure()
            except NeonupError as error:
                _report(str(error))
                raise DatabaseUnavailable(str(error)) from error
        return _databases[identity]


def silent_source(described: Mapping[str, Any]) -> DatabaseSource:
    """The database of an entry for a page that shows it: nothing is announced or migrated."""
    settings = arguments(described)
    project = settings.pop("project")
    settings |= {"banner": False, "migrate_on": "new"}
    return DatabaseSource(project, arguments=cast("Arguments", settings), signs=development.signs)


def _source(described: Mapping[str, Any]) -> DatabaseSource:
    settings = arguments(described)
    project = settings.pop("project")
    if described.get("on_create"):
        settings["migrate"] = development.migrate_command(described["alias"])
    if not development.serves():
        settings["migrate_on"] = "new"
    elif (resolved := neonup.resolve(project, **settings)).migrate_on == "start":
        settings["migrate"] = resolved.migrate or development.migrate_command(described["alias"])
    if not development.is_development():
        settings["banner"] = False
    return DatabaseSource(project, arguments=cast("Arguments", settings), signs=development.signs)


def _report(message: str) -> None:
    """Print an error once where a server goes on, whose first page may come much later."""
    if development.command() in development.SERVERS and message not in _reported:
        _reported.add(message)
        from neonup.plugin.project import tell  # most processes have nothing to report

        tell(message)


def fill(entry: dict[str, Any], *, again: bool = False) -> None:
    """Write into an entry of ``DATABASES`` where its database is.

    Args:
        entry: the entry, or a copy of it, which Django's connections hold; changed in place, so
            that every thread's connections see it.
        again: whether to look again, since a connection failed.

    Raises:
        DatabaseUnavailable: there is none.
    """
    described = entry.setdefault("NEON", {})
    if described.get("given"):
        return  # neonup-pytest has written where, for tests
    current = database(described, again=again)
    through_pooler = _wants_pooler(described)
    url = current.url if through_pooler else current.direct
    pooled = through_pooler and (described.get("pooled") or current.direct != current.url)
    try:
        url = neonup.libpq.hardened(url, current.own)
        place = neonup.drivers.django(url, pooled=pooled or None)
    except NeonupError as error:
        raise DatabaseUnavailable(str(error)) from error
    with _lock:
        added_before = described.get("options", {})
        own_options = {
            name: value
            for name, value in entry["OPTIONS"].items()
            if name not in added_before or added_before[name] != value
        }
        name = dict.get(entry, "NAME", "")  # whoever reads it otherwise comes here
        if name in ("", described.get("name")):  # and not the name of a test's
            entry["NAME"] = place["NAME"]
        described["name"] = place["NAME"]
        entry.update({name: place[name] for name in PLACE})
        described["own"] = current.own
        connect_timeout = {} if _is_here(url, current) else {"connect_timeout": _CONNECT_TIMEOUT}
        described["options"] = {**connect_timeout, **place["OPTIONS"]}
        entry["OPTIONS"] = {**described["options"], **own_options}
        if place.get("DISABLE_SERVER_SIDE_CURSORS"):
            entry["DISABLE_SERVER_SIDE_CURSORS"] = True


def fill_for_reader(entry: dict[str, Any]) -> None:
    """As `fill`, for code that reads where the database is before anything has connected.

    Nothing happens in tests, whose database is another one, and for commands that need none.

    Raises:
        DatabaseUnavailable: there is none in development; elsewhere the entry stays as it is.
    """
    if development.are_tests() or development.goes_without():
        return
    try:
        fill(entry)
    except DatabaseUnavailable:
        if development.is_development():
            raise


def service_hidden(entry: Mapping[str, Any]) -> AbstractContextManager[None]:
    """Let libpq connect without ``PGSERVICE`` where neonup created the database of an entry."""
    return neonup.libpq.service_hidden(entry.get("NEON", {}).get("own", False))


def _wants_pooler(described: Mapping[str, Any]) -> bool:
    pooled = described.get("pooled")
    return not development.is_development() if pooled is None else bool(pooled)


def _is_here(url: str, database: Database) -> bool:
    variables: dict[str, str] | None = {} if database.own else None  # None: the process's
    return neonup.destination.elsewhere(url, variables) is None
