"""Others' own tests, as `make suites` runs them: with neonup, beside plain Postgres."""

from __future__ import annotations

import functools
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench.figures import Case, Pair
from bench.timing import flush
from neonup_local.test_server import choose_engine
from tests.suites import running
from tests.suites.catalog import SUITES
from tests.suites.plain_server import plain_server
from tests.suites.running import Run

_PYTEST, _DJANGO = "databases", "django-filter"
_PLAIN = "plain Postgres, which runs already"


def first(name: str) -> Callable[[int], Pair]:
    """A suite's first run on a machine."""
    return lambda repeats: _medians(name, repeats)[:2]


def second(name: str) -> Callable[[int], Pair]:
    """Its run after that."""

    def measure(repeats: int) -> Pair:
        _, plain, again = _medians(name, repeats)
        return again, plain

    return measure


@functools.cache
def _medians(name: str, repeats: int) -> tuple[float, float, float]:
    """Seconds of the first run, on plain Postgres, and of the second, in turns.

    One turn comes before, and does not count: it makes the environment and fetches the suite.

    Raises:
        RuntimeError: the outcomes are not the same.
    """
    suite = next(suite for suite in SUITES if suite.name == name)
    taken: list[tuple[float, float, float]] = []
    with tempfile.TemporaryDirectory(prefix="nu-suites-") as temporary:
        folder = Path(temporary)
        folder.chmod(0o711)
        with plain_server(choose_engine(folder / "home"), folder / "server") as server:
            for turn in range(max(repeats // 3, 1) + 1):
                home = folder / f"home-{turn}"
                runs = (
                    _flushed(lambda: running.with_neonup(suite, folder, home)),  # noqa: B023 - called at once
                    _flushed(lambda: running.on_plain(suite, folder, server)),
                    _flushed(lambda: running.with_neonup(suite, folder, home)),  # noqa: B023 - likewise
                )
                if any(run.outcomes != runs[0].outcomes for run in runs):
                    raise RuntimeError(f"the outcomes of {name} differ: make suites ARGS={name}")
                if turn:
                    taken.append((runs[0].seconds, runs[1].seconds, runs[2].seconds))
    ours, plain, again = (statistics.median(each) for each in zip(*taken, strict=True))
    return ours, plain, again


def _flushed(run: Callable[[], Run]) -> Run:
    flush()
    return run()


CASES = tuple(
    Case(f"suite-{kind}-{run}", f"the tests of `{name}`, {run} run", _PLAIN, "s", target, of(name))
    for kind, name in (("pytest", _PYTEST), ("django", _DJANGO))
    for run, target, of in (("first", 0.9, first), ("second", 0.8, second))
)
