"""``manage.py test`` with test databases from the cached template."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.test.runner import DiscoverRunner

import neonup
from neonup import NeonupError, SettingsError
from neonup_pytest import activation, supported
from neonup_pytest.application import environment, own_database
from neonup_pytest.application.environment import Variables
from neonup_pytest.django.aliases import Aliases
from neonup_pytest.run import of_process
from neonup_pytest.servers import external
from neonup_pytest.worker import Worker

if TYPE_CHECKING:
    _Base = DiscoverRunner
else:
    _Base = object


class TestRunnerMixin(_Base):
    """Stands before a test runner of Django's: ``class Runner(TestRunnerMixin, DiscoverRunner)``.

    The databases are on the run's own server, not on the application's, and gone with the run.
    """

    __test__ = False  # nothing for pytest to collect
    _taken: _Taken | None = None

    def __init__(self, *args: Any, neon_rebuild: bool = False, **kwargs: Any):
        if message := supported.refusal("Django"):
            from django.core.management import CommandError

            raise CommandError(message)
        super().__init__(*args, **kwargs)
        self.neon_rebuild = neon_rebuild

    @classmethod
    def add_arguments(cls, parser: ArgumentParser) -> None:
        """Declare what ``manage.py test`` takes besides Django's own."""
        super().add_arguments(parser)
        parser.add_argument(
            "--neon-rebuild",
            action="store_true",
            help="Rebuild the template databases instead of reusing the last run's.",
        )

    def setup_databases(self, **kwargs: Any) -> Any:
        """Start the server and make the test databases on it."""
        try:
            self._taken = _Taken(rebuild=self.neon_rebuild)
            self._taken.redirect()
            return super().setup_databases(**kwargs)
        except BaseException as error:
            self._leave()
            if isinstance(error, NeonupError):
                from django.core.management import CommandError

                raise CommandError(str(error)) from error
            raise

    def teardown_databases(self, old_config: Any, **kwargs: Any) -> None:
        """Drop them, and leave nothing behind."""
        try:
            super().teardown_databases(old_config, **kwargs)
        finally:
            self._leave()

    def _leave(self) -> None:
        taken, self._taken = self._taken, None
        if taken is not None:
            taken.leave()


class NeonRunner(TestRunnerMixin, DiscoverRunner):
    """Ready for ``TEST_RUNNER = "neonup_pytest.django.NeonRunner"``."""


class _Taken:
    """What a run has taken over: Django's aliases, and the variables."""

    def __init__(self, *, rebuild: bool):
        settings = neonup.resolve(_project())
        if not settings.enabled:
            raise SettingsError("The tests need a database, and NEONUP=off forbids creating one.")
        names = activation.names(activation.UNSET, settings.project) or (settings.key,)
        own = own_database.own_databases(settings, names)
        own_database.refuse_own_server(os.environ.get(external.VARIABLE, ""), own)
        self._worker = Worker(
            of_process(),
            settings,
            dialect=settings.url_scheme or environment.dialect(own.values()),
            rebuild=rebuild,
        )
        self._variables = Variables.for_names(names, self._worker.url, settings)
        self._aliases = Aliases(self._worker, settings, own, names)

    def redirect(self) -> None:
        self._variables.set(own=not os.environ.get(external.VARIABLE))
        self._aliases.redirect()
        self._aliases.install()

    def leave(self) -> None:
        self._variables.restore()
        self._worker.close()


def _project() -> Path:
    from django.conf import settings

    return neonup.find_project(Path(getattr(settings, "BASE_DIR", None) or Path.cwd()))
