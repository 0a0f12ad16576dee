"""``neonup push`` of 1 GiB to the local Neon, beside ``pg_dump | psql``."""

from __future__ import annotations

import subprocess
from pathlib import Path

import psycopg
from dotenv import dotenv_values

from bench import world
from bench.figures import Case, Pair
from bench.local_neon.server import GIBIBYTE, Server, serving, url_of
from bench.timing import Command, flush, in_turns, milliseconds, process_milliseconds
from bench.world import NEONUP
from neonup_local.test_server import choose_engine


def push(repeats: int) -> Pair:
    """A local database of 1 GiB into a new project; push also compares the rows."""
    with serving() as server, world.project(server.home) as folder:
        server.home.run("--yes", cwd=folder)
        url = dotenv_values(folder / ".env")["DATABASE_URL"]
        assert url
        with psycopg.connect(url, autocommit=True) as connection:
            for statement in GIBIBYTE:
                connection.execute(statement.encode())
        server.home.settle()
        ours, theirs = in_turns(
            lambda: _pushed(server, folder),
            lambda: _piped(server, url),
            min(repeats, 3),
            warm=False,
        )
        return ours / 1000, theirs / 1000


def _pushed(server: Server, folder: Path) -> float:
    environ = {**server.home.environ, **server.env}
    command = [NEONUP, "push", "--provider", "account", "--no-switch"]
    flush()
    try:
        return process_milliseconds(Command(command, folder, environ))
    finally:
        _remove_projects(server)


def _piped(server: Server, source: str) -> float:
    programs = choose_engine(server.home.path).bin
    target = url_of(server.project())
    dump: list[str | Path] = [programs / "pg_dump", "--no-owner", "--no-privileges", source]
    load: list[str | Path] = [
        *(programs / "psql", "-qX", "--single-transaction", "-v", "ON_ERROR_STOP=1"),
        target,
    ]

    def run() -> None:
        with subprocess.Popen(dump, stdout=subprocess.PIPE) as dumping:
            subprocess.run(load, stdin=dumping.stdout, stdout=subprocess.DEVNULL, check=True)
        if dumping.returncode:
            raise RuntimeError(f"pg_dump ended with status {dumping.returncode}")

    flush()
    try:
        return milliseconds(run)
    finally:
        _remove_projects(server)


def _remove_projects(server: Server) -> None:
    for project in server.ask("GET", "/projects")["projects"]:
        server.ask("DELETE", f"/projects/{project['id']}")


CASES = (
    Case("neon-push", "`neonup push` of 1 GiB, rows compared", "`pg_dump | psql`", "s", 1.15, push),
)
