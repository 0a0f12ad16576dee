"""The names of databases on the tests' server.

    neonup_test_<run>_<worker>         behind the worker's URL
    neonup_test_<run>_<worker>_s<s>_<n>    waiting in the pool of schema s, or retired
    neonup_test_<run>_<worker>_s<s>_base   the one that tests share, while a test has its own
    neonup_test_<run>_kept_<worker>_<n>   a failed test's
    neonup_test_template_<key>         what all are copies of

Only names that begin with ``neonup_test_`` are ever touched.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

PREFIX = "neonup_test_"
TEMPLATE = f"{PREFIX}template_"
EMPTY = "template1"
"""What a database without a schema is a copy of."""

_OF_A_RUN = re.compile(rf"{PREFIX}(?P<run>[0-9a-f]{{8}})_(?P<failed>kept_)?")


def by_run(names: Iterable[str]) -> dict[str, list[str]]:
    """Names by the run that they belong to, without those of failed tests."""
    runs: dict[str, list[str]] = {}
    for name in names:
        match = _OF_A_RUN.match(name)
        if match and not match["failed"]:
            runs.setdefault(match["run"], []).append(name)
    return runs


def of_failed_tests(names: Iterable[str]) -> list[str]:
    """The names of failed tests' databases, which stay after their run."""
    return [name for name in names if (match := _OF_A_RUN.match(name)) and match["failed"]]
