"""A database is made, found again, stopped, woken and deleted; its data stays until the end."""

from __future__ import annotations

import os
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import psycopg
import pytest

from neonup import EngineError, State
from neonup_local.engine import cluster, postmaster
from neonup_local.service.databases import LocalDatabases
from neonup_local.service.records import Record
from tests.local.people import CREATE, python
from tests.local.sql import ask


def make(databases: LocalDatabases, name: str = "shop") -> Record:
    return databases.create(name, name=name)


def test_a_new_database_answers_and_its_owner_may_what_neons_may(databases: LocalDatabases) -> None:
    record = make(databases)
    url = databases.url(record)
    assert databases.state(record) is State.READY
    assert ask(url, "SELECT current_user || current_database()") == "neondb_ownerneondb"
    assert ask(url, "SHOW timezone") == "UTC"
    assert ask(url, "SHOW fsync") == "on"
    assert ask(url, "SHOW synchronous_commit") == "off"
    assert ask(url, "SHOW server_encoding") == "UTF8"
    assert ask(url, "SELECT upper('é')") == "É"
    for statement in (
        "CREATE TABLE things (id int)",
        "CREATE ROLE helper LOGIN PASSWORD 'x'",
        "CREATE DATABASE other",
        "CREATE EXTENSION pg_stat_statements",
        "CREATE EXTENSION vector",
        "CREATE EXTENSION postgres_fdw",
        "CREATE PUBLICATION everything FOR TABLE things",
    ):
        ask(url, statement)
    assert ask(url, "SELECT count(*) FROM pg_stat_statements") >= 0
    assert ask(url, "SELECT pg_has_role('pg_monitor', 'member')")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ask(url, "COPY things FROM PROGRAM 'true'")


def test_every_way_in_needs_the_password(databases: LocalDatabases) -> None:
    record = make(databases)
    found = postmaster.running(databases.folder("shop") / "data")
    assert found is not None
    wrong = databases.url(record).replace(record.password, "wrong")
    for host in ("127.0.0.1", found.socket_dir):
        for user in ("neondb_owner", "cloud_admin"):
            with pytest.raises(psycopg.OperationalError, match="authentication failed"):
                psycopg.connect(wrong, host=host, user=user)
    good = psycopg.connect(databases.url(record), host=found.socket_dir)
    good.close()


def test_a_server_killed_at_once_still_knows_its_password(databases: LocalDatabases) -> None:
    record = make(databases)
    found = postmaster.running(databases.folder("shop") / "data")
    assert found is not None
    os.kill(found.pid, signal.SIGKILL)
    assert ask(databases.url(databases.wake(record)), "SELECT 1") == 1


def test_it_listens_on_this_machine_only(databases: LocalDatabases) -> None:
    record = make(databases)
    found = postmaster.running(databases.folder("shop") / "data")
    assert found is not None
    listening = [
        connection.laddr
        for connection in psutil.Process(found.pid).net_connections()
        if connection.status == psutil.CONN_LISTEN
    ]
    assert {tuple(address) for address in listening if address} == {("127.0.0.1", record.port)}


def test_the_same_id_again_returns_what_is_there(databases: LocalDatabases) -> None:
    first = make(databases)
    ask(databases.url(first), "CREATE TABLE kept AS SELECT 1 AS one")
    second = make(databases)
    assert databases.url(second) == databases.url(first)
    assert ask(databases.url(second), "SELECT one FROM kept") == 1


def test_data_survives_stop_and_wake(databases: LocalDatabases) -> None:
    record = make(databases)
    ask(databases.url(record), "CREATE TABLE kept AS SELECT 1 AS one")
    assert databases.stop(record.id)
    assert databases.state(record) is State.STOPPED
    assert not databases.stop(record.id)
    woken = databases.wake(record)
    assert databases.url(woken) == databases.url(record)
    assert ask(databases.url(woken), "SELECT one FROM kept") == 1


def test_stopping_does_not_wait_for_clients(databases: LocalDatabases) -> None:
    record = make(databases)
    with psycopg.connect(databases.url(record)):
        assert databases.stop(record.id)


def test_deleting_leaves_nothing(databases: LocalDatabases) -> None:
    record = make(databases)
    found = postmaster.running(databases.folder("shop") / "data")
    assert found is not None
    databases.delete(record.id)
    databases.delete(record.id)
    assert databases.get("shop") is None
    assert databases.ids() == []
    assert not postmaster.alive(found.pid)
    assert not Path(found.socket_dir).exists()
    assert not list((databases.home / "databases").iterdir())


