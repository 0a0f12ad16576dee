"""Points in time: branches, restores, resets and snapshots have exactly the rows of a moment."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import psycopg
import pytest

from tests.neon.api import Project, ask


def now() -> str:
    """This moment, with a little room on both sides for the clocks' grain."""
    time.sleep(0.02)
    moment = datetime.now(UTC)
    time.sleep(0.02)
    return moment.isoformat()


def url_of(created: dict[str, Any]) -> str:
    return str(created["connection_uris"][0]["connection_uri"])


def rows(url: str) -> list[int]:
    found = ask(url, "SELECT coalesce(array_agg(n ORDER BY n), '{}') FROM things")
    assert isinstance(found, list)
    return found


def write(url: str, *numbers: int) -> None:
    ask(url, "CREATE TABLE IF NOT EXISTS things (n int)")
    for number in numbers:
        ask(url, "INSERT INTO things VALUES (%s)", number)


def suspend(project: Project) -> None:
    project.api.ok("POST", f"{project.path}/endpoints/{project.endpoint}/suspend")


def restore(project: Project, branch: str, source: str, **more: Any) -> dict[str, Any]:
    body = {"source_branch_id": source, **more}
    path = f"{project.path}/branches/{branch}/restore"
    restored: dict[str, Any] = project.api.ok("POST", path, body)["branch"]
    return restored


def test_a_branch_from_a_moment_has_what_was_committed_then(project: Project) -> None:
    write(project.url, 1, 2)
    then = now()
    write(project.url, 3)
    for sleeping in (False, True):
        if sleeping:
            suspend(project)
        child = project.create_branch(f"sleeping-{sleeping}", parent_timestamp=then)
        assert rows(url_of(child)) == [1, 2]
        write(url_of(child), 9)
    assert rows(project.url) == [1, 2, 3]


def test_the_moment_at_which_the_project_was_created(project: Project) -> None:
    write(project.url, 1)
    begin = project.answer["project"]["created_at"]
    child = project.create_branch("dev", parent_timestamp=begin)
    assert ask(url_of(child), "SELECT to_regclass('things')") is None


@pytest.mark.parametrize("sleeping", [False, True])
def test_nothing_was_committed_after_the_moment(project: Project, sleeping: bool) -> None:
    write(project.url, 1)
    then = now()
    if sleeping:
        suspend(project)
    assert rows(url_of(project.create_branch("dev", parent_timestamp=then))) == [1]


def test_a_branch_from_a_position_in_the_log(project: Project) -> None:
    write(project.url, 1)
    position = ask(project.url, "SELECT pg_current_wal_insert_lsn()")
    write(project.url, 2)
    child = project.create_branch("dev", parent_lsn=position)
    assert rows(url_of(child)) == [1]
    body = {"branch": {"parent_lsn": "7F/0"}}
    assert project.api.refused("POST", f"{project.path}/branches", body)[0] == 422
    assert project.api.ok("GET", f"{project.path}/branches/count")["count"] == 2


def test_a_childs_history_goes_back_to_its_ancestors(project: Project) -> None:
    write(project.url, 1)
    before = now()
    write(project.url, 2)
    child = project.create_branch("child")
    write(url_of(child), 3)
    after = now()
    write(url_of(child), 4)
    write(project.url, 5)
    branch = child["branch"]["id"]
    assert rows(url_of(project.create_branch("a", parent_id=branch, parent_timestamp=before))) == [
        1
    ]
    grandchild = project.create_branch("b", parent_id=branch, parent_timestamp=after)
    assert rows(url_of(grandchild)) == [1, 2, 3]
    write(url_of(grandchild), 6)
    last = now()
    write(url_of(grandchild), 7)
    branch = grandchild["branch"]["id"]
    assert rows(url_of(project.create_branch("c", parent_id=branch, parent_timestamp=last))) == [
        1, 2, 3, 6,
    ]  # fmt: skip
    assert rows(url_of(project.create_branch("d", parent_id=branch, parent_timestamp=before))) == [
        1
    ]


def test_a_branch_that_was_restored_can_be_restored_again(project: Project) -> None:
    moments, expected = [], []
    write(project.url, 0)
    for round_ in range(1, 4):
        write(project.url, round_)
        moments.append(now())
        expected.append(rows(project.url))
        write(project.url, 100 + round_)
        restore(
            project, project.branch, project.branch,
            source_timestamp=moments[-1], preserve_under_name=f"before {round_}",
        )  # fmt: skip
        assert rows(project.url) == expected[-1]
        write(project.url, 200 + round_)
    for number, (moment, was) in enumerate(zip(moments, expected, strict=True)):
        child = project.create_branch(f"then {number}", parent_timestamp=moment)
        assert rows(url_of(child)) == was


