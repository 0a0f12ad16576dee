"""`neonup fleet`, as processes against the local Neon."""

from __future__ import annotations

import csv
import io
import json
import sys

import psycopg
import pytest

from tests.docs import answers
from tests.emulator.serving import NeonServer
from tests.project import Project
from tests.terminal import terminal

FLEET = """
[tool.neonup.fleet]
prefix = "{prefix}"

[tool.neonup.fleet.tiers.free]
max_cu = 1
quota = {{ active_time_seconds = 36000, logical_size_bytes = 1000 }}
branches = 1

[tool.neonup.fleet.tiers.pro]
max_cu = 4
"""


@pytest.fixture
def acme(shop: Project, prefix: str) -> Project:
    """A project that declares a fleet."""
    (shop.folder / "pyproject.toml").write_text(FLEET.format(prefix=prefix))
    return shop


def test_from_a_project_to_none(acme: Project, neon_server_here: NeonServer) -> None:
    assert "Would create" in acme.ok("fleet", "provision", "anna", "free", "--dry-run")
    said = acme.ok("fleet", "provision", "anna", "pro")
    assert said.startswith("Created the project")
    assert "npg_" not in said
    url = acme.ok("fleet", "provision", "anna", "free", "--url", "--direct").strip()
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE things (n int)")
    neon_server_here.neon.computes.observer.measure()
    [listed] = acme.json("fleet", "list", "--tier", "pro")
    assert (listed["user"], listed["lifecycle"], listed["changing"]) == ("anna", "active", False)
    tried = acme.json("fleet", "tier", "anna", "free", "--dry-run")
    assert [one["name"] for one in tried["excess"]] == ["logical_size_bytes"]
    assert "--force" in acme.fails("fleet", "tier", "anna", "free")
    assert "has the tier free" in acme.ok("fleet", "tier", "anna", "free", "--force")
    assert "logical_size_bytes" in acme.ok("fleet", "usage", "--warnings")
    assert acme.json("fleet", "usage", "anna")["events"][0]["level"] == 100
    [row, *_] = csv.DictReader(io.StringIO(acme.ok("fleet", "usage", "--by", "hourly", "--csv")))
    assert row["user"] == "anna"
    assert "suspended" in acme.ok("fleet", "delete", "anna", "--wait", "30d")
    assert "to be deleted" in acme.fails("fleet", "provision", "anna", "free")
    assert "0 deleted" in acme.ok("fleet", "delete", "--due")
    assert "can be used again" in acme.ok("fleet", "delete", "anna", "--cancel")
    assert acme.json("fleet", "delete", "anna", "--wait", "30d")["deleted"] is False
    assert acme.json("fleet", "delete", "--due")["deleted"] == []
    assert acme.json("fleet", "delete", "anna", "--cancel")["lifecycle"] == "active"
    assert acme.json("fleet", "delete", "ben", "--yes") == {"user": "ben", "deleted": False}
    [planned] = acme.json("fleet", "delete", "anna", "--dry-run")
    assert planned["user"] == "anna"
    assert "Nothing was changed" in acme.fails("fleet", "delete", "anna")
    assert "recover" in acme.ok("fleet", "delete", "anna", "--yes")


def test_migrations(acme: Project) -> None:
    for user in ("anna", "ben"):
        acme.json("fleet", "provision", user, "pro")
    (acme.folder / "migrate.py").write_text(
        "import os, psycopg\n"
        "with psycopg.connect(os.environ['DATABASE_URL']) as connection:\n"
        "    connection.execute('CREATE TABLE things (n int)')\n"
    )
    dry = acme.ok("fleet", "migrate", "--dry-run", "--json", "--", "no-such-program")
    assert [one["user"] for one in json.loads(dry)] == ["anna", "ben"]
    answers.check(("fleet", "migrate"), json.loads(dry))
    command = ("--journal", "done.jsonl", "--", sys.executable, "migrate.py")
    assert "2 migrated, 0 were already" in acme.ok("fleet", "migrate", *command)
    assert "0 migrated, 2 were already" in acme.ok("fleet", "migrate", *command)
    again = acme.neonup("fleet", "migrate", "--", sys.executable, "migrate.py")
    assert again.returncode == 1
    assert "2 failed" in again.stdout
    assert "anna: status 1" in again.stderr
    assert "npg_" not in again.stderr + again.stdout


def test_a_person_sees_how_far_a_migration_is(acme: Project) -> None:
    for user in ("anna", "ben"):
        acme.ok("fleet", "provision", user, "pro")
    gate = acme.folder / "gate"
    script = f"mkdir first || until [ -e '{gate}' ]; do sleep 0.1; done"
    argv = [sys.executable, "-m", "neonup", "fleet", "migrate", "--json", "--", "sh", "-c", script]
    with terminal(argv, cwd=acme.folder, env=acme.environ) as screen:
        screen.until("Migrating databases: 1 of 2, 50 %, ")
        gate.touch()
        printed = json.loads(screen.end())
    assert [one["user"] for one in printed["done"]] == ["anna", "ben"]
    assert "\n" not in screen.seen


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("", "No fleet is declared"),
        ("[tool.neonup.fleet]\nprefix = 'a'\n", "tiers"),
        ("[tool.neonup.fleet]\nprefx = 'a'\n[tool.neonup.fleet.tiers.x]\n", "prefx"),
        ("[tool.neonup.fleet]\nprefix = 'a/b'\n[tool.neonup.fleet.tiers.x]\n", "prefix"),
        ("[tool.neonup.fleet]\nprefix = 'a'\n[tool.neonup.fleet.tiers.x]\nmax = 1\n", "no max"),
    ],
)
def test_a_fleet_that_is_not_declared_right(shop: Project, table: str, words: str) -> None:
    (shop.folder / "pyproject.toml").write_text(table)
    assert words in shop.fails("fleet", "list")


def test_what_a_command_line_lacks(acme: Project) -> None:
    assert "the tiers: free, pro" in acme.fails("fleet", "provision", "anna")
    assert "no tier 'gold'" in acme.fails("fleet", "tier", "anna", "gold")
    assert "has no project" in acme.fails("fleet", "usage", "anna")
    assert acme.neonup("fleet", "delete").returncode == 2
