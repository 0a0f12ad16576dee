"""Tiers in two organizations: no project is lost, there twice, or in the wrong one."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import pytest

from neonup import SettingsError
from neonup.http import retry
from neonup_cloud.agents import FREE, PAID, TierChanges, moving
from neonup_cloud.api import errors
from neonup_cloud.fleets import Fleet, Quota, Tier
from neonup_cloud.fleets.errors import NoProject, TierExceeded
from tests.cloud import both
from tests.cloud.both import Both
from tests.cloud.killing import kill_where_held
from tests.cloud.relay import FAULTS, Relay, first_time
from tests.emulator.api import Api, ask
from tests.emulator.persons import Person, create_person
from tests.emulator.serving import NeonServer
from tests.project import Project

TRANSFER = "POST */projects/transfer"


@dataclass
class Platform:
    """A platform with two organizations, and a fleet in them."""

    person: Person
    neon: Both
    prefix: str
    free: Tier
    paid: Tier

    def __call__(self, what: Callable[[Any], Any]) -> Any:
        """Use its fleet."""
        return self.neon(lambda neon: what(self._fleet(neon)))

    def provision(self, user: str, tier: str) -> Any:
        """A user's project."""
        return self(lambda fleet: fleet.provision(user, tier))

    def take_snapshots(self, project_id: str) -> None:
        """Two of them: more than the smaller plan allows."""
        (branch,) = self.neon(lambda neon: neon.branches.list(project_id))
        self.neon(lambda neon: neon.snapshots.create(project_id, branch.id, name="v1"))
        self.neon(lambda neon: neon.snapshots.create(project_id, branch.id, name="v2"))

    def endpoint(self, project_id: str) -> Any:
        """The only one of a project."""
        (found,) = self.neon(lambda neon: neon.endpoints.list(project_id))
        return found

    def change(self, what: Callable[[Any], Any]) -> Any:
        """Use its changes of tiers."""
        return self.neon(lambda neon: what(TierChanges(self._fleet(neon))))

    def _fleet(self, neon: Any) -> Any:
        return Fleet(neon, (self.free, self.paid), prefix=self.prefix)

    def check(self, *users: str, tier: str) -> None:
        """These users have a project each, and there are no others; it is as the tier says."""
        wanted = {"free": self.free, "paid": self.paid}[tier]
        other = self.paid if wanted is self.free else self.free
        projects = self.listed(wanted)
        assert sorted(one.name for one in projects) == sorted(
            f"{self.prefix}/{user}/{tier}" for user in users
        )
        assert self.listed(other) == []
        for project in projects:
            assert project.settings["quota"] == wanted.quota.as_dict()
            assert project.history_retention_seconds == wanted.history_retention_seconds
            endpoint = self.endpoint(project.id)
            assert endpoint.autoscaling_limit_max_cu == wanted.max_cu
            assert endpoint.suspend_timeout_seconds == wanted.suspend_timeout_seconds

    def listed(self, tier: Tier) -> list[Any]:
        """The projects in a tier's organization."""
        found: list[Any] = self.neon(
            lambda neon: neon.projects.list(org_id=tier.org_id, search=self.prefix)
        )
        return found


@pytest.fixture
def person(neon_server_here: NeonServer) -> Person:
    return create_person(Api(neon_server_here.base, neon_server_here.key))


def platform_of(person: Person, neon: Both) -> Platform:
    return Platform(
        person,
        neon,
        f"t{uuid.uuid4().hex[:10]}",
        FREE.tier(
            "free",
            person.organization("agent_free"),
            max_cu=1,
            quota=Quota(active_time_seconds=36_000),
        ),
        PAID.tier("paid", person.organization("agent"), max_cu=8, suspend_timeout_seconds=60),
    )


@pytest.fixture
def driver() -> str:
    """There is one definition for both; `both_drivers` runs a test with each."""
    return "blocking"


both_drivers = pytest.mark.parametrize("driver", both.DRIVERS)


@pytest.fixture
def platform(driver: str, neon_server_here: NeonServer, person: Person) -> Iterator[Platform]:
    with both.client(driver, neon_server_here.base, person.api.key) as neon:
        yield platform_of(person, neon)


