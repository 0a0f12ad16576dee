"""What reaches its quota is suspended, says why, and comes back with a larger one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from neonup_emulator.neon.metering import quotas, usage
from neonup_emulator.neon.model import Branch
from neonup_emulator.neon.model import Project as ProjectRow
from tests import asking
from tests.emulator.api import Project, ask
from tests.emulator.serving import NeonServer
from tests.emulator.test_history import url_of
from tests.waiting import wait_until

MIB = 1 << 20


@pytest.fixture
def clock(neon_server_here: NeonServer) -> Iterator[Any]:
    yield neon_server_here.neon.clock
    neon_server_here.neon.clock.ahead = timedelta()


def limit(project: Project, **quota: int) -> None:
    project.api.ok("PATCH", project.path, {"project": {"settings": {"quota": quota}}})


def enforce(server: NeonServer) -> None:
    quotas.look(server.neon)


def refusal(url: str) -> str:
    """What a client is told."""
    with pytest.raises(psycopg.OperationalError) as caught:
        psycopg.connect(url, connect_timeout=60)
    return str(caught.value)


def states(project: Project) -> dict[str, str]:
    found = project.api.ok("GET", f"{project.path}/endpoints")["endpoints"]
    return {one["branch_id"]: one["current_state"] for one in found}


@pytest.mark.parametrize(
    ("item", "words"),
    [("active_time_seconds", "active time"), ("compute_time_seconds", "compute time")],
)
def test_time_is_limited(
    project: Project, neon_server_here: NeonServer, clock: Any, item: str, words: str
) -> None:
    limit(project, **{item: 600})
    ask(project.url, "CREATE TABLE things AS SELECT 1 AS n")
    enforce(neon_server_here)
    assert states(project) == {project.branch: "active"}
    clock.ahead = timedelta(hours=1)
    with psycopg.connect(project.url) as connection:
        enforce(neon_server_here)
        assert states(project) == {project.branch: "idle"}
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    assert f"exceeded the {words} quota" in refusal(project.url)
    path = f"{project.path}/endpoints/{project.endpoint}"
    for action in ("start", "restart"):
        status, content = project.api.ask("POST", f"{path}/{action}")
        assert status == 422
        assert content["code"] == f"{words.upper().replace(' ', '_')}_QUOTA_EXCEEDED"
        assert words in content["message"]
    limit(project, **{item: 1_000_000})
    assert ask(project.url, "SELECT n FROM things") == 1


def test_transfer_is_limited_and_shared_by_all_branches(
    project: Project, neon_server_here: NeonServer
) -> None:
    child = url_of(project.create_branch("dev"))
    limit(project, data_transfer_bytes=MIB)
    ask(project.url, "SELECT 1")
    with psycopg.connect(child) as connection:
        connection.execute("SELECT repeat('x', 1024) FROM generate_series(1, 2048)").fetchall()
    row = neon_server_here.neon.store.get(ProjectRow, project.id)
    assert row is not None
    wait_until(
        lambda: usage.exceeded(neon_server_here.neon, row) == "data_transfer_bytes", "the front"
    )
    enforce(neon_server_here)
    assert set(states(project).values()) == {"idle"}
    for url in (project.url, child):
        assert "Your project has exceeded the data transfer quota" in refusal(url)
    assert "settings.quota" in refusal(child)  # what can be done about it
    limit(project, data_transfer_bytes=0)
    assert ask(child, "SELECT 1") == ask(project.url, "SELECT 1") == 1


def test_what_is_written_is_limited(project: Project, neon_server_here: NeonServer) -> None:
    limit(project, written_data_bytes=MIB)
    ask(project.url, "CREATE TABLE t AS SELECT repeat('x', 999) FROM generate_series(1, 2999)")
    wait_until(lambda: _enforced(neon_server_here, project), "the log's figures")
    assert "written data quota" in refusal(project.url)


def test_size_is_limited_for_each_branch(project: Project, neon_server_here: NeonServer) -> None:
    neon = neon_server_here.neon
    created = project.create_branch("dev")
    ask(project.url, "SELECT 1")
    neon.computes.observer.measure()
    size = project.api.ok("GET", project.main)["branch"]["logical_size"]
    limit(project, logical_size_bytes=size + MIB)
    ask(url_of(created), "CREATE TABLE t AS SELECT repeat('x', 999) FROM generate_series(1, 2999)")
    enforce(neon_server_here)
    assert states(project) == {project.branch: "active", created["branch"]["id"]: "idle"}
    assert "logical size" in refusal(url_of(created))
    assert ask(project.url, "SELECT 1") == 1
    row, branch = neon.store.get(ProjectRow, project.id), neon.store.get(Branch, project.branch)
    assert row is not None and branch is not None
    assert usage.of_project(neon, row).fractions["logical_size_bytes"] > 1
    assert 0.5 < usage.of_branch(neon, branch).fractions["logical_size_bytes"] < 1
    assert usage.exceeded(neon, row) == "logical_size_bytes"


def test_a_new_month_brings_a_project_back(
    project: Project, neon_server_here: NeonServer, clock: Any
) -> None:
    limit(project, active_time_seconds=60)
    ask(project.url, "SELECT 1")
    clock.ahead = timedelta(minutes=2)
    enforce(neon_server_here)
    assert "active time" in refusal(project.url)
    end = project.api.ok("GET", project.path)["project"]["consumption_period_end"]
    clock.ahead = datetime.fromisoformat(end) - datetime.now(UTC) + timedelta(seconds=1)
    assert ask(project.url, "SELECT 1") == 1


def test_a_query_over_http_is_told_why(
    project: Project, neon_server_here: NeonServer, clock: Any
) -> None:
    ask(project.url, "SELECT 1")
    limit(project, active_time_seconds=1)
    clock.ahead = timedelta(minutes=2)
    enforce(neon_server_here)
    root = neon_server_here.base.removesuffix("/api/v2")
    answer = asking.post(
        f"{root}/sql",
        json={"query": "SELECT 1", "params": []},
        headers={"neon-connection-string": project.url},
        timeout=60,
    )
    assert answer.status_code >= 400
    assert "exceeded the active time quota" in answer.text


@pytest.mark.parametrize("mode", ["require", "disable", "prefer", "verify-full"])
def test_clients_are_told_in_the_protocol_that_they_speak(
    project: Project, neon_server_here: NeonServer, clock: Any, mode: str
) -> None:
    ask(project.url, "SELECT 1")
    limit(project, active_time_seconds=1)
    clock.ahead = timedelta(minutes=2)
    enforce(neon_server_here)
    root = neon_server_here.neon.authority.path
    url = f"{project.url.partition('?')[0]}?sslmode={mode}&sslrootcert={root}"
    assert "exceeded the active time quota" in refusal(url)


def test_a_burst_is_refused_and_nothing_hangs(
    project: Project, neon_server_here: NeonServer, clock: Any
) -> None:
    ask(project.url, "SELECT 1")
    limit(project, active_time_seconds=1)
    clock.ahead = timedelta(minutes=2)
    enforce(neon_server_here)

    async def connect() -> str:
        try:
            await psycopg.AsyncConnection.connect(project.url, connect_timeout=60)
        except psycopg.OperationalError as error:
            return str(error)
        return ""

    async def all_at_once() -> list[str]:
        return await asyncio.gather(*(connect() for _ in range(40)))

    told = asyncio.run(all_at_once())
    assert all("exceeded the active time quota" in one for one in told)
    limit(project, active_time_seconds=0)
    assert ask(project.url, "SELECT 1") == 1


def test_projects_without_quotas_are_never_in_the_way(
    project: Project, neon_server_here: NeonServer, clock: Any
) -> None:
    ask(project.url, "SELECT 1")
    clock.ahead = timedelta(days=20)
    enforce(neon_server_here)
    assert states(project) == {project.branch: "active"}
    assert ask(project.url, "SELECT 1") == 1


def _enforced(server: NeonServer, project: Project) -> bool:
    enforce(server)
    return states(project) == {project.branch: "idle"}
