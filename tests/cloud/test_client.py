"""The API client's operations against the local Neon, with both drivers; every request is checked
against Neon's OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from neonup.errors import SettingsError
from neonup_cloud.api import errors
from neonup_cloud.api.answers import CreatedProject
from tests.cloud.both import DRIVERS, Both, client
from tests.conftest import remove_home, warm_home
from tests.emulator.api import Api, ask
from tests.emulator.persons import Person, create_person
from tests.emulator.serving import NeonServer, serving


@pytest.fixture(scope="module")
def neon_server_here(warm_parts: Path) -> Iterator[NeonServer]:
    home = warm_home(warm_parts)
    with serving(home) as server:
        yield server
    remove_home(home)


@pytest.fixture(params=DRIVERS)
def neon(request: pytest.FixtureRequest, neon_server_here: NeonServer) -> Iterator[Both]:
    here = neon_server_here
    with client(request.param, here.base, here.key, org_id=here.org_id) as both:
        yield both


@pytest.fixture
def shop(neon: Both) -> CreatedProject:
    created: CreatedProject = settle(neon, create(neon, name="shop"))
    return created


@pytest.fixture
def person(neon_server_here: NeonServer) -> Person:
    """Somebody else."""
    return create_person(Api(neon_server_here.base, neon_server_here.key))


def as_person(neon: Both, person: Person) -> AbstractContextManager[Both]:
    """The same driver with somebody else's key."""
    return client(neon.driver, person.api.base, person.api.key, org_id=person.org_id)


def create(neon: Both, **project: Any) -> CreatedProject:
    created: CreatedProject = neon(lambda neon: neon.projects.create(**project))
    return created


def delete(neon: Both, project_id: str) -> None:
    neon(lambda neon: neon.projects.delete(project_id))


def uri(created: Any) -> str:
    return str(created.connection_uris[0].connection_uri)


def settle(neon: Both, changed: Any) -> Any:
    neon(lambda neon: neon.operations.wait(changed.operations))
    return changed


def test_a_project_from_its_creation_to_its_recovery(neon: Both, shop: CreatedProject) -> None:
    id = shop.project.id  # noqa: A001
    assert ask(uri(shop), "SELECT 1") == 1
    assert neon(lambda neon: neon.projects.get(id)).name == "shop"
    changed = neon(lambda neon: neon.projects.update(id, name="store"))
    assert changed.name == "store"
    assert id in [one.id for one in neon(lambda neon: neon.projects.list(search="store"))]
    role, database = shop.roles[0].name, shop.databases[0].name
    found = neon(
        lambda neon: neon.projects.connection_uri(id, role_name=role, database_name=database)
    )
    assert ask(found, "SELECT 1") == 1
    pooled = neon(
        lambda neon: neon.projects.connection_uri(
            id, role_name=role, database_name=database, pooled=True
        )
    )
    assert ask(pooled, "SELECT 1") == 1
    assert neon(lambda neon: neon.operations.list(id))
    neon(lambda neon: neon.projects.delete(id))
    with pytest.raises(errors.NotFound) as failure:
        neon(lambda neon: neon.projects.get(id))
    assert failure.value.request_id
    assert id in [one.id for one in neon(lambda neon: neon.projects.list(recoverable=True))]
    assert neon(lambda neon: neon.projects.recover(id)).id == id
    neon(lambda neon: neon.projects.delete(id))


def test_a_fleet_has_a_project_with_a_quota_for_each_user(neon: Both) -> None:
    quota = {"active_time_seconds": 3600, "logical_size_bytes": 100_000_000}
    limits = {"autoscaling_limit_max_cu": 1, "suspend_timeout_seconds": 300}
    made = [
        create(neon, name=name, settings={"quota": quota}, default_endpoint_settings=limits)
        for name in ("fleet-1", "fleet-2", "fleet-3")
    ]
    listed = neon(lambda neon: neon.projects.list(search="fleet-", page=2))
    assert {one.id for one in listed} == {one.project.id for one in made}
    assert all(one.settings["quota"]["active_time_seconds"] == 3600 for one in listed)
    first = made[0].project.id
    settings = {"quota": {**quota, "active_time_seconds": 7200}}
    changed = neon(lambda neon: neon.projects.update(first, settings=settings))
    assert changed.settings["quota"]["active_time_seconds"] == 7200
    now = datetime.now(UTC)
    used = neon(
        lambda neon: neon.consumption.projects(
            start=now - timedelta(hours=2),
            end=now + timedelta(hours=1),
            granularity="hourly",
            project_ids=[one.project.id for one in made],
            page=2,
        )
    )
    assert {one.project_id for one in used} == {one.project.id for one in made}
    frames = [frame for one in used for period in one.periods for frame in period.consumption]
    assert all(frame.timeframe_start < frame.timeframe_end for frame in frames)
    for one in made:
        delete(neon, one.project.id)


