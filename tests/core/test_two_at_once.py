"""Threads, coroutines and forked children of one process that need a database at once get one."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from dotenv import dotenv_values

from neonup import Database, resolve
from neonup.env import record_changes
from neonup.start import lookup
from neonup.start.renewal import renew
from neonup_emulator.neon.model import Project as NeonProject
from neonup_local.service.databases import LocalDatabases
from tests.neon_new_server import NeonNewServer
from tests.plugins import install
from tests.project import Project, clean_environ

THREADS = """
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(5) as pool:
    for answer in [pool.submit(start) for _ in range(5)]:
        print(answer.result())
"""
COROUTINES = """
import asyncio
async def main():
    return await asyncio.gather(*(neonup.aensure() for _ in range(5)))
for database in asyncio.run(main()):
    print(checked(database))
"""
FORKS = """
import os, sys
children = []
for _ in range(5):
    if not (pid := os.fork()):
        os.write(1, start().encode() + b"\\n")
        os._exit(0)
    children.append(pid)
sys.exit(max(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children))
"""
BEGIN = """
import os, neonup
def checked(database):
    assert os.path.exists("migrated"), "the database is not ready"
    return database.url
def start():
    return checked(neonup.ensure())
"""
WAYS = {"threads": THREADS, "coroutines": COROUTINES, "forks": FORKS}

WAITS = """
import os, neonup

@neonup.hookimpl
def neonup_ready(database, created):
    open("begun", "w").close()
    with open("go") as fifo:  # until the test writes to it
        fifo.read()
    open("migrated", "w").close()
"""
WHILE_ANOTHER_THREAD_IS_AT_IT = """
import select, threading
first = threading.Thread(target=start)
first.start()
while not os.path.exists("begun"):
    first.join(0.01)
second = []
if os.environ["WAY"] == "thread":
    other = threading.Thread(target=lambda: second.append(start()))
    other.start()
    other.join(1)  # a second in which it must not come to an end
    open("go", "w").close()
    other.join()
else:
    ended, end = os.pipe()
    if not (pid := os.fork()):
        start()
        os._exit(0)
    os.close(end)
    select.select([ended], [], [], 1)
    open("go", "w").close()
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    second.append(start())
first.join()
print(second[0])
"""
HOOK_STARTS_ANEW = """
import asyncio, os, subprocess, sys, neonup

@neonup.hookimpl
def neonup_ready(database, created):
    urls = {database.url, neonup.ensure().url, asyncio.run(neonup.aensure()).url}
    child = [sys.executable, "-c", "import neonup; print(neonup.ensure().url)"]
    urls.add(subprocess.run(child, check=True, capture_output=True, text=True).stdout.strip())
    assert len(urls) == 1, urls
    open("migrated", "w").close()
