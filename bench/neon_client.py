"""The client of Neon's API: a long list beside plain httpx, and what its import costs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from bench import world
from bench.figures import Case, Pair
from bench.neon_stub import PROJECTS
from bench.timing import Command, always, in_turns, milliseconds, side_by_side
from neonup_cloud import NeonClient
from neonup_cloud.api.requests import PAGE


def listing(repeats: int) -> Pair:
    """All projects of a large account."""
    with stub() as base:
        return in_turns(
            lambda: milliseconds(lambda: _ours(base)),
            lambda: milliseconds(lambda: _plain(base)),
            repeats * 3,
        )


_IMPORT = "from neonup_cloud import NeonClient"


def importing(repeats: int) -> Pair:
    """The client in a new interpreter; `import neonup_cloud` alone loads nothing."""
    with world.home() as home:
        ours, theirs = (
            Command(world.python(imported), Path.cwd(), home.environ)
            for imported in (_IMPORT, "import httpx")
        )
        return side_by_side(always(ours), always(theirs), repeats * 3)


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


@contextmanager
def stub() -> Iterator[str]:
    """The base URL of a stub of Neon's API, in a process of its own."""
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


CASES = (
    Case(
        "neon-list", f"a list of {PROJECTS:,} projects", "httpx, the same requests, `json()`",
        "ms", 1.2, listing,
    ),
    Case("neon-import", f"`{_IMPORT}`", "`import httpx`", "ms", 1.15, importing),
)  # fmt: skip
