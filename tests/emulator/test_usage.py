"""What is consumed is measured, and shown by project, branch and time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from neonup_emulator.neon import upkeep
from neonup_emulator.neon.metering.consumption import HourlyConsumption, Tally
from neonup_emulator.neon.model import Project as ProjectRow
from neonup_emulator.neon.state.store import setting
from tests import asking
from tests.emulator.api import Api, Project, ask
from tests.emulator.serving import NeonServer
from tests.emulator.test_history import suspend, url_of
from tests.emulator.test_killed import Server
from tests.waiting import wait_until

MIB = 1 << 20
PROJECTS = "/consumption_history/v2/projects"
BRANCHES = "/consumption_history/v2/branches"
LEGACY = "/consumption_history/projects"
ALL = (
    "compute_unit_seconds,root_branch_bytes_month,child_branch_bytes_month,"
    "instant_restore_bytes_month,public_network_transfer_bytes,private_network_transfer_bytes,"
    "extra_branches_month,snapshot_storage_bytes_month"
)


@pytest.fixture
def clock(neon_server_here: NeonServer) -> Iterator[Any]:
    """The server's clock, which is right again afterwards."""
    yield neon_server_here.neon.clock
    neon_server_here.neon.clock.ahead = timedelta()


def shown(project: Project) -> dict[str, Any]:
    found: dict[str, Any] = project.api.ok("GET", project.path)["project"]
    return found


def measured(project: Project, server: NeonServer) -> dict[str, Any]:
    server.neon.computes.observer.measure()
    return shown(project)


def span(hours: int = 2, until: timedelta = timedelta(hours=1)) -> dict[str, str]:
    now = datetime.now(UTC)
    return {
        "from": (now - timedelta(hours=hours)).isoformat(),
        "to": (now + until).isoformat(),
        "granularity": "hourly",
    }


def total(answer: Any, name: str) -> int:
    """A metric's sum over all timeframes of a project or branch."""
    return sum(
        value["value"]
        for period in answer["periods"]
        for frame in period["consumption"]
        for value in frame["metrics"]
        if value["metric_name"] == name
    )


def test_a_mebibyte_that_is_written_is_seen(project: Project, neon_server_here: NeonServer) -> None:
    first = shown(project)
    assert first["written_data_bytes"] == first["compute_time_seconds"] == 0
    assert first["synthetic_storage_size"] > 10 * MIB  # a new project's catalogs
    ask(project.url, "CREATE TABLE things (t text)")
    before = measured(project, neon_server_here)
    ask(project.url, "INSERT INTO things SELECT repeat('x', 1024) FROM generate_series(1, 1024)")
    wait_until(
        lambda: (
            measured(project, neon_server_here)["written_data_bytes"] - before["written_data_bytes"]
            > MIB
        ),
        "the log",
    )
    after = measured(project, neon_server_here)
    assert after["written_data_bytes"] - before["written_data_bytes"] < 3 * MIB
    grown = after["synthetic_storage_size"] - before["synthetic_storage_size"]
    assert 2 * MIB < grown < 7 * MIB  # the table and its log
    branch = project.api.ok("GET", project.main)["branch"]
    assert branch["written_data_bytes"] == after["written_data_bytes"]
    size = ask(project.url, "SELECT sum(pg_database_size(oid))::bigint FROM pg_database")
    assert abs(branch["logical_size"] - size) < MIB


def test_bytes_to_clients_are_counted(project: Project, neon_server_here: NeonServer) -> None:
    with psycopg.connect(project.url) as connection:
        rows = connection.execute(
            "SELECT repeat('x', 1024) FROM generate_series(1, 2048)"
        ).fetchall()
    assert len(rows) == 2048
    wait_until(lambda: shown(project)["data_transfer_bytes"] > 2 * MIB, "the front's report")
    assert shown(project)["data_transfer_bytes"] < 3 * MIB
    before = shown(project)["data_transfer_bytes"]  # what ends the connection may still be counted
    (listed,) = project.api.ok("GET", f"{project.path}/branches")["branches"]
    assert before <= listed["data_transfer_bytes"] <= shown(project)["data_transfer_bytes"]


def test_time_counts_while_the_server_runs(
    project: Project, neon_server_here: NeonServer, clock: Any
) -> None:
    endpoint = f"{project.path}/endpoints/{project.endpoint}"
    project.api.ok("PATCH", endpoint, {"endpoint": {"autoscaling_limit_min_cu": 2}})
    ask(project.url, "SELECT 1")
    clock.ahead = timedelta(minutes=10)
    used = shown(project)
    assert 600 <= used["active_time_seconds"] < 660
    assert 1200 <= used["compute_time_seconds"] < 1320
    suspend(project)
    clock.ahead = timedelta(minutes=50)
    asleep = shown(project)
    assert 600 <= asleep["active_time_seconds"] < 660
    listed = project.api.ok("GET", "/projects", search=project.id)["projects"]
    assert [one["active_time"] for one in listed] == [asleep["active_time_seconds"]]


