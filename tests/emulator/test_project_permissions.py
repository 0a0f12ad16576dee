"""Who may do what with a project: each role, permission and kind of key, by each operation."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from neonup_emulator.api.v2 import routes
from neonup_emulator.api.v2.operations import OPERATIONS, ApiOperation
from neonup_emulator.neon import project_members
from neonup_emulator.neon.accounts.project_access import Level
from neonup_emulator.neon.errors import Forbidden
from neonup_emulator.neon.model import Project as ProjectRow
from neonup_emulator.neon.model import ProjectGrant
from tests import asking
from tests.emulator import pages
from tests.emulator.api import Api, Project
from tests.emulator.persons import Person, create_person
from tests.emulator.serving import NeonServer

READING_DATA = {
    "getConnectionURI",
    "getProjectBranchRolePassword",
    "getProjectBranchSchema",
    "getProjectBranchSchemaComparison",
}
MANAGING = {
    "setProjectMemberRole",
    "removeProjectMemberRole",
    "grantPermissionToProject",
    "revokePermissionFromProject",
    "deleteProject",
    "recoverProject",
    "createProjectTransferRequest",
}
FOR_WHOEVER_HAS_THE_ID = ["acceptProjectTransferRequest"]


@dataclass
class Team:
    """An organization with a member of each role, and a project of the admin's."""

    admin: Person
    shop: Project
    people: dict[str, Person]

    @property
    def org(self) -> str:
        return f"/organizations/{self.admin.org_id}"

    def join(self, api: Api, role: str) -> Person:
        """Somebody new of a role."""
        person = create_person(api)
        body = {"invitations": [{"email": person.email, "role": role}]}
        self.admin.api.ok("POST", f"{self.org}/invitations", body)
        return person

    def member_id(self, person: Person) -> str:
        members = self.admin.api.ok("GET", f"{self.org}/members", limit=500)["members"]
        (id_,) = [one["member"]["id"] for one in members if one["user"]["email"] == person.email]
        return str(id_)

    def role_path(self, person: Person) -> str:
        return f"{self.shop.path}/members/{self.member_id(person)}/role"

    def give(self, person: Person, role: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.admin.api.ok("PUT", self.role_path(person), {"role": role})
        return answer


@pytest.fixture
def team(api: Api) -> Team:
    admin = create_person(api)
    shop = admin.api.create_project(name="shop")
    made = Team(admin, shop, {"admin": admin})
    for role in ("editor", "member", "viewer", "collaborator"):
        made.people[role] = made.join(api, role)
    return made


def expected(operation: ApiOperation) -> Level:
    """What the documentation says of an operation."""
    if operation.id in MANAGING:
        return Level.ADMIN
    reads = operation.method == "GET" and operation.id not in READING_DATA
    return Level.VIEWER if reads else Level.EDITOR


def outcome(client: httpx.Client, base: str, operation: ApiOperation, project_id: str) -> str:
    """What somebody hears: ``hidden``, ``forbidden``, or that the request itself was looked at."""
    path = re.sub(r"\{\w+\}", "none", operation.path.replace("{project_id}", project_id))
    body: Any = None if operation.method == "GET" else []  # no operation takes a list
    answer = client.request(operation.method, f"{base}{path}", json=body)
    assert answer.status_code < 500, (operation.id, answer.text)
    if answer.status_code == 403:
        return "forbidden"
    hidden = answer.status_code == 404 and answer.json()["message"] == "project not found"
    return "hidden" if hidden else "looked at"


def test_roles_by_operations(team: Team, api: Api) -> None:
    assert routes.routes()
    shop, admin = team.shop, team.admin
    # What is allowed to delete the project finds a reason against it, so that it stays.
    admin.api.ok("PATCH", team.shop.main, {"branch": {"protected": True}})
    callers: dict[str, tuple[Api, Level | None]] = {
        "admin": (admin.api, Level.ADMIN),
        "editor": (team.people["editor"].api, Level.EDITOR),
        "member": (team.people["member"].api, Level.EDITOR),
        "viewer": (team.people["viewer"].api, Level.VIEWER),
        "collaborator": (team.people["collaborator"].api, None),
        "organization's key": (admin.org_key(admin.org_id), Level.ADMIN),
        "project's key": (admin.org_key(admin.org_id, shop.id), Level.EDITOR),
        "stranger": (create_person(api).api, None),
    }
    raised: tuple[tuple[str, str, Level], ...] = (
        ("collaborator", "viewer", Level.VIEWER),
        ("collaborator", "editor", Level.EDITOR),
        ("collaborator", "admin", Level.ADMIN),
        ("viewer", "editor", Level.EDITOR),
        ("editor", "viewer", Level.EDITOR),  # it adds, and takes nothing away
    )
    for role, given, effective in raised:
        person = team.join(api, role)
        team.give(person, given)
        callers[f"{role}, here {given}"] = (person.api, effective)
    guest = create_person(api)
    admin.api.ok("POST", f"{shop.path}/permissions", {"email": guest.email})
    callers["whom it is shared with"] = (guest.api, Level.EDITOR)
    asked = [
        operation
        for operation in OPERATIONS
        if "{project_id}" in operation.path
        and operation.id not in FOR_WHOEVER_HAS_THE_ID
        # It says of a project that was not deleted that it was not found: see below.
        and operation.id != "recoverProject"
    ]
    wrong = []
    with asking.client(timeout=60) as client:
        for name, (caller, level) in callers.items():
            client.headers["Authorization"] = f"Bearer {caller.key}"
            for operation in asked:
                if level is None:  # as if it did not exist
                    wanted = outcome(client, api.base, operation, "no-such-project-12345678")
                else:
                    wanted = "looked at" if level >= expected(operation) else "forbidden"
                heard = outcome(client, api.base, operation, shop.id)
                if heard != wanted:
                    wrong.append((name, operation.id, heard, wanted))
    assert wrong == []
    assert shop.api.ok("GET", shop.path)["project"]["name"] == "shop"


def test_only_its_admins_delete_and_recover_a_project(team: Team, api: Api) -> None:
    shop, owner = team.shop, team.join(api, "collaborator")
    team.give(owner, "admin")
    editor, key = team.people["editor"].api, team.admin.org_key(team.admin.org_id, team.shop.id)
    assert editor.refused("DELETE", shop.path)[0] == key.refused("DELETE", shop.path)[0] == 403
    owner.api.ok("DELETE", shop.path)
    assert editor.refused("POST", f"{shop.path}/recover")[0] == 403
    assert key.refused("POST", f"{shop.path}/recover")[0] == 403
    hidden = team.people["collaborator"].api
    assert hidden.refused("POST", f"{shop.path}/recover")[0] == 404
    owner.api.ok("POST", f"{shop.path}/recover")
    assert key.ok("GET", shop.path)["project"]["id"] == shop.id


def test_what_the_organization_lets_its_members_do(team: Team) -> None:
    key = {"key_name": "ci", "project_id": team.shop.id}
    for role, person in team.people.items():
        may_create = 403 if role == "collaborator" else 201
        body = {"project": {"name": role, "org_id": team.admin.org_id}}
        assert person.api.ask("POST", "/projects", body)[0] == may_create, role
        is_admin = role == "admin"
        assert person.api.ask("POST", f"{team.org}/api_keys", key)[0] == (200 if is_admin else 403)
        transfer = person.api.ask("POST", f"{team.shop.path}/transfer_requests", {})[0]
        assert transfer == {"admin": 201, "collaborator": 404}.get(role, 403), role
        for path in ("members", "api_keys", "invitations"):
            read = person.api.ask("GET", f"{team.org}/{path}")[0]
            assert read == (403 if role == "collaborator" else 200), (role, path)
    # An admin of one project is none of the organization.
    collaborator = team.people["collaborator"]
    team.give(collaborator, "admin")
    path = f"{team.shop.path}/transfer_requests"
    assert collaborator.api.refused("POST", path, {})[0] == 403
    assert collaborator.api.refused("POST", f"{team.org}/api_keys", key)[0] == 403


def test_whoever_creates_a_project_is_its_admin(team: Team) -> None:
    viewer = team.people["viewer"]
    hers = viewer.api.create_project(name="hers", org_id=team.admin.org_id)
    assert viewer.api.ok("GET", hers.path)["project"]["effective_project_permission"] == "ADMIN"
    (row,) = [
        one
        for one in viewer.api.ok("GET", f"{hers.path}/members")["project_members"]
        if one["email"] == viewer.email
    ]
    assert row["org_default_project_permission"] == "VIEWER"
    assert (row["project_role"], row["grant_source"]) == ("admin", "explicit")
    assert "explicit_project_permission" not in row
    assert team.people["editor"].api.refused("DELETE", hers.path)[0] == 403
    viewer.api.ok("DELETE", hers.path)


def test_members_are_listed_with_what_they_may_do(team: Team, api: Api) -> None:
    path = f"{team.shop.path}/members"
    raised = team.join(api, "viewer")
    team.give(raised, "editor")
    by_admin = team.admin.api.ok("GET", path)["project_members"]
    shown = {
        one["email"]: (one.get("effective_project_permission"), one["grant_source"])
        for one in by_admin
    }
    assert shown == {
        team.admin.email: ("ADMIN", "org_admin_override"),
        team.people["editor"].email: ("EDITOR", "org_role_default"),
        team.people["member"].email: ("EDITOR", "org_role_default"),
        team.people["viewer"].email: ("VIEWER", "org_role_default"),
        team.people["collaborator"].email: (None, "unassigned"),
        raised.email: ("EDITOR", "explicit"),
    }
    reaching = [one for one in by_admin if one["grant_source"] != "unassigned"]
    for person in (team.people["viewer"], raised):
        assert person.api.ok("GET", path)["project_members"] == reaching
    first = team.admin.api.ok("GET", path, limit=4)
    rest = team.admin.api.ok("GET", path, limit=4, cursor=first["pagination"]["next"])
    assert first["project_members"] + rest["project_members"] == by_admin
    assert "pagination" not in rest
    assert team.people["collaborator"].api.refused("GET", path)[0] == 404


def test_a_permission_is_given_changed_and_taken_back(team: Team) -> None:
    person = team.people["collaborator"]
    path = team.role_path(person)
    for role in ("viewer", "admin", "editor", "editor"):
        answer = team.give(person, role)
        assert answer["project_role"] == role
        assert answer["explicit_project_permission"] == role.upper()
        assert person.api.ok("GET", team.shop.path)["project"]["effective_project_permission"] == (
            role.upper()
        )
    listed = person.api.ok("GET", "/projects", org_id=team.admin.org_id)["projects"]
    assert [(one["id"], one["effective_project_permission"]) for one in listed] == [
        (team.shop.id, "EDITOR")
    ]
    for _ in range(2):  # the second time there is nothing to take back
        answer = team.admin.api.ok("DELETE", path)
        assert "project_role" not in answer
    assert person.api.refused("GET", team.shop.path)[0] == 404
    assert person.api.ok("GET", "/projects", org_id=team.admin.org_id)["projects"] == []
    for strange in ({}, {"role": "owner"}, {"role": None}, {"role": "ADMIN"}):
        assert team.admin.api.refused("PUT", path, strange)[0] == 400
    stranger = "3f0c0a52-5f0e-4a49-8d59-6f2f7f3c0a11"
    unknown = f"{team.shop.path}/members/{stranger}/role"
    assert team.admin.api.refused("PUT", unknown, {"role": "viewer"})[0] == 404


def test_whoever_loses_access_may_still_know_passwords_and_keys(team: Team) -> None:
    person = team.people["collaborator"]
    hints = ("credential_rotation_recommended", "org_api_key_rotation_recommended")

    def told(answer: dict[str, Any]) -> tuple[bool, ...]:
        return tuple(answer[name] for name in hints)

    assert told(team.give(person, "editor")) == (False, False)
    assert told(team.give(person, "viewer")) == (True, False)
    assert told(team.give(person, "editor")) == (False, False)
    assert told(team.admin.api.ok("DELETE", team.role_path(person))) == (True, False)
    editor = team.people["editor"]
    team.give(editor, "viewer")
    assert told(team.admin.api.ok("DELETE", team.role_path(editor))) == (False, False)
    # With a key of the project that they made while they were an admin of the organization.
    member = f"{team.org}/members/{team.member_id(editor)}"
    team.admin.api.ok("PATCH", member, {"role": "admin"})
    Person(editor.api, editor.email, team.admin.org_id).org_key(team.admin.org_id, team.shop.id)
    team.admin.api.ok("PATCH", member, {"role": "collaborator"})
    team.give(editor, "admin")
    assert told(team.admin.api.ok("DELETE", team.role_path(editor))) == (True, True)


def test_nobody_lowers_themselves_by_accident(team: Team) -> None:
    person = team.people["collaborator"]
    team.give(person, "admin")
    path = team.role_path(person)
    status, message = person.api.refused("PUT", path, {"role": "editor"})
    assert status == 400 and "confirm_self_demotion" in message
    status, message = person.api.refused("DELETE", path)
    assert status == 400 and "confirm_self_lockout" in message
    assert person.api.ok("PUT", path, {"role": "admin"})["project_role"] == "admin"
    changed = person.api.ok("PUT", path, {"role": "viewer"}, confirm_self_demotion="true")
    assert changed["project_role"] == "viewer"
    assert person.api.refused("DELETE", path, confirm_self_lockout="true")[0] == 403
    team.give(person, "admin")
    person.api.ok("DELETE", path, confirm_self_lockout="true")
    assert person.api.refused("GET", team.shop.path)[0] == 404
    # An admin of the organization stays one, whatever the project says.
    own = team.role_path(team.admin)
    assert team.admin.api.ok("PUT", own, {"role": "viewer"})["project_role"] == "admin"


def test_permissions_end_with_the_membership_and_with_the_organization(
    team: Team, api: Api, neon_server_here: NeonServer
) -> None:
    person = team.people["collaborator"]
    team.give(person, "admin")
    team.admin.api.ok("DELETE", f"{team.org}/members/{team.member_id(person)}")
    assert person.api.refused("GET", team.shop.path)[0] == 404
    body = {"invitations": [{"email": person.email, "role": "collaborator"}]}
    team.admin.api.ok("POST", f"{team.org}/invitations", body)
    assert person.api.refused("GET", team.shop.path)[0] == 404
    team.give(person, "editor")
    other = team.admin.organization()
    move = {"destination_org_id": other, "project_ids": [team.shop.id]}
    team.admin.api.ok("POST", f"{team.org}/projects/transfer", move)
    grants = neon_server_here.neon.store.all(ProjectGrant, project_id=team.shop.id)
    assert grants == []
    assert person.api.refused("GET", team.shop.path)[0] == 404


def test_two_admins_who_lower_each_other_at_once(team: Team, neon_server_here: NeonServer) -> None:
    """Each was let in as an admin; the second is none any more when the change is made."""
    neon, people = neon_server_here.neon, team.people
    first, second = people["collaborator"], people["viewer"]
    for person in (first, second):
        team.give(person, "admin")
    project = neon.store.get(ProjectRow, team.shop.id)
    assert project is not None
    callers = [neon.identity.caller(person.api.key) for person in (first, second)]
    ids = [team.member_id(person) for person in (second, first)]
    changed = project_members.set_role(
        neon, callers[0], project, ids[0], Level.VIEWER, confirmed=False
    )
    assert changed.after.access.effective == Level.VIEWER
    with pytest.raises(Forbidden):
        project_members.set_role(neon, callers[1], project, ids[1], Level.VIEWER, confirmed=False)
    assert first.api.ok("GET", team.shop.path)["project"]["effective_project_permission"] == "ADMIN"


def test_keys_of_one_project(team: Team, api: Api) -> None:
    admin, path = team.admin, f"{team.org}/api_keys"
    elsewhere = admin.organization()
    theirs = admin.api.ok("POST", "/projects", {"project": {"org_id": elsewhere}})["project"]["id"]
    body = {"key_name": "key", "project_id": theirs}
    assert admin.api.refused("POST", path, body)[0] == 404
    status, message = admin.org_key(admin.org_id).refused("POST", path, body)
    assert status == 403 and "personal key" in message
    key = admin.org_key(admin.org_id, team.shop.id)
    assert key.ok("POST", f"{team.shop.main}/databases", _database(team.shop))
    assert "effective_project_permission" not in key.ok("GET", team.shop.path)["project"]
    for method, address, content in (
        ("POST", "/projects", {"project": {}}),
        ("GET", f"{team.org}/members", None),
        ("GET", path, None),
        ("POST", path, {"key_name": "more", "project_id": team.shop.id}),
        ("PUT", team.role_path(team.people["viewer"]), {"role": "admin"}),
    ):
        assert key.refused(method, address, content)[0] == 403, (method, address)
    assert key.refused("GET", f"/projects/{theirs}")[0] == 404


def _database(shop: Project) -> dict[str, Any]:
    owner = shop.answer["roles"][0]["name"]
    return {"database": {"name": "second", "owner_name": owner}}


def test_the_console_asks_for_the_same(team: Team, neon_server_here: NeonServer) -> None:
    page, branch = team.shop.path, team.shop.branch
    seen = {
        "viewer": (200, 403, 403),
        "editor": (200, 200, 403),
        "admin": (200, 200, 200),
        "collaborator": (404, 404, 404),
    }
    for role, wanted in seen.items():
        person = team.people[role]
        with pages.session(neon_server_here, key=person.api.key) as console:
            paths = (page, f"{page}/connect?branch={branch}", f"{page}/delete")
            assert tuple(console.open(path).status_code for path in paths) == wanted, role
            assert console.open(f"{page}/query?branch={branch}").status_code == wanted[1]
            if role == "viewer":
                assert console.send(f"{page}/branches", name="mine").status_code == 403
                assert team.admin.email in console.read(page)
            if role == "editor":
                assert console.send(f"{page}/delete").status_code == 403
            if role == "admin":
                text = console.read(page)
                assert team.people["collaborator"].email in text
                assert "inherited" in text
