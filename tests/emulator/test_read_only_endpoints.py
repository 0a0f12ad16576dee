"""Read-only endpoints: they refuse writes, and follow their branch."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.emulator.api import Project, ask
from tests.emulator.test_history import now, restore, rows, suspend, write
from tests.waiting import wait_until


def reader(project: Project) -> dict[str, Any]:
    body = {"endpoint": {"branch_id": project.branch, "type": "read_only"}}
    created: dict[str, Any] = project.api.ok("POST", f"{project.path}/endpoints", body)
    return created["endpoint"]  # type: ignore[no-any-return]


def url_of(project: Project, endpoint: dict[str, Any]) -> str:
    query = {"database_name": "neondb", "role_name": "neondb_owner"}
    uri = project.api.ok(
        "GET", f"{project.path}/connection_uri", endpoint_id=endpoint["id"], **query
    )["uri"]
    return str(uri)


def test_it_follows_its_branch_and_refuses_writes(project: Project) -> None:
    write(project.url, 1)
    url = url_of(project, reader(project))
    assert rows(url) == [1]
    write(project.url, 2)
    wait_until(lambda: rows(url) == [1, 2], "the second row")
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        ask(url, "INSERT INTO things VALUES (3)")
    main = project.api.ok(
        "GET", f"{project.path}/connection_uri", database_name="neondb", role_name="neondb_owner"
    )["uri"]
    assert main == project.url


def test_each_of_both_sleeps_and_wakes_alone(project: Project) -> None:
    write(project.url, 1)
    endpoint = reader(project)
    url = url_of(project, endpoint)
    assert rows(url) == [1]
    suspend(project)  # the branch's server, not the standby
    assert rows(url) == [1]
    path = f"{project.path}/endpoints/{endpoint['id']}"
    project.api.ok("POST", f"{path}/suspend")
    write(project.url, 2)
    suspend(project)
    # It reads what it has missed from the archive, and answers before it has all of that.
    wait_until(lambda: rows(url) == [1, 2], "the second row")
    assert project.api.ok("GET", path)["endpoint"]["current_state"] == "active"
    main = f"{project.path}/endpoints/{project.endpoint}"
    assert project.api.ok("GET", main)["endpoint"]["current_state"] == "idle"
    write(project.url, 3)
    wait_until(lambda: rows(url) == [1, 2, 3], "the third row")


def test_it_follows_a_restore(project: Project) -> None:
    write(project.url, 1)
    then = now()
    write(project.url, 2)
    url = url_of(project, reader(project))
    assert rows(url) == [1, 2]
    restore(
        project, project.branch, project.branch, source_timestamp=then, preserve_under_name="old"
    )
    assert rows(url) == [1]
    write(project.url, 7)
    wait_until(lambda: rows(url) == [1, 7], "the new row")


def test_passwords_are_the_branchs(project: Project) -> None:
    write(project.url, 1)
    endpoint = reader(project)
    old = url_of(project, endpoint)
    assert rows(old) == [1]
    project.api.ok("POST", f"{project.main}/roles/neondb_owner/reset_password")
    new = url_of(project, endpoint)
    wait_until(lambda: works(new), "the new password")
    assert not works(old)


def works(url: str) -> bool:
    try:
        return rows(url) == [1]
    except psycopg.OperationalError:
        return False


def test_it_goes_without_its_branch(project: Project) -> None:
    write(project.url, 1)
    endpoint = reader(project)
    url = url_of(project, endpoint)
    assert rows(url) == [1]
    project.api.ok("DELETE", f"{project.path}/endpoints/{endpoint['id']}")
    assert not works(url)
    assert rows(project.url) == [1]
