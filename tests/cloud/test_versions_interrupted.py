"""Changes of versions that are interrupted, and made again, end in what was asked for.

No branch is left behind. The service refuses, fails or loses answers, or the process is killed at
each step.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from neonup.http import retry
from neonup_cloud.api import errors, idempotent_create
from tests.cloud import both
from tests.cloud.both import Both
from tests.cloud.killing import kill_where_held
from tests.cloud.relay import FAULTS, Relay, first_time
from tests.cloud.versions import Application, numbers
from tests.emulator.api import Api
from tests.emulator.persons import Person, create_person
from tests.emulator.serving import NeonServer


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No time passes between tries."""
    monkeypatch.setattr(retry, "BACK_OFF", 0.01)
    monkeypatch.setattr(idempotent_create, "LOOKS", (0.0, 0.01, 0.01))


@pytest.fixture
def person(neon_server_here: NeonServer) -> Person:
    return create_person(Api(neon_server_here.base, neon_server_here.key))


@pytest.fixture
def neon(relay: Relay, person: Person) -> Iterator[Both]:
    with both.client("blocking", relay.base, person.api.key) as found:
        yield found


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.usefixtures("at_once")
def test_each_request_meets_a_fault(neon: Both, relay: Relay, fault: int | str) -> None:
    application = Application(neon)
    application.write(1)
    moment = application.moment
    relay.meet = first_time(fault)
    application.do(lambda versions: versions.checkpoint("v1"))
    application.write(2)
    preview = application.do(lambda versions: versions.preview("v1"))
    assert numbers(preview.url) == [1]
    application.do(lambda versions: versions.finalize(preview))
    assert application.numbers == [1]
    application.write(3)
    application.do(lambda versions: versions.restore("v1"))
    assert application.numbers == [1]
    application.write(4)
    application.do(lambda versions: versions.undo(timestamp=moment))
    assert application.numbers == [1]
    branch = application.do(lambda versions: versions.branch("dev"))
    assert numbers(branch.url) == [1]
    assert application.branches == ["dev", "main"]
    application.do(lambda versions: versions.delete_branch(branch))
    application.do(lambda versions: versions.delete("v1"))
    assert application.branches == ["main"]
    assert application.versions == []


@pytest.mark.parametrize("plan", ["free", "agent"])
@pytest.mark.usefixtures("at_once")
def test_a_snapshot_that_comes_late_is_not_taken_twice(
    neon: Both, relay: Relay, person: Person, plan: str
) -> None:
    """Just before the next one, for which there may be no room then."""
    application = Application(neon, org_id=person.organization(plan))
    relay.late.append("POST *snapshot")
    application.do(lambda versions: versions.checkpoint("v1"))
    assert application.versions == ["v1"]


@pytest.mark.usefixtures("at_once")
def test_a_version_that_made_room_is_named_where_the_new_one_failed(
    neon: Both, relay: Relay, person: Person
) -> None:
    application = Application(neon, org_id=person.organization("free"))
    application.write(1)
    application.do(lambda versions: versions.checkpoint("old"))
    application.write(2)

    def fail(request: str) -> int | None:
        return 500 if request.endswith("/snapshot") else None

    relay.before["DELETE *snapshots/*"] = lambda: setattr(relay, "meet", fail)
    with pytest.raises(errors.NeonError) as caught:
        application.do(lambda versions: versions.checkpoint("new", replace_oldest=True))
    assert "deleted for it: the version 'old'" in str(caught.value)
    assert "Take the checkpoint again" in str(caught.value)
    relay.meet = lambda _: None
    application.do(lambda versions: versions.checkpoint("new", replace_oldest=True))
    assert application.versions == ["new"]
    assert application.numbers == [1, 2]


PROGRAM = """
import sys
from datetime import datetime
from neonup_cloud import NeonClient
from neonup_cloud.agents import ProjectVersions
project, what = sys.argv[1:]
with NeonClient() as neon:
    versions = ProjectVersions(neon, project)
    eval(what)
"""


class Killed:
    """A process that uses versions, killed once a request of it was carried out."""

    def __init__(self, relay: Relay, person: Person):
        self._relay = relay
        self._key = person.api.key

    def __call__(self, application: Application, what: str, held: str = "") -> None:
        if held:
            self._relay.hold.append(held)
        kill_where_held(self._relay, self._key, PROGRAM, application.project_id, what)


@pytest.fixture
def killed(relay: Relay, person: Person) -> Killed:
    return Killed(relay, person)


