"""A user's own API key: what it reaches, what a second one does to it, and keys that were lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from neonup.plugin.http import Sender
from neonup_cloud import NeonClient
from neonup_cloud.api.errors import Forbidden, NeonError, NotFound, Unauthorized
from neonup_cloud.fleets import Fleet, UserProject
from neonup_cloud.fleets.errors import KeyReplaced, NoProject
from neonup_cloud.fleets.project_keys import NAME
from tests.cloud.fleets.fleets import TIERS, Asked
from tests.cloud.killing import kill_where_held
from tests.cloud.relay import FAULTS, Relay, first_time
from tests.emulator.serving import NeonServer
from tests.project import Project

USER = "anna"
TRIES = 4
PROVISION = f"""
import sys
from neonup_cloud import NeonClient
from neonup_cloud.fleets import Fleet, Tier

with NeonClient(org_id=sys.argv[2]) as neon:
    Fleet(neon, [Tier("free")], prefix=sys.argv[1]).provision({USER!r}, "free", key=True)
"""


@pytest.fixture
def works(neon_server_here: NeonServer) -> Callable[[UserProject], bool]:
    """Whether a project's key opens it."""

    def ask(project: UserProject) -> bool:
        assert project.key
        with NeonClient(project.key, base_url=neon_server_here.base) as neon:
            try:
                return neon.projects.get(project.project_id).id == project.project_id
            except Unauthorized:
                return False

    return ask


def keys_of(owner: NeonClient, server: NeonServer, project: UserProject) -> list[str]:
    """The names of the keys of a project."""
    keys = owner.organization_keys.list(org_id=server.org_id)
    return [key.name for key in keys if key.project_id == project.project_id]


def test_it_reaches_the_project_and_nothing_else(
    fleet: Asked, neon_server_here: NeonServer, owner: NeonClient
) -> None:
    server = neon_server_here
    project = fleet(lambda fleet: fleet.provision(USER, "free", key=True))
    other = fleet(lambda fleet: fleet.provision("bob", "free"))
    assert other.key is None
    assert project.key not in repr(project)
    assert project.key not in str(project.as_dict())
    assert all(one.key is None for one in fleet(lambda fleet: fleet.projects()))
    with NeonClient(project.key, base_url=server.base, org_id=server.org_id) as neon:
        assert [one.id for one in neon.projects.list()] == [project.project_id]
        branch = neon.branches.create(project.project_id, name="dev")
        neon.operations.wait(branch.operations)
        with pytest.raises(NotFound):
            neon.projects.get(other.project_id)
        for refused in (
            lambda: neon.projects.delete(project.project_id),
            lambda: neon.projects.create(name="more"),
            lambda: neon.organization_keys.create("more", project_id=project.project_id),
            lambda: list(neon.organization_keys.list()),
        ):
            with pytest.raises(Forbidden):
                refused()


def test_a_second_one_takes_the_place_of_the_first(
    fleet: Asked,
    neon_server_here: NeonServer,
    owner: NeonClient,
    works: Callable[[UserProject], bool],
) -> None:
    server = neon_server_here
    first = fleet(lambda fleet: fleet.provision(USER, "free", key=True))
    own = owner.organization_keys.create(
        "theirs", project_id=first.project_id, org_id=server.org_id
    )
    again = fleet(lambda fleet: fleet.provision(USER, "free"))
    assert again.key is None and works(first)
    second = fleet(lambda fleet: fleet.provision(USER, "free", key=True))
    assert (second.project_id, second.created) == (first.project_id, False)
    assert works(second) and not works(first)
    names = keys_of(owner, server, first)
    assert len(names) == 2 and own.name in names  # one of another hand stays
    assert fleet(lambda fleet: fleet.revoke_key(USER)) == 1
    assert fleet(lambda fleet: fleet.revoke_key(USER)) == 0
    assert not works(second)
    assert keys_of(owner, server, first) == ["theirs"]
    with pytest.raises(NoProject):
        fleet(lambda fleet: fleet.revoke_key("nobody"))


def test_an_organizations_key_cannot_create_one(
    neon_server_here: NeonServer, owner: NeonClient, prefix: str
) -> None:
    server = neon_server_here
    key = owner.organization_keys.create("ci", org_id=server.org_id).key
    with NeonClient(key, base_url=server.base, org_id=server.org_id) as neon:
        fleet = Fleet(neon, TIERS, prefix=prefix)
        with pytest.raises(Forbidden, match="personal key"):
            fleet.provision(USER, "free", key=True)
        project = fleet.provision(USER, "free")
        assert keys_of(owner, server, project) == []


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_every_request_meets_a_fault_once(
    fault: int | str,
    relay: Relay,
    neon_server_here: NeonServer,
    owner: NeonClient,
    prefix: str,
    works: Callable[[UserProject], bool],
) -> None:
    server = neon_server_here
    with NeonClient(server.key, base_url=relay.base, org_id=server.org_id) as neon:
        fleet = Fleet(neon, TIERS, prefix=prefix)
        fleet.provision(USER, "free", key=True)
        relay.meet = first_time(fault)
        for left in reversed(range(TRIES)):
            try:
                project = fleet.provision(USER, "free", key=True)
                break
            except NeonError:
                assert left, relay.asked[-1]
    assert works(project)
    assert len(keys_of(owner, server, project)) == 1


