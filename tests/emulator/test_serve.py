"""`neonup serve` as a process: its options, and what the other commands say of its projects."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests import asking
from tests.emulator.api import ask
from tests.emulator.test_killed import Server, postgres_of
from tests.hostile_variables import HOSTILE
from tests.project import clean_environ

NEONUP = [sys.executable, "-m", "neonup"]
SHOW = "import json, os; print(json.dumps(dict(os.environ)))"


def run(home: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*NEONUP, *arguments],
        env=clean_environ(home, **environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def listed(home: Path) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in json.loads(run(home, "list", "--json").stdout)}


def test_a_command_runs_with_the_variables_set(neonup_home: Path) -> None:
    command = [sys.executable, "-c", SHOW]
    done = run(neonup_home, "serve", "--ephemeral", "--port", "0", "--", *command)
    environ = json.loads(done.stdout)
    assert environ["NEON_API_HOST"].startswith("http://localhost:")
    assert f"{environ['NEON_OAUTH_HOST']}/api/v2" == environ["NEON_API_HOST"]
    assert environ["NEON_API_KEY"].startswith("napi_")
    assert environ["NEON_ORG_ID"].startswith("org-")
    assert environ["NEON_API_HOST"] == f"{environ['CLAIMABLE_NEON_HOST']}/api/v2"
    assert environ["NODE_EXTRA_CA_CERTS"].endswith(".crt")
    assert not Path(environ["NODE_EXTRA_CA_CERTS"]).exists()  # the home is gone
    assert not (neonup_home / "neon").exists()


WRITE = """
import os, httpx, psycopg
headers = {"Authorization": f"Bearer {os.environ['NEON_API_KEY']}"}
url = f"{os.environ['NEON_API_HOST']}/projects"
made = httpx.post(url, json={"project": {}}, headers=headers, timeout=60).json()
with psycopg.connect(made["connection_uris"][0]["connection_uri"], connect_timeout=60) as database:
    database.execute("CREATE TABLE things AS SELECT 1")
path = f"{url}/{made['project']['id']}/branches/{made['branch']['id']}/databases"
print([one["name"] for one in httpx.get(path, headers=headers).json()["databases"]])
"""


def test_every_ephemeral_server_of_a_home_works(cold_home: Path) -> None:
    """A continuous integration that keeps a home, in which no other server ever ran."""
    for _ in range(2):
        done = run(
            cold_home, "serve", "--ephemeral", "--port", "0", "--", sys.executable, "-c", WRITE
        )
        assert (done.returncode, done.stdout.strip()) == (0, "['neondb']"), done.stderr
    done = run(cold_home, "serve", "--port", "0", "--", sys.executable, "-c", WRITE)
    assert (done.returncode, done.stdout.strip()) == (0, "['neondb']"), done.stderr


EVERY_WAY = """
import os
assert os.environ["PGSERVICE"] == "another"  # the command has what its user has set
for name in [name for name in os.environ if name.startswith("PG")]:
    del os.environ[name]
import httpx, psycopg
base = os.environ["NEON_API_HOST"]
with httpx.Client(
    headers={"Authorization": f"Bearer {os.environ['NEON_API_KEY']}"}, timeout=60
) as http:
    made = http.post(f"{base}/projects", json={"project": {}}).json()
    for connection in made["connection_uris"]:
        url = connection["connection_uri"]
        with psycopg.connect(url, connect_timeout=60) as database:
            database.execute("CREATE TABLE things AS SELECT 1 AS n")
    path = f"{base}/projects/{made['project']['id']}/branches"
    branch = f"{path}/{made['branch']['id']}"
    print([database["name"] for database in http.get(f"{branch}/databases").json()["databases"]])
    schema = http.get(f"{branch}/schema", params={"db_name": "neondb"}).json()["sql"]
    print("CREATE TABLE public.things" in schema)
    role = http.post(f"{branch}/roles", json={"role": {"name": "writer"}})
    print(role.status_code)
    child = {"branch": {"name": "child"}, "endpoints": [{"type": "read_write"}]}
    child = http.post(path, json=child).json()
    with psycopg.connect(child["connection_uris"][0]["connection_uri"], connect_timeout=60) as copy:
        print(copy.execute("SELECT n FROM things").fetchone())
    sql = http.post(
        f"{base.removesuffix('/api/v2')}/sql",
        json={"query": "SELECT n FROM things"},
        headers={"Neon-Connection-String": url},
    )
    print(sql.json()["rows"])
