"""Endpoints: addresses that wake their servers."""

from __future__ import annotations

import os
import signal
import ssl
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from neonup_emulator.neon.model import Branch
from tests.emulator.api import Api, Project, ask
from tests.emulator.serving import NeonServer
from tests.waiting import wait_until


def path_of(project: Project) -> str:
    return f"{project.path}/endpoints/{project.endpoint}"


def state(project: Project) -> str:
    return str(project.api.ok("GET", path_of(project))["endpoint"]["current_state"])


def test_a_connection_wakes_a_suspended_endpoint(project: Project) -> None:
    ask(project.url, "CREATE TABLE things AS SELECT 1 AS n")
    for _ in range(3):
        assert project.api.ok("POST", f"{path_of(project)}/suspend")["operations"]
        assert state(project) == "idle"
        assert ask(project.url, "SELECT n FROM things") == 1
        assert state(project) == "active"


def test_a_burst_is_held_until_the_server_is_up(project: Project) -> None:
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda: answers.append(ask(project.url, "SELECT 1")))
        for _ in range(50)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [1] * 50


def test_an_idle_endpoint_is_suspended(api: Api) -> None:
    project = api.create_project(default_endpoint_settings={"suspend_timeout_seconds": 1})
    with (
        psycopg.connect(project.url, autocommit=True) as connection,
        ThreadPoolExecutor() as threads,
    ):
        statement = threads.submit(connection.execute, "SELECT pg_sleep(300)")
        time.sleep(2.5)  # a long statement is no idleness
        assert state(project) == "active"
        connection.cancel_safe()
        with pytest.raises(psycopg.errors.QueryCanceled):
            statement.result()
        wait_until(lambda: state(project) == "idle", "suspension")
    assert ask(project.url, "SELECT 1") == 1


def test_the_state_agrees_with_what_was_done(
    api: Api, project: Project, later: Callable[..., None]
) -> None:
    """Whatever was started is active until its timeout is over, without anybody connecting."""
    created = project.create_branch("dev")
    assert created["endpoints"][0]["current_state"] == "active"
    wanted = {"endpoint": {"branch_id": project.branch, "type": "read_only"}}
    reader = api.ok("POST", f"{project.path}/endpoints", wanted)["endpoint"]
    assert reader["current_state"] == "active"
    assert api.ok("POST", f"{path_of(project)}/suspend")["endpoint"]["current_state"] == "idle"
    api.ok("DELETE", project.path)
    api.ok("POST", f"{project.path}/recover")
    assert state(project) == "active"
    later(seconds=200)  # a busy machine takes a while until here
    assert state(project) == "active"
    later(seconds=301)
    assert state(project) == "idle"
    api.ok("POST", f"{path_of(project)}/start")
    settings = {"settings": {"pg_settings": {"work_mem": "1MB"}}}
    api.ok("PATCH", path_of(project), {"endpoint": settings})  # it restarts
    assert state(project) == "active"
    api.ok("PATCH", path_of(project), {"endpoint": {"disabled": True}})
    assert state(project) == "idle"


def test_minus_one_is_never(api: Api) -> None:
    project = api.create_project(default_endpoint_settings={"suspend_timeout_seconds": -1})
    ask(project.url, "SELECT 1")
    time.sleep(2.5)
    assert state(project) == "active"


def test_start_restart_and_disable(project: Project) -> None:
    path = path_of(project)
    assert project.api.ok("POST", f"{path}/start")["endpoint"]["current_state"] == "active"
    before = ask(project.url, "SELECT pg_postmaster_start_time()")
    project.api.ok("POST", f"{path}/restart")
    assert ask(project.url, "SELECT pg_postmaster_start_time()") > before
    project.api.ok("PATCH", path, {"endpoint": {"disabled": True}})
    with pytest.raises(psycopg.OperationalError):
        ask(project.url, "SELECT 1")
    assert project.api.refused("POST", f"{path}/start")[0] == 422
    project.api.ok("PATCH", path, {"endpoint": {"disabled": False}})
    assert ask(project.url, "SELECT 1") == 1


