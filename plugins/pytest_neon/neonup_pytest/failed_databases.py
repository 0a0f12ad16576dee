"""The databases of failed tests: kept, and named in the report."""

from __future__ import annotations

import shlex
import shutil

import pytest

from neonup_pytest.options import Keep
from neonup_pytest.worker import Worker

_MOST = 10
"""So many in a run: whoever breaks everything looks at the first ones."""
_NAME = pytest.StashKey[str]()
_HAS_ONE = pytest.StashKey[bool]()
_TITLE = "neonup"


class Kept:
    """Decides whose database stays, and under which name.

    Args:
        worker: whose databases.
        which: which tests' databases stay.
    """

    def __init__(self, worker: Worker, which: Keep):
        self._worker, self._which = worker, which
        self._count = 0

    def has_one(self, item: pytest.Item) -> None:
        """Say that a test has a database of its own by now."""
        item.stash[_HAS_ONE] = True

    def name_of(self, item: pytest.Item) -> str | None:
        """The name under which a test's database stays; None if it goes."""
        return item.stash.get(_NAME, None)

    def look_at(self, item: pytest.Item, report: pytest.TestReport) -> None:
        """Choose the name, and tell it in the report of a test that failed."""
        if _HAS_ONE not in item.stash:
            return
        wanted = self._which is Keep.ALL or (self._which is Keep.FAILED and report.failed)
        if wanted and _NAME not in item.stash and report.when != "teardown":
            if self._count >= _MOST:
                return
            self._count += 1
            item.stash[_NAME] = f"{self._worker.kept_prefix}_{self._count}"
        name = self.name_of(item)
        if name is not None and report.failed:
            report.sections.append((_TITLE, self._told(name)))

    def _told(self, name: str) -> str:
        url = str(self._worker.server.url(name))
        psql = shutil.which("psql") or self._worker.admin.program
        return f"The test's database has been kept; connect with:\n{psql} {shlex.quote(url)}"


def explain_death(worker: Worker, report: pytest.TestReport) -> bool:
    """Show the last lines of a server that died under a test; returns whether it did."""
    if not report.failed or (lines := worker.died()) is None:
        return False
    said = "\n".join(lines) or "Its log cannot be read."
    message = f"The tests' Postgres closed all connections. Its last log lines:\n{said}"
    report.sections.append((_TITLE, message))
    return True
