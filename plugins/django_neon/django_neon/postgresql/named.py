"""Databases that an entry names itself: others on the server that neonup looks after."""

from __future__ import annotations

from typing import Any

from django_neon import development, place
from neonup import USER

_there: set[tuple[str, ...]] = set()
"""Servers and names that this process has seen to."""


def ensure(connection: Any) -> None:
    """Create the database of a connection's entry, if that has a name of its own.

    In development, on a server that neonup created, and once a process. A user's own server is
    left alone, and tests have databases of their own.

    Args:
        connection: one of Django's, whose entry is filled.

    Raises:
        connection.Database.Error: the server did not permit it.
    """
    entry = connection.settings_dict
    described = entry["NEON"]
    if described.get("given"):
        return
    name, main = entry["NAME"], described.get("name")
    identity = (*(str(entry[key]) for key in place.PLACE), str(name))
    if not name or not main or name == main or identity in _there:
        return
    if development.are_tests() or development.goes_without() or not development.is_development():
        return
    if place.database(described).provider != USER:
        with place.service_hidden(entry):
            _create(connection, name, main)
    _there.add(identity)


def _create(connection: Any, name: str, main: str) -> None:
    entry = connection.settings_dict
    where = {key.lower(): entry[key] for key in place.PLACE if entry[key]}
    session = connection.Database.connect(**entry["NEON"]["options"], **where, dbname=main)
    try:
        session.autocommit = True
        with session.cursor() as cursor:
            if _exists(cursor, name):
                return
            try:
                cursor.execute(f"CREATE DATABASE {connection.ops.quote_name(name)}")
            except connection.Database.Error:
                if not _exists(cursor, name):  # else another process was first
                    raise
    finally:
        session.close()


def _exists(cursor: Any, name: str) -> bool:
    cursor.execute("SELECT 1 FROM pg_catalog.pg_database WHERE datname = %s", (name,))
    return cursor.fetchone() is not None
