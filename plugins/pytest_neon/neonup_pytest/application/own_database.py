"""The application's own database, which tests never reach: what leads there is refused."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import neonup
from neonup import Database, Settings, SettingsError, destination
from neonup_pytest.databases.naming import PREFIX


def own_databases(settings: Settings, names: Iterable[str]) -> dict[str, Database]:
    """The application's own databases, by the variable that leads there."""
    databases = {name: neonup.find(settings.project, key=name) for name in names}
    return {name: database for name, database in databases.items() if database is not None}


def refuse_return(changed: Mapping[str, str | None], own: Mapping[str, Database]) -> None:
    """Make sure that no variable leads to the application's own database again.

    Args:
        changed: the variables that were changed after they led to the tests' database, with the
            values that they have now; None: it was removed.
        own: the application's own databases, by the variable that led there.

    Raises:
        SettingsError: one leads there, or was removed while a file still says where that is.
    """
    urls = [url for database in own.values() for url in (database.url, database.direct)]
    places = [place for url in urls if (place := _place(url)) is not None]
    for name, value in changed.items():
        url = value or (own[name].url if name in own else "")
        place = _place(url)
        if place is not None and any(map(place.may_be, places)):
            raise SettingsError(
                f"{name} leads to the application's own database again, not to the tests' "
                f"database: {neonup.urls.mask(value) if value else 'it was removed'}.",
                remedy=CHANGED,
            )


CHANGED = (
    "Something that pytest loaded has changed it (pytest-env, load_dotenv(override=True), a "
    "conftest.py), so tests could reach another database.\n"
    "Stop it from doing so, or remove the variable from neon_env."
)


class Unnamed:
    """A variable which may lead to a database of the application's, and which nobody has named.

    Args:
        settings: the project's; its ``key`` is the variable.
        named: the variables that were named.
        server: a URL of the tests' server: what leads there is the tests' own.
    """

    def __init__(self, settings: Settings, named: tuple[str, ...], server: str):
        self._settings, self._named, self._server = settings, named, _place(server)
        self._harmless: set[str | None] = set()
        """The values of the variable that were looked at and lead to no such database."""

    def refuse(self) -> None:
        """Make sure that tests which use a database cannot reach that one.

        Raises:
            SettingsError: it leads to a database, and nobody said whether it is read.
        """
        name = self._settings.key
        value = os.environ.get(name)
        if value in self._harmless:
            return  # asked for each test
        for database in own_databases(self._settings, [name]).values():
            if not self._is_for_tests(database.url):
                raise SettingsError(
                    f"Tests use neonup's fixtures, and {name} (from {database.source}) leads to a "
                    f"database that is not for tests.\n{self._advice()}"
                )
        self._harmless.add(value)

    def _is_for_tests(self, url: str) -> bool:
        place = _place(url)
        if place is None or self._server is None:
            return False
        same_server = place.servers == self._server.servers
        return same_server and place.name is not None and place.name.startswith(PREFIX)

    def _advice(self) -> str:
        name = self._settings.key
        if self._named:
            return (
                "Name it in pytest's ini file as well; it then leads to the tests' database:\n"
                f"    neon_env = {' '.join([*self._named, name])}"
            )
        return (
            "If the application reads this variable, name it in pytest's ini file; it then leads "
            f"to the tests' database:\n    neon_env = {name}\n"
            "If the application does not read it:\n    neon_env ="
        )


def refuse_own_server(url: str, own: Mapping[str, Database]) -> None:
    """Make sure that the tests' server is not connected to by the application's own database.

    Args:
        url: the value of ``NEONUP_TEST_SERVER``.
        own: the application's own databases, by the variable that leads there.

    Raises:
        SettingsError: it is.
    """
    wanted = _place(url)
    for name, database in own.items():
        place = _place(database.url)
        if wanted is not None and place is not None and wanted.may_be(place):
            raise SettingsError(
                f"NEONUP_TEST_SERVER is the application's own database, {name} (from "
                f"{database.source}).\nName another database of that server, such as .../postgres: "
                "it is connected to, and nothing in it is changed."
            )


@dataclass(frozen=True)
class _Place:
    """A database, as far as that can be told without connecting.

    Args:
        servers: machine and port of each server that is tried; ``""`` is this machine.
        name: the database's name; None: unknown, so it may be any.
    """

    servers: frozenset[tuple[str, int]]
    name: str | None

    def may_be(self, other: _Place) -> bool:
        """Whether both may be one database."""
        same_name = self.name is None or other.name is None or self.name == other.name
        return same_name and bool(self.servers & other.servers)


def _place(url: str) -> _Place | None:
    """Where a URL leads; None if it is no URL, which others say better."""
    try:
        servers = destination.servers(url)
        place = neonup.urls.parse(url)
    except SettingsError:
        return None
    machines = {(name, server.port) for server in servers for name in (server.address, server.host)}
    name = place.dbname or os.environ.get("PGDATABASE") or place.user or os.environ.get("PGUSER")
    has_service = "service" in place.parameters or "PGSERVICE" in os.environ
    return _Place(
        frozenset(
            ("" if not machine or neonup.urls.is_loopback(machine) else machine, port)
            for machine, port in machines
        ),
        None if has_service and not place.dbname else name,
    )
