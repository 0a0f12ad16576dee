"""A user's project is found among many others, by exactly their key."""

from __future__ import annotations

import uuid

import pytest
from msgspec.structs import replace

from neonup.http.transport import Sender
from neonup.neon import NeonClient
from neonup.neon.platform import Fleet, Label, Naming
from neonup_local.neon.model import Project as ProjectRow
from tests.account.platform.fleets import TIERS, Asked
from tests.neon.api import Api
from tests.neon.serving import NeonServer

MANY = 500


def test_keys_that_are_parts_of_others(fleet: Asked) -> None:
    """Neon's search finds parts, and does not mind capitals."""
    users = ["u1", "u10", "U1", "1", "u1/free", "u1@example.com", "\u00fc1", "u 1", "%", "~"]
    ids = {
        user: fleet(lambda fleet, user=user: fleet.provision(user, "free")).project_id
        for user in users
    }
    assert len(set(ids.values())) == len(users)
    for user, project_id in ids.items():
        found = fleet(lambda fleet, user=user: fleet.provision(user, "free"))
        assert (found.project_id, found.user, found.created) == (project_id, user, False)


def test_two_fleets_in_one_organization(fleet: Asked, prefix: str) -> None:
    ours = fleet(lambda fleet: fleet.provision("anna", "free"))
    theirs = fleet(lambda fleet: fleet.provision("anna", "free"), prefix=f"{prefix}-2")
    assert ours.project_id != theirs.project_id
    assert len(fleet(lambda fleet: fleet.projects())) == 1


def test_hashed_names(fleet: Asked, owner: NeonClient) -> None:
    options = {"hashed": True, "secret": "pepper"}
    made = fleet(lambda fleet: fleet.provision("anna@example.com", "free"), **options)
    assert "anna" not in owner.projects.get(made.project_id).name
    found = fleet(lambda fleet: fleet.provision("anna@example.com", "free"), **options)
    assert (found.project_id, found.created, found.user) == (made.project_id, False, None)
    [listed] = fleet(lambda fleet: fleet.projects(), **options)
    assert listed.user is None


def test_more_projects_than_a_page_has(
    blocking: Fleet[Sender], neon_server_here: NeonServer, owner: NeonClient, prefix: str
) -> None:
    """The others are rows without data: only their names matter."""
    blocking.provision("user-0", "free")
    store, naming = neon_server_here.neon.store, Naming(prefix)
    [first] = [one for one in store.all(ProjectRow) if one.name.startswith(prefix)]
    rows = [
        replace(
            first, id=f"row-{uuid.uuid4().hex}", name=naming.name(Label(f"user-{number}", "free"))
        )
        for number in range(1, MANY)
    ]
    store.insert(*rows)
    try:
        found = blocking.projects()
        assert {one.user for one in found} == {f"user-{number}" for number in range(MANY)}
        assert not blocking.provision("user-1", "free").created
    finally:
        store.delete(*rows)


@pytest.mark.parametrize("named", [True, False])
def test_the_key_of_an_organization(neon_server_here: NeonServer, prefix: str, named: bool) -> None:
    """Its organization need not be named, and there is no user to ask about."""
    server = neon_server_here
    key = Api(server.base, server.key).ok(
        "POST", f"/organizations/{server.org_id}/api_keys", {"key_name": prefix}
    )["key"]
    org_id = server.org_id if named else None
    with NeonClient(key, base_url=server.base, org_id=org_id) as neon:
        fleet = Fleet(neon, TIERS, prefix=prefix)
        made = fleet.provision("anna", "free")
        assert made.org_id == server.org_id
        assert fleet.change_tier("anna", "pro").applied
        assert fleet.usage("anna").figures
        assert [one.project_id for one in fleet.projects()] == [made.project_id]
