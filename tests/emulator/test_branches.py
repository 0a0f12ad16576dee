"""Branches: copies of a parent, asleep or under load, and what becomes of their passwords."""

from __future__ import annotations

import threading
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from neonup_emulator.neon.model import Branch, DataState
from tests.emulator.api import Api, Project, ask
from tests.emulator.serving import NeonServer, serving
from tests.waiting import wait_until


def url_of(created: dict[str, object]) -> str:
    return str(created["connection_uris"][0]["connection_uri"])  # type: ignore[index]


def test_a_branch_has_its_parents_data_and_its_own_life(project: Project) -> None:
    ask(project.url, "CREATE TABLE things AS SELECT 1 AS n")
    child = url_of(project.create_branch("dev"))
    assert child.split("@")[1] != project.url.split("@")[1]
    ask(child, "UPDATE things SET n = 2")
    ask(project.url, "INSERT INTO things VALUES (3)")
    assert ask(child, "SELECT array_agg(n) FROM things") == [2]
    assert ask(project.url, "SELECT array_agg(n ORDER BY n) FROM things") == [1, 3]


def test_a_branch_of_a_sleeping_parent_wakes_nobody(project: Project) -> None:
    ask(project.url, "CREATE TABLE things AS SELECT 1 AS n")
    path = f"{project.path}/endpoints/{project.endpoint}"
    project.api.ok("POST", f"{path}/suspend")
    child = url_of(project.create_branch("dev"))
    assert project.api.ok("GET", path)["endpoint"]["current_state"] == "idle"
    assert ask(child, "SELECT n FROM things") == 1


