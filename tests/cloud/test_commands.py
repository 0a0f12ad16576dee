"""`neonup projects`, `branches`, `snapshots` and `usage`, as processes against the local Neon."""

from __future__ import annotations

import json
import shutil
import sys
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from neonup_cloud import NeonClient
from tests.cloud.neon import branches, projects
from tests.emulator.serving import NeonServer
from tests.project import Project


@pytest.fixture
def owner(neon_server_here: NeonServer) -> Iterator[NeonClient]:
    with NeonClient(neon_server_here.key, base_url=neon_server_here.base) as found:
        yield found


@pytest.fixture
def name(shop: Project) -> str:
    """The folder has a name of the test's own, and so have the projects."""
    found = f"shop-{uuid.uuid4().hex[:10]}"
    shop.folder = shop.folder.rename(shop.folder.with_name(found))
    return found


@pytest.fixture
def here(shop: Project, name: str, neon_server_here: NeonServer) -> str:
    """The id of the project that `.env` points at."""
    shop.ok()
    (project,) = projects(neon_server_here, name)
    return project.id


def test_a_project_is_created_listed_deleted_and_recovered(
    shop: Project, name: str, neon_server_here: NeonServer
) -> None:
    made = shop.json("projects", "create", name)["project"]
    assert made["id"] in shop.ok("projects", "list")
    assert made["id"] in [one["id"] for one in shop.json("projects", "list")]
    assert "Nothing was changed" in shop.fails("projects", "delete", name)
    assert len(projects(neon_server_here, name)) == 1
    assert "recover" in shop.ok("projects", "delete", name, "--yes")
    assert made["id"] not in shop.ok("projects", "list")
    assert made["id"] in shop.ok("projects", "list", "--deleted")
    shop.json("projects", "recover", name)
    assert len(projects(neon_server_here, name)) == 1
    assert not shop.env_file.exists()


def test_a_name_that_two_projects_have_is_not_guessed(
    shop: Project, name: str, owner: NeonClient
) -> None:
    ids = [owner.projects.create(name=name).project.id for _ in range(2)]
    said = shop.fails("projects", "delete", name, "--yes")
    assert all(one in said for one in ids)
    shop.json("projects", "delete", ids[0], "--yes")
    shop.ok("projects", "delete", name, "--yes")


def test_branches_of_the_project_in_env(
    shop: Project, here: str, neon_server_here: NeonServer
) -> None:
    shop.query("CREATE TABLE items AS SELECT 1 AS i")
    made = shop.json("branches", "create", "feature", "--expires", "2h")
    assert made["branch"]["expires_at"]
    uri = made["connection_uris"][0]["connection_uri"]
    with psycopg.connect(uri, autocommit=True) as connection:
        assert connection.execute("SELECT count(*) FROM items").fetchone() == (1,)
        connection.execute("DELETE FROM items")
    listed = shop.ok("branches", "list")
    assert "feature" in listed and "default" in listed
    assert "no parent" in shop.fails("branches", "reset", "main", "--yes")
    assert "Nothing was changed" in shop.fails("branches", "reset", "feature")
    shop.json("branches", "reset", "feature", "--keep-as", "before", "--yes")
    with psycopg.connect(uri) as connection:
        assert connection.execute("SELECT count(*) FROM items").fetchone() == (1,)
    assert branches(neon_server_here, here) == ["before", "feature", "main"]
    assert "There is no branch" in shop.fails("branches", "delete", "nothing", "--yes")


def test_a_copied_folder_changes_nothing_in_the_originals_project(shop: Project, here: str) -> None:
    two = Project(shop.folder.with_name(f"{shop.folder.name}-2"), shop.environ)
    shutil.copytree(shop.folder, two.folder)
    for command in (
        ["projects", "delete"],
        ["branches", "delete", "main"],
        ["branches", "reset", "main"],
        ["branches", "restore", "main", "--at", "1s ago"],
    ):
        assert "This is the database of" in two.fails(*command, "--yes")
    assert "This is the database of" in two.fails("destroy", "--yes")
    assert here in shop.ok("projects", "list")
    assert here in two.ok("projects", "delete", "--yes", "--of", str(shop.folder))


