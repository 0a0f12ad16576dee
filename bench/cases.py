"""The rows, by groups; ``--only`` takes the names of both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bench import (
    disk,
    django_start,
    django_tests,
    engines,
    fastapi_start,
    fleet,
    idle,
    installation,
    neon_client,
    pytest_runs,
    start,
    studio,
    suites,
)
from bench.figures import Case
from bench.local_neon import branches, front, projects, push, waking

GROUPS: Mapping[str, Sequence[Case]] = {
    "start": start.CASES,
    "web": (*fastapi_start.CASES, *django_start.CASES),
    "pytest": (*pytest_runs.CASES, *django_tests.CASES),
    "suites": suites.CASES,
    "install": installation.CASES,
    "footprint": (*idle.CASES, *disk.CASES),
    "engine": engines.CASES,
    "neon": (
        *waking.CASES,
        *front.CASES,
        *branches.CASES,
        *projects.CASES,
        *push.CASES,
        *neon_client.CASES,
    ),
    "fleet": fleet.CASES,
    "studio": studio.CASES,
}
"""Rows that belong together; each is in one group."""

CASES: Mapping[str, Case] = {case.name: case for group in GROUPS.values() for case in group}
"""Every row by its name, in the table's order."""
