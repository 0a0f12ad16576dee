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
        self._shared: Copy | None = None
        """The database that tests share, once there is one."""
        self._copy: Copy | None = None
        """The test's own database that is behind the URL."""
        self._shows_shared = False
        """Whether the one that tests share is."""

    def share(self) -> None:
        """Put the database there that tests without one of their own share."""
        if self._shows_shared and self._is_there():
            return
        if self._shared is not None and not self._bring_back():
            self._forget_shared()
        if self._shared is None:
            self._shared = self._put_fresh()
        self._shows_shared = True

    def isolate(self) -> None:
        """Put a fresh database there, which nobody has used."""
        self._copy = self._put_fresh()

    def keep(self, name: str) -> bool:
        """Give the database there, a failed test's, a name to stay under; False if it is gone."""
        present = self._close()
        if present:
            statements.rename(self._admin, self.name, name)
            statements.open_(self._admin, name)
        self._shows_shared, self._copy = False, None
        return present

    def leave(self) -> None:
        """Put away what is there: a database of another template comes."""
        self._put(None)

    def _is_there(self) -> bool:
        """Whether the database that tests share still has the name that the URL has."""
        if self._shared is None:
            return False
        names = statements.by_oid(self._admin, [self._shared.oid])
        return names.get(self._shared.oid) == self.name

    def _put_fresh(self) -> Copy:
        while not self._put((copy := self.pool.take()).name):
            pass  # a test has dropped one that was waiting
        return copy

    def _bring_back(self) -> bool:
        """Put the one that tests share there again; returns whether it is still to be had."""
        if not statements.exists(self._admin, self._aside):
            return False
        statements.open_(self._admin, self._aside)
        return self._put(self._aside)

    def _put(self, source: str | None) -> bool:
        """Put a database there, and away what was; returns whether it was to be had."""
        away: str | None = None
        if self._shows_shared or self._copy is not None:
            if not self._close() and self._shows_shared:
                self._forget_shared()
            keeps = self._shows_shared and self._shared is not None
            away = self._aside if keeps else self.pool.new_name()
        if not statements.swap(self._admin, self.name, away=away, to=source):
            return False
        if self._copy is not None and away is not None:
            self.pool.retire(replace(self._copy, name=away))
        self._shows_shared, self._copy = False, None
        return True

    def _forget_shared(self) -> None:
        """A test has dropped or renamed the database that all share: the next one gets another."""
        if self._shared is not None:
            self.pool.retire(replace(self._shared, name=self.pool.new_name()))
        self._shared = None

    def _close(self) -> bool:
        """End who is in the database there; returns whether there is one."""
        present = statements.close(self._admin, self.name)
        connections.forget()
        return present
