"""Snapshots that are created and deleted by the clock, and how many a plan allows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neonup.plugin.plans import LIMITS
from neonup_emulator.neon import schedules, upkeep
from neonup_emulator.neon.model import Branch as BranchRow
from neonup_emulator.neon.model import Endpoint as EndpointRow
from neonup_emulator.neon.model import Project as ProjectRow
from neonup_emulator.neon.state.store import setting
from tests.emulator.api import Api, Project, ask
from tests.emulator.serving import NeonServer
from tests.emulator.test_history import rows, suspend, write

Jump = Callable[[datetime], None]
MAX_CU = "autoscaling_limit_max_cu"


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


@pytest.fixture
def jump(neon_server_here: NeonServer) -> Iterator[Jump]:
    """Move the server's clock to a moment, and let it do what is due then."""
    neon = neon_server_here.neon

    def to(moment: datetime) -> None:
        neon.clock.ahead = moment - datetime.now(UTC)
        upkeep.catch_up(neon)

    yield to
    neon.clock.ahead = timedelta()


def schedule(project: Project, *items: dict[str, Any]) -> None:
    project.api.ok("PUT", f"{project.main}/backup_schedule", {"schedule": list(items)})


def snapshots(project: Project) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = project.api.ok("GET", f"{project.path}/snapshots")["snapshots"]
    return found


def midnight() -> datetime:
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def test_a_daily_snapshot_is_created_kept_and_expires(project: Project, jump: Jump) -> None:
    write(project.url, 1)
    schedule(project, {"frequency": "daily", "hour": 3, "retention_seconds": 90_000})
    tomorrow = midnight() + timedelta(days=1)
    jump(tomorrow + timedelta(hours=2))
    before = len(snapshots(project))  # 1 where it is before 3 o'clock now
    jump(tomorrow + timedelta(hours=3, minutes=1))
    made = snapshots(project)[before:]
    assert [one["manual"] for one in made] == [False]
    expires = datetime.fromisoformat(made[0]["expires_at"])
    created = datetime.fromisoformat(made[0]["created_at"])
    assert abs(expires - created - timedelta(seconds=90_000)) < timedelta(seconds=60)
    jump(tomorrow + timedelta(hours=20))
    assert len(snapshots(project)) == before + 1
    jump(tomorrow + timedelta(days=1, hours=3, minutes=5))
    assert made[0] in snapshots(project)
    jump(tomorrow + timedelta(days=1, hours=5))
    assert made[0] not in snapshots(project)
    assert snapshots(project)


def test_the_newest_one_outlives_its_retention_while_the_schedule_is_active(
    project: Project, jump: Jump
) -> None:
    hourly = {"frequency": "hourly", "retention_seconds": 3_600}
    schedule(project, hourly)
    manual = project.api.ok("POST", f"{project.main}/snapshot", None, slug="manual")["snapshot"]
    start = datetime.now(UTC).replace(minute=30) + timedelta(hours=1)
    jump(start)
    jump(start + timedelta(minutes=45))
    first, second = (one["id"] for one in snapshots(project) if not one["manual"])
    schedule(project, {"frequency": "yearly", "retention_seconds": 3_600})  # nothing new for long
    jump(start + timedelta(hours=9))
    assert [one["id"] for one in snapshots(project)] == [manual["id"], second]
    assert first != second
    project.api.ok("DELETE", f"{project.path}/snapshots/{second}")  # a person may
    schedule(project, hourly)
    jump(start + timedelta(hours=11))
    assert len(snapshots(project)) == 2
    jump(start + timedelta(hours=11, minutes=10))
    schedule(project)
    jump(start + timedelta(hours=13))
    assert [one["id"] for one in snapshots(project)] == [manual["id"]]


def test_what_was_missed_is_made_up_for_once(project: Project, jump: Jump) -> None:
    schedule(project, {"frequency": "hourly"}, {"frequency": "daily", "hour": 0})
    jump(midnight() + timedelta(days=10, hours=12))
    assert len(snapshots(project)) == 2  # one of each
    jump(midnight() + timedelta(days=10, hours=12, minutes=30))
    assert len(snapshots(project)) == 2
    jump(midnight() + timedelta(days=10, hours=13))
    assert len(snapshots(project)) == 3