"""


def test_libpqs_variables_lead_a_server_nowhere_else(neonup_home: Path) -> None:
    command = [sys.executable, "-c", EVERY_WAY]
    done = run(neonup_home, "serve", "--ephemeral", "--port", "0", "--", *command, **HOSTILE)
    assert done.stdout.splitlines() == ["['neondb']", "True", "201", "(1,)", "[['1']]"], done.stderr


def test_its_exit_status_is_the_commands(neonup_home: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit(7)"]
    assert run(neonup_home, "serve", "--port", "0", "--", *command).returncode == 7
    assert run(neonup_home, "serve", "--port", "0", "--", "no-such-command").returncode == 127


def test_a_second_server_says_where_the_first_is(neonup_home: Path) -> None:
    first = Server(neonup_home)
    try:
        done = run(neonup_home, "serve", "--port", "0")
        assert done.returncode == 1
        assert first.api.base.removesuffix("/api/v2").rpartition(":")[2] in done.stderr
    finally:
        first.stop()


def test_list_stop_and_prune_know_its_projects(neonup_home: Path) -> None:
    server = Server(neonup_home)
    project = server.api.create_project(name="shop")
    ask(project.url, "CREATE TABLE things AS SELECT 1 AS n")
    row = listed(neonup_home)[project.branch]
    assert (row["state"], row["kind"], row["project"]) == ("ready", "branch", "shop/main")
    assert run(neonup_home, "stop", "--all").returncode == 0
    assert postgres_of(neonup_home) == []
    assert ask(project.url, "SELECT n FROM things") == 1
    server.api.ok("DELETE", project.path)
    assert "nothing to prune" in run(neonup_home, "prune", "--yes").stdout
    server.stop()
    assert listed(neonup_home)[project.branch]["state"] == "stopped"
    assert "Deleted 1" in run(neonup_home, "prune", "--yes").stdout
    assert project.branch not in listed(neonup_home)
    assert list((neonup_home / "neon" / "clusters").iterdir()) == []


def test_keys_projects_and_addresses_stay_between_runs(neonup_home: Path) -> None:
    server = Server(neonup_home)
    project = server.api.create_project(name="shop")
    ask(project.url, "CREATE TABLE things AS SELECT 1 AS n")
    server.stop()
    assert postgres_of(neonup_home) == []
    again = Server(neonup_home)
    try:
        assert again.api.key == server.api.key
        assert ask(project.url, "SELECT n FROM things") == 1
    finally:
        again.stop()


def test_another_name_of_this_server(neonup_home: Path) -> None:
    process = subprocess.Popen(
        [*NEONUP, "serve", "--json", "--port", "0", "--allow-host", "neon"],
        env=clean_environ(neonup_home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    env = json.loads(process.stdout.readline())["env"]
    headers = {"Authorization": f"Bearer {env['NEON_API_KEY']}"}
    try:
        url = f"{env['NEON_API_HOST']}/projects"
        assert asking.get(url, headers={**headers, "Host": "neon"}).status_code == 200
        assert asking.get(url, headers={**headers, "Host": "neon.evil"}).status_code == 403
    finally:
        process.terminate()
        process.wait(120)
        process.stdout.close()
    assert (neonup_home / "neon" / "neon.db").exists()


def test_other_machines_reach_endpoints_when_told_to(neonup_home: Path) -> None:
    server = Server(neonup_home)
    project = server.api.create_project(name="shop")
    ask(project.url, "CREATE TABLE things AS SELECT 1 AS n")
    server.stop()
    opened = Server(neonup_home, "--host", "0.0.0.0", "--allow-host", "neon.localhost")
    try:
        endpoint = opened.api.ok("GET", f"{project.path}/endpoints")["endpoints"][0]
        host, _, port = endpoint["host"].partition(":")
        assert host == "neon.localhost"
        uri = opened.api.ok(
            "GET", f"{project.path}/connection_uri", database_name="neondb",
            role_name="neondb_owner",
        )["uri"]  # fmt: skip
        assert f"@neon.localhost:{port}/" in uri
        # A name of which only this test knows what it stands for, and any address of the machine.
        for address in ("127.0.0.1", "127.200.1.1"):
            verified = f"{uri}&hostaddr={address}".replace("=require", "=verify-full", 1)
            authority = neonup_home / "neon" / "tls" / "authority.crt"
            assert ask(f"{verified}&sslrootcert={authority}", "SELECT n FROM things") == 1
        # The server itself asks nobody what its name stands for.
        for name in ("neon.localhost", "127.0.0.1", "neon.invalid"):
            sent = {"neon-connection-string": uri.replace("neon.localhost", name)}
            statement = {"query": "SELECT n FROM things"}
            root = opened.api.base.removesuffix("/api/v2")
            answer = asking.post(f"{root}/sql", headers=sent, json=statement, timeout=60)
            assert answer.json()["rows"] == [["1"]], name
    finally:
        opened.stop()
    again = Server(neonup_home)
    try:
        endpoint = again.api.ok("GET", f"{project.path}/endpoints")["endpoints"][0]
        assert endpoint["host"].startswith("127.")
    finally:
        again.stop()
