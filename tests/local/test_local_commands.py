"""``neonup list``, ``logs``, ``stop`` and ``prune`` as a person calls them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from neonup_local.service.databases import LocalDatabases
from tests.project import Project, clean_environ


@pytest.fixture
def shop(tmp_path: Path, neonup_home: Path) -> Project:
    """A project with a database."""
    folder = tmp_path / "shop"
    folder.mkdir()
    project = Project(folder, clean_environ(neonup_home))
    project.ok("-y")
    return project


def test_the_list_shows_what_is_there(shop: Project, databases: LocalDatabases) -> None:
    (row,) = shop.json("list")
    assert row["state"] == "ready"
    assert row["project"] == str(shop.folder)
    assert f":{row['port']}/" in shop.url
    assert row["connections"] == 0
    assert 20_000_000 < row["size"] < 45 * 2**20
    line = shop.ok("list")
    assert str(row["id"]) in line
    assert "ready" in line
    shop.ok("stop")
    (databases.folder(row["id"]) / "database.json").write_text("{")
    (broken,) = shop.json("list")
    assert "damaged" in broken["problem"]
    assert "damaged" in shop.ok("list")


def test_an_empty_list(tmp_path: Path, neonup_home: Path) -> None:
    project = Project(tmp_path, clean_environ(neonup_home))
    assert project.json("list") == []
    assert "No databases" in project.ok("list")


@pytest.mark.parametrize("command", ["stop", "down"])
def test_stopping_keeps_the_data(shop: Project, command: str) -> None:
    shop.ok("psql", "--", "-c", "CREATE TABLE kept AS SELECT 7 AS seven")
    assert "data is kept" in shop.ok(command)
    assert "Nothing was running" in shop.ok(command)
    assert shop.json("list")[0]["state"] == "stopped"
    assert shop.query("SELECT seven FROM kept") == "7"


def test_stopping_everything(shop: Project, databases: LocalDatabases) -> None:
    databases.create("other", name="other")
    assert set(shop.json("stop", "--all")["stopped"]) == {
        "other",
        *(row["id"] for row in shop.json("list") if row["id"] != "other"),
    }
    assert {row["state"] for row in shop.json("list")} == {"stopped"}


def test_commands_without_a_database_say_so(tmp_path: Path, neonup_home: Path) -> None:
    project = Project(tmp_path, clean_environ(neonup_home))
    for command in ("stop", "logs"):
        assert "no database yet" in project.fails(command)
        own = project.fails(command, DATABASE_URL="postgresql://u:geheim@db.example/x")
        assert "your own" in own
        assert "geheim" not in own


def test_logs_are_printed(shop: Project) -> None:
    assert "ready to accept connections" in shop.ok("logs")
    assert len(shop.ok("logs", "-n", "1").splitlines()) == 1
    answer = shop.json("logs", "-n", "2")
    assert len(answer["lines"]) == 2
    assert Path(answer["log"]).is_file()


def test_logs_can_be_followed(shop: Project) -> None:
    command = [sys.executable, "-m", "neonup", "logs", "-f", "-n", "1"]
    with subprocess.Popen(
        command, cwd=shop.folder, env=shop.environ, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert shop.neonup("psql", "--", "-c", "SELECT no_such_column").returncode == 1
        deadline = time.monotonic() + 60
        while "no_such_column" not in process.stdout.readline():
            assert time.monotonic() < deadline
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        assert process.returncode == 0


def test_prune_deletes_what_nobody_can_miss_and_asks_first(
    shop: Project, databases: LocalDatabases, tmp_path: Path
) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    gone = databases.create("gone", name="gone", project=folder)
    databases.stop(gone.id)
    folder.rmdir()
    error = shop.fails("prune")
    assert "Nothing was deleted" in error
    refused = json.loads(shop.neonup("prune", "--json").stdout)["error"]
    assert {line.split()[0] for line in refused["checked"]} == {"gone"}
    assert len(databases.ids()) == 2
    assert "Deleted 1" in shop.ok("prune", "-y")
    assert databases.ids() == [shop.json("status")["id"]]
    assert "nothing to prune" in shop.ok("prune", "-y")
    assert databases.get(gone.id) is None


def test_no_colours_off_a_terminal(shop: Project) -> None:
    assert "\x1b" not in shop.ok("list")
    assert [path.name for path in shop.folder.iterdir()] == [".env"]
