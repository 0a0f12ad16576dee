"""Versions of a project's database on Neon, with both drivers against a local Neon."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from neonup import NeonupError
from neonup_cloud.agents import ProjectVersions
from neonup_cloud.api import errors
from tests.cloud import both
from tests.cloud.both import Both
from tests.cloud.versions import Application, numbers
from tests.emulator.api import Api, ask
from tests.emulator.persons import create_person
from tests.emulator.serving import NeonServer


@pytest.fixture
def driver() -> str:
    """There is one definition for both; `both_drivers` runs a test with each."""
    return "blocking"


both_drivers = pytest.mark.parametrize("driver", both.DRIVERS)


@pytest.fixture
def neon(driver: str, neon_server_here: NeonServer) -> Iterator[Both]:
    with both.client(driver, neon_server_here.base, neon_server_here.key) as found:
        yield found


@pytest.fixture
def application(neon: Both) -> Application:
    return Application(neon)


@both_drivers
def test_a_version_is_gone_back_to_and_the_url_stays(application: Application) -> None:
    application.write(1)
    first = application.do(lambda versions: versions.checkpoint("first"))
    application.write(2)
    second = application.do(lambda versions: versions.checkpoint())
    assert application.do(lambda versions: versions.history()) == [second, first]
    assert first.size and not first.automatic

    restored = application.do(lambda versions: versions.restore("first"))
    assert application.numbers == [1]
    assert application.branches == ["main"]
    assert (restored.name, restored.kept_branch) == ("first", None)

    again = application.do(lambda versions: versions.restore(second))
    assert application.numbers == [1, 2]
    assert application.branches == ["main"]
    assert again.branch_id != restored.branch_id

    application.do(lambda versions: versions.delete(first))
    assert application.versions == [second.name]
    with pytest.raises(NeonupError, match="no version 'first'"):
        application.do(lambda versions: versions.restore("first"))


@both_drivers
def test_a_preview_stays_apart_until_it_is_finalized(application: Application) -> None:
    application.write(1)
    version = application.do(lambda versions: versions.checkpoint("v1"))
    application.write(2)
    soon = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    preview = application.do(lambda versions: versions.preview("v1", expires_at=soon))
    assert numbers(preview.url) == [1]
    assert application.numbers == [1, 2]
    assert preview.expires_at == soon
    assert preview.url not in repr(preview)
    ask(preview.url, "INSERT INTO numbers VALUES (7)")

    same = application.do(lambda versions: versions.preview(version))
    assert same == preview
    assert [one.id for one in application.do(lambda versions: versions.branches())] == [preview.id]

    finalized = application.do(lambda versions: versions.finalize(preview))
    assert application.numbers == [1, 7]
    assert application.do(lambda versions: versions.current()).expires_at is None
    assert finalized.branch_id == preview.id
    assert application.branches == ["main"]
    assert application.do(lambda versions: versions.finalize(preview)).branch_id == preview.id


def test_a_preview_is_removed(application: Application) -> None:
    application.do(lambda versions: versions.checkpoint("v1"))
    preview = application.do(lambda versions: versions.preview("v1"))
    application.do(lambda versions: versions.delete_branch(preview))
    assert application.do(lambda versions: versions.branches()) == []
    with pytest.raises(errors.NotFound, match="no branch 'preview of v1'"):
        application.do(lambda versions: versions.delete_branch("preview of v1"))
    with pytest.raises(errors.NotFound, match="no branch 'main'"):
        application.do(lambda versions: versions.delete_branch("main"))


def test_a_restore_does_not_use_a_preview_that_may_have_been_written_to(
    application: Application,
) -> None:
    application.do(lambda versions: versions.checkpoint("v1"))
    preview = application.do(lambda versions: versions.preview("v1"))
    ask(preview.url, "INSERT INTO numbers VALUES (7)")
    application.do(lambda versions: versions.restore("v1"))
    assert application.numbers == []
    assert application.branches == ["main", "preview of v1"]
    with pytest.raises(errors.Invalid, match="waiting to be finalized") as caught:
        application.do(lambda versions: versions.finalize(preview))  # its target is replaced
    assert "make a new preview" in str(caught.value)
    assert application.numbers == []


def test_what_there_was_before_is_kept_if_wanted(application: Application) -> None:
    application.do(lambda versions: versions.checkpoint("v1"))
    application.write(1)
    restored = application.do(lambda versions: versions.restore("v1", keep="before"))
    assert restored.kept_branch == "before"
    assert application.branches == ["before", "main"]
    (kept,) = application.do(lambda versions: versions.branches())
    assert kept.name == "before"
    opened = application.do(lambda versions: versions.open("before"))
    assert numbers(opened.url) == [1]
    with pytest.raises(errors.Conflict, match="'before'"):
        application.do(lambda versions: versions.restore("v1", keep="before"))
    assert application.branches == ["before", "main"]


def test_a_replaced_branch_that_others_were_made_of_goes_after_them(
    application: Application,
) -> None:
    application.do(lambda versions: versions.checkpoint("v1"))
    application.write(1)
    child = application.do(lambda versions: versions.branch("dev"))
    restored = application.do(lambda versions: versions.restore("v1"))
    assert application.branches == sorted(["dev", "main", restored.kept_branch])
    assert numbers(child.url) == [1]
    application.do(lambda versions: versions.delete_branch("dev"))
    assert application.branches == ["main"]


@both_drivers
def test_a_branch_to_develop_on_expires(application: Application) -> None:
    application.write(1)
    soon = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    branch = application.do(lambda versions: versions.branch("dev", expires_at=soon))
    assert branch.expires_at == soon
    assert numbers(branch.url) == [1]
    with pytest.raises(errors.Conflict, match="'dev'"):
        application.do(lambda versions: versions.branch("dev"))


@both_drivers
@pytest.mark.parametrize("by", ["timestamp", "lsn"])
def test_undo_goes_back_to_a_moment(application: Application, by: str) -> None:
    application.write(1)
    moment = (
        application.moment
        if by == "timestamp"
        else ask(application.url, "SELECT pg_current_wal_flush_lsn()::text")
    )
    application.write(2)
    restored = application.do(lambda versions: versions.undo(**{by: moment}, keep="undone"))
    assert application.numbers == [1]
    assert restored.kept_branch == "undone"
    assert application.branches == ["main", "undone"]
    application.write(3)
    application.do(lambda versions: versions.undo(**{by: moment}))
    assert application.numbers == [1]
    assert application.branches == ["main", "undone"]
    application.do(lambda versions: versions.checkpoint("still a root branch"))


@pytest.mark.parametrize(
    "outside",
    [
        {"timestamp": datetime(2001, 1, 1, tzinfo=UTC)},
        {"timestamp": datetime(2999, 1, 1, tzinfo=UTC)},
        {"lsn": "0/1"},
    ],
    ids=str,
)
def test_a_moment_outside_of_the_history_is_refused(
    application: Application, outside: dict[str, object]
) -> None:
    application.write(1)
    with pytest.raises(errors.Invalid) as caught:
        application.do(lambda versions: versions.undo(**outside))
    assert "hours of history" in str(caught.value)
    assert "within that time" in str(caught.value)
    assert application.numbers == [1]
    assert application.branches == ["main"]


def test_undo_takes_one_moment(application: Application) -> None:
    with pytest.raises(TypeError, match="a timestamp or an LSN"):
        application.do(lambda versions: versions.undo())


def test_names(application: Application) -> None:
    made = [application.do(lambda versions: versions.checkpoint()) for _ in range(2)]
    assert len({one.name for one in made}) == 2
    given = application.do(lambda versions: versions.checkpoint(" before 0007 "))
    assert given.name == "before 0007"
    assert application.versions == [given.name, *(one.name for one in reversed(made))]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("taken", "already"),
        ("auto: mine", "cannot be the name"),
        (" ", "cannot be the name"),
        ("a\nb", "cannot be the name"),
    ],
)
def test_a_name_that_cannot_be_used(application: Application, name: str, words: str) -> None:
    application.do(lambda versions: versions.checkpoint("taken"))
    with pytest.raises(NeonupError, match=words):
        application.do(lambda versions: versions.checkpoint(name))
    assert application.versions == ["taken"]


def test_automatic_versions_expire(neon: Both, application: Application) -> None:
    """That they are automatic is known from the snapshot's name alone."""
    version = application.do(lambda versions: versions.checkpoint("migrate", automatic=True))
    assert (version.name, version.automatic) == ("migrate", True)
    assert application.do(lambda versions: versions.history()) == [version]
    (snapshot,) = neon(lambda neon: neon.snapshots.list(application.project_id))
    assert snapshot.expires_at is not None
    assert snapshot.name == "auto: migrate"
    assert timedelta(days=6) < snapshot.expires_at - version.created_at < timedelta(days=8)