RESTORED = "POST *snapshots/*/restore"
FINALIZED = "POST *finalize_restore"
REWOUND = "POST *branches/*/restore"
DELETED = "DELETE *branches/*"


@pytest.mark.parametrize("held", [RESTORED, FINALIZED, DELETED])
def test_a_killed_restore(neon: Both, killed: Killed, held: str) -> None:
    """The database is written to before it is restored again: that has to go, too."""
    application = Application(neon)
    application.write(1)
    application.do(lambda versions: versions.checkpoint("v1"))
    application.write(2)
    killed(application, "versions.restore('v1')", held)
    application.write(3)
    application.do(lambda versions: versions.restore("v1"))
    assert application.numbers == [1]
    assert application.branches == ["main"]


@pytest.mark.parametrize("held", [RESTORED, FINALIZED])
def test_a_killed_restore_is_forgotten_by_that_of_another_version(
    neon: Both, killed: Killed, held: str
) -> None:
    application = Application(neon)
    application.do(lambda versions: versions.checkpoint("v1"))
    application.write(2)
    application.do(lambda versions: versions.checkpoint("v2"))
    killed(application, "versions.restore('v1')", held)
    application.do(lambda versions: versions.restore("v2"))
    assert application.numbers == [2]
    assert application.branches == ["main"]


def test_a_killed_restore_after_which_somebody_else_has_restored(
    neon: Both, killed: Killed
) -> None:
    """What it prepared was for a branch that is replaced by now. What others leave is theirs."""
    application = Application(neon)
    application.write(1)
    version = application.do(lambda versions: versions.checkpoint("v1"))
    killed(application, "versions.restore('v1')", RESTORED)
    neon(
        lambda neon: neon.snapshots.restore(
            application.project_id, version.id, finalize_restore=True
        )
    )
    application.write(2)
    application.do(lambda versions: versions.restore("v1"))
    assert application.numbers == [1]
    assert application.branches == ["main", "main (old)"]


@pytest.mark.parametrize("held", [FINALIZED, DELETED])
def test_a_killed_finalization(neon: Both, killed: Killed, held: str) -> None:
    application = Application(neon)
    application.do(lambda versions: versions.checkpoint("v1"))
    preview = application.do(lambda versions: versions.preview("v1"))
    application.write(2)
    killed(application, f"versions.finalize('{preview.id}')", held)
    application.do(lambda versions: versions.finalize(preview))
    assert application.numbers == []
    assert application.branches == ["main"]


@pytest.mark.parametrize("held", [REWOUND, DELETED])
def test_a_killed_undo(neon: Both, killed: Killed, held: str) -> None:
    application = Application(neon)
    application.write(1)
    moment = application.moment
    application.write(2)
    what = f"versions.undo(timestamp=datetime.fromisoformat('{moment}'))"
    killed(application, what, held)
    application.do(lambda versions: versions.undo(timestamp=moment))
    assert application.numbers == [1]
    assert application.branches == ["main"]


@pytest.mark.parametrize("held", [RESTORED, "POST *endpoints"])
def test_a_killed_preview(neon: Both, killed: Killed, held: str) -> None:
    application = Application(neon)
    application.write(1)
    application.do(lambda versions: versions.checkpoint("v1"))
    killed(application, "versions.preview('v1')", held)
    preview = application.do(lambda versions: versions.preview("v1"))
    assert numbers(preview.url) == [1]
    assert application.branches == ["main", "preview of v1"]


@pytest.mark.parametrize("held", ["DELETE *snapshots/*", "POST *snapshot"])
def test_a_killed_checkpoint_in_place_of_another(
    neon: Both, killed: Killed, relay: Relay, person: Person, held: str
) -> None:
    application = Application(neon, org_id=person.organization("free"))
    application.do(lambda versions: versions.checkpoint("v1"))
    # The snapshot is asked for twice: before and after there is room.
    relay.before["DELETE *snapshots/*"] = lambda: relay.hold.append(held)
    killed(application, "versions.checkpoint('v2', replace_oldest=True)")
    if not application.versions:
        application.do(lambda versions: versions.checkpoint("v2", replace_oldest=True))
    assert application.versions == ["v2"]


def test_the_next_checkpoint_deletes_what_a_killed_restore_has_left(
    neon: Both, killed: Killed
) -> None:
    application = Application(neon)
    application.write(1)
    application.do(lambda versions: versions.checkpoint("v1"))
    killed(application, "versions.restore('v1')", DELETED)
    application.do(lambda versions: versions.checkpoint("v2"))
    assert application.branches == ["main"]
    assert application.numbers == [1]
