"""Branches of the local Neon, of now and of the past, beside copies of the directory."""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from bench.figures import Case, Pair
from bench.local_neon.server import GIBIBYTE, Server, serving, url_of
from bench.timing import in_turns, milliseconds

_COPY = "`cp -a` of its directory and log"


def branch(repeats: int) -> Pair:
    """A branch of a running parent of 1 GiB, beside copying its directory.

    That has the log of its history as well, which a branch takes along, too.
    """
    with serving() as server:
        path = f"/projects/{_gibibyte(server)['project']['id']}"
        folder = server.cluster()
        return in_turns(
            lambda: milliseconds(lambda: _branch(server, path)),
            lambda: _copied(folder, server.home.path / "copy"),
            min(repeats, 3),
            warm=False,
        )


def stall(repeats: int) -> Pair:
    """How long a writer's commit waits at most while its 1 GiB is branched, and with no branch."""
    with serving() as server:
        created = _gibibyte(server)
        path = f"/projects/{created['project']['id']}"
        url = url_of(created)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE commits (n int)")
        return in_turns(
            lambda: _longest_commit(url, lambda: _branch(server, path)),
            lambda: _longest_commit(url, lambda: time.sleep(1)),
            min(repeats, 3),
            warm=False,
        )


def restore(repeats: int) -> Pair:
    """A branch from a moment after 42 MiB of log, to its first answer."""
    with serving() as server:
        created = server.project()
        path = f"/projects/{created['project']['id']}"
        with psycopg.connect(url_of(created), autocommit=True) as connection:
            connection.execute("CREATE TABLE big (t text)")
            for _ in range(4):
                connection.execute(
                    "INSERT INTO big SELECT repeat(md5(g::text), 8) "
                    "FROM generate_series(1, 35000) g"
                )
            time.sleep(0.05)
            moment = datetime.now(UTC).isoformat()
            time.sleep(0.05)
            connection.execute("INSERT INTO big VALUES ('later')")
        folder = server.cluster()
        return in_turns(
            lambda: milliseconds(lambda: _branch(server, path, parent_timestamp=moment)),
            lambda: _copied(folder, server.home.path / "copy"),
            repeats,
            warm=False,
        )


def _gibibyte(server: Server) -> dict[str, Any]:
    """A project of 1 GiB whose server runs."""
    created = server.project()
    with psycopg.connect(url_of(created), autocommit=True) as connection:
        for statement in GIBIBYTE:
            connection.execute(statement.encode())
    return created


def _branch(server: Server, path: str, **more: Any) -> None:
    server.ask("POST", f"{path}/branches", {"branch": more})
    server.wait(path)


def _copied(folder: Path, target: Path) -> float:
    """Milliseconds of a copy, which is removed."""

    def copy() -> None:
        # It fails where the running server deletes a file that it has just listed.
        subprocess.run(["cp", "-a", folder, target], stderr=subprocess.DEVNULL, check=False)

    taken = milliseconds(copy)
    shutil.rmtree(target)
    return taken


def _longest_commit(url: str, do: Callable[[], object]) -> float:
    """The longest of the commits that a writer makes, one after the other, while something is
    done."""
    times: list[float] = []
    done = threading.Event()

    def write() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            while not done.is_set():
                times.append(
                    milliseconds(lambda: connection.execute("INSERT INTO commits VALUES (1)"))
                )

    writer = threading.Thread(target=write)
    writer.start()
    try:
        do()
    finally:
        done.set()
        writer.join()
    return max(times)


CASES = (
    Case("neon-branch", "a branch of a running parent of 1 GiB", _COPY, "ms", 0.7, branch),
    Case(
        "neon-stall", "a commit's longest wait while 1 GiB is branched", "with no branch",
        "ms", None, stall,
    ),
    Case("neon-restore", "a branch from a moment, 42 MiB of log", _COPY, "ms", 4.0, restore),
)  # fmt: skip