def test_a_branch_under_load_has_every_committed_row(project: Project) -> None:
    """Committed before the request: there. Not committed when the answer came: not there."""
    ask(project.url, "CREATE TABLE things (n int PRIMARY KEY)")
    committed = [0] * 4
    stop = threading.Event()

    def write(writer: int) -> None:
        with psycopg.connect(project.url, autocommit=True) as connection:
            while not stop.is_set():
                value = writer + 4 * committed[writer]
                connection.execute("INSERT INTO things VALUES (%s)", [value])
                committed[writer] += 1

    writers = [threading.Thread(target=write, args=[number]) for number in range(4)]
    for thread in writers:
        thread.start()
    try:
        while sum(committed) < 500:
            stop.wait(0.01)
        for round_ in range(3):
            before = list(committed)
            child = url_of(project.create_branch(f"round-{round_}"))
            after = list(committed)
            with psycopg.connect(child) as connection:
                rows = {n for (n,) in connection.execute("SELECT n FROM things")}
            for writer in range(4):
                found = sorted(n // 4 for n in rows if n % 4 == writer)
                assert found == list(range(len(found)))
                assert before[writer] <= len(found) <= after[writer] + 1
    finally:
        stop.set()
        for thread in writers:
            thread.join()


def test_passwords_are_inherited_and_then_the_branchs_own(project: Project) -> None:
    child = project.create_branch("dev")
    assert url_of(child).split("@")[0] == project.url.split("@")[0]
    path = f"{project.path}/branches/{child['branch']['id']}/roles/neondb_owner"
    role = project.api.ok("POST", f"{path}/reset_password")["role"]
    with pytest.raises(psycopg.OperationalError, match="password"):
        ask(url_of(child), "SELECT 1")
    new = project.api.ok("GET", f"{path}/reveal_password")["password"]
    assert new == role["password"]
    old = url_of(child).split(":")[2].split("@")[0]
    assert ask(url_of(child).replace(old, new), "SELECT 1") == 1
    assert ask(project.url, "SELECT 1") == 1


def test_children_of_a_protected_branch_get_new_passwords(project: Project) -> None:
    ask(project.url, "SELECT 1")
    project.api.ok("PATCH", project.main, {"branch": {"protected": True}})
    child = url_of(project.create_branch("dev"))
    assert child.split("@")[0] != project.url.split("@")[0]
    assert ask(child, "SELECT 1") == 1
    stolen = project.url.split("@")[0] + "@" + child.split("@")[1]
    with pytest.raises(psycopg.OperationalError, match="password"):
        ask(stolen, "SELECT 1")


def test_roles_and_databases_of_sql_come_along(project: Project) -> None:
    ask(project.url, "CREATE ROLE bob LOGIN")
    ask(project.url, "CREATE DATABASE extra")
    created = project.create_branch("dev")
    path = f"{project.path}/branches/{created['branch']['id']}"
    roles = project.api.ok("GET", f"{path}/roles")["roles"]
    assert {role["name"] for role in roles} == {"neondb_owner", "bob"}
    databases = project.api.ok("GET", f"{path}/databases")["databases"]
    assert {row["name"] for row in databases} == {"neondb", "extra"}


def test_branches_are_listed_searched_counted_and_sorted(project: Project) -> None:
    for name in ("beta", "alpha"):
        project.create_branch(name)
    listed = project.api.ok("GET", f"{project.path}/branches", sort_by="name", sort_order="asc")[
        "branches"
    ]
    assert [branch["name"] for branch in listed] == ["alpha", "beta", "main"]
    assert project.api.ok("GET", f"{project.path}/branches/count")["count"] == 3
    found = project.api.ok("GET", f"{project.path}/branches", search="alph")["branches"]
    assert [branch["name"] for branch in found] == ["alpha"]
    first = project.api.ok("GET", f"{project.path}/branches", limit=2)
    second = project.api.ok(
        "GET", f"{project.path}/branches", limit=2, cursor=first["pagination"]["next"]
    )
    assert len(second["branches"]) == 1
    assert "next" not in second["pagination"]


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_who_deletes_branches_page_by_page_misses_none(project: Project, order: str) -> None:
    for name in ("a", "b", "c", "d"):
        project.api.ok("POST", f"{project.path}/branches", {"branch": {"name": f"stale_{name}"}})
    query: dict[str, str] = {"search": "stale_", "sort_by": "name", "sort_order": order}
    while query:
        page = project.api.ok("GET", f"{project.path}/branches", limit=3, **query)
        for branch in page["branches"]:
            project.api.ok("DELETE", f"{project.path}/branches/{branch['id']}")
        cursor = page["pagination"].get("next")
        query = query | {"cursor": cursor} if cursor else {}
    assert project.api.ok("GET", f"{project.path}/branches/count", search="stale_")["count"] == 0


def test_the_default_branch_can_be_another_one(project: Project) -> None:
    created = project.create_branch("next")
    path = f"{project.path}/branches/{created['branch']['id']}"
    assert project.api.ok("POST", f"{path}/set_as_default")["branch"]["default"]
    assert not project.api.ok("GET", project.main)["branch"]["default"]
    assert project.api.refused("DELETE", path)[0] == 422


def test_a_deleted_branch_is_gone_with_its_address(project: Project) -> None:
    created = project.create_branch("dev")
    ask(url_of(created), "SELECT 1")
    path = f"{project.path}/branches/{created['branch']['id']}"
    project.api.ok("DELETE", path)
    assert project.api.refused("GET", path)[0] == 404
    with pytest.raises(psycopg.OperationalError):
        ask(url_of(created), "SELECT 1")


def test_a_branch_is_renamed_and_protected(project: Project) -> None:
    created = project.create_branch("dev")
    path = f"{project.path}/branches/{created['branch']['id']}"
    changed = project.api.ok("PATCH", path, {"branch": {"name": "feature", "protected": True}})
    assert (changed["branch"]["name"], changed["branch"]["protected"]) == ("feature", True)
    assert project.api.refused("DELETE", path)[0] == 422
    assert project.api.refused("PATCH", path, {"branch": {"name": "main"}})[0] == 409


def test_a_branch_with_children_is_not_deleted(project: Project) -> None:
    dev = project.create_branch("dev")["branch"]["id"]
    project.create_branch("below", parent_id=dev)
    assert project.api.refused("DELETE", f"{project.path}/branches/{dev}")[0] == 422


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"branch": {"name": "main"}}, 409),
        ({"branch": {"parent_id": "br-not-there-00000000"}}, 404),
        ({"branch": {"parent_id": "../../etc"}}, 400),
        ({"branch": {"expires_at": "2020-01-01T00:00:00Z"}}, 422),
        ({"branch": {"expires_at": "tomorrow"}}, 400),
        ({"branch": []}, 400),
        ({"endpoints": [{"type": "sideways"}]}, 400),
    ],
)
def test_what_is_refused(project: Project, body: object, status: int) -> None:
    assert project.api.refused("POST", f"{project.path}/branches", body)[0] == status
    assert project.api.ok("GET", f"{project.path}/branches/count")["count"] == 1


