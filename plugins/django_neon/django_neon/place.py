"""Where the database of an entry is: found or created at the first connection of the process."""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

import neonup
from django_neon import development
from django_neon.errors import DatabaseUnavailable
from neonup import Database, NeonupError

_lock = threading.RLock()  # neonup's own lock is between processes
_found: dict[tuple[Any, ...], Database] = {}
_told: set[str] = set()

_PLACE = ("HOST", "PORT", "USER", "PASSWORD")
_PATIENCE = 30
"""Seconds that a server elsewhere may take to answer: a suspended compute wakes in a few."""


def arguments(described: Mapping[str, Any]) -> dict[str, Any]:
    """The settings with which neonup finds an entry's database; ``project`` is one of them."""
    project = development.project()
    found: dict[str, Any] = {"project": project, "key": described.get("key")}
    env_file = described.get("env_file")
    if env_file is not None:
        found["env_file"] = env_file if project is None else project / env_file
    return found


def database(described: Mapping[str, Any], *, again: bool = False) -> Database:
    """The database of an entry, as `neonup.ensure` finds or creates it, once a process.

    Args:
        described: the entry's ``NEON``.
        again: whether to look again, since a connection failed.

    Raises:
        DatabaseUnavailable: there is none; it is looked for again at the next call.
    """
    asked = tuple(described.get(name) for name in ("key", "env_file"))
    with _lock:
        if asked not in _found or again:
            try:
                _found[asked] = _ensure(described)
            except NeonupError as error:
                _tell(str(error))
                raise DatabaseUnavailable(str(error)) from error
        return _found[asked]


def _ensure(described: Mapping[str, Any]) -> Database:
    signs = development.signs()
    given = arguments(described)
    if described.get("on_create"):
        given["migrate"] = development.migrate_command(described["alias"])
    if not development.is_development():
        given["banner"] = False
    return neonup.ensure(
        sign=signs.sign, against=signs.against, local_only=signs.local_only, **given
    )


def _tell(message: str) -> None:
    """Say it where it is not the end: a server goes on, and its first page may come much later."""
    if development.command() in development.SERVERS and message not in _told:
        _told.add(message)
        print(f"neonup  {message}", file=sys.stderr)


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
        return  # somebody else has said where: neonup-pytest, for tests
    found = database(described, again=again)
    through_pooler = _wants_pooler(described)
    url = found.url if through_pooler else found.direct
    pooled = through_pooler and (described.get("pooled") or found.direct != found.url)
    try:
        url = neonup.libpq.hardened(url, found.own)
        place = neonup.drivers.django(url, pooled=pooled or None)
    except NeonupError as error:
        raise DatabaseUnavailable(str(error)) from error
    with _lock:
        added = described.get("options", {})
        own = {
            name: value
            for name, value in entry["OPTIONS"].items()
            if name not in added or added[name] != value
        }
        if entry.get("NAME") in ("", described.get("name")):  # and not the name of a test's
            entry["NAME"] = place["NAME"]
        described["name"] = place["NAME"]
        entry.update({name: place[name] for name in _PLACE})
        described["own"] = found.own
        patience = {} if _is_here(url, found) else {"connect_timeout": _PATIENCE}
        described["options"] = {**patience, **place["OPTIONS"]}
        entry["OPTIONS"] = {**described["options"], **own}
        if place.get("DISABLE_SERVER_SIDE_CURSORS"):
            entry["DISABLE_SERVER_SIDE_CURSORS"] = True


def service_hidden(entry: Mapping[str, Any]) -> AbstractContextManager[None]:
    """Let libpq connect without ``PGSERVICE`` where neonup created the database of an entry."""
    return neonup.libpq.service_hidden(entry.get("NEON", {}).get("own", False))


def _wants_pooler(described: Mapping[str, Any]) -> bool:
    pooled = described.get("pooled")
    return not development.is_development() if pooled is None else bool(pooled)


def _is_here(url: str, database: Database) -> bool:
    variables: dict[str, str] | None = {} if database.own else None  # None: the process's
    return neonup.destination.elsewhere(url, variables) is None
