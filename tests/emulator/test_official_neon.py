"""The official command `neon` (npm) against the local Neon."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from neonup_cloud.account import linked
from neonup_cloud.account.linked import NeonLink
from tests.emulator.api import Api, Project, ask
from tests.emulator.official_commands import CLI, NODE, OfficialCommands, official_commands
from tests.emulator.serving import NeonServer
from tests.project import clean_environ

pytestmark = [
    pytest.mark.skipif(NODE is None, reason="node is not installed: the official command needs it"),
    pytest.mark.skipif(
        not CLI.exists(), reason="the official command is not installed: npm ci in tests/clients"
    ),
]


class Neon:
    """The command, as somebody types it in a folder; one process runs all but what is `alone`."""

    def __init__(self, folder: Path, environ: Mapping[str, str], commands: OfficialCommands):
        self._folder, self._environ, self._commands = folder, environ, commands

    def __call__(self, *arguments: str, fails: bool = False) -> str:
        done = self._commands(*arguments)
        assert (done.status != 0) == fails, done.stdout + done.stderr
        return done.stderr if fails else done.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments, "-o", "json"))

    def alone(self, *arguments: str) -> str:
        """In a process of its own, whose output its children have, too."""
        assert NODE
        done = subprocess.run(
            [NODE, str(CLI), "--no-analytics", "--config-dir", str(self._folder), *arguments],
            cwd=self._folder,
            env=self._environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def neon(neon_server_here: NeonServer, tmp_path: Path) -> Iterator[Neon]:
    environ = {**clean_environ(tmp_path), **neon_server_here.environment}
    with official_commands(tmp_path, tmp_path, environ) as commands:
        yield Neon(tmp_path, environ, commands)


Of = Callable[..., str]


@pytest.fixture
def of_project(neon: Neon) -> Of:
    """The command with a new project."""
    id = neon.json("projects", "create", "--name", "cli")["project"]["id"]  # noqa: A001

    def run(first: str, *arguments: str) -> str:
        return neon(first, "--project-id", id, *arguments)

    return run


def rows(url: str) -> Any:
    return ask(url.strip(), "SELECT array_agg(n ORDER BY n) FROM things")


def test_projects(neon: Neon) -> None:
    created = neon.json("projects", "create", "--name", "one", "--database", "shop")
    id = created["project"]["id"]  # noqa: A001
    assert ask(created["connection_uris"][0]["connection_uri"], "SELECT current_database()") == (
        "shop"
    )
    neon("projects", "update", id, "--name", "two")
    assert neon.json("projects", "get", id)["name"] == "two"
    assert id in [project["id"] for project in neon.json("projects", "list")["projects"]]
    neon("projects", "delete", id)
    assert "not found" in neon("projects", "get", id, fails=True).lower()


def test_branches_restore_reset_rename_expiry_and_schema_diff(of_project: Of) -> None:
    main = of_project("connection-string")
    ask(main.strip(), "CREATE TABLE things AS SELECT 1 AS n")
    of_project("branches", "create", "--name", "dev")
    dev = of_project("connection-string", "dev")
    ask(dev.strip(), "INSERT INTO things VALUES (2)")
    ask(dev.strip(), "ALTER TABLE things ADD COLUMN name text")
    assert "+    name text" in of_project("branches", "schema-diff", "main", "dev")
    ask(main.strip(), "INSERT INTO things VALUES (3)")
    of_project("branches", "restore", "dev", "main", "--preserve-under-name", "saved")
    assert rows(dev) == [1, 3]
    ask(dev.strip(), "DELETE FROM things")
    of_project("branches", "reset", "saved", "--parent")
    of_project("branches", "rename", "dev", "feature")
    of_project("branches", "set-expiration", "feature", "--expires-at", "2999-01-01T00:00:00Z")
    assert "2999" in of_project("branches", "get", "feature")
    of_project("branches", "set-default", "feature")
    listed = of_project("branches", "list")
    assert "[default] feature" in listed and "saved" in listed
    of_project("branches", "delete", "saved")
    assert "saved" not in of_project("branches", "list")


def test_databases_and_roles(of_project: Of) -> None:
    of_project("roles", "create", "--name", "carol")
    of_project("databases", "create", "--name", "extra", "--owner-name", "carol")
    assert "extra" in of_project("databases", "list")
    url = of_project("connection-string", "--role-name", "carol", "--database-name", "extra")
    assert ask(url.strip(), "SELECT current_user") == "carol"
    of_project("databases", "delete", "extra")
    of_project("roles", "delete", "carol")
    assert "carol" not in of_project("roles", "list")


@pytest.mark.parametrize(
    "form", [[], ["--pooled"], ["--prisma"], ["--pooled", "--prisma"], ["main", "--ssl", "require"]]
)
def test_connection_strings_connect(of_project: Of, form: list[str]) -> None:
    url = of_project("connection-string", *form).strip()
    assert "sslmode=require" in url
    # Prisma's own options are none of libpq's.
    assert ask(f"{url.partition('?')[0]}?sslmode=require", "SELECT 1") == 1


def test_the_parts_of_a_connection_string(of_project: Of) -> None:
    said = of_project("connection-string", "--extended")
    parts = dict(line.split(maxsplit=1) for line in said.strip().splitlines())
    with psycopg.connect(
        host=parts["Host"].partition(":")[0],
        port=parts["Host"].partition(":")[2] or "5432",
        user=parts["Role"],
        password=parts["Password"],
        dbname=parts["Database"],
    ) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_snapshots(of_project: Of) -> None:
    url = of_project("connection-string")
    ask(url.strip(), "CREATE TABLE things AS SELECT 1 AS n")
    of_project("snapshots", "create", "--name", "v1")
    assert "v1" in of_project("snapshots", "list")
    assert "v1" in of_project("snapshots", "get", "v1")
    of_project("snapshots", "update", "v1", "--name", "v2", "--expires-at", "2999-01-01T00:00:00Z")
    assert "2999" in of_project("snapshots", "get", "v2")
    of_project("snapshots", "update", "v2", "--clear-expiration")
    of_project("snapshots", "delete", "v2")
    assert "v2" not in of_project("snapshots", "list")


def test_a_snapshot_is_found_by_its_slug(of_project: Of) -> None:
    of_project("snapshots", "create", "--name", "Version 1", "--slug", "v1")
    of_project("snapshots", "create", "--name", "Version 2")
    assert "Version 1" in of_project("snapshots", "get", "v1")
    said = of_project("snapshots", "get", "Version 2", "-o", "json")
    assert json.loads(said)["slug"] not in (None, "", "v1")
    of_project("snapshots", "delete", "v1")
    assert "Version 1" not in of_project("snapshots", "list")


def test_a_snapshot_restored_at_once_keeps_the_connection_string(of_project: Of) -> None:
    url = of_project("connection-string")
    ask(url.strip(), "CREATE TABLE things AS SELECT 1 AS n")
    of_project("snapshots", "create", "--name", "v1")
    ask(url.strip(), "INSERT INTO things VALUES (2)")
    before = json.loads(of_project("branches", "get", "main", "-o", "json"))["id"]
    of_project("snapshots", "restore", "v1", "--target-branch", "main", "--finalize")
    assert rows(url) == [1]
    assert of_project("connection-string") == url
    assert json.loads(of_project("branches", "get", "main", "-o", "json"))["id"] != before
    assert "main (old)" in of_project("branches", "list")
    of_project("branches", "delete", "main (old)")
    assert rows(url) == [1]


def test_a_snapshot_previewed_and_finalized(of_project: Of) -> None:
    url = of_project("connection-string")
    ask(url.strip(), "CREATE TABLE things AS SELECT 1 AS n")
    of_project("snapshots", "create", "--name", "v1")
    ask(url.strip(), "INSERT INTO things VALUES (2)")
    of_project("snapshots", "restore", "v1", "--name", "preview", "--target-branch", "main")
    of_project("branches", "add-compute", "preview")
    assert rows(of_project("connection-string", "preview")) == [1]
    assert rows(url) == [1, 2]
    of_project("snapshots", "finalize", "preview", "--name", "before")
    assert rows(url) == [1]
    listed = of_project("branches", "list")
    assert "before" in listed and "preview" not in listed


def test_a_schedule_of_snapshots(of_project: Of) -> None:
    arguments = ("--frequency", "daily", "--hour", "3", "--retention", "604800")
    of_project("snapshots", "schedule", "set", "--branch", "main", *arguments)
    told = json.loads(of_project("snapshots", "schedule", "get", "--branch", "main", "-o", "json"))
    assert told == [{"frequency": "daily", "hour": 3, "retention_seconds": 604_800}]


def test_operations_orgs_keys_and_me(of_project: Of, neon: Neon, api: Api) -> None:
    assert "create_timeline" in of_project("operations", "list")
    assert api.ok("GET", "/users/me")["email"] in neon("me")
    assert neon.json("orgs", "list")[0]["name"] == "Local"
    created = neon.json("api-keys", "create", "--name", "mine")
    assert "mine" in neon("api-keys", "list")
    neon("api-keys", "revoke", str(created["id"]))
    assert "mine" not in neon("api-keys", "list")


def test_status_tells_that_a_branch_has_postgres_alone(of_project: Of) -> None:
    told = of_project("status", "--config-json")
    assert not {"auth", "dataApi", "functions", "buckets"} & json.loads(told).keys(), told


def test_env_pull_writes_the_urls_of_the_branch(of_project: Of, tmp_path: Path) -> None:
    url = of_project("connection-string").strip()
    of_project("env", "pull")
    lines = (tmp_path / ".env.local").read_text(encoding="utf-8").splitlines()
    pulled = {
        name: value.strip("'\"") for name, _, value in (line.partition("=") for line in lines)
    }
    assert {"DATABASE_URL", "DATABASE_URL_UNPOOLED"} <= pulled.keys()
    assert not [name for name in pulled if name.startswith(("NEON_AUTH", "NEON_DATA", "AWS"))]
    assert pulled["DATABASE_URL_UNPOOLED"] == url
    assert ask(pulled["DATABASE_URL"], "SELECT 1") == 1


@pytest.mark.skipif(shutil.which("psql") is None, reason="psql is not installed")
def test_psql(neon: Neon, project: Project) -> None:
    id_ = ("--project-id", project.id)
    assert "forty-two" in neon.alone("psql", *id_, "--", "-c", "SELECT 'forty-two'")


def test_neonup_reads_what_neon_link_writes(
    neon: Neon, project: Project, neon_server_here: NeonServer, tmp_path: Path
) -> None:
    org, env = neon_server_here.org_id, "--no-env-pull"
    of_main = NeonLink(tmp_path / ".neon", project.id, org, "main")
    neon("link", "--project-id", project.id, "--org-id", org, env)
    assert linked.find(tmp_path) == of_main
    neon("checkout", "dev", "--create", env)
    (tmp_path / "below").mkdir()
    assert linked.find(tmp_path / "below") == replace(of_main, branch="dev")
    (branch,) = [
        branch["id"] for branch in neon.json("branches", "list") if branch["name"] == "dev"
    ]
    neon("set-context", "--project-id", project.id, "--org-id", org, "--branch-id", branch)
    assert linked.find(tmp_path) == replace(of_main, branch=branch)
    neon("link", "--clear")
    assert linked.find(tmp_path) == NeonLink(tmp_path / ".neon")
