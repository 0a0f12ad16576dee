"""``neonup prune`` deletes what nobody can miss, and says what it leaves and why."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import psycopg
import pytest

from neonup_local.service import orphans
from neonup_local.service.databases import LocalDatabases
from tests.project import Project, clean_environ, names

HOUR = 3600


@pytest.fixture
def gone(tmp_path: Path, neonup_home: Path) -> Project:
    """A project with a database, stopped, that is about to be deleted."""
    folder = tmp_path / "work" / "gone"
    folder.mkdir(parents=True)
    (folder / "pyproject.toml").touch()
    project = Project(folder, clean_environ(neonup_home))
    project.ok("-y")
    project.ok("stop")
    return project


@pytest.fixture
def shell(tmp_path: Path, gone: Project) -> Project:
    """Where the commands are called: a folder without a database."""
    (tmp_path / "shell").mkdir()
    return Project(tmp_path / "shell", gone.environ)


def left(shell: Project, *arguments: str) -> str:
    """Why the one database stays, though the folder is gone."""
    said = shell.json("prune", "--yes", *arguments)
    assert said["deleted"] == []
    [row] = said["left"]
    assert f"Left {row['id']}: {row['why']}." in shell.ok("prune", "--yes", *arguments)
    assert len(shell.json("list")) == 1
    return str(row["why"])


def test_a_project_that_was_deleted(gone: Project, shell: Project) -> None:
    assert shell.json("prune", "--yes") == {"deleted": [], "left": []}
    shutil.rmtree(gone.folder)
    said = shell.json("prune", "--yes")
    assert [row["why"] for row in said["deleted"]] == [f"its project {gone.folder} is gone"]
    assert said["left"] == []
    assert shell.json("list") == []
    assert names(Path(gone.environ["NEONUP_HOME"]) / "folders") == []


def test_a_renamed_project_in_use(gone: Project, shell: Project) -> None:
    moved = Project(gone.folder.rename(gone.folder.with_name("moved")), gone.environ)
    moved.query("CREATE TABLE keep AS SELECT 42 AS x")
    with psycopg.connect(moved.url):
        assert shell.json("prune", "--yes") == {"deleted": [], "left": []}
    assert moved.query("SELECT x FROM keep") == "42"


def test_what_runs_stays_with_or_without_clients(gone: Project, shell: Project) -> None:
    gone.ok()
    url = gone.url
    shutil.rmtree(gone.folder)
    with psycopg.connect(url):
        assert "1 connected to the server" in left(shell)
        assert "1 connected to the server" in left(shell, "--of", str(gone.folder))
    assert "the server is running" in left(shell)
    assert "the server is running" in left(shell, "--of", str(gone.folder))


def test_a_branch_that_runs_keeps_its_database(gone: Project, shell: Project) -> None:
    gone.ok("versions", "preview")
    gone.ok("stop")
    shutil.rmtree(gone.folder)
    said = shell.json("prune", "--yes")
    assert said["deleted"] == []
    assert "its branch copy-" in said["left"][0]["why"]
    assert len(shell.json("list")) == 2


def test_what_was_used_since_the_folder_was_gone(
    gone: Project, shell: Project, databases: LocalDatabases
) -> None:
    shutil.rmtree(gone.folder)
    [record] = databases.all()
    log = databases.folder(record.id) / "log"
    then = time.time() - HOUR
    os.utime(gone.folder.parent, (then, then))
    assert "it was used after the folder was gone" in left(shell)
    os.utime(log, (then - HOUR, then - HOUR))
    assert len(shell.json("prune", "--yes")["deleted"]) == 1


def test_the_folder_above_may_have_changed_since(
    gone: Project, shell: Project, databases: LocalDatabases
) -> None:
    """The first look after it was gone is remembered: it was gone by then."""
    shutil.rmtree(gone.folder)
    databases.wake(databases.all()[0])
    assert "the server is running" in left(shell)
    for orphan in orphans.find(databases):
        databases.stop(orphan.id)
    os.utime(databases.folder(orphan.id) / "missed", (1, 1))
    (gone.folder.parent / "another").mkdir()
    assert "it was used after the folder was gone" in left(shell)
    assert len(shell.json("prune", "--yes", "--of", str(gone.folder))["deleted"]) == 1


def test_a_folder_that_is_back_is_not_gone(gone: Project, databases: LocalDatabases) -> None:
    away = gone.folder.rename(gone.folder.with_name("away"))
    assert len(list(orphans.find(databases))) == 1
    away.rename(gone.folder)
    assert list(orphans.find(databases)) == []
    assert not (databases.folder(databases.ids()[0]) / "missed").exists()


def test_a_file_system_that_is_not_mounted(gone: Project, shell: Project, tmp_path: Path) -> None:
    shutil.rmtree(gone.folder.parent)
    assert f"{gone.folder.parent} does not exist" in left(shell)
    gone.folder.parent.mkdir()
    [path] = (Path(gone.environ["NEONUP_HOME"]) / "folders").iterdir()
    head, folder, env_file, _mount, tail = path.read_bytes().split(b"\0")
    usb = tmp_path / "usb"
    usb.mkdir()  # the place is there, nothing is mounted on it
    path.write_bytes(b"\0".join([head, folder, env_file, os.fsencode(usb), tail]))
    assert f"{usb} is not mounted" in left(shell)
    said = shell.json("prune", "--yes", "--of", str(gone.folder))
    assert len(said["deleted"]) == 1


def test_a_copy_whose_original_was_deleted(gone: Project, shell: Project) -> None:
    copy = Project(gone.folder.with_name("copy"), gone.environ)
    shutil.copytree(gone.folder, copy.folder)
    copy.ok()
    copy.ok("stop")
    shutil.rmtree(gone.folder)
    assert f"{copy.env_file} names it" in left(shell)
    assert f"{copy.env_file} names it" in left(shell, "--of", str(gone.folder))
    copy.ok()
    assert shell.json("prune", "--yes") == {"deleted": [], "left": []}


def test_services_that_share_a_file_outside_of_them(gone: Project, shell: Project) -> None:
    shared = gone.folder.with_name("shared.env")
    gone.env_file.rename(shared)
    (gone.folder / "pyproject.toml").write_text('[tool.neonup]\nenv_file = "../shared.env"\n')
    other = Project(gone.folder.with_name("other"), gone.environ)
    shutil.copytree(gone.folder, other.folder)
    gone.ok()
    other.ok("stop")
    shutil.rmtree(gone.folder)
    assert "shared.env names it" in left(shell)


def test_who_comes_to_use_it_while_a_person_is_asked(
    gone: Project, databases: LocalDatabases
) -> None:
    shutil.rmtree(gone.folder)
    [orphan] = orphans.find(databases)
    assert orphan.stays is None
    databases.wake(databases.all()[0])
    assert not orphans.remove(databases, orphan.id)
    databases.stop(orphan.id)
    assert databases.ids() == [orphan.id]


def test_a_folder_that_nobody_may_look_at_is_not_gone(gone: Project, shell: Project) -> None:
    if os.geteuid() == 0:
        name = "x" * 300  # what root cannot look at either: ENAMETOOLONG
        [path] = (Path(gone.environ["NEONUP_HOME"]) / "folders").iterdir()
        parts = path.read_bytes().split(b"\0")
        parts[1] = f"=/{name}".encode()
        path.write_bytes(b"\0".join(parts))
    else:
        gone.folder.parent.chmod(0o000)
    try:
        assert shell.json("prune", "--yes") == {"deleted": [], "left": []}
    finally:
        gone.folder.parent.chmod(0o755)