@pytest.fixture
def relayed(relay: Relay, person: Person, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    """A platform whose requests go through the relay, and whose tries follow at once."""
    monkeypatch.setattr(retry, "BACK_OFF", 0.01)
    with both.client("blocking", relay.base, person.api.key) as neon:
        yield platform_of(person, neon)


@both_drivers
def test_up_and_down_again(platform: Platform) -> None:
    made = platform.provision("anna", "free")
    url = platform(lambda fleet: fleet.connection("anna", pooled=False))
    ask(url, "CREATE TABLE kept AS SELECT 7 AS n")
    platform.check("anna", tier="free")

    up = platform.change(lambda changes: changes.change("anna", "paid"))
    assert (up.before, up.after, up.applied) == ("free", "paid", True)
    assert (up.project.project_id, up.project.org_id) == (made.project_id, platform.paid.org_id)
    platform.check("anna", tier="paid")
    assert ask(url, "SELECT n FROM kept") == 7

    looked = platform.change(lambda changes: changes.change("anna", "free", dry_run=True))
    assert (looked.excess, looked.applied) == ((), False)
    platform.check("anna", tier="paid")
    platform.change(lambda changes: changes.change("anna", "free"))
    platform.check("anna", tier="free")
    platform.change(lambda changes: changes.change("anna", "free"))
    platform.check("anna", tier="free")
    assert ask(url, "SELECT n FROM kept") == 7
    assert platform.provision("anna", "free").project_id == made.project_id


def test_what_does_not_fit_the_smaller_tier_stays(platform: Platform) -> None:
    made = platform.provision("anna", "paid")
    platform.take_snapshots(made.project_id)
    with pytest.raises(TierExceeded, match="snapshots: 2 of 1"):
        platform.change(lambda changes: changes.change("anna", "free"))
    looked = platform.change(lambda changes: changes.change("anna", "free", dry_run=True))
    assert [str(one) for one in looked.excess] == ["snapshots: 2 of 1"]
    with pytest.raises(errors.Invalid, match="snapshots"):  # Neon does not allow it either
        platform.change(lambda changes: changes.change("anna", "free", force=True))
    platform.check("anna", tier="paid")


@both_drivers
def test_many_users(platform: Platform) -> None:
    users = ["anna", "ben", "cem"]
    for user in users:
        platform.provision(user, "paid")
    asked = [*users, "dora"]
    looked = platform.change(lambda changes: changes.change_all(asked, "free", dry_run=True))
    platform.check(*users, tier="paid")
    done = platform.change(lambda changes: changes.change_all(asked, "free"))
    platform.check(*users, tier="free")
    for report in (looked, done):
        assert [one.project.user for one in report.changes] == users
        assert {one.applied for one in report.changes} == {report is done}
        (refusal,) = report.refused
        assert refusal.user == "dora" and isinstance(refusal.error, NoProject)
        assert report.as_dict()["refused"][0]["error"]["code"] == "fleet_no_project"


def test_one_that_neon_refuses_does_not_keep_the_others(
    relayed: Platform, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "BATCH", 3)
    users = ["anna", "ben", "cem", "dora"]
    projects = [relayed.provision(user, "paid") for user in users]
    relayed.take_snapshots(projects[1].project_id)
    report = relayed.change(lambda changes: changes.change_all(users, "free", force=True))
    assert [one.project.user for one in report.changes] == ["anna", "cem", "dora"]
    assert [(one.user, type(one.error)) for one in report.refused] == [("ben", errors.Invalid)]
    # All three, then anna, ben and cem, ben, cem; and dora, the next batch.
    assert sum(one.endswith("/projects/transfer") for one in relay.asked) == 6
    found = relayed(lambda fleet: fleet.find("ben"))
    assert (found.tier, found.org_id, found.label.changing) == (
        "paid", relayed.paid.org_id, False,
    )  # fmt: skip


@pytest.mark.parametrize("carried_out", [False, True])
def test_a_refusal_of_the_second_batch_leaves_the_first_where_it_is(
    relayed: Platform, relay: Relay, monkeypatch: pytest.MonkeyPatch, carried_out: bool
) -> None:
    """The right to move projects is lost on the way; also where Neon had moved the second."""
    monkeypatch.setattr(moving, "BATCH", 1)
    for user in ("anna", "ben"):
        relayed.provision(user, "free")
    transfers = count(1)

    def meet(request: str) -> int | str | None:
        number = next(transfers) if request.endswith("/projects/transfer") else 0
        return ("fail" if carried_out and number == 2 else 403) if number > 1 else None

    relay.meet = meet
    report = relayed.change(lambda changes: changes.change_all(["anna", "ben"], "paid"))
    assert [one.project.user for one in report.changes] == ["anna", "ben"][: 1 + carried_out]
    assert [type(one.error) for one in report.refused] == [errors.Forbidden][carried_out:]
    ben = relayed(lambda fleet: fleet.find("ben"))
    wanted = relayed.paid if carried_out else relayed.free
    assert (ben.tier, ben.org_id, ben.label.changing) == (wanted.name, wanted.org_id, False)


def test_an_organizations_key_changes_nothing(
    platform: Platform, neon_server_here: NeonServer
) -> None:
    platform.provision("anna", "free")
    key = platform.person.org_key(str(platform.free.org_id)).key
    with both.client(platform.neon.driver, neon_server_here.base, key) as neon:
        with pytest.raises(errors.Forbidden, match="may not move projects") as caught:
            replace(platform, neon=neon).change(lambda changes: changes.change("anna", "paid"))
        assert "personal API key" in str(caught.value)
        assert key not in str(caught.value)
    platform.check("anna", tier="free")


def test_an_organization_that_the_key_does_not_reach(
    platform: Platform, neon_server_here: NeonServer
) -> None:
    """What was begun is taken back."""
    platform.provision("anna", "free")
    stranger = create_person(Api(neon_server_here.base, neon_server_here.key))
    elsewhere = replace(platform.paid, org_id=stranger.organization("agent"), name="elsewhere")

    def change(neon: Any) -> Any:
        fleet = Fleet(neon, (platform.free, elsewhere), prefix=platform.prefix)
        return TierChanges(fleet).change("anna", "elsewhere", project_id=made)

    made = platform(lambda fleet: fleet.find("anna")).project_id
    with pytest.raises(errors.NeonError):
        platform.neon(change)
    platform.check("anna", tier="free")


FLEET = """
[tool.neonup.fleet]
prefix = "{prefix}"

[tool.neonup.fleet.tiers.free]
org_id = "{free}"
max_cu = 1
suspend_timeout_seconds = 300
history_retention_seconds = 86400
quota = {{ active_time_seconds = 36000 }}

[tool.neonup.fleet.tiers.paid]
org_id = "{paid}"
max_cu = 8
suspend_timeout_seconds = 60
history_retention_seconds = 604800
"""


def test_the_command(platform: Platform, shop: Project) -> None:
    organizations = {"free": platform.free.org_id, "paid": platform.paid.org_id}
    declared = FLEET.format(prefix=platform.prefix, **organizations)
    (shop.folder / "pyproject.toml").write_text(declared)
    shop.environ["NEON_API_KEY"] = platform.person.api.key
    platform.provision("anna", "free")
    assert "has the tier paid" in shop.ok("fleet", "tier", "anna", "paid")
    platform.check("anna", tier="paid")
    (project,) = platform.listed(platform.paid)
    halfway = f"{platform.prefix}/anna/free/changing"
    platform.neon(lambda neon: neon.projects.update(project.id, name=halfway))
    assert "1 finished" in shop.ok("fleet", "delete", "--due")
    platform.check("anna", tier="free")
    platform.change(lambda changes: changes.change("anna", "paid"))
    key = platform.person.org_key(str(platform.paid.org_id)).key
    assert "personal API key" in shop.fails("fleet", "tier", "anna", "free", NEON_API_KEY=key)
    platform.check("anna", tier="paid")


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("after", ["free", "paid"])
def test_each_request_meets_a_fault(
    relayed: Platform, relay: Relay, fault: int | str, after: str
) -> None:
    before = "paid" if after == "free" else "free"
    relayed.provision("anna", before)
    relay.meet = first_time(fault)
    relayed.change(lambda changes: changes.change("anna", after))
    relay.meet = lambda _: None
    relayed.check("anna", tier=after)


def test_a_transfer_that_comes_late(relayed: Platform, relay: Relay) -> None:
    """A gateway gives it up; it is carried out just before the next one."""
    relayed.provision("anna", "free")
    relay.late.append(TRANSFER)
    relayed.change(lambda changes: changes.change("anna", "paid"))
    relayed.check("anna", tier="paid")


@pytest.mark.parametrize("again", ["change", "resume", "provision"])
def test_the_transfer_is_answered_but_the_change_of_the_quota_is_not(
    relayed: Platform, relay: Relay, again: str
) -> None:
    relayed.provision("anna", "free")

    def down(request: str) -> int | None:
        return 500 if request.startswith("PATCH") else None

    relay.before[TRANSFER] = lambda: setattr(relay, "meet", down)
    with pytest.raises(errors.NeonError):
        relayed.change(lambda changes: changes.change("anna", "paid"))
    relay.meet = lambda _: None
    (project,) = relayed.listed(relayed.paid)
    assert project.name.endswith("/paid/changing")
    assert project.settings["quota"] == relayed.free.quota.as_dict()
    if again == "change":
        relayed.change(lambda changes: changes.change("anna", "paid"))
    elif again == "resume":
        report = relayed.change(lambda changes: changes.resume())
        assert [one.project.user for one in report.changes] == ["anna"]
    else:
        relayed.provision("anna", "free")
    relayed.check("anna", tier="paid")


PROGRAM = """
import sys
from neonup_cloud import NeonClient
from neonup_cloud.agents import FREE, PAID, TierChanges
from neonup_cloud.fleets import Fleet, Quota
prefix, free, paid, after = sys.argv[1:]
tiers = (
    FREE.tier("free", free, max_cu=1, quota=Quota(active_time_seconds=36_000)),
    PAID.tier("paid", paid, max_cu=8, suspend_timeout_seconds=60),
)
with NeonClient() as neon:
    TierChanges(Fleet(neon, tiers, prefix=prefix)).change("anna", after)
"""


def hold_at(step: int) -> Callable[[str], str | None]:
    """For `Relay.meet`: the answer to so manieth request that changes something is held back."""
    steps = count(1)

    def meet(request: str) -> str | None:
        return "hold" if not request.startswith("GET") and next(steps) == step else None

    return meet


@pytest.mark.parametrize("after", ["free", "paid"])
def test_killed_at_each_step(relayed: Platform, relay: Relay, after: str) -> None:
    before = "paid" if after == "free" else "free"
    relayed.provision("anna", before)
    relay.asked.clear()
    relayed.change(lambda changes: changes.change("anna", after))
    steps = sum(not one.startswith("GET") for one in relay.asked)
    organizations = str(relayed.free.org_id), str(relayed.paid.org_id)
    for step in range(1, steps + 1):
        relayed.change(lambda changes: changes.change("anna", before))
        relay.meet, relay.held = hold_at(step), threading.Event()
        kill_where_held(
            relay, relayed.person.api.key, PROGRAM, relayed.prefix, *organizations, after
        )
        relay.meet = lambda _: None
        if step % 2:
            relayed.change(lambda changes: changes.resume())
        else:
            relayed.change(lambda changes: changes.change("anna", after))
        relayed.check("anna", tier=after)
    assert steps >= 5


@pytest.mark.parametrize(
    "beyond",
    [
        {"max_cu": 4},
        {"history_retention_seconds": 604_800},
        {"suspend_timeout_seconds": 60},
        {"suspend_timeout_seconds": -1},
    ],
    ids=str,
)
def test_a_tier_is_within_its_plan(beyond: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="beyond its plan"):
        FREE.tier("free", "org-1", **beyond)


def test_tiers_of_the_two_plans() -> None:
    free, paid = FREE.tier("free", "org-1"), PAID.tier("paid", "org-2", max_cu=16)
    assert (free.branches, free.snapshots, free.history_retention_seconds) == (10, 1, 86_400)
    assert (paid.branches, paid.snapshots, paid.history_retention_seconds) == (1000, 10, 604_800)
    always_on = PAID.tier("paid", "org-2", suspend_timeout_seconds=-1)
    assert (paid.suspend_timeout_seconds, always_on.suspend_timeout_seconds) == (300, -1)