def test_a_sleeping_branch_is_not_woken(
    project: Project, jump: Jump, neon_server_here: NeonServer
) -> None:
    write(project.url, 1)
    suspend(project)
    schedule(project, {"frequency": "hourly"})
    jump(datetime.now(UTC) + timedelta(hours=1))
    made = snapshots(project)
    assert len(made) == 1
    endpoint = f"{project.path}/endpoints/{project.endpoint}"
    assert project.api.ok("GET", endpoint)["endpoint"]["current_state"] == "idle"
    write(project.url, 2)
    path = f"{project.path}/snapshots/{made[0]['id']}"
    project.api.ok("POST", f"{path}/restore", {"finalize_restore": True})
    assert rows(project.url) == [1]


def test_a_schedule_is_taken_over_by_the_branch_that_takes_the_place(
    project: Project, jump: Jump
) -> None:
    write(project.url, 1)
    schedule(project, {"frequency": "hourly"})
    snapshot = project.api.ok("POST", f"{project.main}/snapshot")["snapshot"]
    path = f"{project.path}/snapshots/{snapshot['id']}"
    new = project.api.ok("POST", f"{path}/restore", {"finalize_restore": True})["branch"]
    listed = project.api.ok("GET", f"{project.path}/branches")["branches"]
    assert {one["name"]: one["id"] for one in listed} == {
        "main": new["id"], "main (old)": project.branch,
    }  # fmt: skip
    jump(datetime.now(UTC) + timedelta(hours=1))
    made = [one["source_branch_id"] for one in snapshots(project) if not one["manual"]]
    assert made == [new["id"]]


def test_an_empty_schedule_ends_it(project: Project, jump: Jump) -> None:
    schedule(project, {"frequency": "hourly"})
    schedule(project)
    jump(datetime.now(UTC) + timedelta(days=2))
    assert snapshots(project) == []
    assert project.api.ok("GET", f"{project.main}/backup_schedule") == {"schedule": []}


@pytest.mark.parametrize(
    ("item", "now", "then"),
    [
        ({"frequency": "hourly", "hour": 7}, utc(2026, 3, 1, 0, 59), utc(2026, 3, 1)),
        ({"frequency": "daily"}, utc(2026, 3, 1, 0, 59), utc(2026, 3, 1)),
        ({"frequency": "daily", "hour": 3}, utc(2026, 3, 1, 2, 59), utc(2026, 2, 28, 3)),
        ({"frequency": "daily", "hour": 3}, utc(2026, 3, 1, 3), utc(2026, 3, 1, 3)),
        ({"frequency": "weekly"}, utc(2026, 3, 4, 12), utc(2026, 3, 2)),  # a Monday
        ({"frequency": "weekly", "day": 7, "hour": 5}, utc(2026, 3, 8, 4), utc(2026, 3, 1, 5)),
        ({"frequency": "weekly", "day": 7, "hour": 5}, utc(2026, 3, 8, 5), utc(2026, 3, 8, 5)),
        ({"frequency": "monthly", "day": 31}, utc(2026, 3, 30), utc(2026, 2, 28)),
        ({"frequency": "monthly", "day": 31}, utc(2026, 4, 30), utc(2026, 4, 30)),
        ({"frequency": "monthly", "day": 2}, utc(2026, 1, 1), utc(2025, 12, 2)),
        ({"frequency": "yearly", "month": 2, "day": 29}, utc(2026, 2, 1), utc(2025, 2, 28)),
        ({"frequency": "yearly", "month": 2, "day": 29}, utc(2028, 3, 1), utc(2028, 2, 29)),
    ],
)
def test_when_it_is_due(item: dict[str, Any], now: datetime, then: datetime) -> None:
    assert schedules.due(item, now) == then


@given(
    frequency=st.sampled_from(["hourly", "daily", "weekly", "monthly", "yearly"]),
    hour=st.integers(0, 23),
    day=st.integers(1, 7),
    month=st.integers(1, 12),
    now=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
)
def test_it_was_due_not_long_ago(
    frequency: str, hour: int, day: int, month: int, now: datetime
) -> None:
    item = {"frequency": frequency, "hour": hour, "day": day, "month": month}
    longest = {"hourly": 1 / 24, "daily": 1, "weekly": 7, "monthly": 31, "yearly": 366}[frequency]
    assert timedelta() <= now - schedules.due(item, now) < timedelta(days=longest)


