"""The client of Neon's API: a long list beside plain httpx, and what its import costs."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import httpx

from bench import world
from bench.figures import Figure, Measure
from bench.neon_stub import PROJECTS
from bench.timing import Command, side_by_side
from neonup_cloud import NeonClient
from neonup_cloud.api.requests import PAGE


def listing(repeats: int) -> Figure:
    """All projects of a large account."""
    with _stub() as base:
        ours, theirs = _in_turns(lambda: _ours(base), lambda: _plain(base), repeats * 3)
    return Figure(
        f"a list of {PROJECTS:,} projects",
        "httpx, the same requests, json()",
        ours,
        theirs,
        "ms",
        Measure.RATIO,
        1.2,
    )


_IMPORT = "from neonup_cloud import NeonClient"


def importing(repeats: int) -> Figure:
    """The client in a new interpreter; `import neonup_cloud` alone loads nothing."""
    with world.home() as home:
        ours, theirs = (
            Command(world.python(imported), Path.cwd(), home.environ)
            for imported in (_IMPORT, "import httpx")
        )
        times = side_by_side(lambda: nullcontext(ours), lambda: nullcontext(theirs), repeats * 3)
    return Figure(_IMPORT, "import httpx", *times, "ms", Measure.RATIO, 1.15)


def _ours(base: str) -> None:
    with NeonClient("key", base_url=base) as neon:
        assert sum(1 for _ in neon.projects.list()) == PROJECTS


def _plain(base: str) -> None:
    found = 0
    query: dict[str, str | int] = {"limit": PAGE}
    with httpx.Client(headers={"authorization": "Bearer key"}, verify=False) as client:
        while True:
            answer = client.get(f"{base}/projects", params=query).json()
            if not answer["projects"]:
                break
            found += len(answer["projects"])
            query["cursor"] = answer["pagination"]["cursor"]
    assert found == PROJECTS


def _in_turns(
    ours: Callable[[], None], theirs: Callable[[], None], repeats: int
) -> tuple[float, float]:
    """Medians in milliseconds, after one turn that is not counted."""
    taken: tuple[list[float], list[float]] = ([], [])
    for turn in range(repeats + 1):
        for run, times in zip((ours, theirs), taken, strict=True):
            begin = time.perf_counter()
            run()
            if turn:
                times.append((time.perf_counter() - begin) * 1000)
    return statistics.median(taken[0]), statistics.median(taken[1])


@contextmanager
def _stub() -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.neon_stub"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/api/v2"
    finally:
        process.communicate()
