"""Keys, the user, the organization, and what a key reaches."""

from __future__ import annotations

import re
import stat

import pytest

from neonup_emulator.api.v2.not_here import NOT_HERE
from neonup_emulator.api.v2.operations import OPERATIONS
from neonup_emulator.api.v2.routes import routes
from tests import asking
from tests.emulator.api import DOCUMENT, Api, Project
from tests.emulator.document import PATH
from tests.emulator.persons import create_person
from tests.emulator.serving import NeonServer


def test_the_user_and_the_organization(api: Api, neon_server_here: NeonServer) -> None:
    user = api.ok("GET", "/users/me")
    assert api.ok("GET", "/auth")["account_id"] == user["id"]
    organizations = api.ok("GET", "/users/me/organizations")["organizations"]
    assert [one["id"] for one in organizations] == [neon_server_here.org_id]
    path = f"/organizations/{neon_server_here.org_id}"
    assert api.ok("GET", path) == organizations[0]
    members = api.ok("GET", f"{path}/members")["members"]
    assert members[0]["member"]["user_id"] == user["id"]
    member = api.ok("GET", f"{path}/members/{members[0]['member']['id']}")
    assert member == members[0]["member"]
    assert api.ok("GET", "/regions")["regions"]


def test_a_personal_key_lives_until_it_is_revoked(api: Api) -> None:
    created = api.ok("POST", "/api_keys", {"key_name": "mine"})
    other = api.as_key(created["key"])
    assert other.ok("GET", "/users/me")["id"] == created["created_by"]
    listed = api.ok("GET", "/api_keys")
    assert created["id"] in [key["id"] for key in listed]
    assert all("key" not in key for key in listed)
    assert api.ok("DELETE", f"/api_keys/{created['id']}")["revoked"]
    assert other.refused("GET", "/users/me")[0] == 401
    assert api.refused("DELETE", f"/api_keys/{created['id']}")[0] == 404


def test_a_key_of_the_organization_is_no_person(api: Api, neon_server_here: NeonServer) -> None:
    path = f"/organizations/{neon_server_here.org_id}/api_keys"
    created = api.ok("POST", path, {"key_name": "ci"})
    key = api.as_key(created["key"])
    assert key.refused("GET", "/users/me")[0] == 404
    owners = key.ok("GET", "/users/me/organizations")["organizations"]
    assert [one["id"] for one in owners] == [neon_server_here.org_id]
    assert key.create_project(name="by-ci").answer["project"]["org_id"] == neon_server_here.org_id
    assert created["id"] in [one["id"] for one in api.ok("GET", path)]
    assert api.ok("DELETE", f"{path}/{created['id']}")["revoked"]
    assert key.refused("GET", "/projects")[0] == 401


def test_a_key_of_one_project_reaches_no_other(
    project: Project, api: Api, neon_server_here: NeonServer
) -> None:
    other = api.create_project(name="other")
    path = f"/organizations/{neon_server_here.org_id}/api_keys"
    created = api.ok("POST", path, {"key_name": "one", "project_id": project.id})
    key = api.as_key(created["key"])
    assert key.ok("GET", project.path)["project"]["id"] == project.id
    assert key.refused("GET", other.path)[0] == 404
    owners = key.ok("GET", "/users/me/organizations")["organizations"]
    assert [one["id"] for one in owners] == [neon_server_here.org_id]
    assert [one["id"] for one in key.ok("GET", "/projects")["projects"]] == [project.id]


def test_a_key_of_one_project_neither_deletes_nor_shares_it(
    project: Project, api: Api, neon_server_here: NeonServer
) -> None:
    path = f"/organizations/{neon_server_here.org_id}/api_keys"
    keys = [
        api.ok("POST", path, {"key_name": "key", **limit})["key"]
        for limit in ({"project_id": project.id}, {})
    ]
    own, whole = (api.as_key(key) for key in keys)
    friend = {"email": "friend@example.com"}
    granted = whole.ok("POST", f"{project.path}/permissions", friend)
    revoking = f"{project.path}/permissions/{granted['id']}"
    for method, address, body in (
        ("DELETE", project.path, None),
        ("POST", f"{project.path}/permissions", {"email": "stranger@example.com"}),
        ("DELETE", revoking, None),
    ):
        status, message = own.refused(method, address, body)
        assert status == 403 and "key of one project" in message
    shared = own.ok("GET", f"{project.path}/permissions")["project_permissions"]
    assert [one["granted_to_email"] for one in shared] == ["friend@example.com"]
    assert own.ok("PATCH", project.path, {"project": {"name": "renamed"}})
    whole.ok("DELETE", revoking)
    whole.ok("DELETE", project.path)