def test_a_branch_goes_back_to_a_moment(
    shop: Project, here: str, neon_server_here: NeonServer
) -> None:
    shop.query("CREATE TABLE items AS SELECT 1 AS i")
    time.sleep(1.1)
    before = datetime.now(UTC).isoformat()
    time.sleep(1.1)
    shop.query("DROP TABLE items")
    assert "--at" in shop.fails("branches", "restore", "main", "--yes")
    shop.ok("branches", "create", "earlier", "--at", before)
    told = shop.json("branches", "restore", "main", "--at", before, "--yes")
    assert shop.query("SELECT count(*) FROM items") == "1"
    assert branches(neon_server_here, here) == sorted(["earlier", "main", told["kept_as"]])


@pytest.mark.parametrize("when", ["soon", "5 parsecs ago", "99999999999d"])
def test_what_is_no_moment_is_refused(shop: Project, when: str) -> None:
    done = shop.neonup("branches", "create", "--at", when)
    assert done.returncode == 2 and "is no moment" in done.stderr, done.stderr


def test_a_snapshot_is_kept_and_restored(shop: Project, here: str) -> None:
    shop.query("CREATE TABLE items AS SELECT 1 AS i")
    made = shop.json("snapshots", "create", "first")["snapshot"]
    shop.query("DROP TABLE items")
    assert "first" in shop.ok("snapshots", "list")
    shop.json("snapshots", "restore", "first", "--as", "preview")
    assert "preview" in shop.ok("branches", "list", "--project", here)
    assert "Nothing was changed" in shop.fails("snapshots", "restore", "first", "--replace")
    shop.json("snapshots", "restore", made["id"], "--replace", "--yes")
    assert shop.query("SELECT count(*) FROM items") == "1"
    shop.json("snapshots", "delete", "first", "--yes")
    assert "No snapshots" in shop.ok("snapshots", "list")


def test_a_snapshot_is_found_by_its_slug_unless_another_has_that_name(
    shop: Project, here: str
) -> None:
    made = shop.json("snapshots", "create", "first", "--slug", "v1")["snapshot"]
    assert made["slug"] == "v1"
    assert " v1 " in shop.ok("snapshots", "list")
    assert "slug" in shop.fails("snapshots", "create", "second", "--slug", "v1")
    assert "slug" in shop.fails("snapshots", "create", "second", "--slug", "-")
    named = shop.json("snapshots", "create", "v1")["snapshot"]
    shop.ok("snapshots", "delete", "v1", "--yes")
    assert [one["id"] for one in shop.json("snapshots", "list")] == [made["id"]] != [named["id"]]
    shop.ok("snapshots", "restore", "v1", "--as", "preview")
    shop.ok("snapshots", "delete", "v1", "--yes")
    assert "No snapshots" in shop.ok("snapshots", "list")


def test_snapshots_of_one_name_are_listed(shop: Project, here: str) -> None:
    ids = [shop.json("snapshots", "create", "same")["snapshot"]["id"] for _ in range(2)]
    said = shop.fails("snapshots", "delete", "same", "--yes")
    assert all(one in said for one in ids)


def test_usage_of_the_project(shop: Project, here: str) -> None:
    shop.query("SELECT 1")
    (consumed,) = shop.json("usage")
    assert consumed["project_id"] == here
    assert here in shop.ok("usage", "--by", "hourly", "--last", "2")


def test_an_endpoint_in_the_url_says_which_project(shop: Project, owner: NeonClient) -> None:
    made = owner.projects.create(name="somebody-s")
    shop.env_file.write_text(f"DATABASE_URL={made.connection_uris[0].connection_uri}\n")
    listed = shop.json("branches", "list")
    assert [one["project_id"] for one in listed] == [made.project.id]


