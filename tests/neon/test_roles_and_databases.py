"""Roles and databases over the API are Postgres's own."""

from __future__ import annotations

from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from neonup_local.engine.neon_extensions import NEON_EXTENSIONS
from neonup_local.neon.model import Role
from tests.neon.api import Api, Project, ask
from tests.neon.serving import NeonServer


def uri(project: Project, **query: str) -> str:
    wanted = {"database_name": "neondb", "role_name": "neondb_owner"} | query
    return str(project.api.ok("GET", f"{project.path}/connection_uri", **wanted)["uri"])


def test_a_role_is_created_used_and_dropped(project: Project) -> None:
    path = f"{project.main}/roles"
    created = project.api.ok("POST", path, {"role": {"name": "carol"}})["role"]
    assert created["password"]
    assert ask(uri(project, role_name="carol"), "SELECT current_user") == "carol"
    assert "password" not in project.api.ok("GET", f"{path}/carol")["role"]
    assert project.api.refused("POST", path, {"role": {"name": "carol"}})[0] == 409
    project.api.ok("DELETE", f"{path}/carol")
    assert project.api.refused("GET", f"{path}/carol")[0] == 404


def test_a_role_that_owns_something_is_not_dropped(project: Project) -> None:
    path = f"{project.main}/roles"
    project.api.ok("POST", path, {"role": {"name": "carol"}})
    body = {"database": {"name": "hers", "owner_name": "carol"}}
    project.api.ok("POST", f"{project.main}/databases", body)
    assert project.api.refused("DELETE", f"{path}/carol")[0] == 422


def test_a_role_without_login(project: Project) -> None:
    path = f"{project.main}/roles"
    created = project.api.ok("POST", path, {"role": {"name": "team", "no_login": True}})["role"]
    assert "password" not in created
    assert ask(project.url, "SELECT rolcanlogin FROM pg_roles WHERE rolname = 'team'") is False
    assert project.api.refused("GET", f"{path}/team/reveal_password")[0] == 404


def test_a_reset_cuts_the_old_password_off_at_once(project: Project) -> None:
    path = f"{project.main}/roles/neondb_owner"
    assert ask(project.url, "SELECT 1") == 1
    project.api.ok("POST", f"{path}/reset_password")
    with pytest.raises(psycopg.OperationalError, match="password"):
        ask(project.url, "SELECT 1")
    assert ask(uri(project), "SELECT 1") == 1


def test_a_project_may_not_keep_passwords(api: Api, neon_server_here: NeonServer) -> None:
    project = api.create_project(store_passwords=False)
    assert ask(project.url, "SELECT 1") == 1
    path = f"{project.main}/roles/neondb_owner"
    assert api.refused("GET", f"{path}/reveal_password")[0] == 412
    assert urlsplit(uri(project)).password is None
    api.ok("POST", f"{path}/reset_password")
    created = api.ok("POST", f"{project.main}/roles", {"role": {"name": "carol"}})["role"]
    assert created["password"]
    project.create_branch("dev")
    rows = neon_server_here.neon.store.all(Role, project_id=project.id)
    assert {row.password for row in rows} == {None}
    assert len(rows) == 4


def test_a_url_has_the_password_of_the_branch_that_the_endpoint_leads_to(project: Project) -> None:
    child = project.create_branch("dev")
    branch, endpoint = child["branch"]["id"], child["endpoints"][0]["id"]
    path = f"{project.path}/branches/{branch}/roles/neondb_owner/reset_password"
    password = project.api.ok("POST", path)["role"]["password"]
    for query in ({}, {"branch_id": branch}):
        found = uri(project, endpoint_id=endpoint, **query)
        assert urlsplit(found).password == password
        assert ask(found, "SELECT 1") == 1
    query = {"database_name": "neondb", "role_name": "neondb_owner", "endpoint_id": endpoint}
    address = f"{project.path}/connection_uri"
    assert project.api.refused("GET", address, branch_id=project.branch, **query)[0] == 404


