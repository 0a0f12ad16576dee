"""What one pytest process has: its URL, and the databases behind it, made as they are needed."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from enum import Enum, auto
from typing import TypeVar

from neonup import NeonupError, Settings
from neonup.plugin.postgres import ServerLost
from neonup_pytest.databases import naming, restore, statements
from neonup_pytest.databases.cluster_state import ClusterState
from neonup_pytest.databases.pool import DatabasePool
from neonup_pytest.databases.swap import Slot
from neonup_pytest.run import ALONE, RunId
from neonup_pytest.servers import RunServer, external
from neonup_pytest.servers.admin import Admin
from neonup_pytest.templates import SchemaTemplates

T = TypeVar("T")


class ServerState(Enum):
    """What a worker knows of the run's server."""

    UNUSED = auto()
    """The worker has no database there yet."""
    IN_USE = auto()
    """The worker's databases are there."""
    LOST = auto()
    """The server has died with the worker's databases; the next test that needs one starts it."""


class Worker:
    """One process of a test run, and its place on the run's server.

    Args:
        run: the run, and who this is in it.
        settings: the project's.
        dialect: the scheme of the URL: ``postgresql``, ``postgresql+asyncpg``.
        rebuild: whether templates of earlier runs are rebuilt.
    """

    def __init__(self, run: RunId, settings: Settings, *, dialect: str, rebuild: bool):
        self.server = _server(run, settings)
        self.name = f"{naming.PREFIX}{run.id}_{run.worker}"
        self.failed_prefix = f"{naming.PREFIX}{run.id}_kept_{run.worker}"
        self.dialect = dialect
        self.expected = 0
        """How many tests with a database of their own are still to come, as far as is known."""
        self._schema: Hashable = None
        self._templates: dict[Hashable, Callable[[], str]] = {}
        self._errors: dict[Hashable, NeonupError] = {}
        self._admin: Admin | None = None
        self._slots: dict[Hashable, Slot] = {}
        self._copies: dict[str, Callable[[], str]] = {}
        self._made_copies: set[str] = set()
        self._server_state = ServerState.UNUSED
        self._shared_with = None if run.worker == ALONE else "other workers use"
        if os.environ.get(external.VARIABLE):
            self._shared_with = "others may use"
        self._cluster: ClusterState | None = None
        self.templates = SchemaTemplates(
            self.server,
            self.name,
            admin=lambda: self.admin,
            release=self._disconnect_unless_open,
            extensions=settings.extensions,
            rebuild=rebuild,
        )

    @property
    def url(self) -> str:
        """The worker's URL, in the application's dialect; the same for the whole run."""
        return self.server.url(self.name).render(self.dialect)

    @property
    def libpq_url(self) -> str:
        """The same in libpq's form."""
        return str(self.server.url(self.name))

    @property
    def open(self) -> bool:
        """Whether there are databases behind the URL."""
        return self._server_state is not ServerState.UNUSED

    def begin(self, schema: Hashable, template: Callable[[], str]) -> None:
        """Start what is behind the URL, or change to databases of another schema.

        Args:
            schema: tells schemas apart.
            template: makes sure of the template and returns its name; called again where a server
                that died was replaced.

        Raises:
            NeonupError: the server or the template cannot be had; it is tried only once.
        """
        if schema in self._errors:
            raise self._errors[schema]
        self._templates[schema] = template
        if schema != self._schema and self._schema in self._slots:
            self._with_slot(lambda slot: slot.leave())
        self._schema = schema
        try:
            self._with_slot(lambda slot: None)
        except NeonupError as error:
            self._errors[schema] = error
            raise

    def share(self) -> None:
        """Put the database behind the URL that tests without one of their own share."""
        self._with_slot(lambda slot: slot.share())

    def isolate(self) -> None:
        """Put a fresh database behind the URL."""
        self._with_slot(lambda slot: slot.isolate())
        self.expected -= 1

    def finish(self) -> str | None:
        """The test is over whose own database is behind the URL.

        Returns:
            What later tests find otherwise than it was, in words; None: nothing.
        """
        if (slot := self._slots.get(self._schema)) is None:
            return None  # its server has died
        try:
            return slot.finish()
        except ServerLost:
            self._lose()
            return None

    def keep(self, name: str) -> bool:
        """Give the database behind the URL another name to stay under; False where it is gone."""
        if (slot := self._slots.get(self._schema)) is None:
            return False  # its server has died
        try:
            return slot.keep(name)
        except ServerLost:
            self._lose()
            return False

    @contextmanager
    def another(self) -> Iterator[str]:
        """One more database, fresh; yields its URL in libpq's form."""
        pool, copy = self._with_slot(lambda slot: (slot.pool, slot.pool.take()))
        try:
            yield str(self.server.url(copy.name))
        finally:
            statements.close(self.admin, copy.name)
            pool.retire(copy)

    def server_url(self) -> str:
        """The server's URL without a database, in the application's dialect.

        libpq takes the database that is named as the role then, so there is one: on a server of the
        run's own; another's has what its owner wants.

        Raises:
            NeonupError: the server cannot be had.
        """
        server = self.server
        with server.exclusive():
            server.start()
            if server.data is not None and not statements.exists(self.admin, server.owner):
                statements.create(self.admin, server.owner, naming.EMPTY, server.owner)
        return replace(server.url(server.owner), dbname=None).render(self.dialect)

    def copy(self, name: str, template: Callable[[], str]) -> None:
        """One more database, under a name of its own, until it is discarded.

        Args:
            name: its name, which begins with the worker's.
            template: makes sure of the template and returns its name; called again where a server
                that died was replaced.

        Raises:
            NeonupError: it cannot be made.
        """
        self._copies[name] = template
        self._made_copies.discard(name)
        self._make_copies()

    def discard(self, name: str) -> None:
        """Drop a database that `copy` made."""
        del self._copies[name]
        self._made_copies.discard(name)
        statements.drop_all(self.admin, [name])

    @property
    def admin(self) -> Admin:
        """The administrator's connection of this process's main thread."""
        if self._admin is None:
            self._admin = self.server.connect()
        return self._admin

    def died(self) -> list[str] | None:
        """The server's last lines, if it is up no more; None while it answers."""
        if self._admin is None:
            return None
        try:
            self._admin.run("SELECT 1")
        except ServerLost:
            self._lose()
            return self.server.last_lines()
        return None

    def close(self) -> None:
        """Leave the run; the last one leaves nothing behind."""
        self._close()
        self._server_state = ServerState.UNUSED
        self.server.leave()

    def _open(self) -> Slot:
        self.server.start(sure=self._server_state is ServerState.LOST)
        template = self._templates[self._schema]()
        if not self._slots:
            self._drop_stale()
        self._make_copies()
        prefix = f"{self.name}_s{len(self._slots)}"
        data = self.server.data
        pool = DatabasePool(
            self.server.connect,
            prefix=prefix,
            template=template,
            owner=self.server.owner,
            wanted=lambda: self.expected,
            allowance=self.server.allowance(statements.size(self.admin, template)),
            data=data if restore.prepare(self.admin, data) else None,
        )
        if self._cluster is None:
            self._cluster = ClusterState(self.admin, self._shared_with)
        return Slot(self.name, self.admin, pool, f"{prefix}_base", self._cluster)

    def _drop_stale(self) -> None:
        """Drop what this worker had before its server died, where the server's data survived."""
        for name in [self.name, *statements.names(self.admin, f"{self.name}_")]:
            if name not in self._made_copies and name not in self.templates.of_this_process:
                statements.drop_all(self.admin, [name])

    def _make_copies(self) -> None:
        for name, template in self._copies.items():
            if name not in self._made_copies:
                source = template()
                statements.drop(self.admin, name)
                statements.create(self.admin, name, source, self.server.owner)
                self._made_copies.add(name)

    def _with_slot(self, step: Callable[[Slot], T]) -> T:
        """Take a step with the databases behind the URL; on a new server, where theirs died."""
        for _ in range(2):
            try:
                if self._schema not in self._slots:
                    self._slots[self._schema] = self._open()
                    self._server_state = ServerState.IN_USE
                return step(self._slots[self._schema])
            except ServerLost as error:
                self._lose()
                lost = error
        raise lost

    def _lose(self) -> None:
        self._close()
        self._server_state = ServerState.LOST

    def _close(self) -> None:
        for slot in self._slots.values():
            slot.pool.close()
        self._slots.clear()
        self._made_copies.clear()
        self.templates.forget()
        self._disconnect()

    def _disconnect_unless_open(self) -> None:
        if self._server_state is not ServerState.IN_USE:
            self._disconnect()

    def _disconnect(self) -> None:
        if self._admin is not None:
            self._admin.close()
            self._admin = self._cluster = None


def _server(run: RunId, settings: Settings) -> RunServer:
    if url := os.environ.get(external.VARIABLE):
        return external.ExternalServer(url, run.id, settings)
    from neonup_pytest.servers.local import LocalServer

    return LocalServer(run.id, settings)
