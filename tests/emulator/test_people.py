"""Several users: what each reaches, and how they come to be."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.api import Api, Project
from tests.emulator.persons import Person, control, create_person
from tests.emulator.serving import NeonServer


@pytest.fixture
def ada(api: Api) -> Person:
    return create_person(api)


def test_a_new_user_has_an_organization_of_their_own(ada: Person, api: Api) -> None:
    user = ada.api.ok("GET", "/users/me")
    assert user["email"] == ada.email
    organizations = ada.api.ok("GET", "/users/me/organizations")["organizations"]
    assert [one["id"] for one in organizations] == [ada.org_id]
    created = ada.api.create_project(name="hers")
    assert created.answer["project"]["org_id"] == ada.org_id
    assert created.answer["project"]["owner"]["email"] == ada.email


def test_users_do_not_reach_each_other(ada: Person, project: Project, api: Api) -> None:
    hers = ada.api.create_project(name="hers")
    assert ada.api.refused("GET", project.path)[0] == 404
    assert api.refused("GET", hers.path)[0] == 404
    assert api.refused("GET", "/projects", org_id=ada.org_id)[0] == 404
    assert api.refused("GET", f"/organizations/{ada.org_id}")[0] == 404
    assert [one["id"] for one in ada.api.ok("GET", "/projects")["projects"]] == [hers.id]


def test_a_project_shared_with_a_user_is_reached(ada: Person, project: Project) -> None:
    granted = project.api.ok("POST", f"{project.path}/permissions", {"email": ada.email.upper()})
    assert ada.api.ok("GET", project.path)["project"]["id"] == project.id
    shared = ada.api.ok("GET", "/projects/shared")["projects"]
    assert [one["id"] for one in shared] == [project.id]
    project.api.ok("DELETE", f"{project.path}/permissions/{granted['id']}")
    assert ada.api.refused("GET", project.path)[0] == 404


def test_organizations_with_plans_can_be_created_for_tests(ada: Person) -> None:
    answer = control(ada.api, "/organizations", {"name": "Free tier", "plan": "free"})
    assert answer.status_code == 201
    shown = ada.api.ok("GET", f"/organizations/{answer.json()['id']}")
    assert (shown["plan"], shown["handle"]) == ("free", "free-tier")
    created = ada.api.create_project(name="p", org_id=shown["id"])
    assert created.answer["project"]["org_id"] == shown["id"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/users", {"email": "developer@example.com"}, 422),
        ("/users", {"email": "no address"}, 422),
        ("/users", {}, 400),
        ("/users", {"email": "a@b.example", "role": "admin"}, 400),
        ("/organizations", {"name": "x", "plan": "golden"}, 400),
    ],
)
def test_strange_people_are_refused(api: Api, path: str, body: Any, status: int) -> None:
    assert control(api, path, body).status_code == status


def test_an_organization_takes_a_persons_key(api: Api, neon_server_here: NeonServer) -> None:
    path = f"/organizations/{neon_server_here.org_id}/api_keys"
    key = api.ok("POST", path, {"key_name": "ci"})["key"]
    assert control(api.as_key(key), "/organizations", {"name": "x"}).status_code == 403
    assert control(api.as_key("wrong"), "/organizations", {"name": "x"}).status_code == 401