@pytest.mark.parametrize(
    ("item", "status"),
    [
        ({"frequency": "fortnightly"}, 400),
        ({}, 400),
        ({"frequency": "daily", "hour": 24}, 400),
        ({"frequency": "daily", "retention_seconds": 60}, 400),
        ({"frequency": "weekly", "day": 8}, 422),
    ],
)
def test_schedules_that_are_refused(project: Project, item: dict[str, Any], status: int) -> None:
    body = {"schedule": [item]}
    assert project.api.refused("PUT", f"{project.main}/backup_schedule", body)[0] == status


def test_only_root_branches_have_schedules(project: Project) -> None:
    child = project.create_branch("dev")["branch"]["id"]
    path = f"{project.path}/branches/{child}/backup_schedule"
    assert project.api.refused("PUT", path, {"schedule": [{"frequency": "daily"}]})[0] == 422


def project_of_plan(api: Api, plan: str) -> Project:
    """A project of a new organization."""
    created = api.control("POST", "/organizations", {"name": plan, "plan": plan}).json()
    return api.create_project(name="small", org_id=created["id"])


@pytest.fixture
def free(api: Api) -> Project:
    return project_of_plan(api, "free")


@pytest.mark.parametrize("plan", LIMITS)
def test_what_a_plan_says_of_a_new_project(api: Api, plan: str) -> None:
    limits = LIMITS[plan]
    project = project_of_plan(api, plan)
    shown = project.answer["project"]
    assert shown["history_retention_seconds"] == min(86_400, limits.history_seconds)
    if limits.storage_bytes:
        assert shown["branch_logical_size_limit_bytes"] == limits.storage_bytes
    status, content = api.ask(
        "PUT", f"{project.main}/backup_schedule", {"schedule": [{"frequency": "daily"}]}
    )
    assert status == (200 if limits.schedules else 403), content
    schedule(project)  # whatever the plan, a schedule can be ended
    assert api.ok("GET", f"{project.path}")["project"]["owner"]["branches_limit"] == limits.branches


def test_a_free_project_has_one_manual_snapshot_and_no_schedule(free: Project) -> None:
    first = free.api.ok("POST", f"{free.main}/snapshot")["snapshot"]
    status, content = free.api.ask("POST", f"{free.main}/snapshot")
    assert (status, content["code"]) == (422, "SNAPSHOTS_LIMIT_EXCEEDED")
    body = {"schedule": [{"frequency": "daily"}]}
    assert free.api.refused("PUT", f"{free.main}/backup_schedule", body)[0] == 403
    free.api.ok("DELETE", f"{free.path}/snapshots/{first['id']}")
    free.api.ok("POST", f"{free.main}/snapshot")
    assert len(snapshots(free)) == 1


def test_a_free_project_has_ten_branches(free: Project) -> None:
    limit = LIMITS["free"].branches
    for number in range(limit - 1):
        free.api.ok("POST", f"{free.path}/branches", {"branch": {"name": f"b{number}"}})
    status, content = free.api.ask("POST", f"{free.path}/branches", {"branch": {}})
    assert (status, content["code"]) == (422, "BRANCHES_LIMIT_EXCEEDED")
    snapshot = free.api.ok("POST", f"{free.main}/snapshot")["snapshot"]
    path = f"{free.path}/snapshots/{snapshot['id']}/restore"
    assert free.api.refused("POST", path, {})[0] == 422
    assert free.api.ok("GET", f"{free.path}/branches/count")["count"] == limit
    assert ask(free.url, "SELECT 1") == 1