def test_processor_time_is_the_machines(project: Project, neon_server_here: NeonServer) -> None:
    ask(project.url, "SELECT count(md5(n::text)) FROM generate_series(1, 3000000) n")
    assert measured(project, neon_server_here)["cpu_used_sec"] >= 1


def test_a_new_month_begins_at_nothing(
    project: Project, neon_server_here: NeonServer, clock: Any
) -> None:
    ask(
        project.url, "CREATE TABLE things AS SELECT repeat('x', 1000) FROM generate_series(1, 1000)"
    )
    suspend(project)
    used = shown(project)
    assert used["written_data_bytes"] > 0
    clock.ahead = datetime.fromisoformat(used["consumption_period_end"]) - datetime.now(UTC)
    begun = shown(project)
    assert begun["written_data_bytes"] == begun["active_time_seconds"] == 0
    assert begun["data_transfer_bytes"] == 0
    assert begun["consumption_period_start"] == used["consumption_period_end"]
    assert project.api.ok("GET", project.main)["branch"]["logical_size"] > 0


def test_a_child_begins_with_its_parents_size_and_without_its_log(
    project: Project, neon_server_here: NeonServer
) -> None:
    ask(project.url, "CREATE TABLE things AS SELECT repeat('x', 999) FROM generate_series(1, 9999)")
    neon_server_here.neon.computes.observer.measure()
    parent = project.api.ok("GET", project.main)["branch"]
    for sleeping in (False, True):
        if sleeping:
            suspend(project)
        created = project.create_branch(f"dev-{sleeping}")
        path = f"{project.path}/branches/{created['branch']['id']}"
        child = project.api.ok("GET", path)["branch"]
        assert child["logical_size"] == parent["logical_size"]
        ask(url_of(created), "CREATE TABLE more AS SELECT 1 AS n")
        neon_server_here.neon.computes.observer.measure()
        child = project.api.ok("GET", path)["branch"]
        assert child["written_data_bytes"] < MIB
        assert parent["written_data_bytes"] > 9 * MIB


def test_what_a_deleted_branch_used_stays_with_the_project(
    project: Project, neon_server_here: NeonServer
) -> None:
    created = project.create_branch("dev")
    ask(url_of(created), "CREATE TABLE t AS SELECT repeat('x', 999) FROM generate_series(1, 9999)")
    project.api.ok("DELETE", f"{project.path}/branches/{created['branch']['id']}")
    assert shown(project)["written_data_bytes"] > 9 * MIB
    neon_server_here.neon.meter.write()
    main = project.api.ok("GET", project.main)["branch"]
    assert shown(project)["synthetic_storage_size"] == (
        main["logical_size"] + shown(project)["written_data_bytes"]
    )


def test_figures_survive_a_restart_and_are_counted_once(
    project: Project, neon_server_here: NeonServer
) -> None:
    for _ in range(3):
        ask(project.url, "CREATE TABLE IF NOT EXISTS t AS SELECT 1 AS n")
        suspend(project)
    first = shown(project)
    assert first["written_data_bytes"] < 2 * MIB  # no change of segment counts
    project.api.ok("POST", f"{project.path}/endpoints/{project.endpoint}/start")
    again = measured(project, neon_server_here)
    assert again["written_data_bytes"] - first["written_data_bytes"] < MIB // 4


def test_nothing_is_written_down_while_nothing_runs(
    project: Project, neon_server_here: NeonServer
) -> None:
    neon = neon_server_here.neon
    ask(project.url, "SELECT 1")
    suspend(project)
    wait_until(lambda: shown(project)["data_transfer_bytes"] > 0, "the front's report")
    neon.meter.write()
    before = neon.meter.stored.rows(project.id)
    assert before
    neon.computes.observer.measure()
    neon.meter.write()
    assert neon.meter.stored.rows(project.id) == before
    endpoints = project.api.ok("GET", f"{project.path}/endpoints")["endpoints"]
    assert [one["current_state"] for one in endpoints] == ["idle"]