def test_restore_keeps_the_url_and_preserves_what_was_there(project: Project) -> None:
    write(project.url, 1)
    then = now()
    write(project.url, 2)
    path = f"{project.main}/roles/neondb_owner/reset_password"
    password = project.api.ok("POST", path)["role"]["password"]
    restore(
        project, project.branch, project.branch, source_timestamp=then, preserve_under_name="old"
    )
    uri = project.api.ok(
        "GET", f"{project.path}/connection_uri", database_name="neondb", role_name="neondb_owner"
    )["uri"]
    assert password in uri and uri.split("@")[1] == project.url.split("@")[1]
    assert rows(uri) == [1]
    listed = project.api.ok("GET", f"{project.path}/branches")["branches"]
    old = next(branch for branch in listed if branch["name"] == "old")
    body = {"endpoint": {"branch_id": old["id"], "type": "read_write"}}
    project.api.ok("POST", f"{project.path}/endpoints", body)
    uri = project.api.ok(
        "GET", f"{project.path}/connection_uri",
        branch_id=old["id"], database_name="neondb", role_name="neondb_owner",
    )["uri"]  # fmt: skip
    assert rows(uri) == [1, 2]


def test_children_go_with_the_data_that_they_began_with(project: Project) -> None:
    write(project.url, 1)
    then = now()
    child = project.create_branch("dev")["branch"]["id"]
    body = {"source_branch_id": child}
    assert project.api.refused("POST", f"{project.main}/restore", body)[0] == 422
    restore(
        project, project.branch, project.branch, source_timestamp=then, preserve_under_name="old"
    )
    listed = project.api.ok("GET", f"{project.path}/branches")["branches"]
    old = next(branch for branch in listed if branch["name"] == "old")
    shown = project.api.ok("GET", f"{project.path}/branches/{child}")["branch"]
    assert shown["parent_id"] == old["id"]
    assert project.api.refused("DELETE", f"{project.path}/branches/{old['id']}")[0] == 422
    project.api.ok("DELETE", f"{project.path}/branches/{child}")
    project.api.ok("DELETE", f"{project.path}/branches/{old['id']}")
    assert rows(project.url) == [1]


def test_reset_from_the_parent(project: Project) -> None:
    write(project.url, 1)
    child = project.create_branch("dev")
    write(url_of(child), 2)
    write(project.url, 3)
    restored = restore(project, child["branch"]["id"], project.branch)
    assert restored["id"] == child["branch"]["id"]
    assert restored["last_reset_at"]
    assert rows(url_of(child)) == [1, 3]


def test_connections_are_cut_by_a_restore_and_find_the_new_data(project: Project) -> None:
    write(project.url, 1)
    then = now()
    with psycopg.connect(project.url, autocommit=True) as connection:
        connection.execute("INSERT INTO things VALUES (2)")
        restore(
            project, project.branch, project.branch,
            source_timestamp=then, preserve_under_name="old",
        )  # fmt: skip
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    assert rows(project.url) == [1]


def test_roles_and_databases_are_those_of_the_moment(project: Project) -> None:
    ask(project.url, "CREATE DATABASE early")
    then = now()
    ask(project.url, "CREATE DATABASE late")
    ask(project.url, "CREATE ROLE late")
    restore(
        project, project.branch, project.branch, source_timestamp=then, preserve_under_name="old"
    )
    listed = project.api.ok("GET", f"{project.main}/databases")["databases"]
    assert {row["name"] for row in listed} == {"neondb", "early"}
    listed = project.api.ok("GET", f"{project.main}/roles")["roles"]
    assert {role["name"] for role in listed} == {"neondb_owner"}


def test_the_parent_may_be_gone(project: Project) -> None:
    write(project.url, 1)
    middle = project.create_branch("middle")
    write(url_of(middle), 2)
    then = now()
    write(url_of(middle), 3)
    leaf = project.create_branch("leaf", parent_id=middle["branch"]["id"])
    write(url_of(leaf), 4)
    path = f"{project.path}/branches/{leaf['branch']['id']}"
    restore(project, leaf["branch"]["id"], project.branch)  # now a child of main
    project.api.ok("DELETE", f"{project.path}/branches/{middle['branch']['id']}")
    assert rows(url_of(leaf)) == [1]
    assert project.api.ok("GET", path)["branch"]["parent_id"] == project.branch
    earlier = (datetime.fromisoformat(then) - timedelta(seconds=0)).isoformat()
    child = project.create_branch("x", parent_id=leaf["branch"]["id"], parent_timestamp=earlier)
    assert rows(url_of(child)) == [1]


