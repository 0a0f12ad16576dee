"""An idle database is small."""

from __future__ import annotations

import psutil

from neonup_local.engine import postmaster
from neonup_local.service import details
from neonup_local.service.databases import Databases
from tests.local.sql import ask
from tests.waiting import wait_until

MIB = 2**20


IDLE = ("checkpointer", "background writer", "walwriter", "autovacuum launcher", "io worker")
"""What the processes of a server are called that nobody is connected to."""


def idle(server: psutil.Process) -> bool:
    titles = [" ".join(child.cmdline()) for child in server.children()]
    return all(title.startswith(tuple(f"postgres: {name}" for name in IDLE)) for title in titles)


def test_memory_and_disk_of_an_idle_database(databases: Databases) -> None:
    record = databases.create("shop", kind="project", name="shop")
    ask(databases.url(record), "CREATE TABLE things AS SELECT generate_series(1, 1000)")
    found = postmaster.running(databases.folder("shop") / "data")
    assert found is not None
    server = psutil.Process(found.pid)
    # The connection's own process ends a moment after the connection.
    wait_until(lambda: idle(server), lambda: str(server.children()))
    processes = [server, *server.children()]
    memory = sum(process.memory_full_info().pss for process in processes)
    assert memory <= 16 * MIB
    assert details.size(databases.folder("shop")) <= 45 * MIB


def test_it_stays_small_after_much_was_written(databases: Databases) -> None:
    record = databases.create("shop", kind="project", name="shop")
    url = databases.url(record)
    for _ in range(3):
        ask(url, "CREATE TABLE big AS SELECT repeat('x', 100) FROM generate_series(1, 100000)")
        ask(url, "DROP TABLE big")
    databases.stop(record)
    assert details.size(databases.folder("shop")) <= 120 * MIB