@pytest.mark.parametrize("plan", ["free", "launch", "scale", "agent_free"])
def test_a_project_is_no_larger_than_its_plan(api: Api, plan: str) -> None:
    """Neither what is asked for at its creation nor what it is changed to."""
    limits, project = LIMITS[plan], project_of_plan(api, plan)
    most = {"autoscaling_limit_max_cu": limits.max_cu}
    more = {"autoscaling_limit_max_cu": limits.max_cu + 1}
    branch, endpoint = f"{project.path}/branches", f"{project.path}/endpoints/{project.endpoint}"
    org = project.answer["project"]["org_id"]
    history = limits.history_seconds
    refused = [
        ("POST", "/projects", {"project": {"org_id": org, "default_endpoint_settings": more}}),
        ("POST", "/projects", {"project": {"org_id": org, **more}}),
        ("PATCH", project.path, {"project": {"default_endpoint_settings": more}}),
        ("PATCH", endpoint, {"endpoint": more}),
        ("POST", branch, {"branch": {}, "endpoints": [{"type": "read_only", **more}]}),
    ]
    if history < 30 * 86_400:  # what the document allows at all
        longer = {"history_retention_seconds": history + 1}
        refused.append(("POST", "/projects", {"project": {"org_id": org, **longer}}))
        refused.append(("PATCH", project.path, {"project": longer}))
    for method, path, body in refused:
        what = "history" if "history" in str(body) else "compute"
        status, message = api.refused(method, path, body)
        assert (status, message.partition(":")[0]) == (422, f"{what} limit exceeded"), (path, body)
    assert api.ask(*refused[0])[1]["code"] == "COMPUTE_LIMIT_EXCEEDED"
    largest = {"default_endpoint_settings": most, "history_retention_seconds": history}
    api.ok("PATCH", project.path, {"project": largest})
    api.ok("PATCH", endpoint, {"endpoint": most})
    assert len(api.ok("GET", branch)["branches"]) == 1
    assert len(api.ok("GET", "/projects", org_id=org)["projects"]) == 1


def test_what_is_larger_than_the_plan_already_can_be_changed_otherwise(
    free: Project, neon_server_here: NeonServer
) -> None:
    """As after a claim: what a client sends back unchanged is no reason to refuse."""
    api, store, large = free.api, neon_server_here.neon.store, 8.0
    endpoint = f"{free.path}/endpoints/{free.endpoint}"
    defaults = {**free.answer["project"]["default_endpoint_settings"], MAX_CU: large}
    kept = {"history_retention_seconds": 86_400, "default_endpoint_settings": defaults}
    store.update(ProjectRow, free.id, setting(**kept))
    store.update(EndpointRow, free.endpoint, setting(autoscaling_limit_max_cu=large))
    api.ok("PATCH", free.path, {"project": {"name": "other", **kept}})
    api.ok("PATCH", endpoint, {"endpoint": {"name": "other", MAX_CU: large}})
    api.ok("POST", f"{free.path}/branches", {"branch": {}, "endpoints": [{"type": "read_write"}]})
    for path, body in (
        (free.path, {"project": {"history_retention_seconds": 86_401}}),
        (free.path, {"project": {"default_endpoint_settings": {MAX_CU: large + 1}}}),
        (endpoint, {"endpoint": {MAX_CU: large + 1}}),
    ):
        assert api.refused("PATCH", path, body)[0] == 422, body
    api.ok("PATCH", endpoint, {"endpoint": {MAX_CU: 2}})
    assert api.refused("PATCH", endpoint, {"endpoint": {MAX_CU: large}})[0] == 422


def test_a_free_project_that_stores_too_much_has_no_more_branches(
    free: Project, neon_server_here: NeonServer
) -> None:
    neon = neon_server_here.neon
    (branch,) = neon.store.all(BranchRow, project_id=free.id)
    neon.meter.begin(branch, (LIMITS["free"].storage_bytes or 0) + 1)  # as it is measured
    status, content = free.api.ask("POST", f"{free.path}/branches", {"branch": {}})
    assert (status, content["code"]) == (422, "STORAGE_LIMIT_EXCEEDED")
    assert ask(free.url, "SELECT 1") == 1


def test_scheduled_snapshots_do_not_count(project: Project, jump: Jump) -> None:
    schedule(project, {"frequency": "hourly"})
    for hours in (1, 2):
        jump(datetime.now(UTC) + timedelta(hours=hours))
    assert [one["manual"] for one in snapshots(project)] == [False, False]
    assert all(one["full_size"] > 0 for one in snapshots(project))
