"""The rows of the pytest plugin: whole runs, with no other plugins than the ones compared."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from bench import pytest_projects, world
from bench.figures import Figure, Measure
from bench.timing import Command, Prepared, milliseconds, side_by_side
from bench.world import Home
from neonup_local.test_server import choose_engine

_PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
_OURS = ("-p", "neonup_pytest.plugin")
_THEIRS = ("-p", "pytest_postgresql.plugin")
_XDIST = ("-p", "xdist.plugin", "-n", "2")
_MEMORY = Path("/dev/shm")


def default(repeats: int) -> Figure:
    """100 tests, each plugin as it comes."""
    return _against_pytest_postgresql(repeats, "each at its default", 0.25)


def on_disk(repeats: int) -> Figure:
    """100 tests, both on disk."""
    with world.folder("nu-disk-") as disk:
        return _against_pytest_postgresql(repeats, "both on disk", 0.5, disk)


def in_memory(repeats: int) -> Figure:
    """100 tests, both on tmpfs."""
    with _memory() as memory:
        return _against_pytest_postgresql(repeats, "both in memory", 0.55, memory)


def wait(repeats: int) -> Figure:
    """How long a test waits for its database, where tests take 20 ms."""
    return _wait(500, 0.02, "median wait for a database, 500 tests of 20 ms", 5)


def wait_back_to_back(repeats: int) -> Figure:
    """How long a test waits for its database, where tests do nothing else."""
    return _wait(500, 0, "median wait for a database, 500 tests back to back", None)


def thousand(repeats: int) -> Figure:
    """1,000 tests, per test, beside 100."""
    with world.home() as home, pytest_projects.ours(1000) as many, pytest_projects.ours(100) as few:
        thousand, hundred = side_by_side(
            _ready(home, many), _ready(home, few), max(repeats // 3, 1)
        )
        one = statistics.median(
            milliseconds(_command(home, many, *_OURS, "-k", "test_writes[0]"))
            for _ in range(max(repeats, 3))
        )
    each = (thousand - one) / 999, (hundred - one) / 99
    return Figure("each of 1,000 tests", "each of 100", *each, "ms", Measure.RATIO, 1.1)


def each(repeats: int) -> Figure:
    """All that a test costs that writes: pytest, its database, its connection."""
    with world.home() as home, pytest_projects.ours(1000) as many:
        thousand = statistics.median(
            milliseconds(_command(home, many, *_OURS)) for _ in range(max(repeats // 3, 1))
        )
        one = statistics.median(
            milliseconds(_command(home, many, *_OURS, "-k", "test_writes[0]"))
            for _ in range(max(repeats, 3))
        )
    per_test = (thousand - one) / 999
    return Figure("a test that writes, all in", "the first", per_test, one, "ms", Measure.OURS, 7)


def xdist_database(repeats: int) -> Figure:
    """Two workers, where the database is what bounds."""
    return _xdist(repeats, 1000, 0, "1,000 tests with -n 2", 0.8)


def xdist_cpu(repeats: int) -> Figure:
    """Two workers, where the tests are."""
    return _xdist(repeats, 200, 0.05, "200 tests of 50 ms CPU with -n 2", 0.667)


def second_run(repeats: int) -> Figure:
    """From pytest's start to the first test's body, with the template there."""
    with world.home() as home, pytest_projects.ours(1) as folder, pytest_projects.plain() as plain:
        _run(home, folder)
        taken = statistics.median(_to_first_body(home, folder) for _ in range(repeats * 2))
        empty = statistics.median(
            milliseconds(_command(home, plain, *_OURS)) for _ in range(repeats * 2)
        )
    return Figure(
        "second run, to the first body", "a test without", taken, empty, "ms", Measure.OURS, 700
    )


def inert(repeats: int) -> Figure:
    """A run that uses nothing of the plugin."""
    with world.home() as home, pytest_projects.plain() as folder:
        with_it = _always(_command(home, folder, *_OURS))
        without = _always(_command(home, folder))
        times = side_by_side(with_it, without, repeats * 4)
    return Figure("a run that does not use it", "without it", *times, "ms", Measure.RATIO, 1.05)


def _against_pytest_postgresql(
    repeats: int, how: str, target: float, place: Path | None = None
) -> Figure:
    with (
        world.home() as home,
        pytest_projects.ours(100) as mine,
        pytest_projects.theirs(100) as other,
    ):
        ours = _always(_command(home, mine, *_OURS, place=place))
        times = side_by_side(ours, _pytest_postgresql(home, other, place), repeats)
    return Figure(
        f"100 tests that write, {how}", "pytest-postgresql", *times, "ms", Measure.RATIO, target
    )


def _pytest_postgresql(home: Home, folder: Path, place: Path | None) -> Prepared:
    """Its run, with the Postgres that the other one uses."""

    @contextmanager
    def prepared() -> Iterator[Command]:
        programs = choose_engine(home.path).bin
        with tempfile.TemporaryDirectory(prefix="nu-other-", dir=place) as temporary:
            Path(temporary).chmod(0o777)
            command = _command(
                home,
                folder,
                *_THEIRS,
                f"--postgresql-exec={programs / 'pg_ctl'}",
                f"--basetemp={Path(temporary, 'base')}",
            )
            environ = {**command.environ, "HOME": temporary, "TMPDIR": temporary}
            yield Command([*_as_somebody(), *command.argv], command.cwd, environ)

    return prepared


def _as_somebody() -> list[str]:
    """What runs a command as an unprivileged user who can read root's Python; for root alone.

    Postgres refuses to run as root, and pytest-postgresql leaves that to its user.
    """
    if os.geteuid() != 0:
        return []
    capabilities = "+dac_read_search,+dac_override"
    return [
        *("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"),
        *(f"--inh-caps={capabilities}", f"--ambient-caps={capabilities}"),
    ]


def _wait(count: int, seconds: float, what: str, target: float | None) -> Figure:
    with world.home() as home, pytest_projects.ours(count, wait=seconds) as folder:
        _run(home, folder)
        waits: list[float] = _run(home, folder)["waits"]
    return Figure(
        what,
        "the slowest of 100",
        statistics.median(waits),
        statistics.quantiles(waits, n=100)[-1],
        "ms",
        Measure.OURS,
        target,
    )


def _xdist(repeats: int, count: int, cpu: float, what: str, target: float) -> Figure:
    with world.home() as home, pytest_projects.ours(count, cpu=cpu) as folder:
        two, one = _ready(home, folder, *_XDIST), _ready(home, folder)
        times = side_by_side(two, one, max(repeats // 2, 1))
    return Figure(what, "one process", *times, "ms", Measure.RATIO, target)


def _ready(home: Home, folder: Path, *more: str) -> Prepared:
    return _always(_command(home, folder, *_OURS, *more))


def _command(home: Home, folder: Path, *more: str, place: Path | None = None) -> Command:
    environ = {**home.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    if place is not None:
        environ["NEONUP_TEST_FOLDER"] = str(place)
    return Command([*_PYTEST, *more], folder, environ)


def _run(home: Home, folder: Path) -> dict[str, list[float]]:
    """Run it, and return what it noted down."""
    out = folder / "noted.json"
    command = _command(home, folder, *_OURS)
    milliseconds(Command(command.argv, command.cwd, {**command.environ, "BENCH_OUT": str(out)}))
    noted: dict[str, list[float]] = json.loads(out.read_text(encoding="utf-8"))
    return noted


def _to_first_body(home: Home, folder: Path) -> float:
    begin = time.time()
    return (_run(home, folder)["first"][0] - begin) * 1000


def _always(command: Command) -> Prepared:
    def prepared() -> AbstractContextManager[Command]:
        return nullcontext(command)

    return prepared


@contextmanager
def _memory() -> Iterator[Path]:
    if not _MEMORY.is_dir():
        raise OSError(f"there is no {_MEMORY} here")
    folder = Path(tempfile.mkdtemp(prefix="nu-memory-", dir=_MEMORY))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
