"""The databases of failed tests: kept, and named in the report."""

from __future__ import annotations

import contextlib
import shlex
import shutil
from dataclasses import dataclass
from importlib.util import find_spec

import pytest

from neonup import Settings
from neonup.plugin.postgres import ServerLost
from neonup_pytest.options import Keep
from neonup_pytest.worker import Worker

_MOST = 10
"""So many in a run: whoever breaks everything looks at the first ones."""
_TITLE = "neonup"


@dataclass
class _Attempt:
    """What an attempt of a test has: a database of its own, and the name that it stays under.

    Args:
        has_database: whether it has one.
        name: the name; None if the database goes.
        error: why the attempt failed, in short; None: it has not, so far.
        kept: whether the database has got that name by now.
    """

    has_database: bool = False
    name: str | None = None
    error: str | None = None
    kept: bool = False


_ATTEMPT = pytest.StashKey[_Attempt]()


class FailedDatabases:
    """Decides whose database stays, and under which name.

    Args:
        worker: whose databases.
        settings: the project's.
        which: which tests' databases stay.
    """

    def __init__(self, worker: Worker, settings: Settings, which: Keep):
        self._worker, self._settings, self._which = worker, settings, which
        self._count = 0

    def begin(self, item: pytest.Item) -> None:
        """An attempt of a test begins: plugins that rerun a failed test pass the same item."""
        item.stash[_ATTEMPT] = _Attempt()

    def note_database(self, item: pytest.Item) -> None:
        """Say that a test has a database of its own by now."""
        _attempt(item).has_database = True

    def keep(self, item: pytest.Item) -> None:
        """A test's database is needed no more: let it stay, where it shall."""
        attempt = _attempt(item)
        if attempt.name is not None and self._worker.keep(attempt.name):
            attempt.kept = True
            self._record(item)

    def look_at(self, item: pytest.Item, report: pytest.TestReport) -> None:
        """Choose the name, and tell it in the report of an attempt that failed."""
        attempt = _attempt(item)
        if not attempt.has_database:
            return
        wanted = self._which is Keep.ALL or (self._which is Keep.FAILED and report.failed)
        if wanted and attempt.name is None and report.when != "teardown":
            if self._count >= _MOST:
                return
            self._count += 1
            attempt.name = f"{self._worker.failed_prefix}_{self._count}"
        if attempt.name is not None and report.failed:
            if attempt.error is None:
                attempt.error = _error(report)
                if attempt.kept:  # all tests' databases are, and this one has failed afterwards
                    self._record(item)
            report.sections.append((_TITLE, self._how_to_connect(attempt.name, item)))

    def _record(self, item: pytest.Item) -> None:
        """Let the database outlive the run, as this test's."""
        attempt = _attempt(item)
        if attempt.name is not None:
            with contextlib.suppress(ServerLost):  # which the next step notices, too
                self._worker.server.keep(attempt.name, item.nodeid, attempt.error)

    def _how_to_connect(self, name: str, item: pytest.Item) -> str:
        url = str(self._worker.server.url(name))
        psql = shutil.which("psql") or self._worker.admin.program
        text = f"The test's database has been kept; connect with:\n{psql} {shlex.quote(url)}"
        if self._worker.server.data is None or find_spec("neonup_studio") is None:
            return text
        from neonup_studio.server import running

        text += f"\nor look into it with:\nneonup studio --test {_studio_argument(name, item)}"
        if (studio := running.address(self._settings)) is not None:
            text += f"\nor in the studio that is open:\n{studio}/test-{name}"
        return text


def _attempt(item: pytest.Item) -> _Attempt:
    return item.stash.setdefault(_ATTEMPT, _Attempt())


def _error(report: pytest.TestReport) -> str:
    """Why a test failed, in short: what pytest writes of it into its summary."""
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is not None:
        return str(crash.message)
    lines = [line for line in report.longreprtext.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "It failed."


def _studio_argument(name: str, item: pytest.Item) -> str:
    """What leads to this very database: the test's id, unless another attempt has the same."""
    repeated = item.config.getoption("reruns", None) or item.get_closest_marker("flaky")
    return shlex.quote(name if repeated else item.nodeid)


def tell_reruns(terminal: pytest.TerminalReporter) -> None:
    """Tell where the databases of attempts are whose test was run again.

    pytest shows the reports of failed tests alone; pytest-rerunfailures puts those of such attempts
    under ``rerun``, also those that workers of pytest-xdist have sent.
    """
    for report in terminal.stats.get("rerun", []):
        for content in (text for title, text in report.sections if title == _TITLE):
            terminal.section(f"{_TITLE}: a failed attempt of {report.nodeid}")
            terminal.line(content)


def explain_death(worker: Worker, report: pytest.TestReport) -> bool:
    """Show the last lines of a server that died under a test; returns whether it did."""
    if not report.failed or (lines := worker.died()) is None:
        return False
    log_text = "\n".join(lines) or "Its log cannot be read."
    message = f"The tests' Postgres closed all connections. Its last log lines:\n{log_text}"
    report.sections.append((_TITLE, message))
    return True
