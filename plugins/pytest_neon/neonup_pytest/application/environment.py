"""The variables that lead the application to its tests' database, set before it is loaded."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import neonup
from neonup import Database, Settings, SettingsError
from neonup.plugin.project import database_variables
from neonup_pytest.application.own_database import CHANGED

_DIRECT = ("_DIRECT", "_UNPOOLED")
_GENERIC_DIRECT = "DIRECT_URL"
_PLACES = frozenset({"PGHOST", "PGPORT", "PGDATABASE"})
_PLACE = re.compile(r"\{(\w*url|host|port|database)\}")
"""What a template has that leads somewhere, and not only says how to connect."""


def dialect(own: Iterable[Database]) -> str:
    """What the application's URL begins with: ``postgresql+asyncpg``."""
    for database in own:
        scheme = database.url.partition("://")[0]
        if scheme.startswith("postgres"):
            return scheme
    return "postgresql"


def known(settings: Settings) -> set[str]:
    """The variables that the application can find, ``DIRECT_URL`` of a file included."""
    generic = neonup.find(settings.project, key=_GENERIC_DIRECT)
    return {*os.environ, *([_GENERIC_DIRECT] if generic else [])}


def parts_of(settings: Settings, own: Database | None) -> Mapping[str, str]:
    """The values of the project's own variables for the application's own database."""
    if own is None or not settings.variables:
        return {}
    try:
        return database_variables(settings, own)
    except SettingsError:  # a database of another kind has no such parts
        return {}


def _libpq(url: str) -> dict[str, str]:
    """The variables with which libpq and its programs reach a database without an argument."""
    place = neonup.urls.parse(url)
    given = neonup.libpq.explicit(place)
    names = ("host", "port", "user", "password", "dbname", "sslmode")
    values = {name: given[name] for name in names if name in given}
    return _variables_of({"sslmode": place.sslmode, **values})


def _variables_of(parameters: Mapping[str, str]) -> dict[str, str]:
    names = neonup.libpq.VARIABLES
    return {names[name]: value for name, value in parameters.items() if name in names}


@dataclass
class Variables:
    """The variables of this run, and what they were before.

    Args:
        values: those that hold the URL: the run is refused where something changes them.
        parts: those that hold a part of it: the project's own, and libpq's.
        leading: which of the parts say where that is.
    """

    values: dict[str, str]
    parts: dict[str, str] = field(default_factory=dict)
    leading: frozenset[str] = frozenset()
    _before: dict[str, str | None] = field(default_factory=dict)
    _taken_out: dict[str, str] = field(default_factory=dict)

    @classmethod
    def for_names(cls, names: Iterable[str], url: str, settings: Settings) -> Variables:
        """The variables that lead to ``url``: those for a direct connection and parts of it, too.

        Args:
            names: those that the application reads.
            url: the database's, in the application's dialect.
            settings: the project's, with variables of its own.
        """
        values = {}
        for name in names:
            values[name] = url
            values |= {f"{name}{suffix}": url for suffix in _DIRECT}
        if not values:
            return cls({})
        if _GENERIC_DIRECT in known(settings):
            values[_GENERIC_DIRECT] = url
        database = Database(url, "local", key=settings.key, source="pytest")
        own = database_variables(settings, database)
        parts = {name: own[name] for name in settings.variables}
        leading = {name for name in parts if _PLACE.search(settings.variables[name])}
        return cls(values, {**_libpq(url), **parts}, frozenset(leading) | _PLACES)

    @property
    def all(self) -> Mapping[str, str]:
        """Every variable, for a program that is led there."""
        return {**self.parts, **self.values}

    def set(self, *, own: bool) -> None:
        """Put them into the environment.

        Args:
            own: whether neonup runs the tests' server. Then what changes where or how libpq
                connects is taken out of it: for the application, for fixtures, and for commands
                that make the schema.
        """
        if own:
            self._taken_out = neonup.libpq.take_out(os.environ)
        elif self.parts:  # what a service adds goes before libpq's other variables
            place = neonup.urls.parse(next(iter(self.values.values())))
            complete = neonup.libpq.parameters(place, os.environ)
            self.parts = {**_variables_of(complete), **self.parts}
            self._taken_out = {
                name: os.environ.pop(name) for name in {"PGSERVICE"} & os.environ.keys()
            }
        self._before = {name: os.environ.get(name) for name in self.all}
        os.environ.update(self.all)

    def restore(self) -> None:
        """Put back what was there before."""
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        os.environ.update(self._taken_out)

    def changed(self) -> dict[str, str | None]:
        """What they are now, where something has changed them since; None: it was removed."""
        current = {name: os.environ.get(name) for name in self.values}
        return {name: value for name, value in current.items() if value != self.values[name]}

    def returned(self, own: Mapping[str, str]) -> list[str]:
        """The parts that lead to the application's own database again, by their names.

        Args:
            own: the values that the project's own variables have for that one.
        """
        before = {name: value for name, value in self._before.items() if value is not None}
        former = {**own, **before}
        return [
            name
            for name in sorted(self.leading & former.keys())
            if os.environ.get(name) == former[name] != self.parts[name]
        ]

    def verify(self) -> None:
        """Make sure that nothing has changed them since.

        Raises:
            SettingsError: something has: the application may have another database.
        """
        for name, value in self.changed().items():
            raise SettingsError(
                f"{name} no longer leads to the tests' database: "
                f"{'it was removed' if value is None else neonup.urls.mask(value)}.",
                remedy=CHANGED,
            )
