"""What databases leave on the disk, and what copying and deleting them again and again costs."""

from __future__ import annotations

import itertools
import shutil
import statistics
import time
from pathlib import Path

from bench import footprint, world
from bench.figures import Figure, Measure
from neonup_local.engine import account, template
from neonup_local.service import home as homes
from neonup_local.service import stock

_LOAD = "CREATE TABLE load AS SELECT g, repeat(md5(g::text), 8) FROM generate_series(1, 400000) g"
_ROUNDS = 12


def log_of_a_stopped_database(repeats: int) -> Figure:
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
    return Figure(
        "log of a stopped database, after load", "before the stop",
        stopped, running, "MiB", Measure.OURS, 32,
    )  # fmt: skip


def copying_again_and_again(repeats: int) -> Figure:
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
    last = [statistics.median(times[parent][_ROUNDS // 2 :]) for parent in parents]
    return Figure(
        "copying a data directory, 6th to 12th time", "without the attribute T",
        last[0], last[1], "ms", Measure.RATIO, None,
    )  # fmt: skip


def _round(source: Path, target: Path) -> float:
    begin = time.perf_counter()
    template.copy(source, target, account.of_data(source))
    taken = (time.perf_counter() - begin) * 1000
    shutil.rmtree(target)
    return taken
