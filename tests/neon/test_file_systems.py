"""A local Neon on a disk that shares blocks between files, and on one that is full."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from neonup import ProviderError
from neonup_local.neon.accounts.model import Organization
from neonup_local.neon.state.store import Store
from tests.local.people import in_other_machine, needs_root

REPOSITORY = Path(__file__).parents[2]
BEGIN = f"""
import shutil, subprocess, sys
from pathlib import Path
sys.path.insert(0, {str(REPOSITORY)!r})
import psycopg
from tests.neon.api import Api, ask
from tests.neon.serving import serving
from tests.waiting import wait_until
home = Path(sys.argv[1])
"""

BRANCH = """
def used():
    subprocess.run(["sync", "-f", home], check=True)
    return shutil.disk_usage(home).used
with serving(home) as server:
    project = Api(server.base, server.key).create_project()
    series = "generate_series(1, 99999)"
    ask(project.url, f"CREATE TABLE things AS SELECT repeat('x', 1000) FROM {series}")
    ask(project.url, "CHECKPOINT")
    before = used()
    branch = project.create_branch("dev")
    print(used() - before)
    uri = branch["connection_uris"][0]["connection_uri"]
    assert ask(uri, "SELECT count(*) FROM things") == 99999
"""

FILL = """
with serving(home) as server:
    api = Api(server.base, server.key)
    project = api.create_project()
    ask(project.url, "CREATE TABLE things (n int, text text)")
    ask(project.url, "ALTER TABLE things ALTER text SET STORAGE EXTERNAL")  # not compressed
    acknowledged = 0
    try:
        while True:
            text = "repeat(md5(random()::text), 60000)"
            ask(project.url, f"INSERT INTO things SELECT %s, {text}", acknowledged)
            acknowledged += 1
    except psycopg.Error as error:
        print("SQL:", error)
    status, message = api.refused("POST", f"{project.path}/branches", {})
    print("API:", status, message)
    assert api.ok("GET", "/projects")["projects"]
    subprocess.run(["mount", "-o", "remount,size=800m", home], check=True)

    def rows():
        try:
            return ask(project.url, "SELECT count(*) FROM things")
        except psycopg.OperationalError:  # a server that could not write its log starts again
            return None

    assert wait_until(rows, "the database") >= acknowledged > 0
    branch = project.create_branch("later")
    uri = branch["connection_uris"][0]["connection_uri"]
    assert ask(uri, "SELECT count(*) FROM things") >= acknowledged
"""


@needs_root
@pytest.mark.skipif(shutil.which("mkfs.btrfs") is None, reason="btrfs-progs are not installed")
def test_a_branch_shares_its_parents_blocks(cold_home_on_disk: Path, tmp_path: Path) -> None:
    mounts = f"truncate -s 1G {tmp_path}/disk; mkfs.btrfs -q {tmp_path}/disk >/dev/null 2>&1; "
    mounts += f"mount -o loop {tmp_path}/disk {cold_home_on_disk}; chmod 711 {cold_home_on_disk}"
    done = in_other_machine(mounts, BEGIN + BRANCH, cold_home_on_disk)
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout.split()[-1]) < 24 * 2**20, done.stdout


@needs_root
def test_a_full_disk_stops_writes_and_not_the_server(cold_home: Path) -> None:
    mount = f"mount -t tmpfs -o size=320m,mode=711 none {cold_home}"
    done = in_other_machine(mount, BEGIN + FILL, cold_home)
    assert done.returncode == 0, done.stdout + done.stderr
    # Whether a file or a row of the store is the first not to fit depends on the last free block.
    assert re.search("No space left on device|disk is full", done.stdout.partition("API:")[2])


def test_a_row_that_does_not_fit_is_an_error_and_nothing_is_lost(tmp_path: Path) -> None:
    store = Store(tmp_path / "neon.db")
    now = datetime.now(UTC)
    store.insert(Organization(id="org-1", name="first", handle="first", created_at=now))
    limit = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {limit}")
    with pytest.raises(ProviderError, match="database or disk is full"):
        store.insert(Organization(id="org-2", name="x" * 10**6, handle="second", created_at=now))
    store._connection.execute("PRAGMA max_page_count = 100000")
    store.insert(Organization(id="org-3", name="third", handle="third", created_at=now))
    assert [row.id for row in store.all(Organization)] == ["org-1", "org-3"]
    store.close()
