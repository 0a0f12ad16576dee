"""Members, invitations and the spending limit of an organization: who changes them, and when."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.api import Api
from tests.emulator.persons import Person, create_person, new_email


@pytest.fixture
def admin(api: Api) -> Person:
    return create_person(api)


@pytest.fixture
def mate(admin: Person, api: Api) -> Person:
    """A member of the admin's organization."""
    found = create_person(api)
    invite(admin, found.email)
    return found


def invite(admin: Person, email: str, role: str = "member") -> dict[str, Any]:
    body = {"invitations": [{"email": email, "role": role}]}
    path = f"/organizations/{admin.org_id}/invitations"
    (created,) = admin.api.ok("POST", path, body)["invitations"]
    return dict(created)


def member_path(admin: Person, email: str) -> str:
    members = admin.api.ok("GET", f"/organizations/{admin.org_id}/members")["members"]
    (found,) = [one["member"]["id"] for one in members if one["user"]["email"] == email]
    return f"/organizations/{admin.org_id}/members/{found}"


def organizations(person: Person) -> list[str]:
    found = person.api.ok("GET", "/users/me/organizations")["organizations"]
    return [one["id"] for one in found]


def test_somebody_with_an_account_joins_at_once(admin: Person, api: Api) -> None:
    guest = create_person(api)
    project = admin.api.create_project(name="shop")
    assert guest.api.refused("GET", project.path)[0] == 404
    created = invite(admin, guest.email.upper(), "editor")
    assert (created["org_id"], created["role"]) == (admin.org_id, "editor")
    assert organizations(guest) == [guest.org_id, admin.org_id]
    assert guest.api.ok("GET", project.path)["project"]["id"] == project.id
    listed = guest.api.ok("GET", f"/organizations/{admin.org_id}/invitations")["invitations"]
    assert listed == [created]
    member = guest.api.ok("GET", member_path(admin, guest.email))
    assert member["role"] == "editor"


def test_somebody_without_one_joins_with_it(admin: Person, api: Api) -> None:
    email = new_email()
    first = invite(admin, email, "viewer")
    second = invite(admin, email.title(), "admin")
    path = f"/organizations/{admin.org_id}/invitations"
    assert admin.api.ok("GET", path)["invitations"] == [second]
    assert first["id"] != second["id"]
    late = create_person(api, email)
    assert organizations(late) == [late.org_id, admin.org_id]
    assert late.api.ok("GET", member_path(admin, email))["role"] == "admin"
    assert late.api.create_project(name="p").answer["project"]["org_id"] == late.org_id
    assert admin.api.ok("GET", path)["invitations"] == [second]


def test_invitations_are_made_all_or_none(admin: Person, mate: Person) -> None:
    path, email = f"/organizations/{admin.org_id}/invitations", new_email()
    before = admin.api.ok("GET", path)
    both = [{"email": email, "role": "member"}, {"email": mate.email, "role": "admin"}]
    assert admin.api.refused("POST", path, {"invitations": both})[0] == 422
    assert admin.api.ok("GET", path) == before
    assert admin.api.ok("POST", path, {"invitations": []}) == {"invitations": []}
    for strange in (
        {},
        {"invitations": [{"email": "nobody", "role": "member"}]},
        {"invitations": [{"email": email, "role": "king"}]},
        {"invitations": [{"email": email}]},
    ):
        assert admin.api.refused("POST", path, strange)[0] == 400


def test_a_role_changes_and_the_last_admin_stays(admin: Person, mate: Person) -> None:
    own, other = member_path(admin, admin.email), member_path(admin, mate.email)
    assert admin.api.refused("PATCH", own, {"role": "member"})[0] == 422
    assert admin.api.refused("DELETE", own)[0] == 422
    changed = admin.api.ok("PATCH", other, {"role": "admin"})
    assert changed["role"] == "admin"
    assert mate.api.ok("PATCH", own, {"role": "viewer"})["role"] == "viewer"
    assert admin.api.refused("PATCH", other, {"role": "viewer"})[0] == 403
    assert mate.api.refused("DELETE", other)[0] == 422
    for role in ("king", None, 1):
        assert mate.api.refused("PATCH", own, {"role": role})[0] == 400