def test_a_database_is_created_renamed_given_away_and_dropped(project: Project) -> None:
    path = f"{project.main}/databases"
    project.api.ok("POST", f"{project.main}/roles", {"role": {"name": "carol"}})
    body = {"database": {"name": "extra", "owner_name": "neondb_owner"}}
    assert project.api.ok("POST", path, body)["database"]["owner_name"] == "neondb_owner"
    assert project.api.refused("POST", path, body)[0] == 409
    with psycopg.connect(uri(project, database_name="extra")):  # a connection is no obstacle
        body = {"database": {"name": "other", "owner_name": "carol"}}
        changed = project.api.ok("PATCH", f"{path}/extra", body)["database"]
    assert (changed["name"], changed["owner_name"]) == ("other", "carol")
    with psycopg.connect(uri(project, database_name="other")):
        project.api.ok("DELETE", f"{path}/other")
    assert project.api.refused("GET", f"{path}/other")[0] == 404


def test_what_sql_does_is_seen_also_when_the_branch_sleeps(project: Project) -> None:
    ask(project.url, "CREATE DATABASE by_sql")
    ask(project.url, "DROP ROLE IF EXISTS nobody")
    listed = project.api.ok("GET", f"{project.main}/databases")["databases"]
    assert {row["name"] for row in listed} == {"neondb", "by_sql"}
    ask(project.url, "CREATE ROLE by_sql")
    project.api.ok("POST", f"{project.path}/endpoints/{project.endpoint}/suspend")
    listed = project.api.ok("GET", f"{project.main}/roles")["roles"]
    assert {role["name"] for role in listed} == {"neondb_owner", "by_sql"}
    path = f"{project.path}/endpoints/{project.endpoint}"
    assert project.api.ok("GET", path)["endpoint"]["current_state"] == "idle"


def test_names_that_need_quoting(project: Project) -> None:
    name = 'Ä "quoted" / name?'
    body = {"database": {"name": name, "owner_name": "neondb_owner"}}
    project.api.ok("POST", f"{project.main}/databases", body)
    found = uri(project, database_name=name)
    assert ask(found, "SELECT current_database()") == name


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("roles", {"role": {"name": ""}}, 400),
        ("roles", {"role": {"name": "x" * 64}}, 400),
        ("roles", {"role": {"name": "é" * 32}}, 400),
        ("roles", {"role": {"name": "pg_mine"}}, 422),
        ("roles", {"role": {"name": "public"}}, 422),
        ("roles", {"role": {"name": "neon_superuser"}}, 409),
        ("roles", {"role": {"name": "nul\x00"}}, 400),
        ("databases", {"database": {"name": "a"}}, 400),
        ("databases", {"database": {"name": "é" * 32, "owner_name": "neondb_owner"}}, 400),
        ("databases", {"database": {"name": "a", "owner_name": "nobody"}}, 404),
        ("databases", {"database": {"name": "template1", "owner_name": "neondb_owner"}}, 409),
    ],
)
def test_what_is_refused(project: Project, kind: str, body: object, status: int) -> None:
    assert project.api.refused("POST", f"{project.main}/{kind}", body)[0] == status


def test_an_owner_creates_the_extensions_of_neons_list_and_no_others(project: Project) -> None:
    """`neon inspect` tells users to create pg_stat_statements."""
    with psycopg.connect(project.url, autocommit=True) as connection:
        found = connection.execute("SELECT name FROM pg_available_extensions").fetchall()
        names = {name for (name,) in found}
        wanted = names & {*NEON_EXTENSIONS}
        assert {"pg_stat_statements", "intagg", "postgres_fdw"} <= wanted
        for name in wanted:
            create = sql.SQL("CREATE EXTENSION IF NOT EXISTS {} CASCADE")
            connection.execute(create.format(sql.Identifier(name)))
        assert connection.execute("SELECT count(*) > 0 FROM pg_stat_statements").fetchone() == (
            True,
        )
        for name in names & {"file_fdw", "sslinfo", "pageinspect", "pg_surgery", "pg_visibility"}:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(sql.SQL("CREATE EXTENSION {}").format(sql.Identifier(name)))
