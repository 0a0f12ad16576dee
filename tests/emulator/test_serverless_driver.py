"""Neon's serverless driver (npm) over a WebSocket and over HTTP, and what is built on it."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.emulator.api import Api, Project, ask
from tests.emulator.node import CLIENTS, NODE, run_script
from tests.emulator.serving import NeonServer, serving
from tests.waiting import wait_until

STARTUP = struct.pack("!ii", 8, 3 << 16)

driven = [
    pytest.mark.skipif(NODE is None, reason="node is not installed: the driver needs it"),
    pytest.mark.skipif(
        not (CLIENTS / "node_modules" / "ws").exists(),
        reason="the driver is not installed: npm ci in tests/clients",
    ),
]

_SETUP = """
import ws from "ws";
import { Client, Pool, neon, neonConfig } from "@neondatabase/serverless";
neonConfig.webSocketConstructor = ws;
neonConfig.wsProxy = `${process.env.NEON_HERE}/v2`;
neonConfig.useSecureWebSocket = false;
neonConfig.fetchEndpoint = `http://${process.env.NEON_HERE}/sql`;
const connectionString = process.env.DATABASE_URL;
const tell = (value) => console.log(JSON.stringify(value));
"""


def run(project: Project, script: str, url: str | None = None) -> Any:
    """Run a script with the driver, led to the local Neon; what it tells."""
    environ = {"NEON_HERE": here(project), "DATABASE_URL": url or project.url}
    return run_script(_SETUP + script, environ)


def here(project: Project) -> str:
    return urlsplit(project.api.base).netloc


def proxy(project: Project, address: str | None = None) -> str:
    """Where the driver connects to."""
    parts = urlsplit(project.url)
    asked = address or f"{parts.hostname}:{parts.port or 5432}"
    return f"ws://{here(project)}/v2?address={asked}"


class TestOverAWebSocket:
    pytestmark = driven

    def test_a_pool_wakes_the_endpoint_and_runs_a_transaction(self, project: Project) -> None:
        rows = run(
            project,
            """
            const pool = new Pool({ connectionString });
            await pool.query("CREATE TABLE things (n int PRIMARY KEY)");
            const client = await pool.connect();
            await client.query("BEGIN");
            await client.query("INSERT INTO things SELECT generate_series(1, $1)", [3]);
            await client.query("COMMIT");
            client.release();
            const all = [1, 2, 3].map((n) => pool.query("SELECT n FROM things WHERE n = $1", [n]));
            tell((await Promise.all(all)).map((result) => result.rows[0].n));
            await pool.end();
            """,
        )
        assert rows == [1, 2, 3]
        assert ask(project.url, "SELECT count(*) FROM things") == 3

    def test_a_client_that_waits_to_be_asked_for_its_password(self, project: Project) -> None:
        project.api.ok("POST", f"{project.path}/endpoints/{project.endpoint}/suspend")
        script = """
            neonConfig.pipelineConnect = false;
            const client = new Client(connectionString);
            await client.connect();
            tell((await client.query("SELECT 42 AS n")).rows[0].n);
            await client.end();
        """
        assert run(project, script) == 42

    def test_large_values_go_both_ways(self, project: Project) -> None:
        """In one message of the WebSocket there, in many back, to a client that is slow to read."""
        script = """
            const client = new Client(connectionString);
            await client.connect();
            const sent = "x".repeat(20 * 1024 * 1024);
            const back = await client.query("SELECT $1::text AS s, length($1) AS n", [sent]);
            tell([back.rows[0].n, back.rows[0].s === sent]);
            await client.end();
        """
        assert run(project, script) == [20 * 1024 * 1024, True]

    def test_what_refuses_the_client_is_told(self, project: Project) -> None:
        script = """
            const told = [];
            for (const url of process.env.DATABASE_URL.split(" ")) {
              const client = new Client(url);
              client.on("error", () => {});
              try { await client.connect(); await client.query("SELECT 1"); told.push("works"); }
              catch (error) { told.push([error.code, error.message]); }
            }
            tell(told);
        """
        wrong = project.url.replace("npg_", "npg_x")
        nobody = project.url.replace(urlsplit(project.url).hostname or "", "192.0.2.1")
        missing = project.url.replace("/neondb?", "/nothing?")
        none = project.url.replace("npg_", "%01")
        urls = f"{wrong} {none} {nobody} {missing}"
        password, unusable, endpoint, database = run(project, script, urls)
        assert password == ["28P01", 'password authentication failed for user "neondb_owner"']
        assert unusable == ["XX000", "That password cannot be used to sign in."]
        assert endpoint == ["XX000", "This server has no endpoint at that address."]
        assert database == ["3D000", 'database "nothing" does not exist']

    def test_notices_arrive_and_a_connection_that_the_server_ends_is_told(
        self, project: Project
    ) -> None:
        script = """
            const client = new Client(connectionString);
            const ended = new Promise((done) => client.on("error", (error) => done(error.code)));
            await client.connect();
            const heard = new Promise((done) => client.on("notification", (n) => done(n.payload)));
            await client.query("LISTEN news");
            await client.query("NOTIFY news, 'hello'");
            const news = await heard;
            const other = new Client(connectionString);
            await other.connect();
            await other.query("SELECT pg_terminate_backend($1)", [client.processID]);
            tell([news, await ended]);
            await other.end();
        """
        assert run(project, script) == ["hello", "57P01"]

    def test_a_statement_is_cancelled(self, project: Project) -> None:
        """By a connection of its own, which signs in nowhere."""
        script = """
            const client = new Client(connectionString);
            await client.connect();
            await client.query("SELECT 1");
            const cancelled = client.query("SELECT pg_sleep(3600)").catch((error) => error.code);
            const { hostname, port } = new URL(connectionString);
            const address = `${hostname}:${port || 5432}`;
            const other = new ws(`ws://${process.env.NEON_HERE}/v2?address=${address}`);
            other.on("open", () => {
              const request = Buffer.alloc(16);
              [16, 80877102, client.processID, client.secretKey].forEach(
                (number, index) => request.writeInt32BE(number, index * 4));
              other.send(request);
            });
            tell([await cancelled, (await client.query("SELECT 42 AS n")).rows[0].n]);
            await client.end();
            other.terminate();
        """
        assert run(project, script) == ["57014", 42]

    def test_drizzle(self, project: Project) -> None:
        script = """
            const { drizzle } = await import("drizzle-orm/neon-serverless");
            const { drizzle: overHttp } = await import("drizzle-orm/neon-http");
            const { integer, pgTable } = await import("drizzle-orm/pg-core");
            const things = pgTable("things", { n: integer("n") });
            const pool = new Pool({ connectionString });
            await pool.query("CREATE TABLE things (n int)");
            const db = drizzle(pool);
            await db.transaction((tx) => tx.insert(things).values([{ n: 1 }, { n: 2 }]));
            const count = await overHttp(neon(connectionString)).$count(things);
            tell([await db.select().from(things), count]);
            await pool.end();
        """
        assert run(project, script) == [[{"n": 1}, {"n": 2}], 2]

    def test_prismas_adapter(self, project: Project) -> None:
        script = """
            const { PrismaNeon } = await import("@prisma/adapter-neon");
            const adapter = await new PrismaNeon({ connectionString }).connect();
            const sql = "SELECT $1::int + 1 AS n";
            const argTypes = [{ scalarType: "int", arity: "scalar" }];
            tell((await adapter.queryRaw({ sql, args: [41], argTypes })).rows);
            await adapter.dispose();
        """
        assert run(project, script) == [[42]]


class TestOverHttp:
    pytestmark = driven

    def test_the_requests_of_neons_mcp_server(self, project: Project) -> None:
        """`run_sql` sends a statement, `run_sql_transaction` and `describe_branch` an array."""
        script = """
            const query = neon(connectionString);
            await query.query("CREATE TABLE things (n int)");
            const statements = ["INSERT INTO things VALUES (1)", "SELECT n FROM things"];
            const results = await query.transaction(statements.map((one) => query.query(one)));
            const failing = [...statements, "SELECT 1/0"].map((one) => query.query(one));
            const code = await query.transaction(failing).catch((error) => error.code);
            tell([results, code, await query.query("SELECT count(*)::int AS n FROM things")]);
        """
        assert run(project, script) == [[[], [{"n": 1}]], "22012", [{"n": 1}]]


def test_the_proxy_reaches_no_other_server(project: Project) -> None:
    """Neither another program of this machine nor what is behind an endpoint."""

    async def answers(address: str) -> bytes:
        async with connect(proxy(project, address)) as client:
            await client.send(STARTUP)
            answer = await client.recv()
            with pytest.raises(ConnectionClosed):
                await client.recv()
        assert isinstance(answer, bytes)
        return answer

    with socket.create_server(("127.0.0.1", 0)) as other:
        other.setblocking(False)
        port = other.getsockname()[1]
        for address in (f"127.0.0.1:{port}", f"localhost:{port}", "", "[", "x:y", "x:99999"):
            assert b"no endpoint at that address" in asyncio.run(answers(address or "%20"))
        with pytest.raises(BlockingIOError):
            other.accept()


@pytest.mark.parametrize(
    ("name", "headers"),
    [
        ("shop.example", {}),  # DNS rebinding
        ("localhost", {"Origin": "https://shop.example"}),
        ("localhost", {"Sec-Fetch-Site": "cross-site"}),
    ],
)
def test_no_page_from_elsewhere_connects(
    project: Project, name: str, headers: dict[str, str]
) -> None:
    port = urlsplit(project.api.base).port
    asked = proxy(project).replace("localhost", name, 1)

    async def status() -> int:
        with pytest.raises(InvalidStatus) as refused:
            async with connect(asked, host="localhost", port=port, additional_headers=headers):
                pass
        return refused.value.response.status_code

    assert asyncio.run(status()) == 403


@pytest.mark.parametrize("sent", ["text", b"\0\0\0\x02", b"GET / HTTP/1.1\r\n\r\n"])
def test_what_is_no_postgres_is_turned_away(project: Project, sent: str | bytes) -> None:
    async def code() -> int:
        async with connect(proxy(project)) as client:
            await client.send(sent)
            with pytest.raises(ConnectionClosed) as closed:
                await client.recv()
        return closed.value.rcvd.code if closed.value.rcvd else 0

    assert asyncio.run(code()) == 1002


def opening(project: Project, name: str) -> bytes:
    """The start-up message of a session of that name."""
    parts = urlsplit(project.url)
    words = ["user", parts.username or "", "database", parts.path[1:], "application_name", name]
    body = b"".join(word.encode() + b"\0" for word in words) + b"\0"
    return struct.pack("!ii", len(body) + 8, 3 << 16) + body


@asynccontextmanager
async def signed_in(project: Project, name: str) -> AsyncIterator[ClientConnection]:
    """A client whose packets come in pieces, as something in between may split them."""
    password = (urlsplit(project.url).password or "").encode() + b"\0"
    async with connect(proxy(project), max_queue=1) as client:
        for byte in opening(project, name) + b"p" + struct.pack("!i", len(password) + 4) + password:
            await client.send(bytes([byte]))
        heard = b""
        while not heard.endswith(b"Z\0\0\0\x05I"):
            answer = await client.recv()
            assert isinstance(answer, bytes)
            heard += answer
        yield client


def waits_for(project: Project, name: str) -> str | None:
    """What the session of that name waits for; None where there is none."""
    waiting = "SELECT coalesce(wait_event, '') FROM pg_stat_activity WHERE application_name = %s"
    return cast("str | None", ask(project.url, waiting, name))


def test_a_client_that_vanishes_leaves_no_session(project: Project) -> None:
    async def come_and_go() -> None:
        async with signed_in(project, "gone") as client:
            assert await asyncio.to_thread(waits_for, project, "gone") is not None
            client.transport.abort()

    asyncio.run(come_and_go())
    wait_until(lambda: waits_for(project, "gone") is None, "the end of its session")


def test_a_client_that_reads_nothing_makes_postgres_wait(
    project: Project, neon_server_here: NeonServer
) -> None:
    """What it has not read stays in Postgres, not in the memory of the local Neon."""
    front = neon_server_here.neon.computes.front
    query = b"SELECT repeat('x', 1000000) FROM generate_series(1, 10000)\0"

    def settled() -> bool:
        """Whether the front has had nothing to report for longer than it takes to report."""
        seen = front.seen(project.endpoint)
        return seen.sent > 0 and time.monotonic() - seen.at > 3

    async def read_nothing() -> None:
        async with signed_in(project, "slow") as client:
            await client.send(b"Q" + struct.pack("!i", len(query) + 4) + query)
            await asyncio.to_thread(wait_until, settled, "an end of what is sent")
            assert front.seen(project.endpoint).sent < 100_000_000
            await asyncio.to_thread(
                wait_until, lambda: waits_for(project, "slow") == "ClientWrite", "Postgres waits"
            )
            client.transport.abort()

    asyncio.run(read_nothing())
    wait_until(lambda: waits_for(project, "slow") is None, "the end of its session")


def test_a_client_that_does_not_sign_in_is_ended(neonup_home: Path) -> None:
    """By Postgres's own limit, shorter here; one that has signed in may be idle for longer."""

    async def code(project: Project, *packets: bytes) -> int:
        async with connect(proxy(project)) as client:
            for packet in packets:
                await client.send(packet)
            with pytest.raises(ConnectionClosed) as closed:
                while True:
                    await client.recv()
        return closed.value.rcvd.code if closed.value.rcvd else 0

    async def story(project: Project) -> None:
        async with signed_in(project, "idle"):
            silent = code(project)
            half = code(project, STARTUP[:5])
            asked = code(project, opening(project, "asked"))
            typing = code(project, opening(project, "typing"), b"p\0\0")
            assert set(await asyncio.gather(silent, half, asked, typing)) == {1008}
            assert await asyncio.to_thread(waits_for, project, "idle") == "ClientRead"

    with serving(neonup_home, sign_in_seconds=5) as server:
        project = Api(server.base, server.key).create_project(name="shop")
        asyncio.run(story(project))
