"""What pytest calls. A project that uses none of it pays for no import of its parts."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from neonup_pytest import options, run, supported
from neonup_pytest.activation import UNSET
from neonup_pytest.fixtures import (
    _neon_application,
    _neon_shared,
    neon_async_connection,
    neon_async_engine,
    neon_branch,
    neon_connection,
    neon_db,
    neon_db_factory,
    neon_engine,
    neon_server,
    neon_server_url,
    neon_session,
    neon_template,
    neon_url,
    plainly,
)

if TYPE_CHECKING:
    from neonup_pytest.state import RunState

__all__ = [
    "_neon_application",
    "_neon_shared",
    "neon_async_connection",
    "neon_async_engine",
    "neon_branch",
    "neon_connection",
    "neon_db",
    "neon_db_factory",
    "neon_engine",
    "neon_server",
    "neon_server_url",
    "neon_session",
    "neon_template",
    "neon_url",
]

if message := supported.refusal("pytest"):
    raise pytest.UsageError(message)

_VERSION = "PYTEST_VERSION"
_REFUSED = "neonup_refused"
"""Why a worker of pytest-xdist cannot begin, in what it tells the process that started it."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    options.add(parser)


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Iterator[None]:
    """Set the variables before conftest files, and before pytest-django loads settings."""
    from neonup_pytest import activation

    _say_that_these_are_tests(early_config)
    with _as_usage_errors(early_config):
        if names := activation.names(options.env(early_config), early_config.rootpath):
            from neonup_pytest import state

            state.of(early_config, names)
    return (yield)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker, and tell workers which run they belong to."""
    config.addinivalue_line(
        "markers",
        "neon(isolation): how the test is isolated: database, transaction or shared",
    )
    if config.getoption("numprocesses", None):
        run.of_process()
    state = _state(config) or _state_of_django(config)
    if state is not None and options.has_pytest_django(config.pluginmanager):
        with _as_usage_errors(config):
            supported.require("Django")  # which pytest-django has imported by now
        from neonup_pytest.django import hooks

        config.pluginmanager.register(hooks.Hooks(state), "neonup-django")
    if state is not None and state.names:
        from neonup_pytest import ahead

        if not ahead.may_run_nothing(config):
            config.pluginmanager.register(ahead.ServerAhead(state), "neonup-ahead")


@pytest.hookimpl(tryfirst=True)  # before a worker of pytest-xdist says that it can begin
def pytest_collection_finish(session: pytest.Session) -> None:
    """Stop where tests could reach another database than theirs, before the first one runs."""
    with _as_usage_errors(session.config):
        gives = options.autouse(session.config) is options.Autouse.DATABASE
        used = any(gives or options.FIXTURES & options.fixtures_of(item) for item in session.items)
        if used or _state(session.config) is not None:
            from neonup_pytest.state import of

            of(session.config).expect(session.items)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """End the whole run with the usage error that a worker of pytest-xdist has found.

    pytest-xdist then ends the other workers, and those that are slow in the middle of something.
    """
    if message := getattr(node, "workeroutput", {}).get(_REFUSED):
        node.config.add_cleanup(lambda: run.remove_what_dead_workers_left(node.config))
        raise pytest.UsageError(message)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Put the shared database back for a test that uses no fixture, but maybe the application."""
    if (state := _state(item.config)) is None:
        return
    state.failed_databases.begin(item)
    if "neon_url" in options.fixtures_of(item):
        return
    if state.worker.open:
        state.worker.share()
    elif not hasattr(item, "fixturenames") and state.serves:  # a file of another language's
        from neonup_pytest.schema import schema_of

        with plainly():
            schema = schema_of(options.schema(item.config), item.config.rootpath)
            state.serve(schema, item.session)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """Fail a test whose fixtures have led the application back to its own database."""
    if (state := _state(item.config)) is not None:
        with plainly():
            state.refuse_return()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell in a failed test's report where its database is, or that its server died."""
    report = yield
    if (state := _state(item.config)) is not None:
        state.report(item, report)
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell of the databases that pytest itself says nothing about."""
    if terminalreporter.stats.get("rerun"):
        from neonup_pytest import failed_databases

        failed_databases.tell_reruns(terminalreporter)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Leave the run in a worker of pytest-xdist, which is ended once it says that it has finished.

    pytest-xdist says so after all other hooks of this name, and may leave no time for the next.
    """
    state = _state(session.config)
    if state is not None and hasattr(session.config, "workerinput"):
        state.close()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing behind: also after Ctrl-C, and where collecting failed."""
    if (state := _state(config)) is not None:
        state.close()


def _say_that_these_are_tests(config: pytest.Config) -> None:
    """Set what pytest itself sets from 8.2 on: neonup creates nothing elsewhere for tests."""
    if _VERSION not in os.environ:
        os.environ[_VERSION] = pytest.__version__
        config.add_cleanup(_forget_version)


def _forget_version() -> None:
    os.environ.pop(_VERSION, None)


def _state_of_django(config: pytest.Config) -> RunState | None:
    """What the plugin holds from now on, where only Django's settings say that neonup is used.

    So it is in a fresh checkout: its databases would be created beside one that stays.
    """
    is_described = "django_neon.entry" in sys.modules  # the settings describe their databases
    if not is_described or options.env(config) is not UNSET:
        return None
    import neonup
    from neonup_pytest import state

    with _as_usage_errors(config):
        settings = neonup.resolve(neonup.find_project(config.rootpath))
        return state.of(config, (settings.key,)) if settings.enabled else None


def _state(config: pytest.Config) -> RunState | None:
    """What the plugin holds in this process; None if nothing of it was used yet."""
    module = sys.modules.get("neonup_pytest.state")
    return module.current(config) if module else None


@contextmanager
def _as_usage_errors(config: pytest.Config) -> Iterator[None]:
    """A setting that cannot be used ends the run with a message, not with a traceback."""
    try:
        yield
    except Exception as error:
        from neonup import NeonupError  # a run that uses nothing of it does not pay for it

        if not isinstance(error, NeonupError | pytest.UsageError):
            raise
        if (output := getattr(config, "workeroutput", None)) is not None:
            output[_REFUSED] = str(error)
        raise pytest.UsageError(str(error)) from None
