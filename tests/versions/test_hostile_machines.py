"""Versions where the disk is full, and where this is not root."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from neonup import EngineError
from neonup_local.service.databases import LocalDatabases
from tests.local.people import STRANGER, as_user, home_of, in_other_machine, needs_root, python
from tests.versions.shop import Shop

BEGIN = """
import os, sys
from pathlib import Path
import psycopg
from neonup import EngineError
from neonup_local.service.databases import LocalDatabases
from neonup_local.service.versions.local_versions import LocalVersions

home = Path(sys.argv[1])
databases = LocalDatabases(home)
record = databases.create("shop", name="shop")
url = databases.url(record)
versions = LocalVersions(databases, "shop", lambda: None)

def run(statement):
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchone()[0] if cursor.description else None

run("CREATE TABLE state AS SELECT 1 AS n")
"""

FULL = """
made = versions.checkpoint("good") if sys.argv[2] != "checkpoint" else None
run("UPDATE state SET n = 2")
run("CHECKPOINT")
run("CREATE TABLE filler AS SELECT repeat(md5(n::text), 30) FROM generate_series(1, 9000) n")
run("CHECKPOINT")
filler = home / "databases" / "filler"
room = os.statvfs(filler.parent)
filler.write_bytes(bytes(room.f_bavail * room.f_frsize - (12 << 20)))
try:
    {
        "checkpoint": lambda: versions.checkpoint("new"),
        "restore": lambda: versions.restore(made),
        "preview": lambda: versions.preview(made),
    }[sys.argv[2]]()
except EngineError as error:
    print(error)
else:
    sys.exit("it fits")
assert run("TABLE state") == 2
assert versions.history() == [made] * bool(made)
filler.unlink()
assert databases.ids() == ["shop"]
left = list((home / "databases").rglob(".*"))
assert left == [], left
made = made or versions.checkpoint("new")
versions.restore(made)
databases.delete("shop")
"""


@needs_root
@pytest.mark.parametrize("action", ["checkpoint", "restore", "preview"])
def test_a_full_disk_leaves_everything_as_it_is(neonup_home: Path, action: str) -> None:
    databases = neonup_home / "databases"
    databases.mkdir(exist_ok=True)
    # The template and the engine stay outside of what fills.
    mount = f"mount -t tmpfs -o size=400m,mode=711 none {databases}"
    done = in_other_machine(mount, BEGIN + FULL, neonup_home, action)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No space left on device" in done.stdout
    assert "Free some space" in done.stdout


@needs_root
def test_as_a_user_without_a_name() -> None:
    code = f"""{BEGIN}
made = versions.checkpoint("good")
run("UPDATE state SET n = 2")
versions.preview(made)
databases.stop("shop")
versions.restore(made)
print(run("TABLE state"))
databases.delete("shop")
"""
    with home_of(STRANGER, STRANGER) as home:
        done = python(code, home, before=as_user(STRANGER, STRANGER))
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip() == "1"
        assert LocalDatabases(home).ids() == []


@needs_root
def test_a_version_that_root_owns_is_refused(shop: Shop) -> None:
    """Postgres does not run as root. It is said before anything is changed."""
    made = shop.versions.checkpoint("good")
    shop.write(2)
    data = shop.folder / "versions" / made.id / "data"
    shutil.chown(data, 0, 0)
    with pytest.raises(EngineError, match="belongs to root"):
        shop.versions.restore(made)
    assert shop.says() == 2
    assert shop.versions.history() == [made]
