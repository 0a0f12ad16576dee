"""What happens in the background: spare copies, idle servers, leftovers, nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from neonup import DatabaseSpec, Settings, State
from neonup_local.engine import postmaster, template
from neonup_local.provider import UPKEEP_SECONDS, LocalProvider
from neonup_local.service import home as homes
from neonup_local.service import upkeep
from neonup_local.service.databases import LocalDatabases
from neonup_local.service.records import Record
from tests.local.sql import ask
from tests.waiting import wait_until


@pytest.fixture
def neonup_home(home_with_upkeep: Path) -> Path:
    return home_with_upkeep


def make(databases: LocalDatabases, name: str) -> Record:
    return databases.create(name, name=name)


def age(databases: LocalDatabases, name: str, seconds: float, clients: int = 0) -> None:
    """As if nothing was written to its log for so long; a backend that ends still writes to it."""
    found = postmaster.running(databases.folder(name) / "data")
    assert found is not None
    pid = found.pid
    wait_until(lambda: upkeep.clients(pid) == clients, "the backends to end")
    then = time.time() - seconds
    os.utime(databases.folder(name) / "log", (then, then))


def spares(databases: LocalDatabases) -> list[Path]:
    return sorted((databases.home / "spares").glob("*/spare-*"))


def test_a_spare_is_made_and_used(databases: LocalDatabases) -> None:
    upkeep.make_spares(databases.home)
    made = spares(databases)
    assert len(made) == 1
    inode = made[0].stat().st_ino
    upkeep.make_spares(databases.home)
    assert spares(databases) == made
    record = make(databases, "shop")
    assert (databases.folder("shop") / "data").stat().st_ino == inode
    assert spares(databases) == []
    assert ask(databases.url(record), "SELECT 1") == 1


def test_spares_are_never_given_out_twice(databases: LocalDatabases) -> None:
    upkeep.make_spares(databases.home)
    first, second = make(databases, "first"), make(databases, "second")
    ask(databases.url(first), "CREATE TABLE mine (id int)")
    assert ask(databases.url(second), "SELECT to_regclass('mine')") is None


def test_a_server_without_clients_is_stopped_after_15_minutes(
    databases: LocalDatabases,
) -> None:
    quiet, busy, fresh = (make(databases, name) for name in ("quiet", "busy", "fresh"))
    with psycopg.connect(databases.url(busy)):
        age(databases, "quiet", upkeep.IDLE_SECONDS + 60)
        age(databases, "busy", upkeep.IDLE_SECONDS + 60, clients=1)
        assert upkeep.stop_idle(databases.home) == ["quiet"]
    assert databases.state(quiet) is State.STOPPED
    assert {databases.state(record) for record in (busy, fresh)} == {State.READY}
    assert upkeep.stop_idle(databases.home) == []  # busy was left just now


def test_a_server_whose_folder_is_gone_is_stopped_at_once(
    databases: LocalDatabases, tmp_path: Path
) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    gone, used = (databases.create(name, name=name, project=folder) for name in ("gone", "used"))
    assert upkeep.stop_idle(databases.home) == []
    last_use = (databases.folder("gone") / "log").stat().st_mtime_ns
    folder.rmdir()
    with psycopg.connect(databases.url(used)):
        assert upkeep.stop_idle(databases.home) == ["gone"]
    assert databases.state(gone) is State.STOPPED
    assert databases.state(used) is State.READY
    assert (databases.folder("gone") / "log").stat().st_mtime_ns == last_use


def test_one_server_that_is_busy_keeps_no_other_one_running(databases: LocalDatabases) -> None:
    busy, idle = make(databases, "busy"), make(databases, "idle")
    for name in ("busy", "idle"):
        age(databases, name, upkeep.IDLE_SECONDS + 60)
    with homes.locked(databases.home, "busy"):
        assert upkeep.stop_idle(databases.home, patience=0.1) == ["idle"]
    assert databases.state(busy) is State.READY
    assert databases.state(idle) is State.STOPPED


def test_a_start_of_the_project_counts_as_use(neonup_home: Path, tmp_path: Path) -> None:
    provider = LocalProvider(Settings(project=tmp_path, home=neonup_home))
    database = provider.provision(DatabaseSpec(tmp_path, "DATABASE_URL", tmp_path / ".env"))
    databases = LocalDatabases(neonup_home)
    assert database.id is not None
    age(databases, database.id, upkeep.IDLE_SECONDS + 60)
    assert provider.check(database) is State.READY
    assert upkeep.stop_idle(neonup_home) == []


def test_a_start_begins_the_upkeep_when_it_is_due(neonup_home: Path, tmp_path: Path) -> None:
    provider = LocalProvider(Settings(project=tmp_path, home=neonup_home))
    database = provider.provision(DatabaseSpec(tmp_path, "DATABASE_URL", tmp_path / ".env"))
    databases = LocalDatabases(neonup_home)
    # The creation has begun an upkeep as well, and there is one at a time: let it end.
    deadline = time.monotonic() + 120
    while not spares(databases) or homes.is_held(neonup_home, homes.UPKEEP):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    idle = make(databases, "idle")
    age(databases, "idle", upkeep.IDLE_SECONDS + 60)
    stamp = neonup_home / "upkeep"
    then = time.time() - UPKEEP_SECONDS - 1
    os.utime(stamp, (then, then))
    assert provider.check(database) is State.READY
    deadline = time.monotonic() + 120
    while databases.state(idle) is State.READY or not spares(databases):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert time.time() - stamp.stat().st_mtime < UPKEEP_SECONDS


def test_one_upkeep_at_a_time_which_ends_by_itself(databases: LocalDatabases) -> None:
    make(databases, "shop")
    command = [sys.executable, "-m", "neonup_local.service.upkeep", str(databases.home)]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    assert [process.communicate(timeout=60)[1] for process in running] == [""] * 4
    assert len(spares(databases)) == 1


def test_leftovers_are_removed_once_they_are_old(databases: LocalDatabases) -> None:
    record = make(databases, "shop")
    home = databases.home
    left = [
        home / "databases" / ".trash-old-1",
        databases.folder("shop") / ".data-1",
        home / "spares" / "x" / ".making-1",
    ]
    for folder in left:
        folder.mkdir(parents=True)
        (folder / "file").write_text("x")
    record_file = databases.folder("shop") / ".record-1"
    record_file.write_text("{}")
    upkeep.remove_leftovers(home)
    assert all(path.exists() for path in (*left, record_file))
    upkeep.remove_leftovers(home, older_than=0)
    assert not any(path.exists() for path in (*left, record_file))
    assert ask(databases.url(record), "SELECT 1") == 1


def test_a_log_is_kept_short(databases: LocalDatabases) -> None:
    record = make(databases, "shop")
    log = databases.folder("shop") / "log"
    with log.open("ab") as file:
        file.write(b"a line of the past\n" * 700_000)
    upkeep.stop_idle(databases.home)
    assert log.stat().st_size <= 1_000_000
    ask(databases.url(record), "SELECT 1")
    deadline = time.monotonic() + 60
    while "disconnection" not in log.read_text().splitlines()[-1]:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    databases.stop(record.id)
    with log.open("ab") as file:
        file.write(b"a line of the past\n" * 100_000)
    databases.wake(record)
    assert log.stat().st_size < 10_000
    assert log.with_suffix(".1").stat().st_size > 1_000_000


def test_a_full_home_is_no_reason_to_fail(neonup_home: Path, tmp_path: Path) -> None:
    """The upkeep is a convenience: whatever is wrong, the project's start succeeds."""
    (neonup_home / "upkeep").mkdir()
    provider = LocalProvider(Settings(project=tmp_path, home=neonup_home))
    database = provider.provision(DatabaseSpec(tmp_path, "DATABASE_URL", tmp_path / ".env"))
    assert provider.check(database) is State.READY


def test_a_template_of_another_engine_gets_a_spare_of_its_own(databases: LocalDatabases) -> None:
    engine = databases.prepare()
    folder = template.folder(databases.home, engine)
    upkeep.make_spares(databases.home)
    assert [path.parent.name for path in spares(databases)] == [folder.name]
