"""A test runner that writes down how each test ended."""

from __future__ import annotations

import json
import os
import unittest
from pathlib import Path
from typing import Any

from django.test.runner import DiscoverRunner


class Recorded(unittest.TextTestResult):
    """A result that remembers the outcome of each test by its id."""

    outcomes: dict[str, str] = {}  # noqa: RUF012 - one for the process, whoever makes the results

    def addSuccess(self, test: unittest.TestCase) -> None:
        super().addSuccess(test)
        self.outcomes.setdefault(test.id(), "passed")

    def addError(self, test: unittest.TestCase, err: Any) -> None:
        super().addError(test, err)
        self.outcomes[test.id()] = "error"

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:
        super().addFailure(test, err)
        self.outcomes[test.id()] = "failed"

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        super().addSkip(test, reason)
        self.outcomes[test.id()] = "skipped"

    def addExpectedFailure(self, test: unittest.TestCase, err: Any) -> None:
        super().addExpectedFailure(test, err)
        self.outcomes[test.id()] = "failed as expected"

    def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:
        super().addUnexpectedSuccess(test)
        self.outcomes[test.id()] = "unexpectedly passed"

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.outcomes[test.id()] = "failed"


class Runner(DiscoverRunner):
    """Django's runner; the outcomes go to the file that ``SUITE_OUTCOMES`` names."""

    def get_resultclass(self) -> type[unittest.TextTestResult]:
        return Recorded

    def suite_result(self, *args: Any, **kwargs: Any) -> int:
        path = Path(os.environ["SUITE_OUTCOMES"])
        path.write_text(json.dumps(Recorded.outcomes), encoding="utf-8")
        failures: int = super().suite_result(*args, **kwargs)
        return failures
