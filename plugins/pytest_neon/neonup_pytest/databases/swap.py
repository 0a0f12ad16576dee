"""The database behind a worker's URL: swapped by renaming, while the URL stays the same."""

from __future__ import annotations

from dataclasses import replace

from neonup_pytest.application import connections
from neonup_pytest.databases import statements
from neonup_pytest.databases.pool import Copy, Pool
from neonup_pytest.servers.admin import Admin


class Slot:
    """The name that the URL has, and what is behind it, of one template.

    Args:
        name: the database's name in the URL.
        admin: the connection to use.
        pool: where fresh databases come from.
        aside: the name of the database that tests share, while it is not behind the URL.
    """

    def __init__(self, name: str, admin: Admin, pool: Pool, aside: str):
        self.name = name
        self.pool = pool
        self._admin = admin
        self._aside = aside
        self._shared = False
        """Whether the database that tests share is behind the URL."""
        self._has_shared = False
        self._copy: Copy | None = None
        """The test's own database that is."""

    def share(self) -> None:
        """Put the database there that tests without one of their own share."""
        if self._shared:
            return
        if self._has_shared:
            statements.open_(self._admin, self._aside)
        self._put(self._aside if self._has_shared else self.pool.take().name)
        self._shared = self._has_shared = True

    def isolate(self) -> None:
        """Put a fresh database there, which nobody has used."""
        copy = self.pool.take()
        self._put(copy.name)
        self._copy = copy

    def keep(self, name: str) -> None:
        """Give the database there, a failed test's, a name of its own to stay under."""
        self._end_connections()
        statements.rename(self._admin, self.name, name)
        statements.open_(self._admin, name)
        self._shared, self._copy = False, None

    def leave(self) -> None:
        """Put away what is there: a database of another template comes."""
        if self._shared or self._copy is not None:
            self._put(None)

    def _put(self, source: str | None) -> None:
        away: str | None = None
        if self._shared or self._copy is not None:
            self._end_connections()
            away = self._aside if self._shared else self.pool.new_name()
        statements.swap(self._admin, self.name, away=away, to=source)
        if self._copy is not None and away is not None:
            self.pool.retire(replace(self._copy, name=away))
        self._shared, self._copy = False, None

    def _end_connections(self) -> None:
        statements.close(self._admin, self.name)
        connections.forget()