def test_a_schema_only_branch_has_everything_but_rows(project: Project) -> None:
    api = project.api
    ask(project.url, "CREATE EXTENSION hstore")
    ask(project.url, "CREATE TABLE things (id serial PRIMARY KEY, name text DEFAULT 'x')")
    ask(project.url, "INSERT INTO things VALUES (DEFAULT, 'secret')")
    ask(project.url, "CREATE ROLE readers")
    ask(project.url, "GRANT SELECT ON things TO readers")
    api.ok("POST", f"{project.main}/roles", {"role": {"name": "carol"}})
    body = {"database": {"name": "extra", "owner_name": "carol"}}
    api.ok("POST", f"{project.main}/databases", body)
    created = project.create_branch("empty", init_source="schema-only")
    assert created["branch"]["init_source"] == "schema-only"
    assert "parent_id" not in created["branch"]  # it is a root branch
    uris = {
        one["connection_parameters"]["database"]: one["connection_uri"]
        for one in created["connection_uris"]
    }
    assert ask(uris["extra"], "SELECT current_user") == "carol"
    assert ask(uris["neondb"], "SELECT count(*) FROM things") == 0
    ask(uris["neondb"], "INSERT INTO things DEFAULT VALUES")
    assert ask(uris["neondb"], "SELECT name FROM things") == "x"
    assert ask(uris["neondb"], "SELECT has_table_privilege('readers', 'things', 'SELECT')")
    assert ask(uris["neondb"], "SELECT 'a=>1'::hstore -> 'a'") == "1"
    assert ask(project.url, "SELECT name FROM things") == "secret"
    body = {"branch": {"init_source": "schema-only", "parent_lsn": "0/1"}}
    assert api.refused("POST", f"{project.path}/branches", body)[0] == 422


def test_a_schema_only_branch_of_another_owner(project: Project) -> None:
    other = project.api.create_project(branch={"role_name": "alice", "database_name": "shop"})
    ask(other.url, "CREATE TABLE things ()")
    child = url_of(other.create_branch("empty", init_source="schema-only"))
    assert ask(child, "SELECT to_regclass('things')::text || current_user") == "thingsalice"
    roles = "SELECT array_agg(rolname::text) FROM pg_roles WHERE rolname !~ '^pg_'"
    assert set(ask(child, roles)) == {"cloud_admin", "neon_superuser", "alice"}


def test_a_child_without_rows_can_be_reset_from_its_parent(project: Project) -> None:
    ask(project.url, "CREATE TABLE things AS SELECT 1 AS n")
    child = project.create_branch("empty", init_source="parent-schema")
    assert child["branch"]["parent_id"] == project.branch
    assert ask(url_of(child), "SELECT count(*) FROM things") == 0
    path = f"{project.path}/branches/{child['branch']['id']}/restore"
    project.api.ok("POST", path, {"source_branch_id": project.branch})
    assert ask(url_of(child), "SELECT count(*) FROM things") == 1


def test_a_protected_branch_and_its_endpoint_stay_as_they_are(project: Project) -> None:
    child = project.create_branch("production", protected=True)
    path = f"{project.path}/branches/{child['branch']['id']}"
    assert project.api.refused("DELETE", path)[0] == 422
    body = {"source_branch_id": project.branch}
    assert project.api.refused("POST", f"{path}/restore", body)[0] == 422
    endpoint = f"{project.path}/endpoints/{child['endpoints'][0]['id']}"
    assert project.api.refused("DELETE", endpoint)[0] == 422
    project.api.ok("PATCH", path, {"branch": {"protected": False}})
    project.api.ok("DELETE", endpoint)
    project.api.ok("DELETE", path)


def test_deleting_what_is_gone_already(project: Project) -> None:
    for path in (
        f"{project.path}/branches/br-not-there-00000000",
        f"{project.path}/endpoints/ep-not-there-00000000",
        f"{project.main}/roles/nobody",
        f"{project.main}/databases/nothing",
    ):
        assert project.api.ask("DELETE", path) == (204, {})
    for path in ("roles/nobody", "databases/nothing"):
        gone = f"{project.path}/branches/br-not-there-00000000/{path}"
        assert project.api.refused("DELETE", gone)[0] == 404


OWN_NAMES = {"role_name": "alice", "database_name": "store"}


def test_a_branch_of_a_project_with_own_names_that_nobody_has_connected_to(api: Api) -> None:
    """Terraform's first test: a project, then a branch of it."""
    project = api.create_project(name="shop", branch={"name": "trunk", **OWN_NAMES})
    child = project.create_branch("dev")
    path = f"{project.path}/branches/{child['branch']['id']}"
    assert [one["name"] for one in child["roles"]] == ["alice"]
    assert [one["name"] for one in child["databases"]] == ["store"]
    assert api.ok("GET", f"{path}/schema", db_name="store")["sql"] == ""
    compared = api.ok("GET", f"{path}/compare_schema", db_name="store")
    assert compared["diff"] == ""
    assert ask(url_of(child), "SELECT current_user || '/' || current_database()") == "alice/store"
    assert [one["name"] for one in api.ok("GET", f"{path}/roles")["roles"]] == ["alice"]
    assert [one["name"] for one in api.ok("GET", f"{path}/databases")["databases"]] == ["store"]
    assert ask(project.url, "SELECT current_user || '/' || current_database()") == "alice/store"


