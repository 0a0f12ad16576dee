"""Neon's API through both clients, against a local Neon; requests are checked by the document."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import psycopg
import pytest

from neonup.neon import errors
from neonup.neon.answers import CreatedProject
from tests.account.drivers import Ask, Driver
from tests.neon.api import Api
from tests.neon.persons import create_person
from tests.neon.serving import NeonServer


@pytest.fixture
def created(ask: Ask, neon_server_here: NeonServer) -> Iterator[CreatedProject]:
    found = ask(lambda neon: neon.projects.create(name="shop", org_id=neon_server_here.org_id))
    ask(lambda neon: neon.operations.wait(found.operations))
    yield found
    ask(lambda neon: neon.projects.delete(found.project.id))


def test_a_project_is_created_found_changed_and_deleted(
    ask: Ask, created: CreatedProject, neon_server_here: NeonServer
) -> None:
    id_ = created.project.id
    found = ask(lambda neon: neon.projects.get(id_))
    assert (found.id, found.name, found.org_id) == (id_, "shop", neon_server_here.org_id)
    changed = ask(
        lambda neon: neon.projects.update(
            id_, name="store", settings={"quota": {"active_time_seconds": 3600}}
        )
    )
    assert (changed.name, changed.settings["quota"]["active_time_seconds"]) == ("store", 3600)
    listed = ask(
        lambda neon: neon.projects.list(org_id=neon_server_here.org_id, search="store", page=1)
    )
    assert [one.id for one in listed] == [id_]
    other = ask(lambda neon: neon.projects.create(org_id=neon_server_here.org_id)).project.id
    ask(lambda neon: neon.projects.delete(other))
    with pytest.raises(errors.NotFound):
        ask(lambda neon: neon.projects.get(other))
    assert ask(lambda neon: neon.projects.recover(other)).id == other
    ask(lambda neon: neon.projects.delete(other))


def test_lists_are_iterators_over_all_pages(ask: Ask, neon_server_here: NeonServer) -> None:
    org = neon_server_here.org_id
    made = {
        ask(lambda neon: neon.projects.create(name="many", org_id=org)).project.id for _ in range(5)
    }
    listed = ask(lambda neon: neon.projects.list(org_id=org, search="many", page=2))
    assert {one.id for one in listed} == made
    assert len(listed) == 5
    for id_ in made:
        ask(partial(_delete, id_))


def test_its_database_answers_under_the_uri(ask: Ask, created: CreatedProject) -> None:
    uri = ask(
        lambda neon: neon.projects.connection_uri(
            created.project.id, database_name="neondb", role_name="neondb_owner"
        )
    )
    with psycopg.connect(uri) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("neondb_owner",)


def test_branches(ask: Ask, created: CreatedProject) -> None:
    id_ = created.project.id
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    made = ask(lambda neon: neon.branches.create(id_, name="dev", expires_at=tomorrow))
    ask(lambda neon: neon.operations.wait(made.operations))
    assert made.branch.parent_id == created.branch.id
    assert [one.type for one in made.endpoints] == ["read_write"]
    listed = ask(lambda neon: neon.branches.list(id_))
    assert {one.name for one in listed} == {"main", "dev"}
    renamed = ask(lambda neon: neon.branches.update(id_, made.branch.id, name="next"))
    assert renamed.branch.name == "next"
    back = ask(
        lambda neon: neon.branches.restore(
            id_, made.branch.id, source_branch_id=created.branch.id, preserve_under_name="before"
        )
    )
    ask(lambda neon: neon.operations.wait(back.operations))
    assert "before" in {one.name for one in ask(lambda neon: neon.branches.list(id_))}
    with pytest.raises(errors.Invalid, match="default"):
        ask(lambda neon: neon.branches.delete(id_, created.branch.id))


def test_a_version_is_kept_and_comes_back(ask: Ask, created: CreatedProject) -> None:
    id_ = created.project.id
    kept = ask(lambda neon: neon.snapshots.create(id_, created.branch.id, name="v1"))
    ask(lambda neon: neon.operations.wait(kept.operations))
    renamed = ask(lambda neon: neon.snapshots.update(id_, kept.snapshot.id, name="v2"))
    assert renamed.name == "v2"
    assert [one.name for one in ask(lambda neon: neon.snapshots.list(id_))] == ["v2"]
    restored = ask(
        lambda neon: neon.snapshots.restore(id_, kept.snapshot.id, finalize_restore=True)
    )
    ask(lambda neon: neon.operations.wait(restored.operations))
    assert restored.branch.id != created.branch.id
    ask(lambda neon: neon.snapshots.delete(id_, kept.snapshot.id))
    assert ask(lambda neon: neon.snapshots.list(id_)) == []


def test_endpoints_roles_and_databases(ask: Ask, created: CreatedProject) -> None:
    id_, branch = created.project.id, created.branch.id
    reader = ask(lambda neon: neon.endpoints.create(id_, branch, type="read_only")).endpoint
    assert {one.type for one in ask(lambda neon: neon.endpoints.list(id_))} == {
        "read_write",
        "read_only",
    }
    ask(lambda neon: neon.endpoints.start(id_, reader.id))
    assert ask(lambda neon: neon.endpoints.get(id_, reader.id)).current_state == "active"
    ask(lambda neon: neon.endpoints.suspend(id_, reader.id))
    ask(lambda neon: neon.endpoints.delete(id_, reader.id))
    role = ask(lambda neon: neon.roles.create(id_, branch, "app")).role
    told = ask(lambda neon: neon.roles.reveal_password(id_, branch, "app"))
    assert told == role.password
    new = ask(lambda neon: neon.roles.reset_password(id_, branch, "app")).role.password
    assert new not in (None, told)
    ask(lambda neon: neon.databases.create(id_, branch, "app", owner_name="app"))
    assert "app" in {one.name for one in ask(lambda neon: neon.databases.list(id_, branch))}
    ask(lambda neon: neon.databases.delete(id_, branch, "app"))
    ask(lambda neon: neon.roles.delete(id_, branch, "app"))
    assert "app" not in {one.name for one in ask(lambda neon: neon.roles.list(id_, branch))}


def test_who_asks_and_what_was_consumed(
    ask: Ask, created: CreatedProject, neon_server_here: NeonServer
) -> None:
    assert "@" in ask(lambda neon: neon.users.me()).email
    organizations = ask(lambda neon: neon.organizations.list())
    assert neon_server_here.org_id in {one.id for one in organizations}
    now = datetime.now(UTC)
    told = ask(
        lambda neon: neon.consumption.projects(
            org_id=neon_server_here.org_id,
            since=now - timedelta(days=1),
            until=now,
            project_ids=[created.project.id],
        )
    )
    assert [one.project_id for one in told] == [created.project.id]


def test_a_project_is_given_away_by_api(
    ask: Ask, driver: Driver, neon_server_here: NeonServer
) -> None:
    mine = Api(neon_server_here.base, neon_server_here.key)
    taker = create_person(mine)
    given = ask(lambda neon: neon.projects.create(org_id=neon_server_here.org_id)).project
    offer = ask(lambda neon: neon.projects.request_transfer(given.id, ttl_seconds=60))
    assert offer.id not in repr(offer)
    with driver(taker.api.base, taker.api.key) as theirs:
        theirs(lambda neon: neon.projects.accept_transfer(given.id, offer.id, org_id=taker.org_id))
        assert theirs(lambda neon: neon.projects.get(given.id)).org_id == taker.org_id
        theirs(lambda neon: neon.projects.delete(given.id))
    with pytest.raises(errors.NotFound):
        ask(lambda neon: neon.projects.get(given.id))


def test_projects_move_between_organizations(driver: Driver, neon_server_here: NeonServer) -> None:
    person = create_person(Api(neon_server_here.base, neon_server_here.key))
    other = person.organization()
    with driver(person.api.base, person.api.key) as theirs:
        made = theirs(lambda neon: neon.projects.create(org_id=person.org_id)).project.id
        theirs(
            lambda neon: neon.organizations.transfer_projects(
                person.org_id, to=other, project_ids=[made]
            )
        )
        assert theirs(lambda neon: neon.projects.get(made)).org_id == other
        theirs(lambda neon: neon.projects.delete(made))


def test_the_rest_of_the_api_is_a_plain_request(ask: Ask) -> None:
    regions = ask(lambda neon: neon.request("GET", "/regions"))["regions"]
    assert regions[0]["region_id"].startswith("aws-")


def test_names_that_lead_elsewhere_are_quoted(ask: Ask) -> None:
    with pytest.raises(errors.NotFound):
        ask(lambda neon: neon.projects.get("a/../b?c"))
    for name in ("", ".", ".."):
        with pytest.raises(ValueError, match="names nothing"):
            ask(partial(_delete, name))


def _delete(project_id: str, neon: Any) -> Any:
    return neon.projects.delete(project_id)
