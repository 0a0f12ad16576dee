"""Projects over the API, and the databases that come with them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import psycopg
import pytest

from neonup_emulator.neon.model import Branch, Operation
from neonup_local.engine import binaries
from tests.emulator.api import Api, Project, ask
from tests.emulator.serving import NeonServer
from tests.waiting import wait_until


def test_a_new_project_has_a_database_that_answers(project: Project) -> None:
    assert ask(project.url, "SELECT current_user || '/' || current_database()") == (
        "neondb_owner/neondb"
    )


def test_its_role_and_database_have_the_names_that_were_asked_for(api: Api) -> None:
    project = api.create_project(
        name="shop", branch={"name": "trunk", "role_name": "alice", "database_name": "store"}
    )
    assert project.answer["branch"]["name"] == "trunk"
    assert ask(project.url, "SELECT current_user || '/' || current_database()") == "alice/store"
    assert ask(project.url, "SELECT count(*) FROM pg_roles WHERE rolname = 'neondb_owner'") == 0


def test_a_new_endpoint_is_active_and_takes_no_memory_before_somebody_connects(
    project: Project, neon_server_here: NeonServer
) -> None:
    """Clients wait for the operations' end, then for an active endpoint, and then connect."""
    running = neon_server_here.neon.computes.is_running
    branch = neon_server_here.neon.store.get(Branch, project.branch)
    assert branch is not None
    operations = project.api.ok("GET", f"{project.path}/operations")["operations"]
    assert {one["status"] for one in operations} == {"finished"}
    assert "start_compute" in {one["action"] for one in operations}
    assert project.answer["endpoints"][0]["current_state"] == "active"
    assert not running(branch.cluster_id)
    assert ask(project.url, "SELECT 1") == 1
    shown = project.api.ok("GET", f"{project.path}/endpoints/{project.endpoint}")
    assert shown["endpoint"]["current_state"] == "active"
    assert running(branch.cluster_id)


def test_a_project_has_the_major_version_that_was_asked_for(api: Api, tmp_path: Path) -> None:
    engines = [entry.engine for entry in binaries.candidates(tmp_path)]
    for major in {engine.major for engine in engines if engine}:
        project = api.create_project(name="shop", pg_version=major)
        assert project.answer["project"]["pg_version"] == major
        version = ask(project.url, "SHOW server_version")
        assert version.startswith(f"{major}.")


def test_two_projects_are_apart(api: Api) -> None:
    one, two = api.create_project(name="one"), api.create_project(name="two")
    ask(one.url, "CREATE TABLE things ()")
    assert ask(two.url, "SELECT to_regclass('things')") is None
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(two.url.replace(two.url.split(":")[2].split("@")[0], "wrong"))


def test_settings_are_merged(project: Project) -> None:
    quota = {"active_time_seconds": 3600, "logical_size_bytes": 1 << 30}
    body = {"project": {"name": "store", "settings": {"quota": quota}}}
    project.api.ok("PATCH", project.path, body)
    body = {"project": {"settings": {"quota": {"active_time_seconds": 7200}}}}
    changed = project.api.ok("PATCH", project.path, body)["project"]
    assert changed["name"] == "store"
    assert changed["settings"]["quota"] == {**quota, "active_time_seconds": 7200}
    assert project.api.ok("GET", project.path)["project"]["settings"] == changed["settings"]


def test_projects_are_listed_in_pages_the_newest_first(api: Api) -> None:
    ids = [api.create_project(name=f"paged-{number}").id for number in range(5)]
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = api.ok("GET", "/projects", limit=2, search="paged-", **cursor)
        if not page["projects"]:
            break
        assert len(page["projects"]) <= 2
        found += [project["id"] for project in page["projects"]]
        cursor = {"cursor": page["pagination"]["cursor"]}
    assert found == ids[::-1]


def test_who_deletes_page_by_page_misses_none(api: Api) -> None:
    for number in range(5):
        api.create_project(name=f"deleted-{number}")
    cursor: dict[str, str] = {}
    while True:
        page = api.ok("GET", "/projects", limit=2, search="deleted-", **cursor)
        for project in page["projects"]:
            api.ok("DELETE", f"/projects/{project['id']}")
        if not page["projects"]:
            break
        cursor = {"cursor": page["pagination"]["cursor"]}
    assert api.ok("GET", "/projects", search="deleted-")["projects"] == []


