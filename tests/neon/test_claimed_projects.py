"""A project that is given away: by a transfer as it is, by a claim with new passwords."""

from __future__ import annotations

import psycopg
import pytest

from neonup_local.neon.model import Project as ProjectRow
from neonup_local.neon.transfer import transfers
from tests.neon.api import Api, Project, ask
from tests.neon.serving import NeonServer


@pytest.mark.parametrize("running", [True, False])
def test_a_claim_renews_passwords_and_keeps_rows(
    project: Project, api: Api, neon_server_here: NeonServer, running: bool
) -> None:
    ask(project.url, "CREATE TABLE kept AS SELECT 7 AS number")
    ask(project.url, "CREATE ROLE by_sql LOGIN")
    dev = project.create_branch("dev")["connection_uris"][0]["connection_uri"]
    assert ask(dev, "SELECT number FROM kept") == 7
    if not running:
        api.ok("POST", f"{project.path}/endpoints/{project.endpoint}/suspend")
    neon = neon_server_here.neon
    row = neon.store.get(ProjectRow, project.id)
    assert row is not None
    owner, organization = neon.people.create_user(f"owner-{project.id}@example.com")
    with psycopg.connect(dev) as connection:
        transfers.claim(neon, row, organization, owner)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    for url in (project.url, dev):
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            ask(url, "SELECT 1")
    assert api.refused("GET", project.path)[0] == 404
    _, key = neon.identity.create_key(owner, "own")
    query = {"role_name": "neondb_owner", "database_name": "neondb"}
    url = api.as_key(key).ok("GET", f"{project.path}/connection_uri", **query)["uri"]
    assert ask(url, "SELECT number FROM kept") == 7


def test_a_transfer_keeps_passwords(
    project: Project, api: Api, neon_server_here: NeonServer
) -> None:
    neon = neon_server_here.neon
    row = neon.store.get(ProjectRow, project.id)
    assert row is not None
    owner, organization = neon.people.create_user(f"to-{project.id}@example.com")
    with neon.journal.alone(row):
        transfers.give(neon, row, organization, owner)
    assert ask(project.url, "SELECT 1") == 1
    assert api.refused("GET", project.path)[0] == 404
