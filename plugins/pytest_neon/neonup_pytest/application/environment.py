"""The variables that lead the application to its tests' database, set before it is loaded."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field

import neonup
from neonup import Database, Settings, SettingsError
from neonup_pytest.application.own_database import CHANGED

_DIRECT = ("_DIRECT", "_UNPOOLED")
_GENERIC_DIRECT = "DIRECT_URL"


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


@dataclass
class Variables:
    """The variables of this run, and what they were before."""

    values: dict[str, str]
    _before: dict[str, str | None] = field(default_factory=dict)
    _libpq: dict[str, str] = field(default_factory=dict)

    @classmethod
    def for_names(cls, names: Iterable[str], url: str, known: Iterable[str]) -> Variables:
        """The variables that lead to ``url``, with those for a direct connection."""
        values = {}
        for name in names:
            values[name] = url
            values |= {f"{name}{suffix}": url for suffix in _DIRECT}
        if values and _GENERIC_DIRECT in known:
            values[_GENERIC_DIRECT] = url
        return cls(values)

    def set(self, *, own: bool) -> None:
        """Put them into the environment.

        Args:
            own: whether neonup runs the tests' server. Then what changes where or how libpq
                connects is taken out of it: for the application, for fixtures, and for commands
                that make the schema.
        """
        if own:
            self._libpq = neonup.libpq.take_out(os.environ)
        self._before = {name: os.environ.get(name) for name in self.values}
        os.environ.update(self.values)

    def restore(self) -> None:
        """Put back what was there before."""
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        os.environ.update(self._libpq)

    def changed(self) -> dict[str, str | None]:
        """What they are now, where something has changed them since; None: it was removed."""
        current = {name: os.environ.get(name) for name in self.values}
        return {name: value for name, value in current.items() if value != self.values[name]}

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
