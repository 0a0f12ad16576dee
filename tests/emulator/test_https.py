"""`neonup serve --tls`: HTTPS, and names under which Neon's drivers work as they come."""

from __future__ import annotations

import asyncio
import json
import os
import random
import socket
import ssl
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from websockets.asyncio.client import connect

from neonup_emulator.neon.compute.authority import Authority
from tests.emulator.api import ask
from tests.emulator.node import CLIENTS, NODE
from tests.emulator.test_killed import Server
from tests.emulator.test_serve import NEONUP, WRITE, run

NAME = "neon.test"
STARTUP = struct.pack("!ii", 8, 3 << 16)


def own_address() -> str:
    """An address of this machine whose port 443 no other test has."""
    return f"127.{random.randint(1, 254)}.{random.randint(1, 254)}.{random.randint(1, 254)}"


def refusal_of_443() -> OSError | None:
    """Why this user cannot listen where the driver looks for Neon; None: it can."""
    with socket.socket() as probe:
        try:
            probe.bind((own_address(), 443))
        except OSError as error:
            return error
    return None


REFUSAL = refusal_of_443()
on_443 = [
    pytest.mark.skipif(NODE is None, reason="node is not installed: the driver needs it"),
    pytest.mark.skipif(
        not (CLIENTS / "node_modules" / "ws").exists(),
        reason="the driver is not installed: npm ci in tests/clients",
    ),
    pytest.mark.skipif(
        REFUSAL is not None,
        reason=f"nothing can listen on port 443 of 127.x.y.z, where the driver looks: {REFUSAL}",
    ),
]

_PROJECT = """
import { createApiClient } from "@neondatabase/api-client";
const api = createApiClient({
  apiKey: process.env.NEON_API_KEY, baseURL: process.env.NEON_API_HOST });
const { data: made } = await api.createProject({ project: { name: "shop" } });
const connectionString = made.connection_uris[0].connection_uri;
const tell = (value) => console.log(JSON.stringify(value));
"""


