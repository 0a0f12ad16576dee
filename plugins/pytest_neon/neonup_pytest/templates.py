"""Templates: databases with the tests' schema, of which the tests' own databases are copies."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from neonup_pytest import building
from neonup_pytest.application import connections
from neonup_pytest.databases import extensions, naming, statements
from neonup_pytest.servers import RunServer
from neonup_pytest.servers.admin import Admin


@dataclass(frozen=True)
class RunPhase:
    """What a framework adds to the schema by itself: Django's migrations.

    Args:
        key: changes when what it makes changes.
        build: makes it in the database of the name that it is given.
        base: the database that the template shall be made from; empty: Postgres's own template.
    """

    key: Callable[[], str]
    build: Callable[[str], None]
    base: Callable[[], str]


class SchemaTemplates:
    """Makes templates on the run's server, and finds those of earlier runs.

    Args:
        server: the run's.
        name: of the database behind the worker's URL.
        admin: the administrator's connection of this process's main thread.
        release: closes that connection where it can be: a server may be restarted to keep a
            template.
        extensions: what every template has.
        rebuild: whether templates of earlier runs are built again.
    """

    def __init__(
        self,
        server: RunServer,
        name: str,
        *,
        admin: Callable[[], Admin],
        release: Callable[[], None],
        extensions: tuple[str, ...],
        rebuild: bool,
    ):
        self.rebuild = rebuild
        self._server = server
        self._name = name
        self._admin = admin
        self._release = release
        self._extensions = extensions
        self._of_this_process: dict[str, str] = {}
        """Names of templates that go with this process, by their keys: see `_bystanders`."""
        self._bystanders: set[str] = set()
        """Who else could have written into the database that is being built."""

    @property
    def of_this_process(self) -> Collection[str]:
        """The names of the templates that no other run uses."""
        return self._of_this_process.values()

    def forget(self) -> None:
        """Forget the templates of this process, since the server is left or has died."""
        self._of_this_process.clear()

    def make(self, key: str, build: Callable[[str], None], *, base: str = "") -> str:
        """The name of a template, made where no run has made it before.

        Args:
            key: changes when what it is made of changes.
            build: makes the schema in an empty database, whose name it is given, and which nobody
                else knows.
            base: the database that the empty one is a copy of, if not of Postgres's own template.

        Raises:
            NeonupError: it cannot be made; nothing of it stays.
        """
        if self._extensions:
            key = hashlib.sha256(" ".join([key, *self._extensions]).encode()).hexdigest()
        if key in self._of_this_process:
            return self._of_this_process[key]
        with self._server.exclusive():
            self._server.start()
            name = f"{naming.TEMPLATE}{key[:16]}"
            admin = self._admin()
            exists = statements.exists(admin, name)
            if exists and self.rebuild and not self._server.made_here(name):
                statements.drop(admin, name)
                exists = False
            if not exists:
                return self._build(name, key, build, base or naming.EMPTY)
            self._server.used(name)
        return name

    @contextmanager
    def behind_url(self, name: str) -> Iterator[None]:
        """Put a database that is being built behind the URL, for a function of this process.

        What else of this process knows the URL can then reach it, too, and is noted.
        """
        self._bystanders |= {*building.bystanders()}
        admin = self._admin()
        statements.drop(admin, self._name)
        statements.close(admin, name)
        statements.rename(admin, name, self._name)
        statements.open_(admin, self._name)
        try:
            yield
        finally:
            self._bystanders |= {*building.bystanders()}
            admin = self._admin()
            statements.close(admin, self._name)
            connections.forget()
            statements.rename(admin, self._name, name)
            statements.open_(admin, name)

    def _build(self, name: str, key: str, build: Callable[[str], None], base: str) -> str:
        building_name = f"{self._name}_build"
        statements.drop(self._admin(), building_name)
        statements.create(self._admin(), building_name, base, self._server.owner)
        self._bystanders = set()
        try:
            owner = self._server.owner
            extensions.create(self._admin(), building_name, self._extensions, owner)
            build(building_name)
            statements.settle(self._admin(), building_name)
            statements.close(self._admin(), building_name)
            connections.forget()
            if self._bystanders:
                name = self._name_of_this_process(key)
            statements.rename(self._admin(), building_name, name)
        except BaseException:
            statements.drop_all(self._admin(), [building_name])
            raise
        if self._bystanders:
            self._of_this_process[key] = name
        else:
            self._release()
            self._server.saved(name)
        return name

    def _name_of_this_process(self, key: str) -> str:
        """The name of a template that goes with the run; says why it does."""
        warnings.warn(
            "The tests' template is built again in each run: while neon_template's function built "
            "it behind the application's URL, others that know this URL could write into it: "
            f"{', '.join(sorted(self._bystanders))}.\nLet neon_template return the name of the "
            "function instead, 'module:function', which runs in a process of its own.",
            stacklevel=2,
        )
        return f"{self._name}_unkept_{key[:16]}"
