"""What pytest calls where pytest-django is active and the project has opted in."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

from neonup_pytest.fixtures import plainly
from neonup_pytest.options import Isolation
from neonup_pytest.schema import schema_of
from neonup_pytest.state import RunState
from neonup_pytest.templates import RunPhase

if TYPE_CHECKING:
    from neonup_pytest.django.aliases import Aliases

_SETUP = "django_db_setup"
_BLOCKER = "django_db_blocker"
_HELPER = "_django_db_helper"


class Hooks:
    """Leads Django to the run's server before the tests are loaded, and makes its databases there.

    Args:
        state: what the plugin holds for the run.
    """

    def __init__(self, state: RunState):
        self._state = state
        self._aliases: Aliases | None = None
        self._ready = False

    def pytest_sessionstart(self) -> None:
        """Redirect the aliases: all plugins and conftest files have configured Django by now."""
        from django.conf import settings

        if not settings.configured:
            return
        from neonup_pytest.django.aliases import Aliases

        state = self._state
        self._aliases = aliases = Aliases(state.worker, state.settings, state.own, state.names)
        aliases.redirect()
        if (main := aliases.main) is not None:
            state.framework = RunPhase(
                key=lambda: aliases.key(main),
                build=lambda name: aliases.build(main, name),
                base=lambda: aliases.base(main),
            )

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
    ) -> Generator[None, object, object]:
        """Do what must come before or after a fixture of pytest-django's, or of ours."""
        name = fixturedef.argname
        if self._aliases is None:
            return (yield)
        if name == _SETUP:
            self._before_setup(request, self._aliases)
        elif name == "neon_url":
            request.getfixturevalue(_SETUP)
        elif name == _HELPER and "neon_db" in request.fixturenames:
            request.getfixturevalue("neon_db")  # before a transaction is begun in what it swaps
        elif name == "neon_db":
            self._refuse_a_transaction(request)
            blocker = request.getfixturevalue(_BLOCKER)
            blocker.unblock()
            fixturedef.addfinalizer(blocker.restore)
        value = yield
        if name == _SETUP:
            self._after_setup()
        return value

    def _before_setup(self, request: pytest.FixtureRequest, aliases: Aliases) -> None:
        if self._ready:  # a project's own fixture builds on pytest-django's of this name
            return
        self._ready = True
        state, blocker = self._state, request.getfixturevalue(_BLOCKER)
        template = request.getfixturevalue("neon_template")
        with plainly():
            source = schema_of(template, request.config.rootpath)
            state.verify()
        state.worker.templates.rebuild |= bool(request.config.getoption("create_db", False))

        def begin() -> None:
            state.begin(source)
            state.worker.share()

        aliases.begin_main = begin
        aliases.unblocked = blocker.unblock
        aliases.redirect()
        aliases.install()

    def _refuse_a_transaction(self, request: pytest.FixtureRequest) -> None:
        """A class that holds a transaction open cannot have its database swapped."""
        from django.test import TestCase

        isolated = self._state.isolation(request.node) is Isolation.DATABASE
        if isolated and request.cls is not None and issubclass(request.cls, TestCase):
            pytest.fail(
                "neon_db puts a new database behind Django's connection, on which "
                "django.test.TestCase holds a transaction for all tests of a class.\n"
                "Use django.test.TransactionTestCase for these tests, or do without neon_db.",
                pytrace=False,
            )

    def _after_setup(self) -> None:
        """Start what is behind the URL also where Django had no test that needs it."""
        aliases, worker = self._aliases, self._state.worker
        if aliases is not None and aliases.main and aliases.begin_main and not worker.open:
            aliases.begin_main()