def test_a_removed_member_loses_the_projects_at_once(admin: Person, mate: Person) -> None:
    project = admin.api.create_project(name="shop")
    hers = mate.api.create_project(name="hers")
    assert mate.api.ok("GET", project.path)["project"]["id"] == project.id
    path = member_path(admin, mate.email)
    assert admin.api.ok("DELETE", path) == {}
    assert mate.api.refused("GET", project.path)[0] == 404
    assert mate.api.refused("GET", f"/organizations/{admin.org_id}")[0] == 404
    assert [one["id"] for one in mate.api.ok("GET", "/projects")["projects"]] == [hers.id]
    assert organizations(mate) == [mate.org_id]
    assert admin.api.refused("DELETE", path)[0] == 404
    invite(admin, mate.email)
    assert mate.api.ok("GET", project.path)["project"]["id"] == project.id


def test_members_are_of_their_organization(admin: Person, api: Api) -> None:
    stranger = create_person(api)
    path = f"/organizations/{admin.org_id}/members"
    theirs = member_path(stranger, stranger.email).rpartition("/")[2]
    for id_ in (theirs, "3f0c0a52-5f0e-4a49-8d59-6f2f7f3c0a11"):
        assert admin.api.refused("PATCH", f"{path}/{id_}", {"role": "member"})[0] == 404
        assert admin.api.refused("DELETE", f"{path}/{id_}")[0] == 404


def test_the_spending_limit(admin: Person, mate: Person) -> None:
    path = f"/organizations/{admin.org_id}/billing/spending_limit"
    assert mate.api.ok("GET", path) == {"spending_limit_cents": None}
    assert admin.api.ok("DELETE", path) == {}
    body = {"spending_limit_cents": 5000}
    assert admin.api.ok("PUT", path, body) == body
    assert mate.api.ok("GET", path) == body
    account = admin.api.ok("GET", "/users/me")["billing_account"]
    assert account["spending_limit_cents"] == 5000
    for cents in (0, -1, None, 1.5, "5", 2**63):
        assert admin.api.refused("PUT", path, {"spending_limit_cents": cents})[0] == 400
    assert admin.api.refused("PUT", path, {})[0] == 400
    assert admin.api.ok("DELETE", path) == {}
    assert admin.api.ok("GET", path) == {"spending_limit_cents": None}


@pytest.mark.parametrize("plan", ["free", "agent", "enterprise"])
def test_other_plans_have_no_spending_limit(admin: Person, plan: str) -> None:
    path = f"/organizations/{admin.organization(plan)}/billing/spending_limit"
    assert admin.api.refused("GET", path)[0] == 403
    assert admin.api.refused("PUT", path, {"spending_limit_cents": 1})[0] == 403
    assert admin.api.refused("DELETE", path)[0] == 403


def test_who_may_do_what(admin: Person, mate: Person, api: Api) -> None:
    project = admin.api.create_project(name="shop")
    org, member = f"/organizations/{admin.org_id}", member_path(admin, mate.email)
    limit = f"{org}/billing/spending_limit"
    calls: dict[tuple[str, str], Any] = {
        ("GET", f"{org}/invitations"): None,
        ("GET", limit): None,
        ("POST", f"{org}/invitations"): {"invitations": []},
        ("PUT", limit): {"spending_limit_cents": 1},
        ("DELETE", limit): None,
        ("PATCH", member): {"role": "member"},
        ("DELETE", member): None,
    }
    stranger, key = create_person(api), admin.org_key(admin.org_id)
    for (method, path), body in calls.items():
        assert stranger.api.ask(method, path, body)[0] == 404
        assert admin.org_key(admin.org_id, project.id).ask(method, path, body)[0] == 403
        wanted = 200 if method == "GET" else 403
        assert mate.api.ask(method, path, body)[0] == wanted
    for (method, path), body in calls.items():
        assert key.ask(method, path, body)[0] == 200