def test_postgres_settings_reach_the_server(project: Project) -> None:
    body = {"endpoint": {"settings": {"pg_settings": {"work_mem": "7MB"}}}}
    project.api.ok("PATCH", path_of(project), body)
    assert ask(project.url, "SHOW work_mem") == "7MB"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"shared_buffers": "abc"}, 'invalid value for parameter "shared_buffers": "abc"'),
        ({"work_mem": "7MB", "nonsense": "1"}, 'unrecognized configuration parameter "nonsense"'),
        ({"archive_command": "true"}, 'the setting "archive_command" cannot be changed here'),
        ({"PORT": "1"}, 'the setting "PORT" cannot be changed here'),
        ({"work mem": "1"}, 'the setting "work mem" cannot be changed here'),
    ],
)
def test_settings_with_which_no_server_starts(
    project: Project, settings: dict[str, str], said: str
) -> None:
    body: dict[str, Any] = {"endpoint": {"settings": {"pg_settings": settings}}}
    assert project.api.refused("PATCH", path_of(project), body) == (422, said)
    body = {"project": {"default_endpoint_settings": {"pg_settings": settings}}}
    assert project.api.refused("POST", "/projects", body) == (422, said)
    assert project.api.refused("PATCH", project.path, body) == (422, said)
    assert ask(project.url, "SELECT 1") == 1


def test_a_crashed_server_is_started_by_the_next_connection(
    project: Project, neon_server_here: NeonServer
) -> None:
    ask(project.url, "CREATE TABLE things AS SELECT 1 AS n")
    branch = neon_server_here.neon.store.get(Branch, project.branch)
    assert branch is not None
    running = neon_server_here.neon.clusters.running(branch.cluster_id)
    assert running is not None
    os.kill(running.pid, signal.SIGKILL)
    wait_until(lambda: not neon_server_here.neon.clusters.running(branch.cluster_id), "its end")
    assert ask(project.url, "SELECT n FROM things") == 1


def test_tls_ends_in_postgres_and_the_authority_signs(
    project: Project, neon_server_here: NeonServer
) -> None:
    authority = str(neon_server_here.neon.authority.path)
    verified = project.url.replace(
        "sslmode=require", f"sslmode=verify-full&sslrootcert={authority}"
    )
    with psycopg.connect(verified) as connection:
        assert connection.pgconn.ssl_in_use
        row = connection.execute(
            "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        ).fetchone()
        assert row == (True,)
    assert "channel_binding=require" in project.url
    assert ssl.create_default_context(cafile=authority)


def test_a_host_alone_connects(project: Project) -> None:
    """Official clients build URLs from the host, without a port."""
    host = project.answer["endpoints"][0]["host"]
    parts = urlsplit(project.url)
    assert parts.netloc.rpartition("@")[2] == host
    assert project.answer["connection_uris"][0]["connection_parameters"]["host"] == host
    if ":" not in host:
        assert parts.port is None


def test_no_password_is_in_a_command_line(project: Project) -> None:
    ask(project.url, "SELECT 1")
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    password = urlsplit(project.url).password
    assert password and password not in listed.stdout


def test_large_results_pass_through_the_front_unchanged(project: Project) -> None:
    with psycopg.connect(project.url) as connection:
        connection.execute(
            "CREATE TABLE big AS SELECT repeat(md5(n::text), 300) AS t, n "
            "FROM generate_series(1, 3000) n"
        )
        with connection.cursor() as cursor, cursor.copy("COPY big TO STDOUT") as copy:
            content = b"".join(copy)
        connection.execute("CREATE TABLE again (t text, n int)")
        with connection.cursor() as cursor, cursor.copy("COPY again FROM STDIN") as copy:
            copy.write(content)
        row = connection.execute(
            "SELECT count(*) FROM big JOIN again USING (n) WHERE big.t = again.t"
        ).fetchone()
        assert row == (3000,)


def test_one_endpoint_that_writes_for_each_branch(project: Project) -> None:
    body = {"endpoint": {"branch_id": project.branch, "type": "read_write"}}
    assert project.api.refused("POST", f"{project.path}/endpoints", body)[0] == 422
    project.api.ok("DELETE", path_of(project))
    assert project.api.ok("GET", f"{project.main}/endpoints")["endpoints"] == []
    created = project.api.ok("POST", f"{project.path}/endpoints", body)
    uri = project.api.ok(
        "GET", f"{project.path}/connection_uri", database_name="neondb", role_name="neondb_owner"
    )["uri"]
    assert created["endpoint"]["host"] in uri
    assert ask(uri, "SELECT 1") == 1
