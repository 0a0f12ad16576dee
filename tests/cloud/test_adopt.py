"""A database that was claimed at neon.new, or is in an account anyway, gets its URL."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest

from neonup_cloud import NeonClient
from tests.neon_new_server import NeonNewServer
from tests.project import Project, clean_environ
from tests.variables import check, declare


@pytest.fixture
def project(tmp_path: Path, neonup_home: Path, neon_new_server: NeonNewServer) -> Project:
    """A project whose database comes from neon.new, on a machine with the owner's key."""
    folder = tmp_path / "shop"
    folder.mkdir()
    environ = {
        **neon_new_server.environment,
        "NEONUP_ENV_KEYS": "all",
        "NEON_API_HOST": f"{neon_new_server.url}/api/v2",
        "NEON_API_KEY": neon_new_server.key,
    }
    return Project(folder, clean_environ(neonup_home, **environ))


@pytest.mark.parametrize("noticed", [False, True])
def test_what_was_claimed_at_neon_new_gets_its_new_url(
    project: Project, neon_new_server: NeonNewServer, noticed: bool
) -> None:
    declare(project, "postgres")
    project.env_file.write_text("A=1\n")
    project.ok()
    check(project, "postgres")
    old = project.url
    with psycopg.connect(old) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    said = project.fails("adopt")
    assert "has not been claimed yet" in said and "neonup claim" in said
    neon_new_server.claim(project.json("status")["id"])
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(old, connect_timeout=60)
    assert "neonup adopt" in project.json("status")["detail"]["next"]
    if noticed:  # by a start after the recorded expiry
        past = "expires=2026-01-01T00:00:00+00:00"
        project.env_file.write_text(re.sub(r"expires=\S+", past, project.env_file.read_text()))
        assert "neonup adopt" in project.ok()
        assert "provider=user id=neon.new:" in project.env_file.read_text()
        assert "neonup adopt" in project.json("status")["detail"]["next"]
    shown = project.json("adopt")
    assert shown["provider"] == "account" and shown["url"] == project.url != old
    check(project, "postgres")
    assert project.query("SELECT n FROM kept") == "7"
    text = project.env_file.read_text()
    assert text.startswith("A=1\n")
    assert text.count("DATABASE_URL=") == 1
    assert "CLAIM_URL" not in text and "expires" not in text
    assert "found a Neon database of your account" in project.ok()
    again = project.env_file.read_bytes()
    project.ok("adopt")
    assert project.env_file.read_bytes() == again


def test_a_project_of_ones_own_is_taken_by_its_id(
    project: Project, neon_new_server: NeonNewServer
) -> None:
    said = project.fails("adopt")
    assert "neonup adopt --project ID" in said
    with NeonClient(neon_new_server.key, base_url=f"{neon_new_server.url}/api/v2") as neon:
        made = neon.projects.create(name="mine")
        neon.operations.wait(made.operations)
        branch = neon.branches.create(made.project.id, name="dev")
        neon.operations.wait(branch.operations)
    project.ok("adopt", "--project", made.project.id)
    assert project.query("SELECT 1") == "1"
    main = project.url
    project.ok("adopt", "--project", made.project.id, "--branch", "dev")
    assert project.url != main and project.query("SELECT 1") == "1"
    assert "no branch 'x'" in project.fails("adopt", "--project", made.project.id, "--branch", "x")


def test_a_url_of_the_users_own_is_replaced_only_where_that_is_confirmed(
    project: Project, neon_new_server: NeonNewServer
) -> None:
    with NeonClient(neon_new_server.key, base_url=f"{neon_new_server.url}/api/v2") as neon:
        made = neon.projects.create(name="mine")
        neon.operations.wait(made.operations)
    own = "DATABASE_URL=postgresql://me:secret@db.example/shop\n"
    project.env_file.write_text(own)
    assert "Nothing was changed" in project.fails("adopt", "--project", made.project.id)
    assert project.env_file.read_text() == own
    project.ok("adopt", "--yes", "--project", made.project.id)
    assert project.query("SELECT 1") == "1"
    elsewhere = {"DATABASE_URL": "postgresql://me:secret@db.example/shop"}
    said = project.fails("adopt", "--project", made.project.id, **elsewhere)
    assert "is set in the environment" in said and "secret" not in said


def test_a_users_url_is_in_the_project_that_it_leads_to(
    project: Project, neon_new_server: NeonNewServer
) -> None:
    """Not in that of the host which stands in it: parameters, variables and services go before."""
    with NeonClient(neon_new_server.key, base_url=f"{neon_new_server.url}/api/v2") as neon:
        made = neon.projects.create(name="mine")
        neon.operations.wait(made.operations)
    [endpoint] = made.endpoints
    host = endpoint.host.partition(":")[0]
    (project.folder / "services").write_text(f"[dev]\nhost={host}\n")
    services = {"PGSERVICEFILE": "services"}
    for url, environ in (
        (f"postgresql://me:x@/neondb?host={host}", {}),
        (f"postgresql://me:x@db.example/neondb?hostaddr={host}", {}),
        ("postgresql://me:x@/neondb", {"PGHOST": host}),
        ("postgresql://me:x@/neondb?service=dev", services),
    ):
        listed = project.json("branches", "list", DATABASE_URL=url, **environ)
        assert [branch["project_id"] for branch in listed] == [made.project.id], url
    for url, environ in (
        (f"postgresql://me:x@{host}/neondb?hostaddr=192.0.2.1", {}),
        (f"postgresql://me:x@{host}/neondb", {"PGHOSTADDR": "192.0.2.1"}),
        ("postgresql://me:x@/neondb?service=other", services),
    ):
        refused = project.fails("branches", "list", DATABASE_URL=url, **environ)
        assert "--project" in refused, url


def test_a_local_database_is_in_no_account(project: Project) -> None:
    project.ok("--provider", "local")
    assert "not in any Neon account" in project.fails("adopt")