def test_where_nothing_says_which_project(shop: Project, owner: NeonClient) -> None:
    assert "--project" in shop.fails("branches", "list")
    id_ = owner.projects.create(name="by-variable").project.id
    (branch,) = shop.json("branches", "list", NEON_PROJECT_ID=id_)
    assert branch["project_id"] == id_


def test_a_folder_that_neons_own_command_has_linked(
    shop: Project, owner: NeonClient, neon_server_here: NeonServer
) -> None:
    made, named = (owner.projects.create(name=name).project.id for name in ("linked", "named"))
    link = shop.folder / ".neon"

    def shown(**environ: str) -> str:
        (branch,) = shop.json("branches", "list", **environ)
        return str(branch["project_id"])

    link.write_text(
        json.dumps({"projectId": made, "orgId": neon_server_here.org_id, "branch": "x"})
    )
    assert shown() == made
    assert shown(NEON_PROJECT_ID=named) == named
    (listed,) = shop.json("branches", "list", "--project", named)
    assert listed["project_id"] == named
    (shop.folder / "pyproject.toml").write_text(f'[tool.neonup.account]\nproject = "{named}"\n')
    assert shown() == named
    (shop.folder / "pyproject.toml").write_text("[tool.neonup]\n")
    assert shown() == made
    link.rename(shop.folder.parent / ".neon")  # above it
    assert shown() == made
    (shop.folder.parent / ".neon").write_text(json.dumps({"orgId": "org-of-nobody-12345678"}))
    assert "organization" in shop.fails("projects", "list", NEON_ORG_ID="")
    link.write_text("")  # as after `neon set-context` without anything
    assert "--project" in shop.fails("branches", "list")
    for broken in ("{", "[]", '{"projectId": 5}', '{"orgId": "../x"}'):
        link.write_text(broken)
        said = shop.fails("branches", "list")
        assert ".neon" in said and "neon link" in said
        assert shown(NEON_PROJECT_ID=made) == made


def test_a_database_of_the_provider_local_has_no_branches(shop: Project) -> None:
    shop.ok(NEONUP_PROVIDER="local")
    said = shop.fails("branches", "list")
    assert "no branches" in said and "neonup serve" in said
    shop.json("destroy", "--yes")


def test_no_serve_is_running(shop: Project) -> None:
    assert "neonup serve" in shop.fails("projects", "list", "--local")


def test_the_local_neon_answers_without_settings(
    shop: Project, owner: NeonClient, neon_server_here: NeonServer, tmp_path: Path
) -> None:
    """As `serve` records itself in its home, of which the test's server has all but the address."""
    made = owner.projects.create(name="on-this-machine")
    home = Path(shop.environ["NEONUP_HOME"])
    (home / "neon").mkdir(parents=True, exist_ok=True)
    (home / "neon" / "api-key").write_text(neon_server_here.key)
    (home / "serve.url").write_text(neon_server_here.base.removesuffix("/api/v2"))
    for name in ("NEON_API_HOST", "NEON_API_KEY", "NEON_ORG_ID"):
        shop.environ.pop(name)
    assert made.project.id in shop.ok("projects", "list", "--local")
    shop.env_file.write_text(f"DATABASE_URL={made.connection_uris[0].connection_uri}\n")
    (branch,) = shop.json("branches", "list")
    assert branch["project_id"] == made.project.id


def test_a_running_serve_is_found_in_its_home(shop: Project, name: str) -> None:
    for one in ("NEON_API_HOST", "NEON_API_KEY", "NEON_ORG_ID"):
        shop.environ.pop(one)
    command = [sys.executable, "-m", "neonup", "projects", "create", name, "--local", "--json"]
    made = shop.command([sys.executable, "-m", "neonup", "serve", "--port", "0", "--", *command])
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["project"]["name"] == name
    assert "neonup serve" in shop.fails("projects", "list", "--local")