def test_a_taken_port_is_stepped_over_and_kept_from_then_on(databases: LocalDatabases) -> None:
    record = make(databases)
    databases.stop(record.id)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", record.port))
        other.listen()
        moved = databases.wake(record)
        assert moved.port != record.port
        assert ask(databases.url(moved), "SELECT 1") == 1
    again = databases.get("shop")
    assert again is not None
    assert again.port == moved.port


def test_a_port_taken_between_the_look_and_the_start(databases: LocalDatabases) -> None:
    """Another process listens on the port at the moment when Postgres wants it."""
    record = make(databases)
    databases.stop(record.id)
    folder = databases.folder("shop")
    from neonup_local.engine import choosing
    from neonup_local.engine.config import ServerOptions

    engine = choosing.choose(databases.home)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(cluster.PortTaken, match=str(port)):
            cluster.start(engine, folder, databases.home / "run" / "x", ServerOptions(port))


def test_ten_processes_make_one_database(neonup_home: Path) -> None:
    with ThreadPoolExecutor(10) as pool:
        done = list(pool.map(lambda _: python(CREATE, neonup_home), range(10)))
    assert [one.stderr for one in done] == [""] * 10
    assert len({one.stdout for one in done}) == 1
    assert ask(done[0].stdout.strip(), "SELECT 1") == 1


def test_ten_processes_make_ten_databases_of_a_cold_home(cold_home: Path) -> None:
    code = CREATE.replace('"shop", name', "sys.argv[2], name")
    with ThreadPoolExecutor(10) as pool:
        done = list(pool.map(lambda number: python(code, cold_home, f"db{number}"), range(10)))
    assert [one.stderr for one in done] == [""] * 10
    assert len({one.stdout for one in done}) == 10
    assert [ask(one.stdout.strip(), "SELECT 1") for one in done] == [1] * 10
    assert len(list((cold_home / "templates").iterdir())) == 1


def test_two_homes_have_databases_of_one_name(neonup_home: Path, cold_home: Path) -> None:
    here, there = LocalDatabases(neonup_home), LocalDatabases(cold_home)
    one, other = make(here), make(there)
    assert one.port != other.port
    ask(here.url(one), "CREATE TABLE here (id int)")
    assert ask(there.url(other), "SELECT to_regclass('here')") is None


def test_a_new_password(databases: LocalDatabases) -> None:
    record = make(databases)
    changed = databases.set_password(record, "another one: ü'\\@/")
    assert ask(databases.url(changed), "SELECT 1") == 1
    with pytest.raises(psycopg.OperationalError):
        ask(databases.url(record), "SELECT 1")


def test_logical_replication_is_as_asked(databases: LocalDatabases) -> None:
    record = databases.create("shop", name="shop", logical_replication=True)
    url = databases.url(record)
    assert ask(url, "SHOW wal_level") == "logical"
    ask(url, "SELECT pg_create_logical_replication_slot('slot', 'pgoutput')")


def test_users_settings_win_over_ours(databases: LocalDatabases) -> None:
    record = make(databases)
    databases.stop(record.id)
    with (databases.folder("shop") / "data" / "postgresql.conf").open("a") as file:
        file.write("synchronous_commit = on\ntimezone = 'Europe/Berlin'\n")
    url = databases.url(databases.wake(record))
    assert ask(url, "SHOW synchronous_commit") == "on"
    assert ask(url, "SHOW timezone") == "Europe/Berlin"


@pytest.mark.parametrize("name", ["../../etc", "", "a/b", "A", "-x", ".hidden", "x" * 64, "ä"])
def test_an_id_is_no_path(databases: LocalDatabases, name: str) -> None:
    with pytest.raises(EngineError, match="cannot be the id"):
        make(databases, name)


def test_the_environment_of_the_caller_changes_nothing(
    databases: LocalDatabases, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "PGDATA": "/nowhere",
        "PGPORT": "1",
        "PGUSER": "nobody",
        "PGSERVICE": "nothing",
        "PGOPTIONS": "-c search_path=x",
        "PGSSLMODE": "verify-full",
        "TZ": "Asia/Tokyo",
        "LC_ALL": "de_DE.UTF-8",
        "LANG": "xx_XX",
    }.items():
        monkeypatch.setenv(name, value)
    record = make(databases)
    for name in [name for name in os.environ if name.startswith("PG")]:
        monkeypatch.delenv(name)
    assert ask(databases.url(record), "SHOW timezone") == "UTC"