def test_42_mib_of_log(project: Project) -> None:
    write(project.url, 1)
    ask(project.url, "CREATE TABLE big (t text)")
    for _ in range(3):
        ask(project.url, "INSERT INTO big SELECT repeat(md5(n::text), 8) "
                         "FROM generate_series(1, 50000) n")  # fmt: skip
    then = now()
    write(project.url, 2)
    ask(project.url, "TRUNCATE big")
    child = url_of(project.create_branch("dev", parent_timestamp=then))
    assert rows(child) == [1]
    assert ask(child, "SELECT count(*) FROM big") == 150_000


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"source_timestamp": "2999-01-01T00:00:00Z", "preserve_under_name": "old"}, 422),
        ({"source_timestamp": "2001-01-01T00:00:00Z", "preserve_under_name": "old"}, 422),
        ({"source_timestamp": "yesterday", "preserve_under_name": "old"}, 400),
        ({"source_lsn": "nowhere", "preserve_under_name": "old"}, 400),
        ({"source_lsn": "0/0", "preserve_under_name": "old"}, 422),
        ({"source_lsn": "0/100000", "preserve_under_name": "old"}, 422),
        ({"preserve_under_name": "old"}, 422),
        ({}, 422),
        ({"source_branch_id": "br-not-there-00000000"}, 404),
    ],
)
def test_what_is_refused(project: Project, more: dict[str, str], status: int) -> None:
    write(project.url, 1)
    body = {"source_branch_id": project.branch, **more}
    assert project.api.refused("POST", f"{project.main}/restore", body)[0] == status
    assert rows(project.url) == [1]


def test_a_snapshot_is_kept_previewed_and_finalized(project: Project) -> None:
    write(project.url, 1)
    snapshot = project.api.ok("POST", f"{project.main}/snapshot", name="v1")["snapshot"]
    write(project.url, 2)
    path = f"{project.path}/snapshots/{snapshot['id']}"
    preview = project.api.ok("POST", f"{path}/restore", {"name": "preview"})["branch"]
    assert (preview["restore_status"], preview["restored_from"]) == ("restored", snapshot["id"])
    body = {"endpoint": {"branch_id": preview["id"], "type": "read_write"}}
    project.api.ok("POST", f"{project.path}/endpoints", body)
    uri = project.api.ok(
        "GET", f"{project.path}/connection_uri",
        branch_id=preview["id"], database_name="neondb", role_name="neondb_owner",
    )["uri"]  # fmt: skip
    assert rows(uri) == [1]
    assert rows(project.url) == [1, 2]
    project.api.ok("POST", f"{project.path}/branches/{preview['id']}/finalize_restore")
    assert rows(project.url) == [1]  # the URL stays, the branch behind it is another
    shown = project.api.ok("GET", f"{project.path}/branches/{preview['id']}")["branch"]
    assert (shown["name"], shown["default"], shown["restore_status"]) == (
        "main", True, "finalized",
    )  # fmt: skip
    assert project.api.ok("GET", project.main)["branch"]["name"] == "main (old)"


def test_a_snapshot_restored_at_once(project: Project) -> None:
    write(project.url, 1)
    then = now()
    write(project.url, 2)
    snapshot = project.api.ok("POST", f"{project.main}/snapshot", timestamp=then)["snapshot"]
    path = f"{project.path}/snapshots/{snapshot['id']}"
    answer = project.api.ok("POST", f"{path}/restore", {"finalize_restore": True})
    assert answer["branch"]["id"] != project.branch
    assert [one["id"] for one in answer["endpoints"]] == [project.endpoint]
    assert rows(project.url) == [1]


def test_snapshots_are_listed_renamed_and_removed(project: Project) -> None:
    snapshot = project.api.ok("POST", f"{project.main}/snapshot", name="v1")["snapshot"]
    path = f"{project.path}/snapshots/{snapshot['id']}"
    body: dict[str, Any] = {"snapshot": {"expires_at": "2020-01-01T00:00:00Z"}}
    assert project.api.refused("PATCH", path, body)[0] == 422
    changed = project.api.ok("PATCH", path, {"snapshot": {"name": "v2"}})["snapshot"]
    assert changed["name"] == "v2"
    assert project.api.ok("GET", f"{project.path}/snapshots")["snapshots"] == [changed]
    project.api.ok("DELETE", path)
    assert project.api.ok("GET", f"{project.path}/snapshots")["snapshots"] == []
    schedule = {"schedule": [{"frequency": "daily", "hour": 3, "retention_seconds": 86400}]}
    project.api.ok("PUT", f"{project.main}/backup_schedule", schedule)
    assert project.api.ok("GET", f"{project.main}/backup_schedule") == schedule


