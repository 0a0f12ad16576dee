"""Both transports, and both ways in which clients begin: what goes for each of them."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any

import httpx2
import psycopg
import pytest
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client

from tests.mcp.conftest import Served, agent, fails, ok, served
from tests.programs import Program
from tests.project import Project
from tests.waiting import wait_until

RUNNING = """
SELECT count(*) FROM pg_stat_activity
WHERE application_name = 'neonup mcp' AND state = 'active'
"""
SLEEP = "SELECT pg_sleep(600)"

HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}

Agent = Callable[..., AbstractAsyncContextManager[Client]]


def running(project: Project) -> int:
    """How many statements of agents run now."""
    with psycopg.connect(project.url) as connection:
        row = connection.execute(RUNNING).fetchone()
    assert row is not None
    return int(row[0])


@asynccontextmanager
async def over_http(project: Project, *arguments: str, mode: str) -> AsyncIterator[Client]:
    with served(project, *arguments) as server:
        async with server.client(mode) as client:
            yield client


@pytest.fixture(params=["stdio-auto", "stdio-legacy", "http-auto", "http-legacy"])
def connect(request: pytest.FixtureRequest) -> Agent:
    """How to get a client of a server of its own."""
    transport, _, mode = request.param.partition("-")
    return partial(agent if transport == "stdio" else over_http, mode=mode)


@pytest.fixture(scope="module")
def server(shop: Project) -> Any:
    """A server over HTTP, for several clients."""
    with served(shop, "--allow-writes") as server:
        yield server


async def test_tools_say_what_they_do(server: Served, shop: Project) -> None:
    async with server.client("auto") as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert all(tool.description and tool.output_schema for tool in tools.values())
    hints = {
        name: (tool.annotations.read_only_hint, tool.annotations.destructive_hint)
        for name, tool in tools.items()
        if tool.annotations
    }
    assert {name for name, (reads, _) in hints.items() if reads} == {
        *("list_databases", "get_connection_url", "describe_schema"),
        *("inspect_database", "list_versions", "list_branches", "run_sql"),
    }
    assert {name for name, (_, destroys) in hints.items() if destroys} == {
        *("write_sql", "restore", "delete_version", "delete_branch"),
    }
    assert "secret" in (tools["get_claim_link"].description or "").lower()
    async with agent(shop) as client:
        reading = {tool.name for tool in (await client.list_tools()).tools}
    assert set(tools) - reading == {"write_sql", "restore", "delete_version", "delete_branch"}


async def test_a_call_that_is_cancelled_ends_its_statement(connect: Agent, shop: Project) -> None:
    async with connect(shop, "--allow-writes") as client:
        call = asyncio.create_task(client.call_tool("write_sql", {"statement": SLEEP}))
        await asyncio.to_thread(wait_until, lambda: running(shop) == 1, "the statement runs")
        # Meanwhile, others are answered.
        assert (await ok(client, "run_sql", statement="SELECT 1"))["rows"] == [[1]]
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        await asyncio.to_thread(wait_until, lambda: running(shop) == 0, "the statement is ended")
        assert (await ok(client, "run_sql", statement="SELECT 2"))["rows"] == [[2]]


async def test_a_client_that_goes_ends_its_statement(connect: Agent, shop: Project) -> None:
    async with connect(shop, "--allow-writes") as client:
        call = asyncio.create_task(client.call_tool("write_sql", {"statement": SLEEP}))
        await asyncio.to_thread(wait_until, lambda: running(shop) == 1, "the statement runs")
    await asyncio.gather(call, return_exceptions=True)
    await asyncio.to_thread(wait_until, lambda: running(shop) == 0, "the statement is ended")


async def test_clients_over_http_work_beside_each_other(server: Served, shop: Project) -> None:
    async with server.client("auto") as first, server.client("legacy") as second:
        call = asyncio.create_task(first.call_tool("write_sql", {"statement": SLEEP}))
        await asyncio.to_thread(wait_until, lambda: running(shop) == 1, "the statement runs")
        calls = [ok(second, "run_sql", statement=f"SELECT {n}") for n in range(20)]
        answers = await asyncio.gather(*calls)
        assert [answer["rows"] for answer in answers] == [[[n]] for n in range(20)]
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
    await asyncio.to_thread(wait_until, lambda: running(shop) == 0, "the statement is ended")


async def test_a_burst_leaves_the_application_its_connections(
    server: Served, shop: Project
) -> None:
    count = f"SELECT pg_sleep(0.01), ({RUNNING})"
    async with server.client("auto") as client:
        calls = [ok(client, "write_sql", statement=count) for _ in range(120)]
        answers = await asyncio.gather(*calls)
    assert max(answer["rows"][0][1] for answer in answers) <= 10


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": ""}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": "Bearer ü".encode()}, 401),
        ({"Host": "evil.example"}, 421),
        ({"Host": "127.0.0.1.evil.example:80"}, 421),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 200),
    ],
)
async def test_requests_of_others_are_refused(
    server: Served, headers: dict[str, Any], status: int
) -> None:
    async with server.http() as http:
        answer = await http.post(
            server.url,
            headers={"Accept": "application/json, text/event-stream", **headers},
            json=HELLO,
        )
        assert answer.status_code == status, answer.text


async def test_without_a_token_this_machine_is_let_in_and_web_pages_are_not(shop: Project) -> None:
    with served(shop, "--no-token") as server:
        assert server.token is None
        async with Client(streamable_http_client(server.url)) as client:
            assert (await ok(client, "run_sql", statement="SELECT 1"))["rows"] == [[1]]
        async with httpx2.AsyncClient() as http:
            page = {"Origin": "https://evil.example"}
            assert (await http.post(server.url, json={}, headers=page)).status_code == 403


def test_the_token_may_be_ones_own_and_the_port_taken(shop: Project, server: Served) -> None:
    with served(shop, NEONUP_MCP_TOKEN="mine") as own:
        assert own.token == "mine"
    port = server.url.rpartition(":")[2].partition("/")[0]
    said = shop.fails("mcp", "--http", "--port", port)
    assert "--port" in said


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
async def test_a_server_that_is_ended_leaves_no_statement(how: int, shop: Project) -> None:
    with served(shop, "--allow-writes") as server:
        async with server.http() as http:
            http.headers["Accept"] = "application/json, text/event-stream"
            session = (await http.post(server.url, json=HELLO)).headers["mcp-session-id"]
            http.headers["mcp-session-id"] = session
            sleep = {"name": "write_sql", "arguments": {"statement": SLEEP}}
            message = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": sleep}
            call = asyncio.create_task(http.post(server.url, json=message))
            await asyncio.to_thread(wait_until, lambda: running(shop) == 1, "the statement runs")
            server.process.send_signal(how)
            await asyncio.to_thread(server.process.wait, 30)
            await asyncio.gather(call, return_exceptions=True)
        assert "Traceback" not in server.stderr()
    await asyncio.to_thread(wait_until, lambda: running(shop) == 0, "the statement is ended")


def test_on_stdio_nothing_but_the_protocol_is_said(project: Project) -> None:
    (project.folder / "pyproject.toml").write_text('[tool.neonup]\nmigrate = "echo migrated"\n')
    messages = [
        HELLO,
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {
            "jsonrpc": "2.0",
            "id": 2,
            "method": "tools/call",
            "params": {"name": "get_database", "arguments": {"create": True}},
        },
    ]
    with Program(
        [sys.executable, "-m", "neonup", "mcp"],
        cwd=project.folder,
        env=project.environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        for message in messages:
            process.stdin.write(json.dumps(message) + "\n")
        process.stdin.flush()
        answers = [json.loads(process.stdout.readline()) for _ in range(2)]
        process.stdin.close()
        assert process.stdout.read() == ""
        assert process.wait(120) == 0
        assert "migrated" in process.stderr.read()
    assert [answer["id"] for answer in answers] == [1, 2]
    assert answers[1]["result"]["structuredContent"]["created"]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_on_stdio_a_signal_ends_it_though_stdin_is_open(how: int, project: Project) -> None:
    with Program(
        [sys.executable, "-m", "neonup", "mcp"],
        cwd=project.folder,
        env=project.environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(json.dumps(HELLO) + "\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["id"] == 1
        process.send_signal(how)
        assert process.wait(120) == -how
        assert process.stderr
        assert process.stderr.read() == ""


async def test_mistakes_are_answered_with_what_to_do(shop: Project) -> None:
    async with agent(shop) as client:
        assert "run_sql" in await fails(client, "run_sql")
        assert "no table 'other'" in await fails(client, "describe_schema", tables=["other"])
        assert "no branch 'other'" in await fails(
            client, "run_sql", statement="SELECT 1", branch="other"
        )
        assert "There is no driver" in await fails(client, "get_connection_url", driver="odbc")
        assert "yours already" in await fails(client, "get_claim_link")