def test_branches_with_their_history(neon: Both, shop: CreatedProject) -> None:
    id, main = shop.project.id, shop.branch.id  # noqa: A001
    ask(uri(shop), "CREATE TABLE things AS SELECT 1 AS n")
    ask(uri(shop), "SELECT pg_sleep(1)")
    moment = datetime.fromisoformat(str(ask(uri(shop), "SELECT now()")))
    ask(uri(shop), "SELECT pg_sleep(1)")
    ask(uri(shop), "INSERT INTO things VALUES (2)")
    count = "SELECT count(*) FROM things"
    dev = settle(neon, neon(lambda neon: neon.branches.create(id, name="dev")))
    assert ask(uri(dev), count) == 2
    past = settle(
        neon, neon(lambda neon: neon.branches.create(id, name="past", parent_timestamp=moment))
    )
    assert ask(uri(past), count) == 1
    assert {one.name for one in neon(lambda neon: neon.branches.list(id))} == {
        "main",
        "dev",
        "past",
    }
    expires = datetime.now(UTC) + timedelta(days=2)
    changed = neon(
        lambda neon: neon.branches.update(id, dev.branch.id, name="dev2", expires_at=expires)
    )
    assert changed.branch.name == "dev2"
    body = {"branch": {"expires_at": None}}
    where = f"/projects/{id}/branches/{dev.branch.id}"
    neon(lambda neon: neon.request("PATCH", where, body=body))
    assert neon(lambda neon: neon.branches.get(id, dev.branch.id)).expires_at is None
    settle(
        neon,
        neon(
            lambda neon: neon.branches.restore(
                id, main, source_branch_id=main, source_timestamp=moment, preserve_under_name="old"
            )
        ),
    )
    assert ask(uri(shop), count) == 1
    settle(neon, neon(lambda neon: neon.branches.set_as_default(id, dev.branch.id)))
    assert neon(lambda neon: neon.branches.get(id, dev.branch.id)).default
    settle(neon, neon(lambda neon: neon.branches.delete(id, past.branch.id)))
    with pytest.raises(errors.NotFound):
        neon(lambda neon: neon.branches.get(id, past.branch.id))


def test_versions_by_snapshots(neon: Both, shop: CreatedProject) -> None:
    id, main = shop.project.id, shop.branch.id  # noqa: A001
    ask(uri(shop), "CREATE TABLE things AS SELECT 1 AS n")
    kept = settle(
        neon, neon(lambda neon: neon.snapshots.create(id, main, name="v1", slug="v-1"))
    ).snapshot
    assert kept.slug == "v-1"
    ask(uri(shop), "DROP TABLE things")
    later = datetime.now(UTC) + timedelta(days=9)
    changed = neon(
        lambda neon: neon.snapshots.update(id, kept.id, name="version 1", expires_at=later)
    )
    assert (changed.name, changed.id) == ("version 1", kept.id)
    assert [one.name for one in neon(lambda neon: neon.snapshots.list(id))] == ["version 1"]
    preview = settle(neon, neon(lambda neon: neon.snapshots.restore(id, kept.id, name="preview")))
    assert preview.branch.id != main
    settle(neon, neon(lambda neon: neon.branches.finalize_restore(id, preview.branch.id)))
    assert ask(uri(shop), "SELECT n FROM things") == 1
    again = settle(
        neon,
        neon(
            lambda neon: neon.snapshots.restore(
                id, kept.id, target_branch_id=preview.branch.id, finalize_restore=True
            )
        ),
    )
    assert ask(uri(shop), "SELECT n FROM things") == 1
    assert again.branch.id not in {main, preview.branch.id}
    settle(neon, neon(lambda neon: neon.snapshots.delete(id, kept.id)))
    assert neon(lambda neon: neon.snapshots.list(id)) == []


def test_endpoints(neon: Both, shop: CreatedProject) -> None:
    id, main = shop.project.id, shop.branch.id  # noqa: A001
    writing = shop.endpoints[0].id
    reading = settle(
        neon,
        neon(
            lambda neon: neon.endpoints.create(
                id, branch_id=main, type="read_only", autoscaling_limit_max_cu=1
            )
        ),
    ).endpoint
    assert {one.id for one in neon(lambda neon: neon.endpoints.list(id))} == {writing, reading.id}
    assert len(neon(lambda neon: neon.endpoints.list(id, branch_id=main))) == 2
    changed = settle(
        neon,
        neon(lambda neon: neon.endpoints.update(id, writing, suspend_timeout_seconds=600)),
    )
    assert changed.endpoint.suspend_timeout_seconds == 600
    settle(neon, neon(lambda neon: neon.endpoints.start(id, writing)))
    settle(neon, neon(lambda neon: neon.endpoints.restart(id, writing)))
    settle(neon, neon(lambda neon: neon.endpoints.suspend(id, writing)))
    assert neon(lambda neon: neon.endpoints.get(id, writing)).current_state == "idle"
    settle(neon, neon(lambda neon: neon.endpoints.delete(id, reading.id)))
    assert [one.id for one in neon(lambda neon: neon.endpoints.list(id))] == [writing]


