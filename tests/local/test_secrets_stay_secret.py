"""A database's password is in its record and its URL, and nowhere else."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from neonup import Database, DatabaseSpec, EngineError, Settings
from neonup_local.engine import postmaster
from neonup_local.provider import LocalProvider
from neonup_local.service import upkeep
from neonup_local.service.databases import LocalDatabases
from tests.local.people import CREATE
from tests.local.sql import ask

SECRET = "the-secret-of-this-test"


@pytest.fixture
def neonup_home(home_with_upkeep: Path) -> Path:
    return home_with_upkeep


def test_not_in_any_process_list(neonup_home: Path) -> None:
    """Every command line that is visible while a database is made and its password is changed."""
    seen: set[str] = set()
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            for process in psutil.process_iter(["cmdline"]):
                seen.add(" ".join(process.info["cmdline"] or []))

    watcher = threading.Thread(target=watch)
    watcher.start()
    code = CREATE.replace('name="shop"', f'name="shop", password="-".join({SECRET.split("-")})')
    code += f'databases.set_password(record, "-".join({SECRET.split("-")}) + "2")\n'
    try:
        for _ in range(3):
            subprocess.run(
                [sys.executable, "-c", code, str(neonup_home)],
                check=True,
                stdout=subprocess.DEVNULL,
                timeout=60,
            )
            LocalDatabases(neonup_home).delete("shop")
    finally:
        done.set()
        watcher.join()
    assert any("postgres" in line and str(neonup_home) in line for line in seen)
    admin = (neonup_home / "cloud_admin").read_text()
    assert not [line for line in seen if SECRET in line or admin in line]


def test_a_server_knows_nothing_of_its_starters_environment(
    databases: LocalDatabases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOUD_TOKEN", SECRET)
    databases.create("shop", name="shop")
    found = postmaster.running(databases.folder("shop") / "data")
    assert found is not None
    assert SECRET not in str(psutil.Process(found.pid).environ())


def test_in_no_file_but_the_record(databases: LocalDatabases) -> None:
    record = databases.create("shop", name="shop", password=SECRET)
    ask(databases.url(record), "SELECT 1")
    databases.set_password(record, f"{SECRET}-2")
    with pytest.raises(Exception, match="authentication failed"):
        ask(databases.url(record), "SELECT 1")
    upkeep.main(databases.home)
    databases.stop(record.id)
    admin = (databases.home / "cloud_admin").read_text()
    holding = {
        path.relative_to(databases.home).as_posix()
        for path in databases.home.rglob("*")
        if path.is_file() and not path.is_symlink() and holds(path, SECRET, admin)
    }
    assert holding == {"databases/shop/database.json", "cloud_admin"}
    for name in holding:
        assert (databases.home / name).stat().st_mode & 0o777 == 0o600


def holds(path: Path, *secrets: str) -> bool:
    content = path.read_bytes()
    return any(secret.encode() in content for secret in secrets)


def test_not_in_a_repr_or_an_error(databases: LocalDatabases, tmp_path: Path) -> None:
    record = databases.create("shop", name="shop", password=SECRET)
    assert SECRET not in repr(record)
    conf = databases.folder("shop") / "data" / "postgresql.conf"
    databases.stop(record.id)
    conf.write_text(conf.read_text() + "nonsense = 1\n")
    with pytest.raises(EngineError) as raised:
        databases.wake(record)
    assert SECRET not in str(raised.value)
    provider = LocalProvider(Settings(project=tmp_path, home=databases.home))
    database = Database(databases.url(record), "local", id="shop")
    assert SECRET not in repr(provider.inspect(database))
    assert SECRET not in repr(DatabaseSpec(tmp_path, "KEY", tmp_path / ".env", replaces=database))


def test_the_servers_own_log_and_statistics_never_see_it(databases: LocalDatabases) -> None:
    """Only a verifier is sent, so that no extension and no log setting can show the password."""
    record = databases.create("shop", name="shop")
    databases.stop(record.id)
    conf = databases.folder("shop") / "data" / "postgresql.conf"
    conf.write_text(conf.read_text() + "log_statement = all\n")
    record = databases.set_password(databases.wake(record), SECRET)
    log = (databases.folder("shop") / "log").read_text()
    assert "SCRAM-SHA-256$4096" in log
    assert SECRET not in log
