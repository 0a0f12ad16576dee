"""The test databases of Django's aliases, on the run's server."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext

from neonup import Database, Settings
from neonup_pytest.django import entries, fingerprint
from neonup_pytest.worker import Worker

_LONGEST = 63
"""Bytes of a name in Postgres."""


class Aliases:
    """Leads Django to the run's server, and makes what its aliases find there.

    Args:
        worker: this process's place on the server.
        settings: the project's.
        own: the application's own databases, by the variables that led there.
        variables: the variables that lead to the run's URL.
    """

    def __init__(
        self,
        worker: Worker,
        settings: Settings,
        own: Mapping[str, Database],
        variables: tuple[str, ...],
    ):
        self._worker, self._settings = worker, settings
        self._is_shared = len(variables) < 2 or len({database.url for database in own.values()}) < 2
        self.names: dict[str, str] = {}
        """The database of each alias that is Postgres's."""
        self.main: str | None = None
        """The alias whose database is the one behind the run's URL."""
        self.begin_main: Callable[[], None] | None = None
        """Starts what is behind the run's URL, where it is more than a copy of a template."""
        self.unblocked: Callable[[], AbstractContextManager[None]] = nullcontext
        """Permits access to databases, where something forbids it."""
        self._identities: dict[tuple[object, ...], str] = {}
        self._built: set[str] = set()
        self._verbosity = 0

    def redirect(self) -> None:
        """Let every alias that is Postgres's lead to the run's server; nothing is started."""
        postgres_entries = entries.postgres()
        new = {alias: entry for alias, entry in postgres_entries.items() if alias not in self.names}
        ours = {alias for alias, entry in new.items() if self._is_ours(entry)}
        if self.main is None:
            first = next((alias for alias in new if alias in ours), None)
            self.main = first or ("default" if "default" in new else None)
        for alias in sorted(new, key=lambda alias: alias != self.main):
            known = entries.identity(new[alias], alias, ours=alias in ours, shared=self._is_shared)
            self.names[alias] = self._identities.setdefault(known, self._name(alias))
        for alias, entry in postgres_entries.items():
            entries.redirect(entry, str(self._worker.server.url(self.names[alias])))

    def install(self) -> None:
        """Let Django ask this for its test databases, in this thread."""
        from django.db import connections

        from neonup_pytest.django.creation import over

        for alias in self.names:
            connection = connections[alias]

            creation = over(type(connection.creation))(connection)
            creation.aliases = self
            connection.creation = creation

    def make(self, alias: str, verbosity: int) -> bool:
        """Put an alias's database there; returns whether its template was made for that."""
        self._verbosity = verbosity
        self._built.discard(alias)
        if alias == self.main and self.begin_main is not None:
            self.begin_main()
        else:
            self._worker.copy(self.names[alias], lambda: self.template(alias))
        return alias in self._built

    def template(self, alias: str) -> str:
        """Make sure of an alias's template; returns its name."""
        return self._worker.templates.make(
            self.key(alias),
            lambda name: self.build(alias, name),
            base=self.base(alias),
        )

    def key(self, alias: str) -> str:
        """Changes when what makes an alias's schema changes."""
        schema = fingerprint.of_alias(alias, entries.postgres()[alias])
        return hashlib.sha256(f"{self._worker.server.identity} {schema}".encode()).hexdigest()

    def build(self, alias: str, name: str) -> None:
        """Migrate the empty database of a name, to which this thread's alias alone leads."""
        from django.db import connections

        self.install()
        creation = connections[alias].creation
        with self.unblocked():
            creation.migrate_empty(name, self._verbosity)  # type: ignore[attr-defined]
        self._built.add(alias)

    def base(self, alias: str) -> str:
        """What an alias's template is made from, empty: Postgres's own template."""
        return entries.base(entries.postgres()[alias])

    def clone(self, name: str, clone: str) -> None:
        """Copy a database that is there, and that nobody uses."""
        self._worker.copy(clone, lambda: name)

    def destroy(self, name: str) -> None:
        """Drop a database, unless it is behind the run's URL and goes with the run."""
        if name != self._worker.name or self.begin_main is None:
            self._worker.discard(name)

    def _is_ours(self, entry: entries.Entry) -> bool:
        worker = self._worker
        return entries.leads_to(entry, worker.name, worker.url, self._settings.key)

    def _name(self, alias: str) -> str:
        if alias == self.main:
            return self._worker.name
        name = f"{self._worker.name}_of_{alias}"
        if len(name.encode()) > _LONGEST - len("_99"):  # a clone's number
            name = f"{self._worker.name}_of_{hashlib.sha256(alias.encode()).hexdigest()[:8]}"
        return name