@pytest.mark.parametrize("init_source", ["parent-schema", "schema-only"])
def test_a_branch_without_rows_has_the_projects_own_names(api: Api, init_source: str) -> None:
    project = api.create_project(name="shop", branch=OWN_NAMES)
    child = url_of(project.create_branch("dev", init_source=init_source))
    assert ask(child, "SELECT current_user || '/' || current_database()") == "alice/store"


def test_own_names_are_there_before_the_first_connection_too(api: Api) -> None:
    """The past of a project, and snapshots of it, begin with the template's names."""
    project = api.create_project(name="shop", branch=OWN_NAMES)
    created = project.answer["project"]["created_at"]
    snapshot = api.ok("POST", f"{project.main}/snapshot")["snapshot"]["id"]
    ask(project.url, "CREATE TABLE things AS SELECT 1 AS n")
    past = project.create_branch("past", parent_timestamp=created)
    assert ask(url_of(past), "SELECT to_regclass('things')") is None
    assert api.ok("GET", f"{project.main}/schema", db_name="store", timestamp=created)["sql"] == ""
    restored = api.ok(
        "POST", f"{project.path}/snapshots/{snapshot}/restore", {"name": "restored"}
    )["branch"]["id"]  # fmt: skip
    endpoint = {"endpoint": {"branch_id": restored, "type": "read_write"}}
    api.ok("POST", f"{project.path}/endpoints", endpoint)
    where = {"branch_id": restored, "role_name": "alice", "database_name": "store"}
    url = api.ok("GET", f"{project.path}/connection_uri", **where)["uri"]
    assert ask(url, "SELECT to_regclass('things')") is None


@pytest.mark.parametrize("no_login", [False, True])
def test_a_role_that_is_called_like_the_templates_keeps_its_name(api: Api, no_login: bool) -> None:
    project = api.create_project(name="shop", branch=OWN_NAMES)
    role = {"role": {"name": "neondb_owner", "no_login": no_login}}
    api.ok("POST", f"{project.main}/roles", role)
    child = project.create_branch("dev")
    path = f"{project.path}/branches/{child['branch']['id']}"
    assert ask(url_of(child), "SELECT current_user") == "alice"
    names = {one["name"] for one in api.ok("GET", f"{path}/roles")["roles"]}
    assert names == {"alice", "neondb_owner"}


def test_a_branch_that_is_still_being_copied_has_its_connection_uris(neonup_home: Path) -> None:
    with serving(neonup_home, patience=0) as server:
        api = Api(server.base, server.key)
        project = api.create_project(name="shop")
        wait_until(lambda: is_ready(server, project.branch), "the project")
        body = {"branch": {"name": "dev"}, "endpoints": [{"type": "read_write"}]}
        answer = api.ok("POST", f"{project.path}/branches", body)
        assert answer["branch"]["current_state"] == "init"
        (uri,) = answer["connection_uris"]
        wait_until(lambda: is_ready(server, answer["branch"]["id"]), "the branch")
        assert ask(uri["connection_uri"], "SELECT 1") == 1


@pytest.mark.parametrize("source", ["parent-data", "schema-only"])
def test_a_connection_to_a_branch_that_is_still_being_copied_waits_for_it(
    neonup_home: Path, source: str
) -> None:
    with serving(neonup_home, patience=0) as server:
        api = Api(server.base, server.key)
        project = api.create_project(name="shop")
        assert ask(project.url, "SELECT 1") == 1  # at once, as soon as the answer is there
        ask(project.url, "CREATE TABLE things AS SELECT 1 AS n, repeat('x', 100000000) AS text")
        body = {"branch": {"name": "dev", "init_source": source}}
        answer = api.ok(
            "POST", f"{project.path}/branches", {**body, "endpoints": [{"type": "read_write"}]}
        )
        assert answer["branch"]["current_state"] == "init"
        url = make_conninfo(project.url, host=answer["endpoints"][0]["host"])
        count = ask(url, "SELECT count(*) FROM things")
        assert count == (1 if source == "parent-data" else 0)


def is_ready(server: NeonServer, id: str) -> bool:  # noqa: A002
    branch = server.neon.store.get(Branch, id)
    return branch is not None and branch.state is DataState.READY