def test_roles_and_databases(neon: Both, shop: CreatedProject) -> None:
    at = (shop.project.id, shop.branch.id)
    role = settle(neon, neon(lambda neon: neon.roles.create(*at, "clerk"))).role
    assert role.password
    assert role.password not in repr(role)
    assert neon(lambda neon: neon.roles.password(*at, "clerk")) == role.password
    again = settle(neon, neon(lambda neon: neon.roles.reset_password(*at, "clerk"))).role
    assert again.password != role.password
    assert neon(lambda neon: neon.roles.get(*at, "clerk")).name == "clerk"
    assert "clerk" in [one.name for one in neon(lambda neon: neon.roles.list(*at))]
    settle(neon, neon(lambda neon: neon.databases.create(*at, "stock", owner_name="clerk")))
    changed = settle(neon, neon(lambda neon: neon.databases.update(*at, "stock", new_name="wares")))
    assert (changed.database.name, changed.database.owner_name) == ("wares", "clerk")
    assert neon(lambda neon: neon.databases.get(*at, "wares")).owner_name == "clerk"
    assert "wares" in [one.name for one in neon(lambda neon: neon.databases.list(*at))]
    settle(neon, neon(lambda neon: neon.databases.delete(*at, "wares")))
    settle(neon, neon(lambda neon: neon.roles.delete(*at, "clerk")))
    with pytest.raises(errors.NotFound):
        neon(lambda neon: neon.roles.get(*at, "clerk"))


def test_who_asks(neon: Both, neon_server_here: NeonServer) -> None:
    me = neon(lambda neon: neon.users.me())
    assert "@" in me.email
    org_id = neon_server_here.org_id
    assert org_id in [one.id for one in neon(lambda neon: neon.organizations.list())]
    assert neon(lambda neon: neon.organizations.get(org_id)).id == org_id


def test_projects_move_to_an_organization_with_another_plan(
    neon: Both, shop: CreatedProject, person: Person
) -> None:
    with as_person(neon, person) as theirs:
        paid, ids = person.organization("launch"), []
        for name in ("one", "two"):
            made = create(theirs, name=name)
            ids.append(made.project.id)
            settle(theirs, made)
        move = {"destination_org_id": paid}
        theirs(lambda neon: neon.organizations.transfer_projects(person.org_id, ids, **move))
        moved = theirs(lambda neon: neon.projects.list(org_id=paid))
        assert {one.id for one in moved} == set(ids)
        assert ask(uri(made), "SELECT 1") == 1
        with pytest.raises(errors.NeonError):
            other = [shop.project.id]
            theirs(lambda neon: neon.organizations.transfer_projects(paid, other, **move))
        with pytest.raises(TypeError):
            theirs(lambda neon: neon.organizations.transfer_projects(paid, ids[0], **move))
        for gone in ids:
            delete(theirs, gone)


def test_a_transfer_request_is_accepted_once(
    neon: Both, shop: CreatedProject, person: Person
) -> None:
    id = shop.project.id  # noqa: A001
    offer = neon(lambda neon: neon.projects.request_transfer(id, ttl_seconds=600))
    assert offer.id not in repr(offer)
    with as_person(neon, person) as theirs:
        theirs(lambda neon: neon.projects.accept_transfer(id, offer.id, org_id=person.org_id))
        assert theirs(lambda neon: neon.projects.get(id)).org_id == person.org_id
        with pytest.raises(errors.NeonError) as failure:
            theirs(lambda neon: neon.projects.accept_transfer(id, offer.id))
        assert offer.id not in str(failure.value) + repr(failure.value)
        theirs(lambda neon: neon.projects.delete(id))


def test_errors_by_meaning(neon: Both, shop: CreatedProject, neon_server_here: NeonServer) -> None:
    id, main = shop.project.id, shop.branch.id  # noqa: A001
    neon(lambda neon: neon.branches.create(id, name="dev"))
    with pytest.raises(errors.Conflict):
        neon(lambda neon: neon.branches.create(id, name="dev"))
    with pytest.raises(errors.Invalid):
        neon(lambda neon: neon.branches.delete(id, main))
    with pytest.raises(errors.NotFound):
        neon(lambda neon: neon.branches.get(id, "br-none-such-00000000"))
    with (
        client(neon.driver, neon_server_here.base, "napi_unknown") as nobody,
        pytest.raises(errors.Unauthorized) as failure,
    ):
        nobody(lambda neon: neon.projects.get(id))
    assert "napi_unknown" not in str(failure.value)


def test_consumption_needs_an_organization(neon_server_here: NeonServer) -> None:
    now = datetime.now(UTC)
    with (
        client("blocking", neon_server_here.base, neon_server_here.key) as neon,
        pytest.raises(SettingsError, match="organization"),
    ):
        neon(lambda neon: neon.consumption.projects(start=now, end=now, granularity="daily"))
