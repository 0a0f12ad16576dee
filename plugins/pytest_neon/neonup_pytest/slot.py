"""The database behind a worker's URL: swapped by renaming, while the URL stays the same."""

from __future__ import annotations

from neonup_pytest import connections, databases
from neonup_pytest.admin import Admin
from neonup_pytest.pool import Pool


class Slot:
    """The name that the URL has, and what is behind it.

    Args:
        name: the database's name in the URL.
        admin: the connection to use.
        pool: where fresh databases come from.
    """

    def __init__(self, name: str, admin: Admin, pool: Pool):
        self.name = name
        self._admin, self._pool = admin, pool
        self._aside = f"{name}_base"
        self._behind: str | None = None
        self._has_base = False

    def share(self) -> None:
        """Put the database there that tests without one of their own share."""
        if self._behind == "base":
            return
        if self._has_base:
            databases.open_(self._admin, self._aside)
        source = self._aside if self._has_base else self._pool.take()
        self._put(source)
        self._behind, self._has_base = "base", True

    def isolate(self) -> None:
        """Put a fresh database there, which nobody has used."""
        self._put(self._pool.take())
        self._behind = "test"

    def keep(self, name: str) -> None:
        """Give the database there, a failed test's, a name of its own to stay under."""
        self._end_connections()
        databases.rename(self._admin, self.name, name)
        databases.open_(self._admin, name)
        self._behind = None

    def _put(self, source: str) -> None:
        away = None
        if self._behind is not None:
            self._end_connections()
            away = self._aside if self._behind == "base" else self._pool.new_name()
        databases.swap(self._admin, self.name, away=away, to=source)
        if away is not None and away != self._aside:
            self._pool.retire(away)

    def _end_connections(self) -> None:
        databases.close(self._admin, self.name)
        connections.forget()