def run_on_443(home: Path, script: str, **environ: str) -> Any:
    """What a script tells that runs beside an empty local Neon, whose names it can look up."""
    assert NODE
    address = own_address()
    options = ["--ephemeral", "--tls", "--host", address, "--port", "443", "--allow-host", NAME]
    command = [NODE, "--input-type=module", "--eval", _PROJECT + script]
    done = subprocess.run(
        [*NEONUP, "serve", *options, "--", *command],
        cwd=CLIENTS,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "NEONUP_HOME": str(home),
            "NODE_OPTIONS": f"--import={CLIENTS / 'resolving.mjs'} --no-warnings",
            "NEON_NAME": NAME,
            "NEON_ADDRESS": address,
            **environ,
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


class TestNeonsDriverWithoutSettings:
    pytestmark = on_443

    def test_over_http_and_over_a_websocket(self, neonup_home: Path) -> None:
        """With what is built on it; before Node 22 the class of WebSockets is ws's."""
        script = """
        import ws from "ws";
        globalThis.WebSocket ??= ws;
        import { Client, Pool, neon } from "@neondatabase/serverless";
        import { drizzle } from "drizzle-orm/neon-serverless";
        import { drizzle as overHttp } from "drizzle-orm/neon-http";
        import { integer, pgTable } from "drizzle-orm/pg-core";
        import { PrismaNeon } from "@prisma/adapter-neon";

        const query = neon(connectionString);
        await query`CREATE TABLE things (n int)`;
        await query.transaction([1, 2].map((n) => query`INSERT INTO things VALUES (${n})`));
        const http = await query`SELECT n FROM things ORDER BY n`;

        const pool = new Pool({ connectionString });
        const pooled = (await pool.query("SELECT count(*)::int AS n FROM things")).rows;
        const things = pgTable("things", { n: integer("n") });
        await drizzle(pool).transaction((tx) => tx.insert(things).values({ n: 3 }));
        const counted = await overHttp(query).$count(things);
        await pool.end();

        const { host } = new URL(connectionString);
        const [id] = host.split(".");
        const pooler = connectionString.replace(id, `${id}-pooler`).replace(/:\\d+\\//, "/");
        const client = new Client(pooler); // as `neon connection-string --pooled` makes it
        await client.connect();
        const named = (await client.query("SELECT 42 AS n")).rows;
        await client.end();
        const short = await neon(pooler)`SELECT 42 AS n`;

        const adapter = await new PrismaNeon({ connectionString }).connect();
        const asked = { sql: "SELECT $1::int + 1 AS n", args: [41],
          argTypes: [{ scalarType: "int", arity: "scalar" }] };
        const prisma = (await adapter.queryRaw(asked)).rows;
        await adapter.dispose();

        const wrong = await neon(connectionString.replace("npg_", "npg_x"))`SELECT 1`
          .catch((error) => error.message);
        const ids = [made.endpoints[0].id, made.endpoints[0].host, host];
        tell({ http, pooled, counted, named, short, prisma, wrong, ids });
        """
        told = run_on_443(neonup_home, script)
        endpoint, host, used = told.pop("ids")
        assert host.startswith(f"{endpoint}.{NAME}:")
        assert used == host
        assert "password authentication failed" in told.pop("wrong")
        assert told == {
            "http": [{"n": 1}, {"n": 2}],
            "pooled": [{"n": 2}],
            "counted": 3,
            "named": [{"n": 42}],
            "short": [{"n": 42}],
            "prisma": [[42]],
        }

    def test_neons_mcp_server(self, neonup_home: Path) -> None:
        """The package itself, which takes only the host of the API from a variable."""
        script = """
        import { Client } from "@modelcontextprotocol/sdk/client/index.js";
        import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
        const main = "node_modules/@neondatabase/mcp-server-neon/dist/index.js";
        const transport = new StdioClientTransport({
          command: process.execPath,
          args: [main, "start", process.env.NEON_API_KEY, "--no-analytics"],
          env: { ...process.env, SENTRY_DSN: "" },
        });
        const client = new Client({ name: "neonup", version: "1" });
        await client.connect(transport);
        const call = async (name, params) => {
          const { content, isError } = await client.callTool({ name, arguments: { params } });
          return [isError ?? false, content.map((part) => part.text).join("\\n")];
        };
        const projectId = made.project.id;
        const told = {
          create: await call("run_sql", { projectId, sql: "CREATE TABLE things (n int)" }),
          rows: await call("run_sql_transaction", { projectId, sqlStatements: [
            "INSERT INTO things VALUES (1)", "SELECT n FROM things"] }),
          tables: await call("get_database_tables", { projectId }),
          columns: await call("describe_table_schema", { projectId, tableName: "things" }),
          branch: await call("create_branch", { projectId, branchName: "dev" }),
          uri: await call("get_connection_string", { projectId }),
          explained: await call("explain_sql_statement", { projectId, sql: "SELECT 1" }),
          auth: await call("provision_neon_auth", { projectId }),
        };
        const [, migration] = await call("prepare_database_migration",
          { projectId, migrationSql: "ALTER TABLE things ADD COLUMN t text" });
        const [migrationId] = /[0-9a-f]{8}-[0-9a-f-]{27}/.exec(migration);
        told.migrated = await call("complete_database_migration", { migrationId });
        told.after = await call("run_sql", { projectId, sql: "SELECT t FROM things" });
        await client.close();
        tell(told);
        """
        told = run_on_443(neonup_home, script)
        refused = {name: text for name, (is_error, text) in told.items() if is_error}
        texts = {name: text for name, (_, text) in told.items()}
        assert set(refused) == {"explained", "auth"}, refused
        assert 'EXPLAIN option "filecache"' in refused["explained"]  # it is Neon's own
        assert "501" in refused["auth"]
        assert json.loads(texts["rows"]) == [[], [{"n": 1}]]
        assert json.loads(texts["tables"])[0]["table_name"] == "things"
        assert '"type": "integer"' in texts["columns"]
        assert "br-" in texts["branch"]
        assert f".{NAME}:" in texts["uri"]
        assert json.loads(texts["after"]) == [{"t": None}]


@contextmanager
def serving(home: Path, *options: str) -> Iterator[Server]:
    server = Server(home, *options)
    try:
        yield server
    finally:
        server.stop()


def trusting(home: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=home / "neon" / "tls" / "authority.crt")
    context.verify_flags |= ssl.VERIFY_X509_STRICT  # as Python does from 3.13 on
    return context


def sql(context: ssl.SSLContext, port: int, host: str, url: str) -> httpx.Response:
    """What the driver sends, by a name that needs nobody to know it."""
    with httpx.Client(verify=context, timeout=60) as client:
        return client.post(
            f"https://127.0.0.1:{port}/sql",
            headers={"Host": host, "Neon-Connection-String": url},
            extensions={"sni_hostname": host},
            json={"query": "SELECT n FROM things"},
        )


def test_names_below_the_servers_lead_to_endpoints(
    neonup_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(neonup_home) as plain:
        project = plain.api.create_project(name="shop")
        ask(project.url, "CREATE TABLE things AS SELECT 1 AS n")
    monkeypatch.setenv("SSL_CERT_FILE", str(neonup_home / "neon" / "tls" / "authority.crt"))
    others = ["--allow-host", "192.0.2.1", "--allow-host", "büro", "--allow-host", ""]
    with serving(neonup_home, "--tls", "--allow-host", NAME.upper(), *others) as server:
        context = trusting(neonup_home)
        port = urlsplit(server.api.base).port or 443
        endpoint = server.api.ok("GET", f"{project.path}/endpoints")["endpoints"][0]
        assert endpoint["host"].partition(":")[0] == f"{project.endpoint}.{NAME}"
        uri = server.api.ok(
            "GET", f"{project.path}/connection_uri", database_name="neondb",
            role_name="neondb_owner",
        )["uri"]  # fmt: skip
        authority = neonup_home / "neon" / "tls" / "authority.crt"
        verified = f"{uri}&hostaddr=127.0.0.1&sslrootcert={authority}"
        assert ask(verified.replace("=require", "=verify-full", 1), "SELECT n FROM things") == 1

        assert sql(context, port, f"api.{NAME}", uri).json()["rows"] == [["1"]]
        for other in ("api.other.test", f"api.shop.{NAME}"):
            with pytest.raises(httpx.ConnectError, match="certificate"):
                sql(context, port, other, uri)
        unverified = ssl.create_default_context()
        unverified.check_hostname, unverified.verify_mode = False, ssl.CERT_NONE
        for other in ("api.other.test", f"api.shop.{NAME}"):
            assert sql(unverified, port, other, uri).status_code == 403

        async def answer(host: str) -> bytes | str:
            named = f"wss://{host}:{port}/v2"
            async with connect(named, host="127.0.0.1", port=port, ssl=context) as client:
                await client.send(STARTUP)
                return await client.recv()

        # Postgres's own answer to a start-up message that names nobody, and this server's.
        assert b"ProcessStartupPacket" in asyncio.run(answer(endpoint["host"].split(":")[0]))
        assert b"no endpoint" in asyncio.run(answer(f"ep-nobody-here-12345678.{NAME}"))

        root = server.console.partition("/sign-in")[0]
        with httpx.Client(base_url=root, verify=context, follow_redirects=True) as pages:
            pages.get(server.console)
            page = pages.get(f"{project.path}/connect", params={"for": "serverless"}).text
        assert f"fetchEndpoint = &#34;{root}/sql&#34;;" in page
        assert "useSecureWebSocket = true;" in page
    monkeypatch.delenv("SSL_CERT_FILE")
    with serving(neonup_home) as again:
        endpoint = again.api.ok("GET", f"{project.path}/endpoints")["endpoints"][0]
        assert NAME not in endpoint["host"]


def test_a_command_trusts_the_server_by_its_variables(neonup_home: Path) -> None:
    """Python's clients as well, and all that they trusted before."""
    show = """
import ssl
print(os.environ["NEON_API_HOST"])
print(len(ssl.create_default_context(cafile=os.environ["CURL_CA_BUNDLE"]).get_ca_certs()))
"""
    command = [sys.executable, "-c", WRITE + show]
    done = run(neonup_home, "serve", "--ephemeral", "--tls", "--port", "0", "--", *command)
    assert done.returncode == 0, done.stderr
    databases, where, trusted = done.stdout.splitlines()
    assert databases == "['neondb']"
    assert where.startswith("https://localhost:")
    assert int(trusted) > max(len(ssl.create_default_context().get_ca_certs()), 10)


def test_a_certificate_of_the_users_own(
    neonup_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = Authority(tmp_path / "mine")
    certificate, key = mine.renew("server", ["localhost", "127.0.0.1", f"*.{NAME}", NAME])
    (tmp_path / "both.pem").write_text(certificate.read_text() + key.read_text())
    monkeypatch.setenv("SSL_CERT_FILE", str(mine.path))
    options = [["--tls-cert", str(certificate), "--tls-key", str(key)]]
    options.append(["--tls-cert", str(tmp_path / "both.pem")])
    for files in options:
        with serving(neonup_home, *files) as server:
            assert server.api.base.startswith("https://localhost:")
            assert server.api.ok("GET", "/projects")["projects"] == []


def test_what_cannot_be_served_is_refused_in_words(neonup_home: Path, tmp_path: Path) -> None:
    mine = Authority(tmp_path)
    certificate, _ = mine.renew("server", ["localhost"])
    _, other = mine.renew("other", ["localhost"])
    empty = tmp_path / "empty.pem"
    empty.touch()
    for options, status, words in (
        (["--tls-cert", str(certificate), "--tls-key", str(other)], 1, "cannot be used: "),
        (["--tls-cert", str(certificate)], 1, "cannot be used: "),
        (["--tls-cert", str(empty), "--tls-key", str(other)], 1, "cannot be used: "),
        (["--tls-cert", str(tmp_path / "missing.pem")], 1, "No such file"),
        (["--tls-key", str(other)], 2, "--tls-cert"),
        (["--host", "0.0.0.0", "--allow-host", ""], 1, "that other machines can reach"),
        (["--tls", "--allow-host", "neon"], 1, "--allow-host neon.test"),
        (["--tls", "--allow-host", "192.0.2.1"], 1, "--allow-host neon.test"),
        (["--tls", "--allow-host", "../neon.test"], 1, "--allow-host neon.test"),
    ):
        done = run(neonup_home, "serve", *options)
        assert (done.returncode, done.stdout) == (status, ""), options
        assert words in done.stderr, options
        assert "Traceback" not in done.stderr


def test_it_says_what_clients_need(neonup_home: Path) -> None:
    process = subprocess.Popen(
        [*NEONUP, "serve", "--tls", "--port", "0", "--allow-host", NAME],
        env={"PATH": os.environ["PATH"], "NEONUP_HOME": str(neonup_home)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "Ctrl-C" in line:
            break
    process.terminate()
    process.wait(60)
    process.stdout.close()
    told = "".join(lines)
    assert str(neonup_home / "neon" / "tls" / "authority.crt") in told
    assert f"api.{NAME}" in told
    assert f"*.{NAME}" in told
    assert "--port 443" in told


@pytest.mark.skipif(
    not isinstance(REFUSAL, PermissionError), reason="this user may listen on port 443"
)
def test_a_port_that_this_user_may_not_use(neonup_home: Path) -> None:
    done = run(neonup_home, "serve", "--tls", "--port", "443")
    assert done.returncode == 1
    assert "ip_unprivileged_port_start=443" in done.stderr