@pytest.fixture
def free(neon: Both, neon_server_here: NeonServer) -> Iterator[Application]:
    """One of an organization whose plan allows one snapshot."""
    person = create_person(Api(neon_server_here.base, neon_server_here.key))
    with both.client(neon.driver, neon_server_here.base, person.api.key) as theirs:
        yield Application(theirs, org_id=person.organization("free"))


def test_one_version_on_a_free_plan(free: Application) -> None:
    free.do(lambda versions: versions.checkpoint("first"))
    with pytest.raises(errors.QuotaExceeded) as caught:
        free.do(lambda versions: versions.checkpoint("second"))
    assert "replace the oldest" in str(caught.value)
    assert free.versions == ["first"]
    with pytest.raises(errors.QuotaExceeded):  # it does not replace what somebody asked for
        free.do(lambda versions: versions.checkpoint(replace_oldest="automatic"))
    free.write(1)
    free.do(lambda versions: versions.checkpoint("second", replace_oldest=True))
    assert free.versions == ["second"]
    free.write(2)
    free.do(lambda versions: versions.restore("second"))
    assert free.numbers == [1]


def test_an_automatic_version_makes_room_for_the_next(free: Application) -> None:
    free.do(lambda versions: versions.checkpoint("first", automatic=True))
    with pytest.raises(errors.QuotaExceeded):
        free.do(lambda versions: versions.checkpoint("second", automatic=True))
    free.do(
        lambda versions: versions.checkpoint("second", automatic=True, replace_oldest="automatic")
    )
    assert free.versions == ["second"]
    with pytest.raises(errors.QuotaExceeded):
        free.do(lambda versions: versions.checkpoint("third"))
    free.do(lambda versions: versions.checkpoint("third", replace_oldest=True))
    assert free.versions == ["third"]


def test_there_are_no_versions_of_a_branch_of_another(neon: Both, application: Application) -> None:
    application.write(1)
    branch = application.do(lambda versions: versions.branch("dev"))
    (endpoint,) = neon(
        lambda neon: neon.endpoints.list(application.project_id, branch_id=branch.id)
    )

    def of_branch(neon: Any) -> Any:
        return ProjectVersions(neon, application.project_id, endpoint_id=endpoint.id)

    with pytest.raises(errors.Invalid, match="root branches only"):
        neon(lambda neon: of_branch(neon).checkpoint())
    moment = application.moment
    ask(branch.url, "INSERT INTO numbers VALUES (2)")
    neon(lambda neon: of_branch(neon).undo(timestamp=moment))
    assert numbers(branch.url) == [1]
    assert application.numbers == [1]
    assert application.branches == ["dev", "main"]
