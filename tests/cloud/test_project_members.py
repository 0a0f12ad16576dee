"""Members of a project and keys of an organization, with both drivers, and lost answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from neonup.http import retry
from neonup_cloud import NeonClient
from neonup_cloud.api import errors
from tests.cloud.both import DRIVERS, Both, client
from tests.cloud.hostile import CUT, Reply, hostile, refusal
from tests.emulator.api import Api
from tests.emulator.persons import Person, create_person
from tests.emulator.serving import NeonServer

MEMBER = "3f0c0a52-5f0e-4a49-8d59-6f2f7f3c0a11"
ROW = {"member_id": MEMBER, "user_id": MEMBER, "org_role": "viewer", "project_id": "p"}
KEY = {"id": 7, "name": "ci", "key": "napi_secret", "created_at": "2026-11-29T12:00:00Z"}


@pytest.fixture(params=DRIVERS)
def neon(request: pytest.FixtureRequest, neon_server_here: NeonServer) -> Iterator[Both]:
    server = neon_server_here
    with client(request.param, server.base, server.key, org_id=server.org_id) as found:
        yield found


@pytest.fixture
def mate(neon_server_here: NeonServer) -> Person:
    """A collaborator of the default organization."""
    server = neon_server_here
    api = Api(server.base, server.key)
    person = create_person(api)
    body = {"invitations": [{"email": person.email, "role": "collaborator"}]}
    api.ok("POST", f"/organizations/{server.org_id}/invitations", body)
    return person


def test_members_and_their_roles(
    neon: Both, mate: Person, owner: NeonClient, neon_server_here: NeonServer
) -> None:
    project = owner.projects.create(name="shop").project
    listed = neon(lambda neon: neon.project_members.list(project.id, page=1))
    shown = {one.email: one for one in listed}
    assert shown[mate.email].project_role is None
    assert shown[mate.email].grant_source == "unassigned"
    id_ = shown[mate.email].member_id
    changed = neon(lambda neon: neon.project_members.set_role(project.id, id_, "editor"))
    assert (changed.project_role, changed.project_id) == ("editor", project.id)
    with NeonClient(mate.api.key, base_url=neon_server_here.base) as theirs:
        assert theirs.projects.get(project.id).effective_project_permission == "EDITOR"
        with pytest.raises(errors.Forbidden):
            theirs.project_members.set_role(project.id, id_, "admin")
        neon(lambda neon: neon.project_members.set_role(project.id, id_, "admin"))
        with pytest.raises(errors.NeonError, match="confirm_self_demotion"):
            theirs.project_members.set_role(project.id, id_, "viewer")
        lower = theirs.project_members.set_role(
            project.id, id_, "viewer", confirm_self_demotion=True
        )
        assert lower.credential_rotation_recommended
        removed = neon(lambda neon: neon.project_members.remove_role(project.id, id_))
        assert removed.project_role is None and removed.credential_rotation_recommended is False
        with pytest.raises(errors.NotFound):
            theirs.projects.get(project.id)


def test_keys_of_an_organization(neon: Both, neon_server_here: NeonServer) -> None:
    created = neon(lambda neon: neon.organization_keys.create("ci"))
    assert created.key not in repr(created)
    with NeonClient(created.key, base_url=neon_server_here.base) as theirs:
        list(theirs.projects.list())
        listed = neon(lambda neon: neon.organization_keys.list())
        assert created.id in [one.id for one in listed]
        neon(lambda neon: neon.organization_keys.revoke(created.id))
        with pytest.raises(errors.Unauthorized):
            list(theirs.projects.list())
    with pytest.raises(errors.NotFound):
        neon(lambda neon: neon.organization_keys.revoke(created.id))


@pytest.fixture(params=DRIVERS)
def asking(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[Any, int]]:
    """What an operation ends in at a service that answers so, and how often it asked."""
    monkeypatch.setattr(retry, "BACK_OFF", 0.01)

    def ask(operation: Callable[[NeonClient], Any], *answers: Any) -> tuple[Any, int]:
        with (
            hostile(*answers) as server,
            client(request.param, server.base, "napi_key", org_id="org-1") as neon,
        ):
            try:
                return neon(operation), len(server.asked)
            except errors.NeonError as error:
                return type(error), len(server.asked)

    return ask


REPEATABLE: dict[str, tuple[Callable[[NeonClient], Any], Reply]] = {
    "set_role": (
        lambda neon: neon.project_members.set_role("p", MEMBER, "viewer"),
        Reply(200, ROW),
    ),
    "remove_role": (lambda neon: neon.project_members.remove_role("p", MEMBER), Reply(200, ROW)),
    "revoke": (lambda neon: neon.organization_keys.revoke(7), Reply(200, {})),
}


@pytest.mark.parametrize("name", REPEATABLE)
@pytest.mark.parametrize("fault", [CUT, refusal(423), refusal(500), Reply(503, "<html>")], ids=str)
def test_changes_that_can_be_repeated_are(asking: Any, name: str, fault: Any) -> None:
    operation, good = REPEATABLE[name]
    result, asked = asking(operation, fault, good)
    assert asked == 2
    assert not isinstance(result, type)


@pytest.mark.parametrize(
    ("fault", "ending", "times"),
    [
        (refusal(423), None, 2),
        (refusal(429), None, 2),
        (CUT, errors.AnswerLost, 1),
        (refusal(500), errors.AnswerLost, 1),
        (Reply(200, "<html>"), errors.UnusableAnswer, 1),
        (refusal(403), errors.Forbidden, 1),
    ],
    ids=str,
)
def test_a_key_is_not_created_twice(asking: Any, fault: Any, ending: Any, times: int) -> None:
    result, asked = asking(lambda neon: neon.organization_keys.create("ci"), fault, Reply(200, KEY))
    assert asked == times
    assert result is ending if ending else result.key == KEY["key"]


def test_a_revocation_that_is_repeated_and_finds_nothing_has_succeeded(asking: Any) -> None:
    operation = REPEATABLE["revoke"][0]
    assert asking(operation, CUT, refusal(404)) == (None, 2)
    assert asking(operation, refusal(404)) == (errors.NotFound, 1)