"""


@pytest.fixture
def server(neon_new_server: NeonNewServer) -> NeonNewServer:
    return neon_new_server


@pytest.fixture(params=["local", "neon.new", "account", "claimable"])
def shop(
    request: pytest.FixtureRequest, tmp_path: Path, neonup_home: Path, server: NeonNewServer
) -> Project:
    """A project of each provider, with a migration that notes that it ran."""
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(
        """[tool.neonup]\nmigrate = '''sh -c "echo once >> migrated"'''\n"""
    )
    environ = {
        "NEONUP_PROVIDER": request.param,
        "NEONUP_ENV": "development",
        "NEONUP_ENV_KEYS": "all",
        "NEONUP_NEON_NEW_URL": server.api,
        "NEONUP_ACCOUNT_URL": f"{server.url}/api/v2",
        "NEON_API_KEY": server.key,
        "NEONUP_CLAIMABLE_URL": server.url,
    }
    return Project(folder, clean_environ(neonup_home, **environ))


@pytest.mark.parametrize("way", WAYS)
def test_one_database_is_created_and_migrated_once(
    shop: Project, neonup_home: Path, server: NeonNewServer, way: str
) -> None:
    done = shop.python(BEGIN + WAYS[way])
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [shop.url] * 5
    assert (shop.folder / "migrated").read_text() == "once\n"
    everyones = server.neon.store.all(NeonProject)
    projects = [one for one in everyones if not one.org_id.startswith("org-prepared-")]
    assert len(LocalDatabases(neonup_home).all()) + len(projects) == 1
    assert shop.env_file.read_text().count("DATABASE_URL=") == 1
    assert done.stderr.count("neonup  created") == 1


@pytest.mark.parametrize("way", ["thread", "fork"])
def test_who_comes_second_waits_until_the_first_is_ready(
    project: Project, tmp_path: Path, way: str
) -> None:
    """A thread in a plugin's hook holds the lock; another one, or a forked child, does not."""
    install(tmp_path / "site", "waits", WAITS)
    os.mkfifo(project.folder / "go")
    done = project.python(
        BEGIN + WHILE_ANOTHER_THREAD_IS_AT_IT,
        NEONUP_ENV="development",
        PYTHONPATH=str(tmp_path / "site"),
        WAY=way,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout.strip() == project.url


def test_a_hook_may_ask_for_the_database_itself(project: Project, tmp_path: Path) -> None:
    """In its thread, awaited, and in a process that it starts: none waits for the hook's end."""
    install(tmp_path / "site", "anew", HOOK_STARTS_ANEW)
    environ = {"NEONUP_ENV": "development", "PYTHONPATH": str(tmp_path / "site")}
    done = project.python(BEGIN + "print(start())", **environ)
    assert done.stdout.strip() == project.url, done.stderr


def test_what_is_learned_late_overwrites_no_other_database(
    tmp_path: Path, neonup_home: Path
) -> None:
    """Between a look at a database and the lock, another start has recorded another one."""
    settings = resolve(tmp_path, env_keys="all")
    known = Database("postgresql://u:p@a.example.com/d", "neon.new", id="one")
    record_changes.write(known, settings, settings.env_file, replace=False)
    assert renew(settings, known, known.with_(claim_url="https://neon.new/claim/1"))
    other = Database("postgresql://u:p@b.example.com/d", "neon.new", id="two")
    record_changes.write(other, settings, settings.env_file, replace=True)
    before = settings.env_file.read_bytes()
    assert not renew(settings, known, known.claimed())
    assert settings.env_file.read_bytes() == before


WRITES = """
import sys
from pathlib import Path
from neonup import Database
from neonup.env import record, record_changes
from neonup.settings import Settings
folder, home, key = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
file = folder / ".env"
settings = Settings(folder, home, env_file=file, env_keys="all", key=key)
for _ in range(60):
    database = Database("postgresql://u:p@h/" + key.lower(), "neon.new", id="x", key=key)
    record_changes.write(database, settings, file, replace=False)
    assert record.parse(record.dotenv.read(file), key), f"{key} was lost"
    record_changes.write(database, settings, file, replace=True)
    record_changes.forget(key, settings, file)
record_changes.write(database, settings, file, replace=False)
"""


def test_two_processes_that_write_two_keys_of_one_file_lose_neither(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=1\n")
    keys = ["DATABASE_URL", "ANALYTICS_URL"]
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITES, str(tmp_path), str(tmp_path / "home"), key],
            stderr=subprocess.PIPE,
            text=True,
        )
        for key in keys
    ]
    for writer in writers:
        assert writer.communicate(timeout=120)[1] == ""
        assert writer.returncode == 0
    values = dotenv_values(tmp_path / ".env")
    assert values == {"A": "1", **{key: f"postgresql://u:p@h/{key.lower()}" for key in keys}}


class SlowEnvironment(dict[str, str]):
    """Variables of which another thread reads some at the same moment, if it may."""

    def __init__(self) -> None:
        super().__init__()
        self.both = threading.Barrier(2)

    def get(self, name: str, default: str = "") -> str:  # type: ignore[override]
        value = super().get(name, default)
        with suppress(threading.BrokenBarrierError):
            self.both.wait(0.5)
        return value


def test_two_threads_that_mark_two_variables_lose_no_mark() -> None:
    environ = SlowEnvironment()
    names = ["DATABASE_URL", "ANALYTICS_URL"]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda name: lookup.mark(name, "a", environ), names))
    environ.both.abort()
    assert all(lookup.is_marked(name, "a", environ) for name in names)