def test_the_history_of_a_project_and_its_branches(
    project: Project, neon_server_here: NeonServer, clock: Any
) -> None:
    api, org_id = project.api, neon_server_here.org_id
    child = project.create_branch("dev")
    ask(url_of(child), "CREATE TABLE t AS SELECT repeat('x', 999) FROM generate_series(1, 1999)")
    ask(project.url, "CREATE TABLE t AS SELECT repeat('x', 999) FROM generate_series(1, 1999)")
    neon_server_here.neon.computes.observer.measure()
    project.api.ok("POST", f"{project.main}/snapshot", name="v1")
    clock.ahead = timedelta(hours=3)
    query = {"org_id": org_id, "project_ids": project.id, **span(until=timedelta(hours=4))}
    found = api.ok("GET", PROJECTS, metrics=ALL, **query)["projects"]
    assert [one["project_id"] for one in found] == [project.id]
    size = api.ok("GET", project.main)["branch"]["logical_size"]
    hours = total(found[0], "root_branch_bytes_month") / size
    assert 3 <= hours < 4.1  # the first hour counts from its begin
    assert 3 <= total(found[0], "snapshot_storage_bytes_month") / size < 3.1
    assert 3 * 2 * MIB < total(found[0], "child_branch_bytes_month") < 4 * 4 * MIB
    assert total(found[0], "instant_restore_bytes_month") > 3 * 2 * MIB
    assert total(found[0], "compute_unit_seconds") == pytest.approx(2 * 3 * 3600 / 4, abs=60)
    assert total(found[0], "private_network_transfer_bytes") == 0
    by_branch = {
        one["branch_id"]: one
        for one in api.ok("GET", BRANCHES, metrics=ALL.partition(",extra")[0], **query)["branches"]
    }
    assert set(by_branch) == {project.branch, child["branch"]["id"]}
    own = by_branch[project.branch]
    assert total(own, "root_branch_bytes_month") / size == pytest.approx(hours, abs=0.1)
    assert total(own, "child_branch_bytes_month") == 0
    legacy = api.ok("GET", LEGACY, metrics="logical_size_bytes", **query)["projects"][0]
    frames = [frame for period in legacy["periods"] for frame in period["consumption"]]
    assert frames[-1]["logical_size_bytes"] >= 2 * size
    assert sum(frame["active_time_seconds"] for frame in frames) == pytest.approx(
        2 * 3 * 3600, abs=120
    )


def test_days_and_months_are_put_together_of_hours(
    project: Project, neon_server_here: NeonServer
) -> None:
    """Rows of a year that is over look the same whether they were folded or not."""
    neon, now = neon_server_here.neon, datetime.now(UTC)
    rows = [
        HourlyConsumption(
            project.branch, project.id, at, Tally(active=60, written=1000, sent=10), 5000
        )
        for hours in range(0, 100 * 24, 12)
        if (at := int((now - timedelta(hours=hours)).timestamp()) // 3600 * 3600)
    ]
    neon.meter.stored.add(rows, {})
    neon.store.update(ProjectRow, project.id, setting(created_at=now - timedelta(days=120)))
    asked = [
        ("daily", now - timedelta(days=59), now + timedelta(days=1)),
        ("monthly", now - timedelta(days=110), now + timedelta(days=32)),
    ]

    def answers() -> list[list[tuple[int, int]]]:
        found = []
        for granularity, begin, end in asked:
            legacy = project.api.ok(
                "GET", LEGACY, granularity=granularity, project_ids=project.id,
                **{"from": begin.isoformat(), "to": end.isoformat()},
            )["projects"][0]  # fmt: skip
            found.append(
                [
                    (frame["active_time_seconds"], frame["written_data_bytes"])
                    for period in legacy["periods"]
                    for frame in period["consumption"]
                ]
            )
        return found

    before = answers()
    assert sum(seconds for seconds, _ in before[1]) == 12_000
    neon.meter.stored.fold(now)  # unless the server's own upkeep was faster
    neon.meter.stored.fold(now)
    assert answers() == before
    assert len(neon.meter.stored.rows(project.id)) < len(rows) * 2 / 3


@pytest.mark.parametrize("repeated", [True, False])
def test_projects_can_be_named_in_two_ways(
    api: Api, neon_server_here: NeonServer, repeated: bool
) -> None:
    ids = [api.create_project(name=f"p{n}").id for n in range(3)]
    wanted: Any = ids[:2] if repeated else ",".join(ids[:2])
    found = api.ok(
        "GET", PROJECTS, org_id=neon_server_here.org_id, metrics=ALL, project_ids=wanted, **span()
    )["projects"]
    assert [one["project_id"] for one in found] == ids[1::-1]  # the newest first


def test_pages(api: Api, neon_server_here: NeonServer) -> None:
    ids = {api.create_project(name=f"p{n}").id for n in range(3)}
    query = {"org_id": neon_server_here.org_id, "metrics": "compute_unit_seconds", **span()}
    query["project_ids"] = ",".join(ids)
    for path, key, name in (
        (PROJECTS, "projects", "project_id"),
        (BRANCHES, "branches", "branch_id"),
    ):
        seen: list[str] = []
        page = api.ok("GET", path, limit=2, **query)
        while page[key]:
            seen += [one[name] for one in page[key]]
            page = api.ok("GET", path, limit=2, cursor=page["pagination"]["cursor"], **query)
        assert len(seen) == len(set(seen)) == 3


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"from": "2020-01-01T00:00:00Z"}, 406),
        ({"to": "2024-03-05T00:00:00Z"}, 406),
        ({"granularity": "daily", "from": "2024-03-05T00:00:00Z"}, 406),
        ({"granularity": "yearly"}, 400),
        ({"granularity": ""}, 400),
        ({"from": "yesterday"}, 400),
        ({"from": "0001-01-01T00:00:00+23:00"}, 400),
        ({"to": "9999-12-31T23:59:59-23:00"}, 400),
        ({"metrics": ""}, 400),
        ({"metrics": "cpu_seconds"}, 400),
        ({"org_id": ""}, 404),
        ({"org_id": "org-of-somebody-else-00000000"}, 404),
        ({"limit": "0"}, 400),
        ({"cursor": "a"}, 400),
        ({"project_ids": ",".join(f"p-{n}" for n in range(101))}, 400),
    ],
)  # fmt: skip
def test_what_is_refused(
    api: Api, neon_server_here: NeonServer, change: dict[str, str], status: int
) -> None:
    query = {"org_id": neon_server_here.org_id, "metrics": ALL, **span(), **change}
    assert api.refused("GET", PROJECTS, **query)[0] == status


