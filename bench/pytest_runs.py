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
from contextlib import contextmanager
from pathlib import Path

from bench import bare_copies, pytest_projects, world
from bench.figures import Case, Pair
from bench.timing import (
    Command,
    Prepared,
    always,
    in_turns,
    process_milliseconds,
    side_by_side,
)
from bench.world import Home
from neonup_local.test_server import choose_engine

_PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
_OURS = ("-p", "neonup_pytest.plugin")
_THEIRS = ("-p", "pytest_postgresql.plugin")
_XDIST = ("-p", "xdist.plugin", "-n", "2")
_MEMORY = Path("/dev/shm")


def default(repeats: int) -> Pair:
    """100 tests, each plugin as it comes."""
    return _against_pytest_postgresql(repeats)


def on_disk(repeats: int) -> Pair:
    """100 tests, both on disk."""
    with world.folder("nu-disk-") as disk:
        return _against_pytest_postgresql(repeats, disk)


def in_memory(repeats: int) -> Pair:
    """100 tests, both on tmpfs."""
    with _memory() as memory:
        return _against_pytest_postgresql(repeats, memory)


def wait(repeats: int) -> Pair:
    """How long a test waits for its database, where tests take 20 ms."""
    return _wait(0.02)


def wait_back_to_back(repeats: int) -> Pair:
    """How long a test waits for its database, where tests do nothing else."""
    return _wait(0)


def thousand(repeats: int) -> Pair:
    """1,000 tests, per test, beside 100."""
    with world.home() as home, pytest_projects.ours(1000) as many, pytest_projects.ours(100) as few:
        thousand, hundred = side_by_side(
            _ready(home, many), _ready(home, few), max(repeats // 3, 1)
        )
        one = _one(home, many, repeats)
    return (thousand - one) / 999, (hundred - one) / 99


def each(repeats: int) -> Pair:
    """All that a test costs that writes: pytest, its database, its connection."""
    with (
        world.home() as home,
        pytest_projects.ours(1000) as many,
        bare_copies.bare_server(home) as bare,
    ):
        thousand, copy = in_turns(
            lambda: process_milliseconds(_command(home, many, *_OURS)),
            bare.copy_with_a_test,
            max(repeats // 3, 1),
        )
        return (thousand - _one(home, many, repeats)) / 999, copy


def xdist_database(repeats: int) -> Pair:
    """Two workers, where the database is what bounds."""
    return _xdist(repeats, 1000, 0)


def xdist_cpu(repeats: int) -> Pair:
    """Two workers, where the tests are."""
    return _xdist(repeats, 200, 0.05)


def second_run(repeats: int) -> Pair:
    """From pytest's start to the first test's body, with the template there."""
    with world.home() as home, pytest_projects.ours(1) as folder, pytest_projects.plain() as plain:
        _run(home, folder)
        return in_turns(
            lambda: _to_first_body(home, folder),
            lambda: process_milliseconds(_command(home, plain, *_OURS)),
            repeats * 2,
        )


def inert(repeats: int) -> Pair:
    """A run that uses nothing of the plugin."""
    with world.home() as home, pytest_projects.plain() as folder:
        with_it = always(_command(home, folder, *_OURS))
        without = always(_command(home, folder))
        return side_by_side(with_it, without, repeats * 4)


def _against_pytest_postgresql(repeats: int, place: Path | None = None) -> Pair:
    with (
        world.home() as home,
        pytest_projects.ours(100) as mine,
        pytest_projects.theirs(100) as other,
    ):
        ours = always(_command(home, mine, *_OURS, place=place))
        return side_by_side(ours, _pytest_postgresql(home, other, place), repeats)


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


def _wait(seconds: float) -> Pair:
    with (
        world.home() as home,
        pytest_projects.ours(500, wait=seconds) as folder,
        bare_copies.bare_server(home) as bare,
    ):
        return in_turns(lambda: statistics.median(_run(home, folder)["waits"]), bare.copy, 1)


def _xdist(repeats: int, count: int, cpu: float) -> Pair:
    with world.home() as home, pytest_projects.ours(count, cpu=cpu) as folder:
        two, one = _ready(home, folder, *_XDIST), _ready(home, folder)
        return side_by_side(two, one, max(repeats // 2, 1))


def _one(home: Home, folder: Path, repeats: int) -> float:
    """Milliseconds of a run of one of its tests."""
    one = _command(home, folder, *_OURS, "-k", "test_writes[0]")
    return statistics.median(process_milliseconds(one) for _ in range(max(repeats, 3)))


def _ready(home: Home, folder: Path, *more: str) -> Prepared:
    return always(_command(home, folder, *_OURS, *more))


def _command(home: Home, folder: Path, *more: str, place: Path | None = None) -> Command:
    environ = {**home.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    if place is not None:
        environ["NEONUP_TEST_FOLDER"] = str(place)
    return Command([*_PYTEST, *more], folder, environ)


def _run(home: Home, folder: Path) -> dict[str, list[float]]:
    """Run it, and return what it noted down."""
    out = folder / "noted.json"
    command = _command(home, folder, *_OURS)
    process_milliseconds(
        Command(command.argv, command.cwd, {**command.environ, "BENCH_OUT": str(out)})
    )
    noted: dict[str, list[float]] = json.loads(out.read_text(encoding="utf-8"))
    return noted


def _to_first_body(home: Home, folder: Path) -> float:
    begin = time.time()
    return (_run(home, folder)["first"][0] - begin) * 1000


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


_OTHER, _BARE = "pytest-postgresql", "`CREATE DATABASE ... TEMPLATE`, `DROP DATABASE`"
_WAIT = "a test's wait for its database, tests"

CASES = (
    Case("pytest-default", "100 tests that write, at their defaults", _OTHER, "ms", 0.25, default),
    Case("pytest-disk", "100 tests that write, both on disk", _OTHER, "ms", 0.5, on_disk),
    Case("pytest-memory", "100 tests that write, both in memory", _OTHER, "ms", 0.55, in_memory),
    Case("pytest-wait", f"{_WAIT} of 20 ms", _BARE, "ms", 0.25, wait),
    Case("pytest-wait-busy", f"{_WAIT} back to back", _BARE, "ms", None, wait_back_to_back),
    Case("pytest-1000", "each of 1,000 tests", "each of 100", "ms", 1.1, thousand),
    Case(
        "pytest-each", "a test that writes, all in", f"{_BARE}, the same between",
        "ms", 0.35, each,
    ),
    Case("pytest-xdist", "1,000 tests with `-n 2`", "one process", "ms", 0.8, xdist_database),
    Case(
        "pytest-xdist-cpu", "200 tests of 50 ms CPU with `-n 2`", "one process",
        "ms", 0.667, xdist_cpu,
    ),
    Case(
        "pytest-second", "second run, to the first test's body", "a run that does not use it",
        "ms", 3.0, second_run,
    ),
    Case("pytest-inert", "a run that does not use it", "without it", "ms", 1.05, inert),
)  # fmt: skip
