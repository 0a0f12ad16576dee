"""The databases of failed tests: kept, and named in the report."""

from __future__ import annotations

import shlex
import shutil
from dataclasses import dataclass

import pytest

from neonup_pytest.options import Keep
from neonup_pytest.worker import Worker

_MOST = 10
"""So many in a run: whoever breaks everything looks at the first ones."""
_TITLE = "neonup"


@dataclass
class _Attempt:
    """What an attempt of a test has: a database of its own, and the name that it stays under."""

    has_database: bool = False
    name: str | None = None


_ATTEMPT = pytest.StashKey[_Attempt]()


class FailedDatabases:
    """Decides whose database stays, and under which name.

    Args:
        worker: whose databases.
        which: which tests' databases stay.
    """

    def __init__(self, worker: Worker, which: Keep):
        self._worker, self._which = worker, which
        self._count = 0

    def begin(self, item: pytest.Item) -> None:
        """An attempt of a test begins: plugins that rerun a failed test pass the same item."""
        item.stash[_ATTEMPT] = _Attempt()

    def note_database(self, item: pytest.Item) -> None:
        """Say that a test has a database of its own by now."""
        _attempt(item).has_database = True

    def name_of(self, item: pytest.Item) -> str | None:
        """The name under which a test's database stays; None if it goes."""
        return _attempt(item).name

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
            report.sections.append((_TITLE, self._how_to_connect(attempt.name)))

    def _how_to_connect(self, name: str) -> str:
        url = str(self._worker.server.url(name))
        psql = shutil.which("psql") or self._worker.admin.program
        return f"The test's database has been kept; connect with:\n{psql} {shlex.quote(url)}"


def _attempt(item: pytest.Item) -> _Attempt:
    return item.stash.setdefault(_ATTEMPT, _Attempt())


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
