"""``pgbench -S`` through the local Neon's front, beside the server's own port."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

from bench.figures import Case, Pair
from bench.local_neon.server import serving, url_of
from bench.timing import in_turns

_SECONDS = 5


def front(clients: int) -> Callable[[int], Pair]:
    """The time of a statement for some clients at once."""

    def measure(repeats: int) -> Pair:
        with serving() as server:
            created = server.project()
            url = url_of(created).partition("?")[0]
            _pgbench(url, "-i", "-q")
            own = server.own_url(created)
            return in_turns(
                lambda: _statement(url, clients),
                lambda: _statement(own, clients),
                repeats,
                warm=False,
            )

    return measure


def _statement(url: str, clients: int) -> float:
    """Milliseconds a statement."""
    said = _pgbench(url, "-S", "-M", "simple", "-n", "-c", str(clients), "-T", str(_SECONDS))
    line = next(line for line in said.splitlines() if line.startswith("tps"))
    return 1000 / float(line.split()[2])


def _pgbench(url: str, *arguments: str) -> str:
    program = next(Path("/usr/lib/postgresql").glob("*/bin/pgbench"))
    done = subprocess.run(
        [program, *arguments, f"{url}?sslmode=disable"], capture_output=True, text=True, check=True
    )
    return done.stdout


CASES = tuple(
    Case(
        f"neon-front-{clients}", f"`pgbench -S --client={clients}`: a statement through the front",
        "direct", "ms", 2.0, front(clients),
    )
    for clients in (1, 4, 16)
)  # fmt: skip
