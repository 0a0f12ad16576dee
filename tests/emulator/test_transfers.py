"""Projects that are given away: by a request that somebody accepts, and between organizations."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from neonup.plugin.plans import LIMITS
from neonup_emulator.neon.accounts.model import Organization
from neonup_emulator.neon.model import Project as ProjectRow
from neonup_emulator.neon.state.store import setting
from neonup_emulator.neon.transfer.model import TransferRequest
from tests.emulator.api import Api, Project, ask
from tests.emulator.persons import Person, create_person
from tests.emulator.serving import NeonServer


@pytest.fixture
def giver(api: Api) -> Person:
    return create_person(api)


@pytest.fixture
def taker(api: Api) -> Person:
    return create_person(api)


@pytest.fixture
def shop(giver: Person) -> Project:
    return giver.api.create_project(name="shop")


@pytest.fixture
def later(neon_server_here: NeonServer) -> Iterator[Callable[[float], None]]:
    """Move the clock so many seconds ahead."""
    clock = neon_server_here.neon.clock

    def move(seconds: float) -> None:
        clock.ahead = timedelta(seconds=seconds)

    yield move
    clock.ahead = timedelta()


def offer(project: Project, **body: Any) -> str:
    """The path of a new transfer request."""
    created = project.api.ok("POST", f"{project.path}/transfer_requests", body)
    return f"{project.path}/transfer_requests/{created['id']}"


def reaches(api: Api, project: Project) -> bool:
    """Whether a credential does anything with a project."""
    statuses = {
        api.ask("GET", project.path)[0],
        api.ask("GET", f"{project.path}/branches")[0],
        api.ask("PATCH", project.path, {"project": {"name": "renamed"}})[0],
    }
    assert statuses in ({200}, {404}, {401})
    listed = api.ask("GET", "/projects")[1].get("projects", [])
    assert (project.id in [one["id"] for one in listed]) == (statuses == {200})
    return statuses == {200}


def moves(how: str, giver: Person, taker: Person, shop: Project) -> None:
    """Give the project to the taker, in one of the ways there are."""
    if how == "request":
        assert taker.api.ok("PUT", offer(shop), {}) == {}
        return
    invited = {"invitations": [{"email": giver.email, "role": "member"}]}
    taker.api.ok("POST", f"/organizations/{taker.org_id}/invitations", invited)
    path = "/users/me" if how == "user" else f"/organizations/{giver.org_id}"
    body = {"destination_org_id": taker.org_id, "project_ids": [shop.id]}
    assert giver.api.ok("POST", f"{path}/projects/transfer", body) == {}
    members = taker.api.ok("GET", f"/organizations/{taker.org_id}/members")["members"]
    (member,) = [one["member"]["id"] for one in members if one["user"]["email"] == giver.email]
    taker.api.ok("DELETE", f"/organizations/{taker.org_id}/members/{member}")


@pytest.mark.parametrize("how", ["request", "organization", "user"])
def test_who_reaches_a_project_before_and_after(
    giver: Person, taker: Person, shop: Project, api: Api, how: str
) -> None:
    deleted = giver.api.ok("POST", "/api_keys", {"key_name": "old"})
    giver.api.ok("DELETE", f"/api_keys/{deleted['id']}")
    mate = create_person(api)
    invited = {"invitations": [{"email": mate.email, "role": "editor"}]}
    giver.api.ok("POST", f"/organizations/{giver.org_id}/invitations", invited)
    other = giver.api.create_project(name="other")
    expected = {
        "old owner": (giver.api, True, False),
        "member of the old owner's organization": (mate.api, True, False),
        "new owner": (taker.api, False, True),
        "stranger": (create_person(api).api, False, False),
        "source's key": (giver.org_key(giver.org_id), True, False),
        "destination's key": (taker.org_key(taker.org_id), False, True),
        "key of the project": (giver.org_key(giver.org_id, shop.id), True, False),
        "key of another project": (giver.org_key(giver.org_id, other.id), False, False),
        "deleted key": (giver.api.as_key(deleted["key"]), False, False),
        "no key of anybody": (api.as_key("napi_wrong"), False, False),
    }
    before = {name: reaches(one, shop) for name, (one, _, _) in expected.items()}
    assert before == {name: wanted for name, (_, wanted, _) in expected.items()}
    moves(how, giver, taker, shop)
    after = {name: reaches(one, shop) for name, (one, _, _) in expected.items()}
    assert after == {name: wanted for name, (_, _, wanted) in expected.items()}
    assert taker.api.ok("GET", other.path.replace(other.id, shop.id))["project"]["org_id"] == (
        taker.org_id
    )


def test_the_data_the_url_and_the_quota_stay(giver: Person, taker: Person) -> None:
    quota = {"active_time_seconds": 36_000, "logical_size_bytes": 2**30}
    shop = giver.api.create_project(name="shop", settings={"quota": quota})
    ask(shop.url, "CREATE TABLE kept AS SELECT 7 AS number")
    created = giver.api.ok("POST", f"{shop.path}/transfer_requests", {"ttl_seconds": 604_800})
    assert created["project_id"] == shop.id
    taker.api.ok("PUT", f"{shop.path}/transfer_requests/{created['id']}")
    assert ask(shop.url, "SELECT number FROM kept") == 7
    shown = taker.api.ok("GET", shop.path)["project"]
    assert shown["settings"]["quota"] == quota
    assert (shown["org_id"], shown["owner"]["email"]) == (taker.org_id, taker.email)


def test_it_can_go_to_any_organization_of_the_recipient(
    taker: Person, shop: Project, giver: Person
) -> None:
    path, another = offer(shop), taker.organization()
    assert taker.api.refused("PUT", path, {"org_id": giver.org_id})[0] == 404
    assert taker.api.refused("PUT", path, {"org_id": "Not An Id"})[0] == 400
    taker.api.ok("PUT", path, {"org_id": another})
    assert taker.api.ok("GET", shop.path)["project"]["org_id"] == another


def test_an_organizations_key_accepts_for_it(taker: Person, shop: Project) -> None:
    another = taker.organization()
    taker.org_key(another).ok("PUT", offer(shop), {})
    assert taker.api.ok("GET", shop.path)["project"]["org_id"] == another


def test_a_request_is_used_once(taker: Person, shop: Project, giver: Person, api: Api) -> None:
    first, second = offer(shop), offer(shop)
    assert giver.api.refused("PUT", first)[0] == 409  # it is theirs already; nothing is used up
    taker.api.ok("PUT", first)
    assert create_person(api).api.refused("PUT", first)[0] == 410
    # Who gave it away cannot take it back by another request that they made before.
    assert giver.api.refused("PUT", second)[0] == 410
    assert giver.api.refused("POST", f"{shop.path}/transfer_requests", {})[0] == 404
    assert reaches(taker.api, shop)


def test_of_many_at_once_one_takes_it(shop: Project, api: Api) -> None:
    path, people = offer(shop), [create_person(api) for _ in range(4)]
    statuses: list[int] = []

    def take(person: Person) -> None:
        statuses.append(person.api.ask("PUT", path)[0])

    threads = [threading.Thread(target=take, args=[one]) for one in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses.count(204) == 1
    assert set(statuses) <= {204, 410, 423}
    assert sum(reaches(one.api, shop) for one in people) == 1


def test_a_request_expires_and_a_new_one_is_made(
    taker: Person, shop: Project, later: Callable[[float], None]
) -> None:
    day, hour = offer(shop), offer(shop, ttl_seconds=3600)
    later(3601)
    assert taker.api.refused("PUT", hour)[0] == 410
    later(86_401)
    assert taker.api.refused("PUT", day) == (
        410,
        "the transfer request has expired: ask for a new one",
    )
    taker.api.ok("PUT", offer(shop))


@pytest.mark.parametrize("ttl", [0, -1, 1.5, "60", None, True, 2**63 - 1, 10**30])
def test_a_strange_time_to_live_is_refused(shop: Project, ttl: Any) -> None:
    body = {"ttl_seconds": ttl}
    assert shop.api.refused("POST", f"{shop.path}/transfer_requests", body)[0] == 400


def test_requests_of_what_is_not_there(taker: Person, shop: Project) -> None:
    path, other = offer(shop), shop.api.create_project(name="other")
    unknown = "3f0c0a52-5f0e-4a49-8d59-6f2f7f3c0a11"
    assert taker.api.refused("PUT", f"{shop.path}/transfer_requests/{unknown}")[0] == 404
    assert taker.api.refused("PUT", path.replace(shop.id, other.id))[0] == 404
    assert taker.api.refused("POST", f"{shop.path}/transfer_requests", {})[0] == 404
    shop.api.ok("DELETE", shop.path)
    assert taker.api.refused("PUT", path)[0] == 404
    shop.api.ok("POST", f"{shop.path}/recover")
    taker.api.ok("PUT", path)


def test_who_may_not_give_a_project_away(giver: Person, shop: Project, api: Api) -> None:
    path = f"{shop.path}/transfer_requests"
    assert giver.org_key(giver.org_id, shop.id).refused("POST", path, {})[0] == 403
    guest, viewer = create_person(api), create_person(api)
    giver.api.ok("POST", f"{shop.path}/permissions", {"email": guest.email})
    assert guest.api.refused("POST", path, {})[0] == 403
    invited = {"invitations": [{"email": viewer.email, "role": "viewer"}]}
    giver.api.ok("POST", f"/organizations/{giver.org_id}/invitations", invited)
    assert viewer.api.refused("POST", path, {})[0] == 403
    giver.org_key(giver.org_id).ok("POST", path, {})


def test_whom_it_was_shared_with_does_not_reach_it_any_more(
    giver: Person, taker: Person, shop: Project
) -> None:
    giver.api.ok("POST", f"{shop.path}/permissions", {"email": giver.email})
    taker.api.ok("PUT", offer(shop))
    assert not reaches(giver.api, shop)
    assert taker.api.ok("GET", f"{shop.path}/permissions")["project_permissions"] == []


def test_a_plan_that_is_too_small_says_why(taker: Person, giver: Person) -> None:
    free = taker.organization("free")
    defaults = {"autoscaling_limit_max_cu": 8, "suspend_timeout_seconds": 60}
    shop = giver.api.create_project(
        name="shop", history_retention_seconds=604_800, default_endpoint_settings=defaults
    )
    path = offer(shop)
    status, refused = taker.api.ask("PUT", path, {"org_id": free})
    assert status == 406
    assert {one["code"] for one in refused["reasons"]} == {
        "COMPUTE_LIMIT_EXCEEDED",
        "HISTORY_LIMIT_EXCEEDED",
        "SUSPEND_TIMEOUT_LIMIT_EXCEEDED",
    }
    assert not reaches(taker.api, shop)
    taker.api.ok("PUT", path, {"org_id": taker.org_id})  # nothing was used up
    assert reaches(taker.api, shop)


@pytest.fixture
def fill(neon_server_here: NeonServer) -> Iterator[Callable[[str, int], None]]:
    """Rows of projects, as if there were so many; real ones would need a data directory each."""
    store, rows = neon_server_here.neon.store, list[ProjectRow]()

    def put(org_id: str, number: int) -> None:
        known = store.all(ProjectRow)[0]
        made = [replace(known, id=f"{org_id}-{one}", org_id=org_id) for one in range(number)]
        rows.extend(made)
        store.insert(*made)

    yield put
    store.delete(*rows)


def test_too_many_projects(
    taker: Person, giver: Person, shop: Project, fill: Callable[[str, int], None]
) -> None:
    free, small = taker.organization("free"), giver.organization("free")
    history = {"history_retention_seconds": LIMITS["free"].history_seconds}
    giver.api.ok("PATCH", shop.path, {"project": history})
    for org_id in (free, small):
        fill(org_id, 100)
    status, refused = taker.api.ask("PUT", offer(shop), {"org_id": free})
    assert status == 406
    assert [one["code"] for one in refused["reasons"]] == ["PROJECTS_LIMIT_EXCEEDED"]
    body = {"destination_org_id": small, "project_ids": [shop.id]}
    path = f"/organizations/{giver.org_id}/projects/transfer"
    status, refused = giver.api.ask("POST", path, body)
    assert status == 406
    assert refused["limits"] == [{"name": "projects_count", "expected": "100", "actual": "101"}]


def test_an_upgrade_and_a_downgrade_of_a_platform(giver: Person) -> None:
    free, paid = giver.organization("free"), giver.organization("scale")
    quota = {"compute_time_seconds": 3600}
    projects = [
        giver.api.create_project(name="p", org_id=free, settings={"quota": quota}) for _ in "ab"
    ]
    ids = [one.id for one in projects]
    old = giver.org_key(free)
    body = {"destination_org_id": paid, "project_ids": [*ids, *ids]}
    giver.api.ok("POST", f"/organizations/{free}/projects/transfer", body)
    for one in projects:
        assert not reaches(old, one)
        shown = giver.api.ok("GET", one.path)["project"]
        assert (shown["org_id"], shown["settings"]["quota"]) == (paid, quota)
        assert shown["owner"]["subscription_type"] == "scale"
        assert ask(one.url, "SELECT 1") == 1
    bigger = {"project": {"default_endpoint_settings": {"autoscaling_limit_max_cu": 16}}}
    giver.api.ok("PATCH", projects[1].path, bigger)
    back = {"destination_org_id": free, "project_ids": ids}
    status, refused = giver.api.ask("POST", f"/organizations/{paid}/projects/transfer", back)
    assert status == 406
    limit = {"name": "subscription_type", "expected": "launch", "actual": "free"}
    assert refused["limits"] == [limit]
    assert giver.api.ok("GET", projects[0].path)["project"]["org_id"] == paid
    back["project_ids"] = ids[:1]
    giver.api.ok("POST", f"/organizations/{paid}/projects/transfer", back)
    assert giver.api.ok("GET", projects[0].path)["project"]["org_id"] == free


def test_projects_move_all_or_none(
    giver: Person, shop: Project, taker: Person, neon_server_here: NeonServer
) -> None:
    another, hers = giver.organization(), taker.api.create_project(name="hers")
    gone = giver.api.create_project(name="gone")
    giver.api.ok("DELETE", gone.path)
    path = f"/organizations/{giver.org_id}/projects/transfer"

    def move(*ids: str, to: str = another) -> int:
        body = {"destination_org_id": to, "project_ids": list(ids)}
        return giver.api.ask("POST", path, body)[0]

    for strange in (hers.id, gone.id, "no-such-project"):
        assert move(shop.id, strange) == 404
    assert move(shop.id, to=taker.org_id) == 404
    assert move(shop.id, to=giver.org_id) == 409
    assert move() == 400
    assert move(*(f"p-{one}" for one in range(401))) == 400
    assert move("../x") == 400
    second = giver.api.create_project(name="second")
    with neon_server_here.neon.journal.locked(second.id):
        assert move(shop.id, second.id) == 423
    for one in (shop, second):
        assert giver.api.ok("GET", one.path)["project"]["org_id"] == giver.org_id
    assert move(shop.id, second.id) == 200


def test_moving_takes_a_person_with_rights_on_both_sides(
    giver: Person, taker: Person, shop: Project
) -> None:
    path = f"/organizations/{giver.org_id}/projects/transfer"
    body = {"destination_org_id": giver.organization(), "project_ids": [shop.id]}
    for key in (giver.org_key(giver.org_id), giver.org_key(giver.org_id, shop.id)):
        assert key.refused("POST", path, body)[0] == 403
        assert key.refused("POST", "/users/me/projects/transfer", body)[0] == 403
    assert taker.api.refused("POST", path, body)[0] == 404
    invited = {"invitations": [{"email": giver.email, "role": "collaborator"}]}
    taker.api.ok("POST", f"/organizations/{taker.org_id}/invitations", invited)
    body["destination_org_id"] = taker.org_id
    assert giver.api.refused("POST", path, body)[0] == 403
    assert giver.api.ok("GET", shop.path)["project"]["org_id"] == giver.org_id
    invited = {"invitations": [{"email": taker.email, "role": "editor"}]}
    giver.api.ok("POST", f"/organizations/{giver.org_id}/invitations", invited)
    assert taker.api.refused("POST", path, body)[0] == 403
    assert taker.api.refused("POST", f"{shop.path}/transfer_requests", {})[0] == 403


def test_requests_ids_are_kept_to_themselves(
    taker: Person, shop: Project, api: Api, neon_server_here: NeonServer
) -> None:
    path = offer(shop)
    id_ = path.rpartition("/")[2]
    assert neon_server_here.neon.store.get(TransferRequest, id_) is None
    assert taker.api.refused("PUT", path, {"org_id": "org-of-nobody"})[0] == 404
    log = api.control("GET", "/requests").text
    assert f"{shop.path}/transfer_requests/..." in log
    assert id_ not in log
    folder = neon_server_here.neon.clusters.folder("x").parents[1]
    for file in folder.glob("neon.db*"):
        assert id_.encode() not in file.read_bytes()


@pytest.mark.parametrize("change", ["removed", "viewer"])
def test_a_request_of_a_member_who_lost_the_right_is_void(
    giver: Person, taker: Person, shop: Project, api: Api, change: str
) -> None:
    mate = create_person(api)
    invited = {"invitations": [{"email": mate.email, "role": "admin"}]}
    giver.api.ok("POST", f"/organizations/{giver.org_id}/invitations", invited)
    path = offer(Project(mate.api, shop.answer))
    members = giver.api.ok("GET", f"/organizations/{giver.org_id}/members")["members"]
    (id_,) = [one["member"]["id"] for one in members if one["user"]["email"] == mate.email]
    member = f"/organizations/{giver.org_id}/members/{id_}"
    if change == "removed":
        giver.api.ok("DELETE", member)
    else:
        giver.api.ok("PATCH", member, {"role": "viewer"})
    for who in (mate, taker):
        assert who.api.refused("PUT", path)[0] == 410
    assert reaches(giver.api, shop)


def test_the_user_is_shown_with_the_plan_of_their_own_organization(
    taker: Person, neon_server_here: NeonServer
) -> None:
    neon = neon_server_here.neon
    neon.store.update(Organization, taker.org_id, setting(plan="free"))
    shown = taker.api.ok("GET", "/users/me")
    assert (shown["plan"], shown["branches_limit"]) == ("free", 10)
    assert shown["max_autoscaling_limit"] == 2
    assert shown["billing_account"]["subscription_type"] == "free_v2"
