"""The official command's `neon claim` (npm), and its ordinary commands without an account."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from neonup_emulator.neon.model import Project
from tests.emulator.agent import Person
from tests.emulator.api import ask
from tests.emulator.official_commands import CLI, NODE
from tests.emulator.serving import NeonServer
from tests.project import clean_environ

pytestmark = [
    pytest.mark.skipif(NODE is None, reason="node is not installed: the official command needs it"),
    pytest.mark.skipif(
        not CLI.exists(), reason="the official command is not installed: npm ci in tests/clients"
    ),
]


OWNER = ("--role-name", "neondb_owner", "--database-name", "neondb")


class Neon:
    """The command, as an agent without an account types it in a folder of its own."""

    def __init__(self, server: NeonServer, folder: Path):
        self.folder = folder / "work"
        self.folder.mkdir()
        self._config = folder / "config"
        self._environ = clean_environ(folder)
        self._environ["CLAIMABLE_NEON_HOST"] = server.base.removesuffix("/api/v2")
        self._environ["NODE_EXTRA_CA_CERTS"] = str(server.neon.authority.path)

    def __call__(self, *arguments: str, fails: bool = False) -> str:
        assert NODE
        done = subprocess.run(
            [NODE, str(CLI), "--no-analytics", "--config-dir", str(self._config), *arguments],
            cwd=self.folder,
            env=self._environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stderr if fails else done.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments, "-o", "json"))

    def variables(self) -> dict[str, str]:
        """What it wrote for the program."""
        lines = (self.folder / ".env.local").read_text().splitlines()
        found = dict(line.split("=", 1) for line in lines if "=" in line and line[0] != "#")
        return {name: value.strip("\"'") for name, value in found.items()}


@pytest.fixture
def neon(neon_server_here: NeonServer, tmp_path: Path) -> Neon:
    return Neon(neon_server_here, tmp_path)


def test_create_use_claim(
    neon: Neon,
    new_person: Callable[[], Person],
    neon_server_here: NeonServer,
    later: Callable[..., None],
) -> None:
    created = neon.json("claim", "create", "--service", "auth", "--service", "functions")
    id = created["project_id"]  # noqa: A001
    assert created["granted_capabilities"] == ["postgres"]
    denied = {one["capability"]: one["reason"] for one in created["denied_capabilities"]}
    assert denied == {"auth": "not_available", "functions": "requires_claim"}
    variables = neon.variables()
    assert variables["NEON_BRANCH"]
    for name in ("DATABASE_URL", "DATABASE_URL_UNPOOLED"):
        assert ask(variables[name], "SELECT 1") == 1
    ask(variables["DATABASE_URL"], "CREATE TABLE things AS SELECT 7 AS n")
    check_ordinary_commands(neon, created)

    assert neon.json("claim", "status")["state"] == "unclaimed"
    accepted = neon.json("claim", "accept", "--no-open")
    assert neon.json("claim", "status")["state"] == "pending"
    person = new_person()
    page = person.pages.get(accepted["verification_url"])
    assert accepted["user_code"] in page.text
    console = person.proceed(page)
    assert neon.json("claim", "status")["state"] == "accepted"
    assert "being claimed" in neon("branches", "list", fails=True)
    assert "being claimed" in neon("claim", "accept", "--no-open", fails=True)
    later(minutes=16)  # the window lapses
    assert neon.json("claim", "status")["state"] == "expired"
    assert "the scope postgres.read" in neon("branches", "list", fails=True)
    assert person.take(console).status_code == 410
    accepted = neon.json("claim", "accept", "--no-open")
    assert neon.json("claim", "status")["state"] == "pending"
    person.claim(accepted["user_code"])
    assert "was claimed" in neon("branches", "list", fails=True)
    assert neon.json("claim", "status")["reconciled"] is True
    assert neon.json("claim", "list") == []  # it has thrown its secret away
    for name in ("DATABASE_URL", "DATABASE_URL_UNPOOLED"):
        with pytest.raises(psycopg.OperationalError):
            ask(variables[name], "SELECT 1")
    key, host = person.account["api_key"], neon_server_here.base
    own = ("--api-key", key, "--api-host", host)
    url = neon("connection-string", "--project-id", id, *OWNER, *own).strip()
    assert ask(url, "SELECT n FROM things") == 7
    neon("link", "--project-id", id, *own)  # as the page says
    neon("env", "pull", "--service", "postgres", *own)
    assert ask(neon.variables()["DATABASE_URL"], "SELECT n FROM things") == 7


def check_ordinary_commands(neon: Neon, created: dict[str, Any]) -> None:
    id, branch = created["project_id"], created["branch_id"]  # noqa: A001
    assert neon.json("projects", "get", id)["id"] == id
    assert [one["id"] for one in neon.json("branches", "list")] == [branch]
    assert neon.json("branches", "get", branch)["id"] == branch
    neon("branches", "rename", branch, "trunk")
    neon("roles", "create", "--name", "reader")
    assert {one["name"] for one in neon.json("roles", "list")} == {"neondb_owner", "reader"}
    neon("databases", "create", "--name", "extra", "--owner-name", "reader")
    assert {one["name"] for one in neon.json("databases", "list")} == {"neondb", "extra"}
    assert ask(neon("connection-string", *OWNER).strip(), "SELECT n FROM things") == 7
    assert neon.json("operations", "list")
    neon("env", "pull")
    if shutil.which("psql"):
        assert "forty-two" in neon("psql", *OWNER, "--", "-c", "SELECT 'forty-two'")
    assert "before the project is claimed" in neon("branches", "create", fails=True)


def test_list_and_delete(neon: Neon, neon_server_here: NeonServer) -> None:
    id = neon.json("claim", "create", "--no-env-pull")["project_id"]  # noqa: A001
    (listed,) = neon.json("claim", "list")
    assert (listed["project_id"], listed["state"]) == (id, "unclaimed")
    assert neon.json("claim", "delete", "--yes")["state"] == "deleted"
    assert neon.json("claim", "list") == []
    assert neon_server_here.neon.store.get(Project, id) is None


def test_a_project_that_expired(
    neon: Neon, neon_server_here: NeonServer, later: Callable[..., None]
) -> None:
    id = neon.json("claim", "create", "--no-env-pull")["project_id"]  # noqa: A001
    later(hours=73, tidy=True)
    assert neon.json("claim", "status")["state"] == "expired"
    assert neon.json("claim", "delete", id, "--yes")["state"] == "cleared"