@pytest.mark.parametrize(
    "query",
    [{"limit": 0}, {"limit": 401}, {"limit": "9" * 5000}, {"limit": "two"}, {"cursor": "%"}],
)
def test_a_page_that_cannot_be_had(api: Api, query: dict[str, str]) -> None:
    assert api.refused("GET", "/projects", **query)[0] == 400


def test_a_deleted_project_can_be_recovered_with_its_data(project: Project) -> None:
    api = project.api
    ask(project.url, "CREATE TABLE things AS SELECT 42 AS n")
    api.ok("DELETE", project.path)
    assert api.refused("GET", project.path)[0] == 404
    with pytest.raises(psycopg.OperationalError):
        ask(project.url, "SELECT 1")
    listed = api.ok("GET", "/projects", recoverable="true", limit=400)["projects"]
    assert project.id in [one["id"] for one in listed]
    assert api.ok("POST", f"{project.path}/recover")["project"]["id"] == project.id
    assert ask(project.url, "SELECT n FROM things") == 42
    assert api.refused("POST", f"{project.path}/recover")[0] == 404


def test_a_project_with_a_protected_branch_is_not_deleted(project: Project) -> None:
    project.api.ok("PATCH", project.main, {"branch": {"protected": True}})
    assert project.api.refused("DELETE", project.path)[0] == 422


def test_logical_replication(api: Api) -> None:
    project = api.create_project(settings={"enable_logical_replication": True})
    assert ask(project.url, "SHOW wal_level") == "logical"
    body = {"project": {"settings": {"enable_logical_replication": False}}}
    assert api.refused("PATCH", project.path, body)[0] == 400


def test_what_was_done_is_listed_as_operations(project: Project) -> None:
    listed = project.api.ok("GET", f"{project.path}/operations")["operations"]
    assert {one["action"] for one in listed} == {"create_timeline", "start_compute"}
    assert {one["status"] for one in listed} == {"finished"}
    one = project.api.ok("GET", f"{project.path}/operations/{listed[0]['id']}")
    assert one["operation"] == listed[0]


def test_a_project_can_be_shared(project: Project) -> None:
    path = f"{project.path}/permissions"
    granted = project.api.ok("POST", path, {"email": "friend@example.com"})
    assert project.api.ok("GET", path)["project_permissions"] == [granted]
    revoked = project.api.ok("DELETE", f"{path}/{granted['id']}")
    assert revoked["revoked_at"]
    assert project.api.ok("GET", path)["project_permissions"] == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"project": {"name": ""}}, 400),
        ({"project": {"name": 7}}, 400),
        ({"project": {"history_retention_seconds": -1}}, 400),
        ({"project": {"name": "x" * 257}}, 400),
        ({"project": {"pg_version": 9}}, 422),
        ({"project": {"branch": {"role_name": "pg_mine"}}}, 422),
        ({"project": {"branch": {"role_name": "public"}}}, 422),
        ({"project": {"branch": {"role_name": "é" * 32}}}, 400),
        ({"project": {"branch": {"database_name": "postgres"}}}, 422),
        ({"project": {"branch": {"database_name": "template1"}}}, 422),
        ({"project": {"org_id": "org-nobody-00000000"}}, 404),
        ({"project": {"default_endpoint_settings": {"suspend_timeout_seconds": -2}}}, 400),
    ],
)
def test_what_is_refused(api: Api, body: object, status: int) -> None:
    before = len(api.ok("GET", "/projects", limit=400)["projects"])
    assert api.refused("POST", "/projects", body)[0] == status
    assert len(api.ok("GET", "/projects", limit=400)["projects"]) == before


def test_a_project_is_recovered_while_the_front_lets_go_of_its_address(
    project: Project, neon_server_here: NeonServer
) -> None:
    [front] = [
        one
        for one in psutil.Process().children()
        if "neonup_emulator.neon.compute.front.tcp_proxy" in one.cmdline()
    ]

    def recovering() -> bool:
        operations = neon_server_here.neon.store.all(Operation, project_id=project.id)
        return operations[-1].action == "start_compute"

    with ThreadPoolExecutor() as pool:
        front.suspend()
        try:
            project.api.ok("DELETE", project.path)
            recovered = pool.submit(project.api.ok, "POST", f"{project.path}/recover")
            wait_until(recovering, "the recovery")
        finally:
            front.resume()
        assert recovered.result(60)["project"]["id"] == project.id
    assert ask(project.url, "SELECT 1") == 1
