"""Use beside quota, its warnings, and tiers that are too small."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from neonup.errors import SettingsError
from neonup_cloud import NeonClient
from neonup_cloud.fleets import ProjectUsage, Quota, Tier, errors
from tests.cloud.fleets.fleets import FREE, PRO, Asked
from tests.emulator.serving import NeonServer

SHORT = Tier("short", Quota(active_time_seconds=1000))
SHORTER = Tier("shorter", Quota(active_time_seconds=500))
TIERS = {"tiers": (SHORT, SHORTER, FREE, PRO)}


@pytest.fixture
def clock(neon_server_here: NeonServer) -> Iterator[Any]:
    """The server's clock, which is right again afterwards."""
    yield neon_server_here.neon.clock
    neon_server_here.neon.clock.ahead = timedelta()


def run_for(fleet: Asked, server: NeonServer, clock: Any, seconds: int) -> None:
    """Let anna's compute run that long."""
    with psycopg.connect(fleet(lambda fleet: fleet.connection("anna", pooled=False), **TIERS)):
        clock.ahead += timedelta(seconds=seconds)
        server.neon.computes.observer.measure()


def usage(fleet: Asked) -> ProjectUsage:
    found = fleet(lambda fleet: fleet.usage("anna"), **TIERS)
    assert isinstance(found, ProjectUsage)
    return found


def test_warnings_at_80_and_95_percent(
    fleet: Asked, neon_server_here: NeonServer, clock: Any
) -> None:
    made = fleet(lambda fleet: fleet.provision("anna", "short"), **TIERS)
    assert usage(fleet).events == ()
    seen = []
    for seconds in (500, 320, 140, 90):
        run_for(fleet, neon_server_here, clock, seconds)
        seen.append(usage(fleet))
    assert [[event.level for event in one.events] for one in seen] == [[], [80], [95], [100]]
    [event] = seen[1].events
    assert event.project.user == "anna"
    assert event.used.name == "active_time_seconds"
    assert 800 <= event.used.amount < 950
    assert event.used.limit == 1000
    assert event.id.startswith(f"{made.project_id}:active_time_seconds:")
    assert event.id == usage_again_at_80(seen[1])


def usage_again_at_80(seen: ProjectUsage) -> str:
    """The same figures seen once more are the same event."""
    return ProjectUsage(seen.project, seen.figures, seen.period_start, seen.period_end).events[0].id


def test_a_tier_that_is_too_small(fleet: Asked, neon_server_here: NeonServer, clock: Any) -> None:
    fleet(lambda fleet: fleet.provision("anna", "short"), **TIERS)
    run_for(fleet, neon_server_here, clock, 600)
    tried = fleet(lambda fleet: fleet.change_tier("anna", "shorter", dry_run=True), **TIERS)
    assert [one.name for one in tried.excess] == ["active_time_seconds"]
    assert not tried.applied
    with pytest.raises(errors.TierExceeded, match="active_time_seconds: 6"):
        fleet(lambda fleet: fleet.change_tier("anna", "shorter"), **TIERS)
    assert fleet(lambda fleet: fleet.find("anna"), **TIERS).tier == "short"
    forced = fleet(lambda fleet: fleet.change_tier("anna", "shorter", force=True), **TIERS)
    assert forced.applied
    assert fleet(lambda fleet: fleet.find("anna"), **TIERS).tier == "shorter"
    larger = fleet(lambda fleet: fleet.change_tier("anna", "short"), **TIERS)
    assert larger.excess == ()


def test_branches_and_snapshots_are_counted(fleet: Asked, owner: NeonClient) -> None:
    made = fleet(lambda fleet: fleet.provision("anna", "pro"))
    [main] = owner.branches.list(made.project_id)
    for number in range(3):
        branch = owner.branches.create(made.project_id, name=f"b{number}", endpoints=())
        owner.operations.wait(branch.operations)
        kept = owner.snapshots.create(made.project_id, main.id, name=f"s{number}")
        owner.operations.wait(kept.operations)
    tried = fleet(lambda fleet: fleet.change_tier("anna", "free", dry_run=True))
    assert {one.name: (one.used, one.limit) for one in tried.excess} == {
        "branches": (4, 3),
        "snapshots": (3, 1),
    }


def test_a_tier_that_is_tried_changes_nothing(fleet: Asked, owner: NeonClient) -> None:
    made = fleet(lambda fleet: fleet.provision("anna", "pro"))
    before = owner.projects.get(made.project_id)
    tried = fleet(lambda fleet: fleet.change_tier("anna", "free", dry_run=True))
    assert (tried.excess, tried.applied) == ((), False)
    assert owner.projects.get(made.project_id) == before


def test_two_tiers_with_the_same_settings_are_two(fleet: Asked) -> None:
    tiers = (Tier("trial"), Tier("gift"))
    fleet(lambda fleet: fleet.provision("anna", "trial"), tiers=tiers)
    assert fleet(lambda fleet: fleet.find("anna"), tiers=tiers).tier == "trial"
    fleet(lambda fleet: fleet.change_tier("anna", "gift"), tiers=tiers)
    assert fleet(lambda fleet: fleet.find("anna"), tiers=tiers).tier == "gift"


def test_a_tier_of_another_organization(fleet: Asked) -> None:
    elsewhere = Tier("paid", org_id="org-elsewhere-1")
    made = fleet(lambda fleet: fleet.provision("anna", "free"))
    with pytest.raises(SettingsError, match="another organization") as caught:
        fleet(
            lambda fleet: fleet.change_tier("anna", "paid", project_id=made.project_id),
            tiers=(FREE, elsewhere),
        )
    assert "neonup_cloud.agents" in str(caught.value)


def test_a_tier_that_is_no_more(fleet: Asked) -> None:
    fleet(lambda fleet: fleet.provision("anna", "free"))
    left = {"tiers": (PRO,)}
    assert fleet(lambda fleet: fleet.provision("anna", "pro"), **left).tier == "free"
    fleet(lambda fleet: fleet.suspend("anna"), **left)
    fleet(lambda fleet: fleet.resume("anna"), **left)
    assert fleet(lambda fleet: fleet.change_tier("anna", "pro"), **left).after == "pro"