@pytest.mark.parametrize("lost", ["lose", "garble"])
def test_a_key_whose_answer_is_lost_is_revoked(
    lost: str,
    relay: Relay,
    neon_server_here: NeonServer,
    owner: NeonClient,
    prefix: str,
    works: Callable[[UserProject], bool],
) -> None:
    server = neon_server_here
    getattr(relay, lost).append("POST */api_keys")
    with NeonClient(server.key, base_url=relay.base, org_id=server.org_id) as neon:
        project = Fleet(neon, TIERS, prefix=prefix).provision(USER, "free", key=True)
    assert sum(one.startswith("POST") and "api_keys" in one for one in relay.asked) == 2
    assert works(project)
    assert len(keys_of(owner, server, project)) == 1


def test_a_key_of_a_process_that_was_killed_is_revoked_by_the_next_call(
    relay: Relay,
    neon_server_here: NeonServer,
    owner: NeonClient,
    blocking: Fleet[Sender],
    prefix: str,
    works: Callable[[UserProject], bool],
) -> None:
    server = neon_server_here
    relay.meet = lambda asked: "hold" if asked.startswith("POST") and "api_keys" in asked else None
    kill_where_held(relay, server.key, PROVISION, prefix, server.org_id)
    project = blocking.find(USER)
    assert project
    (unknown,) = keys_of(owner, server, project)
    assert unknown.startswith(NAME)
    project = blocking.provision(USER, "free", key=True)
    assert works(project)
    (known,) = keys_of(owner, server, project)
    assert known != unknown


def test_of_two_calls_at_once_the_newer_key_stays(
    relay: Relay,
    neon_server_here: NeonServer,
    owner: NeonClient,
    blocking: Fleet[Sender],
    prefix: str,
    works: Callable[[UserProject], bool],
) -> None:
    server = neon_server_here
    made: list[UserProject] = []

    def meet(request: str) -> str | None:
        """Another call goes from beginning to end before this one looks at the list."""
        if request.startswith("GET") and "api_keys" in request and not made:
            made.append(blocking.provision(USER, "free", key=True))
        return None

    relay.meet = meet
    with NeonClient(server.key, base_url=relay.base, org_id=server.org_id) as neon:
        fleet = Fleet(neon, TIERS, prefix=prefix)
        fleet.provision(USER, "free")
        with pytest.raises(KeyReplaced):
            fleet.provision(USER, "free", key=True)
        assert works(made[0])
        assert len(keys_of(owner, server, made[0])) == 1
        assert works(fleet.provision(USER, "free", key=True))
        assert not works(made[0])


@pytest.fixture
def platform(shop: Project, neon_server_here: NeonServer, prefix: str) -> Project:
    """A project that declares a fleet."""
    text = f'[tool.neonup.fleet]\nprefix = "{prefix}"\n[tool.neonup.fleet.tiers.free]\n'
    (shop.folder / "pyproject.toml").write_text(text, encoding="utf-8")
    return shop


def test_the_command_prints_it_once(platform: Project, neon_server_here: NeonServer) -> None:
    first = platform.neonup("fleet", "provision", USER, "--api-key")
    assert first.returncode == 0, first.stderr
    (key,) = first.stdout.splitlines()
    assert "Created the project" in first.stderr and key not in first.stderr
    with NeonClient(key, base_url=neon_server_here.base) as neon:
        (project,) = neon.projects.list()
    shown = platform.json("fleet", "provision", USER, "--api-key")
    assert shown["project_id"] == project.id and shown["key"] != key
    for command in (("provision", USER, "--json"), ("list", "--json"), ("provision", USER)):
        quiet = platform.neonup("fleet", *command)
        assert shown["key"] not in quiet.stdout + quiet.stderr
    url, last = platform.ok("fleet", "provision", USER, "--url", "--api-key").splitlines()
    assert url.startswith("postgresql://")
    kept = [platform.folder, Path(platform.environ["NEONUP_HOME"])]
    files = [path for folder in kept for path in folder.rglob("*") if path.is_file()]
    secrets = [secret.encode() for secret in (key, shown["key"], last)]
    assert not [path for path in files if any(one in path.read_bytes() for one in secrets)]