def test_a_snapshots_options_may_be_in_the_body(project: Project) -> None:
    """As some clients send them."""
    then = datetime.now(UTC)
    body = {"name": "v1", "expires_at": (then + timedelta(hours=1)).isoformat()}
    snapshot = project.api.ok("POST", f"{project.main}/snapshot", body)["snapshot"]
    assert snapshot["name"] == "v1" and snapshot["expires_at"]
    here = then.astimezone(timezone(timedelta(hours=5))).isoformat()
    unnamed = project.api.ok("POST", f"{project.main}/snapshot", {"timestamp": here})["snapshot"]
    assert unnamed["name"] == f"main at {then:%Y-%m-%d %H:%M:%S} UTC"
    assert project.api.refused("POST", f"{project.main}/snapshot", name="x" * 257)[0] == 400


def test_schemas_and_how_they_differ(project: Project) -> None:
    ask(project.url, "CREATE TABLE things (n int PRIMARY KEY)")
    then = now()
    child = project.create_branch("dev")
    ask(url_of(child), "ALTER TABLE things ADD COLUMN name text")
    ask(project.url, "CREATE VIEW more AS SELECT 1")
    path = f"{project.path}/branches/{child['branch']['id']}"
    assert "name text" in project.api.ok("GET", f"{path}/schema", db_name="neondb")["sql"]
    diff = project.api.ok("GET", f"{path}/compare_schema", db_name="neondb", base_timestamp=then)[
        "diff"
    ]
    assert "+    name text" in diff and "VIEW" not in diff
    sql = project.api.ok("GET", f"{project.main}/schema", db_name="neondb", timestamp=then)["sql"]
    assert "CREATE TABLE" in sql and "VIEW" not in sql
    assert project.api.refused("GET", f"{project.main}/schema", db_name="nothing")[0] == 404
    ask(project.url, "CREATE DATABASE later")
    assert project.api.ok("GET", f"{project.main}/schema", db_name="later")["sql"] == ""
    query = {"db_name": "later", "timestamp": then}
    assert project.api.refused("GET", f"{project.main}/schema", **query)[0] == 404


def test_a_schema_in_json(project: Project) -> None:
    ask(
        project.url,
        "CREATE SCHEMA shop; CREATE TABLE shop.customer (id int PRIMARY KEY, "
        "email varchar(80) UNIQUE NOT NULL, upper text GENERATED ALWAYS AS (upper(email)) STORED); "
        "CREATE TABLE purchase (customer int REFERENCES shop.customer, a int, b int, "
        "UNIQUE (b, a), CHECK (a > 0)); ALTER TABLE purchase DROP COLUMN a CASCADE; "
        "CREATE EXTENSION pgcrypto; CREATE VIEW seen AS SELECT 1 AS n",
    )
    then = now()
    ask(project.url, "DROP TABLE purchase")
    path, query = f"{project.main}/schema", {"db_name": "neondb", "format": "json"}
    customer = {
        "schema": "shop",
        "name": "customer",
        "columns": [
            {"name": "id", "type": "integer", "nullable": False, "generated": False},
            {"name": "email", "type": "character varying(80)", "nullable": False,
             "generated": False},
            {"name": "upper", "type": "text", "nullable": True, "generated": True},
        ],
        "constraints": [
            {"name": "customer_pkey", "type": "primary_key", "columns": ["id"]},
            {"name": "customer_email_key", "type": "unique", "columns": ["email"]},
        ],
    }  # fmt: skip
    assert project.api.ok("GET", path, **query) == {"json": {"tables": [customer]}}
    earlier = project.api.ok("GET", path, timestamp=then, **query)["json"]["tables"]
    assert earlier[1] == customer
    assert [column["name"] for column in earlier[0]["columns"]] == ["customer", "b"]
    reference = {"schema": "shop", "table": "customer", "columns": ["id"]}
    assert earlier[0]["constraints"] == [
        {
            "name": "purchase_customer_fkey",
            "type": "foreign_key",
            "columns": ["customer"],
            "referenced_table": reference,
        }
    ]
    assert project.api.refused("GET", path, db_name="neondb", format="xml")[0] == 400
