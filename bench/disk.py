"""What databases leave on the disk, and what copying and deleting them again and again costs."""

from __future__ import annotations

import itertools
import shutil
import statistics
from pathlib import Path

from bench import footprint, world
from bench.figures import Case, Pair
from bench.timing import milliseconds
from neonup_local.engine import account, template
from neonup_local.service import home as homes
from neonup_local.service import stock

_LOAD = "CREATE TABLE load AS SELECT g, repeat(md5(g::text), 8) FROM generate_series(1, 400000) g"
_ROUNDS = 12


def log_of_a_stopped_database(repeats: int) -> Pair:
    """The write-ahead log that stays after load, a DROP and a stop."""
    with world.home() as home, world.project(home) as folder:
        home.run("--yes", cwd=folder)
        home.settle()
        for _ in range(3):
            home.run("psql", "--", "-qc", _LOAD, "-c", "DROP TABLE load", cwd=folder)
        [segments] = home.path.glob("databases/*/data/pg_wal")
        running = footprint.disk(segments)
        home.run("stop", cwd=folder)
        stopped = footprint.disk(segments)
    return stopped, running


def copying_again_and_again(repeats: int) -> Pair:
    """The later rounds of copying and deleting a data directory, on disk."""
    with world.folder("nu-rounds-") as folder:
        folder.chmod(0o711)
        engine = stock.choose_engine(folder, pg_bin=None)
        source = stock.prepare(folder, engine, account.for_new_data())
        parents = folder / "spread", folder / "plain"
        for parent in parents:
            homes.make_folder(parent)
        homes.spread(parents[0])
        times: dict[Path, list[float]] = {parent: [] for parent in parents}
        for number, parent in itertools.product(range(_ROUNDS), parents):
            times[parent].append(_round(source, parent / f"copy-{number}"))
    spread, plain = (statistics.median(times[parent][_ROUNDS // 2 :]) for parent in parents)
    return spread, plain


def _round(source: Path, target: Path) -> float:
    taken = milliseconds(lambda: template.copy(source, target, account.of_data(source)))
    shutil.rmtree(target)
    return taken


CASES = (
    Case(
        "disk-wal", "log of a stopped database, after load", "before the stop",
        "MiB", 0.1, log_of_a_stopped_database,
    ),
    Case(
        "disk-rounds", "copying a data directory, 6th to 12th time", "without the attribute T",
        "ms", None, copying_again_and_again,
    ),
)  # fmt: skip