def test_a_key_of_an_organization_names_that_one_alone(api: Api) -> None:
    person = create_person(api)
    second = person.organization()
    project = person.api.ok("POST", "/projects", {"project": {"org_id": second}})["project"]["id"]
    both = person.api.ok("GET", "/users/me/organizations")["organizations"]
    assert [one["id"] for one in both] == [person.org_id, second]
    for key in (person.org_key(second), person.org_key(second, project)):
        owners = key.ok("GET", "/users/me/organizations")["organizations"]
        assert [one["id"] for one in owners] == [second]


def test_without_a_key(api: Api) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic eDp5"}):
        answer = asking.get(f"{api.base}/projects", headers=headers)
        assert answer.status_code == 401
        assert answer.json()["request_id"]


def test_keys_are_not_kept(api: Api, neon_server_here: NeonServer) -> None:
    created = api.ok("POST", "/api_keys", {"key_name": "secret"})
    folder = neon_server_here.neon.clusters.folder("x").parents[1]
    for path in folder.glob("neon.db*"):
        assert created["key"].encode() not in path.read_bytes()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((folder / "api-key").stat().st_mode) == 0o600


def test_web_pages_of_others_are_refused(api: Api) -> None:
    headers = {"Authorization": f"Bearer {api.key}"}
    url = f"{api.base}/projects"
    rebound = asking.get(url, headers={**headers, "Host": "evil.example"})
    foreign = {**headers, "Origin": "https://evil.example"}
    posted = asking.post(url, headers=foreign, json={"project": {}})
    for answer in (rebound, posted):
        assert answer.status_code == 403
        assert answer.json().keys() == {"request_id", "code", "message"}


def test_a_request_may_bring_its_id(api: Api) -> None:
    for sent, kept in (("mine-1", True), ("x" * 129, False)):
        answer = asking.get(f"{api.base}/projects", headers={"X-Request-ID": sent})
        assert (answer.json()["request_id"] == sent) is kept


def test_what_is_not_here_says_so_by_its_name(api: Api) -> None:
    with asking.client(headers={"Authorization": f"Bearer {api.key}"}) as client:
        for name, address in NOT_HERE.items():
            method, _, path = address.partition(" ")
            answer = client.request(method, api.base + re.sub(r"\{[^}]*\}", "some-id", path))
            assert answer.status_code == 501, address
            assert answer.json()["message"].startswith(f"{name} ")
            assert answer.json()["code"] == "NOT_IMPLEMENTED"


def test_too_much_and_too_strange(api: Api) -> None:
    headers = {"Authorization": f"Bearer {api.key}"}
    url = f"{api.base}/projects"
    for content in (b"[", b"\xff", b'"text"', b"[" * 100_000, b'{"a":"' + b"x" * 2**21 + b'"}'):
        assert asking.post(url, headers=headers, content=content).status_code == 400
    for path in ("/projects/..%2f..%2fetc", "/projects/" + "x" * 5000):
        assert asking.get(f"{api.base}{path}", headers=headers).status_code in (404, 501)


@pytest.mark.skipif(not PATH.exists(), reason="Neon's OpenAPI document is not on this machine")
def test_every_operation_of_the_document_is_either_here_or_said_to_be_absent() -> None:
    routes()  # importing them registers the operations
    here = {one.id: (one.method, one.path) for one in reversed(OPERATIONS)}
    absent = {name: tuple(address.split(" ")) for name, address in NOT_HERE.items()}
    assert not here.keys() & absent.keys()
    assert DOCUMENT.operations.items() <= (here | absent).items()


def test_a_strange_address_is_refused_in_the_apis_form(api: Api) -> None:
    assert api.refused("GET", "/projects/%0A")[0] == 404
