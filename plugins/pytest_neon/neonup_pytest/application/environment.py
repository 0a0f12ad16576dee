"""The variables that lead the application to its tests' database, set before it is loaded."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field

import neonup
from neonup import Database, Settings, SettingsError

_DIRECT = ("_DIRECT", "_UNPOOLED")
_GENERIC_DIRECT = "DIRECT_URL"


def own_database(settings: Settings, names: Iterable[str]) -> dict[str, Database]:
    """The application's own databases, by the variable that leads there."""
    found = {name: neonup.find(settings.project, key=name) for name in names}
    return {name: database for name, database in found.items() if database is not None}


def dialect(own: Iterable[Database]) -> str:
    """What the application's URL begins with: ``postgresql+asyncpg``."""
    for database in own:
        scheme = database.url.partition("://")[0]
        if scheme.startswith("postgres"):
            return scheme
    return "postgresql"


@dataclass
class Variables:
    """The variables of this run, and what they were before."""

    values: dict[str, str]
    _before: dict[str, str | None] = field(default_factory=dict)

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

    def set(self) -> None:
        """Put them into the environment."""
        self._before = {name: os.environ.get(name) for name in self.values}
        os.environ.update(self.values)

    def restore(self) -> None:
        """Put back what was there before."""
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

    def verify(self) -> None:
        """Make sure that nothing has changed them since.

        Raises:
            pytest.UsageError: something has: the application may have another database.
        """
        import pytest  # not for `manage.py test`

        for name, value in self.values.items():
            found = os.environ.get(name)
            if found != value:
                raise pytest.UsageError(
                    f"{name} no longer leads to the tests' database: "
                    f"{'it was removed' if found is None else neonup.urls.mask(found)}.\n"
                    "Something that pytest loaded has changed it (pytest-env, load_dotenv("
                    "override=True), a conftest.py), so tests could reach another database.\n"
                    "Stop it from doing so, or remove the variable from neon_env."
                )


def refuse_unsure(own: dict[str, Database]) -> None:
    """Make sure that tests which use a database cannot reach the application's own.

    Raises:
        pytest.UsageError: nobody said which variables lead there.
    """
    import pytest

    for name, database in own.items():
        raise pytest.UsageError(
            f"Tests use neonup's fixtures, and {name} (from {database.source}) leads to a database "
            "that is not for tests.\nIf the application reads this variable, name it in pytest's "
            "ini file; it then leads to the tests' database:\n"
            f"    neon_env = {name}\nIf the application does not read it:\n    neon_env ="
        )


def refuse_own_server(url: str, own: dict[str, Database]) -> None:
    """Make sure that the tests' server is not connected to by the application's own database.

    Args:
        url: the value of ``NEONUP_TEST_SERVER``.
        own: the application's own databases, by the variable that leads there.

    Raises:
        SettingsError: it is.
    """
    wanted = _place(url)
    for name, database in own.items():
        if wanted is not None and wanted == _place(database.url):
            raise SettingsError(
                f"NEONUP_TEST_SERVER is the application's own database, {name} (from "
                f"{database.source}).\nName another database of that server, such as .../postgres: "
                "it is connected to, and nothing in it is changed."
            )


def _place(url: str) -> tuple[object, ...] | None:
    """What tells databases apart; None if it is no URL, which others say better."""
    try:
        parts = neonup.urls.parse(url)
    except neonup.SettingsError:
        return None
    hosts = [({"localhost": "127.0.0.1"}.get(h, h), port or 5432) for h, port in parts.hosts]
    return (*hosts, parts.dbname or parts.user)
