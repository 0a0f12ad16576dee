"""What the plugin holds for the run in this process, from its first use on."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import neonup
from neonup import Database, NeonupError, Settings, SettingsError
from neonup_pytest import failed_databases as keep
from neonup_pytest import options, schema, supported
from neonup_pytest.application import environment, own_database
from neonup_pytest.application.early import EarlyConnections
from neonup_pytest.application.environment import Variables
from neonup_pytest.databases import naming
from neonup_pytest.options import Isolation, Keep, PytestOptions
from neonup_pytest.run import of_process
from neonup_pytest.schema import Schema, SchemaProject
from neonup_pytest.servers import external
from neonup_pytest.templates import RunPhase
from neonup_pytest.worker import Worker

if TYPE_CHECKING:
    from neonup_pytest.branch import RunBranch
    from neonup_pytest.servers.background import BackgroundStart


class RunState:
    """One for each pytest process that uses the plugin.

    Args:
        config: pytest's.
        names: the variables that lead the application to its tests' database.
    """

    def __init__(self, config: pytest.Config, names: tuple[str, ...]):
        supported.require("pytest-xdist", "pytest-django", "Django")
        self.config = config
        self.options: PytestOptions = options.read(config)
        self.settings: Settings = neonup.resolve(neonup.find_project(config.rootpath))
        # Only an empty `neon_env` says that the application reads no variable at all.
        self._reads_none = self.options.env == ()
        self.own = own_database.own_databases(
            self.settings, names or (() if self._reads_none else (self.settings.key,))
        )
        self.branch = self._branch()
        if self.branch is None:  # else this process, or the one that began the run, has set it
            own_database.refuse_own_server(os.environ.get(external.VARIABLE, ""), self.own)
        self.worker = Worker(
            of_process(),
            self.settings,
            dialect=self.options.dialect
            or self.settings.url_scheme
            or environment.dialect(self.own.values()),
            rebuild=self.options.rebuild,
        )
        # On a branch nothing can be kept: it goes with the run.
        databases_to_keep = Keep.NONE if self.branch is not None else self.options.keep
        self.failed_databases = keep.FailedDatabases(self.worker, self.settings, databases_to_keep)
        self.names = names
        self.variables = Variables.for_names(names, self.worker.url, self.settings)
        self.variables.set(own=self.branch is not None or not os.environ.get(external.VARIABLE))
        self._unnamed = own_database.Unnamed(self.settings, names, self.worker.url)
        self.framework: RunPhase | None = None
        self.starting: BackgroundStart | None = None
        """The server, while it is started in the background."""
        self._closed = False
        self._lock = threading.RLock()
        """Held while something is begun or ended: a connection may be what begins it."""
        self.early = EarlyConnections(self._begin_early)
        if names and self.settings.enabled:
            self.early.watch()

    def _branch(self) -> RunBranch | None:
        """The Neon branch that the run is on, where it is to be on one."""
        if self.options.provider != "account":
            return None
        if not self.settings.enabled:
            raise SettingsError("The tests need a branch, and NEONUP=off forbids creating one.")
        from neonup_pytest import branch  # only where tests run on one

        own = self.own.get(self.settings.key) or next(iter(self.own.values()), None)
        made = branch.of_run(self.settings, own, self.options.parent)
        self.config.add_cleanup(made.close)  # also where the run cannot begin
        return made

    def expect(self, items: list[pytest.Item]) -> None:
        """Look at what will run.

        Raises:
            NeonupError: it could reach a database that is not the tests'.
            pytest.UsageError: a marker cannot be used.
        """
        self._wait()
        serves = self.serves
        for item in items:
            if (fixture := options.fixture_for(item, self.options.autouse, serves)) is not None:
                item.fixturenames.insert(0, fixture)  # type: ignore[attr-defined]
        users = [item for item in items if options.FIXTURES & options.fixtures_of(item)]
        self.worker.expected = sum(
            "neon_db" in options.fixtures_of(item) and self.isolation(item) is Isolation.DATABASE
            for item in users
        )
        if users:
            self.verify()
        else:
            self.refuse_return()

    @property
    def serves(self) -> bool:
        """Whether tests that ask for nothing find a database behind the application's URL.

        Django's tests say so themselves, and pytest-django keeps the others from its databases.
        """
        return (
            self.settings.enabled
            and self.framework is None
            and any(os.environ.get(name) == self.variables.values[name] for name in self.names)
        )

    def verify(self) -> None:
        """Make sure that the application of tests which use a fixture has no other database.

        Raises:
            SettingsError: it may have, or nobody can tell.
        """
        self.variables.verify()
        if not self._reads_none and self.settings.key not in self.names:
            self._unnamed.refuse()

    def refuse_return(self) -> None:
        """Make sure that no variable leads to the application's own database again.

        Raises:
            SettingsError: one does.
        """
        if changed := self.variables.changed():
            own_database.refuse_return(changed, self.own)
        own = self.own.get(self.settings.key)
        if returned := self.variables.returned(environment.parts_of(self.settings, own)):
            raise SettingsError(
                f"{', '.join(returned)} lead to the application's own database again, not to the "
                "tests' database.",
                remedy=own_database.CHANGED,
            )

    def isolation(self, item: pytest.Item) -> Isolation:
        """How a test is kept apart."""
        return options.isolation_of(item, self.options.isolation)

    def rolls_back(self, item: pytest.Item) -> bool:
        """Whether what a test does through the fixtures is rolled back."""
        return self.isolation(item) is Isolation.TRANSACTION

    def begin(self, source: Schema | None) -> None:
        """Start what is behind the URL, with that schema.

        Raises:
            NeonupError: it cannot be had.
        """
        if not self.settings.enabled:
            raise SettingsError("The tests need a database, and NEONUP=off forbids creating one.")
        self.early.end()  # waits for another thread that is at it
        with self._lock:
            self._wait()
            self.worker.begin(source, self.template_of(source))

    def _begin_early(self) -> None:
        """Begin what the application connects to before the first test.

        Raises:
            NeonupError: it cannot be had.
        """
        django = sys.modules.get("django.conf")
        is_used = django is not None and django.settings.configured
        if is_used and options.has_pytest_django(self.config.pluginmanager):
            return  # its databases come with pytest-django's fixtures
        with self._lock:
            if self.serves and not self._closed:
                self.begin(schema.schema_of(options.schema(self.config), self.config.rootpath))
                self.worker.share()

    def _wait(self) -> None:
        if self.starting is not None:
            self.starting.wait()
            self.starting = None

    def serve(self, source: Schema | None, session: pytest.Session) -> None:
        """Put the database that tests share behind the application's URL; start it, if need be.

        Raises:
            NeonupError: it cannot be had. Then no test of the application can pass, and the run
                ends.
        """
        try:
            self.begin(source)
            self.worker.share()
        except NeonupError as error:
            session.shouldfail = f"neonup: the tests have no database: {error.message}"
            raise

    def template_of(self, source: Schema | None) -> Callable[[], str]:
        """Makes sure of the template of a schema, and returns its name."""
        framework = self.framework
        if source is None and framework is None and not self.settings.extensions:
            return lambda: naming.EMPTY
        root = self.config.rootpath
        names = self.names or (self.settings.key,)

        def build(name: str) -> None:
            database = self.worker.server.url(name)
            url = database.render(self.worker.dialect)
            target = schema.BuildTarget(
                url,
                str(database),
                Variables.for_names(names, url, self.settings).all,
                self.worker.url,
                lambda: self.worker.templates.behind_url(name),
            )
            with schema.explained(self.settings, self.worker.server.provider):
                if source is not None:
                    schema.apply(source, target, root)
                if framework is not None:
                    framework.build(name)

        def ensure() -> str:
            project = SchemaProject(root, self.options.migrate_files, self._tests(root))
            key = framework.key() if framework is not None else ""
            if source is not None:
                key = schema.fingerprint(source, project, self.worker.server.identity, key)
            return self.worker.templates.make(
                key, build, base=framework.base() if framework else ""
            )

        return ensure

    def _tests(self, root: Path) -> tuple[Path, ...]:
        folders = self.config.getini("testpaths") or ["tests", "test"]
        return tuple(root / name for name in folders)

    def database(self, url: str) -> Database:
        """A database of this run, as the fixtures hand it out."""
        return Database(url, "local", key=self.settings.key, source="pytest")

    def report(self, item: pytest.Item, report: pytest.TestReport) -> None:
        """Add to a failed test's report what this plugin knows."""
        if not self.worker.open or keep.explain_death(self.worker, report):
            return
        if "neon_db" in options.fixtures_of(item):
            self.failed_databases.look_at(item, report)

    def close(self) -> None:
        """Leave nothing behind; only the first call does something."""
        self.early.end()
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._wait()
        try:
            self.worker.close()
        finally:
            self.variables.restore()
            if self.branch is not None:
                self.branch.close()


KEY = pytest.StashKey[RunState]()


def of(config: pytest.Config, names: tuple[str, ...] = ()) -> RunState:
    """The state of this process, made at the first call.

    Raises:
        NeonupError: a setting cannot be used, or there is no server to use.
    """
    if KEY not in config.stash:
        config.stash[KEY] = state = RunState(config, names)
        config.add_cleanup(state.close)  # also where a conftest cannot be imported
    return config.stash[KEY]


def current(config: pytest.Config) -> RunState | None:
    """The state of this process, where there is one."""
    return config.stash.get(KEY, None)
