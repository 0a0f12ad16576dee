"""The database behind a worker's URL: swapped by renaming, while the URL stays the same."""

from __future__ import annotations

from dataclasses import replace

from neonup_pytest.application import connections
from neonup_pytest.databases import cluster_state, statements
from neonup_pytest.databases.cluster_state import ClusterState, Left
from neonup_pytest.databases.pool import Copy, DatabasePool
from neonup_pytest.servers.admin import Admin

UNCHANGED = Left(roles=False, database=False)


class Slot:
    """The name that the URL has, and what is behind it, of one template.

    Args:
        name: the database's name in the URL.
        admin: the connection to use.
        pool: where fresh databases come from.
        aside: the name of the database that tests share, while it is not behind the URL.
        cluster: what tests may leave outside of their databases.
    """

    def __init__(
        self, name: str, admin: Admin, pool: DatabasePool, aside: str, cluster: ClusterState
    ):
        self.name = name
        self.pool = pool
        self._admin = admin
        self._aside = aside
        self._cluster = cluster
        self._left = UNCHANGED
        """What the test has left whose own database is behind the URL."""
        self._shared: Copy | None = None
        """The database that tests share, once there is one."""
        self._copy: Copy | None = None
        """The test's own database that is behind the URL."""
        self._shows_shared = False
        """Whether the one that tests share is."""

    def share(self) -> None:
        """Put the database there that tests without one of their own share."""
        if self._shows_shared and self._is_shared_in_place():
            return
        if self._shared is not None and not self._bring_back():
            self._forget_shared()
        if self._shared is None:
            self._shared = self._put_fresh()
        self._shows_shared = True

    def isolate(self) -> None:
        """Put a fresh database there, which nobody has used."""
        self._copy = self._put_fresh()
        self._cluster.remember(self.name)

    def finish(self) -> str | None:
        """The test is over whose own database is there: put back what it changed outside of it.

        Returns:
            What later tests find otherwise than it was, in words; None: nothing.
        """
        self._left = self._cluster.compare(self.name)
        if not self._left.roles:
            return None
        if self._cluster.restorable and self._close():  # an open transaction may hold a role
            statements.open_(self._admin, self.name)  # fixtures that end later may connect
        return self._cluster.restore()

    def keep(self, name: str) -> bool:
        """Give the database there, a failed test's, a name to stay under; False if it is gone."""
        present = self._close()
        if present:
            statements.rename(self._admin, self.name, name)
            statements.open_(self._admin, name)
        self._shows_shared, self._copy, self._left = False, None, UNCHANGED
        return present

    def leave(self) -> None:
        """Put away what is there: a database of another template comes."""
        self._put(None)

    def _is_shared_in_place(self) -> bool:
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
            self.pool.retire(replace(self._copy, name=away), reusable=not self._left.database)
        self._shows_shared, self._copy, self._left = False, None, UNCHANGED
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
        if self._left.roles:
            cluster_state.drop_slots(self._admin, self.name)
        return present