def test_extra_metrics_are_the_projects_alone(api: Api, neon_server_here: NeonServer) -> None:
    query = {"org_id": neon_server_here.org_id, **span()}
    assert api.refused("GET", BRANCHES, metrics="compute_unit_seconds", **query)[0] == 400
    ids = {"project_ids": "a-b-c", **query}
    assert api.refused("GET", BRANCHES, metrics="extra_branches_month", **ids)[0] == 400


def test_far_ahead_is_shown_up_to_now(api: Api, neon_server_here: NeonServer) -> None:
    query = {"org_id": neon_server_here.org_id, "metrics": ALL, **span()}
    query |= {"granularity": "hourly", "to": "9999-12-30T00:00:00Z"}
    project = api.create_project(name="shop")
    found = api.ok("GET", PROJECTS, project_ids=project.id, **query)["projects"][0]
    assert 1 <= sum(len(period["consumption"]) for period in found["periods"]) <= 2


@pytest.mark.parametrize(
    ("plan", "statuses"), [("free", [403, 403, 403]), ("launch", [403, 200, 200]),
                           ("business", [200, 200, 403]), ("agent", [403, 200, 200])],
)  # fmt: skip
def test_plans_have_their_history(
    api: Api, neon_server_here: NeonServer, plan: str, statuses: list[int]
) -> None:
    root = neon_server_here.base.removesuffix("/api/v2")
    headers = {"Authorization": f"Bearer {api.key}"}
    body = {"name": plan, "plan": plan}
    created = asking.post(f"{root}/neonup/organizations", json=body, headers=headers)
    query = {"org_id": created.json()["id"], **span(), "project_ids": "a-b-c"}
    answered = [
        api.ask("GET", LEGACY, **query)[0],
        api.ask("GET", PROJECTS, metrics="compute_unit_seconds", **query)[0],
        api.ask("GET", BRANCHES, metrics="compute_unit_seconds", **query)[0],
    ]
    assert answered == statuses


def test_a_purged_projects_figures_are_gone(
    project: Project, neon_server_here: NeonServer, clock: Any
) -> None:
    neon = neon_server_here.neon
    ask(project.url, "SELECT 1")
    project.api.ok("DELETE", project.path)
    neon.meter.write()
    assert neon.meter.stored.rows(project.id)
    clock.ahead = timedelta(days=8)
    upkeep.expire(neon)
    assert neon.meter.stored.rows(project.id) == []


def test_a_kill_loses_nothing_that_was_written_down(neonup_home: Path) -> None:
    server = Server(neonup_home)
    try:
        project = server.api.create_project(
            name="shop", settings={"quota": {"written_data_bytes": 1 << 40}}
        )
        ask(project.url, "CREATE TABLE t AS SELECT repeat('x', 999) FROM generate_series(1, 2999)")
        look(server.api)
        before = shown(project)
    finally:
        server.kill()
    assert before["written_data_bytes"] > 2 * MIB
    server = Server(neonup_home)
    try:
        project = Project(server.api, project.answer)
        kept = shown(project)
        assert kept["written_data_bytes"] == before["written_data_bytes"]
        assert kept["active_time_seconds"] >= before["active_time_seconds"]
        assert ask(project.url, "SELECT 1") == 1
        look(server.api)
        assert shown(project)["written_data_bytes"] - kept["written_data_bytes"] < MIB
        # With checksums of pages, the first who reads the rows writes whole pages to the log.
        assert ask(project.url, "SELECT count(*) FROM t") == 2999
    finally:
        server.stop()


def look(api: Api) -> None:
    """Let a server look at what runs now."""
    api.control("PUT", "/clock", {"ahead_seconds": 0}).raise_for_status()
