"""The official ``neon-new`` command (npm) against the local neon.new, and its files and ours."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from dotenv import dotenv_values

from tests import asking
from tests.neon_new_server import NeonNewServer
from tests.project import Project, clean_environ
from tests.waiting import wait_until

CLIENTS = Path(__file__).parent.parent / "clients"
CLI = CLIENTS / "node_modules" / "neon-new" / "dist" / "cli.js"
NODE = shutil.which("node")

pytestmark = [
    pytest.mark.skipif(NODE is None, reason="node is not installed: the official command needs it"),
    pytest.mark.skipif(
        not CLI.exists(), reason="the official command is not installed: npm ci in tests/clients"
    ),
]


@dataclass
class Official:
    """The official command in a project's folder, its requests sent to the local neon.new."""

    project: Project
    server: NeonNewServer
    shims: Path

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        assert NODE
        return self.project.command(
            [NODE, "--import", (CLIENTS / "fetch-redirecting.mjs").as_uri(), str(CLI), *arguments],
            NEON_NEW_ORIGIN=self.server.url,
            FETCHED=str(self.shims / "fetched"),
            BROWSER=str(self.shims / "browser"),
        )

    @property
    def fetched(self) -> list[str]:
        path = self.shims / "fetched"
        return path.read_text().splitlines() if path.exists() else []

    def opened(self) -> list[str]:
        """What a browser was asked to show; it is started in the background."""
        path = self.shims / "opened"
        wait_until(lambda: path.exists() and path.read_text().endswith("\n"), "a page is shown")
        return path.read_text().splitlines()


@pytest.fixture
def project(tmp_path: Path, neonup_home: Path, neon_new_server: NeonNewServer) -> Project:
    folder = tmp_path / "shop"
    folder.mkdir()
    return Project(folder, clean_environ(neonup_home, **neon_new_server.environment))


@pytest.fixture
def official(tmp_path: Path, project: Project, neon_new_server: NeonNewServer) -> Official:
    shims = tmp_path / "bin"
    shims.mkdir()
    shim = shims / "browser"
    shim.write_text(f'#!/bin/sh\necho "$1" >> "{shims}/opened"\n')
    shim.chmod(0o755)
    return Official(project, neon_new_server, shims)


def neonup(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    return project.command([sys.executable, "-m", "neonup", *arguments])


def test_it_makes_a_database_and_writes_env(official: Official, project: Project) -> None:
    done = official("--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    found = project.variables
    assert set(found) == {"DATABASE_URL", "DATABASE_URL_DIRECT", "PUBLIC_POSTGRES_CLAIM_URL"}
    (name,) = official.server.ids
    made = asking.get(f"{official.server.api}/database/{name}").json()
    assert found["DATABASE_URL"] == found["DATABASE_URL_DIRECT"] == made["connection_string"]
    assert found["PUBLIC_POSTGRES_CLAIM_URL"] == f"https://neon.new/database/{name}"
    with psycopg.connect(project.url) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("neondb_owner",)


def test_its_flags_are_understood(official: Official, project: Project) -> None:
    done = official("--yes", "-e", "my.env", "-k", "PG_URL", "-p", "VITE_", "-L", "-r", "shop")
    assert done.returncode == 0, done.stdout + done.stderr
    found = dotenv_values(project.folder / "my.env")
    assert set(found) == {"PG_URL", "PG_URL_DIRECT", "VITE_POSTGRES_CLAIM_URL"}
    assert found["PG_URL"]
    with psycopg.connect(found["PG_URL"]) as connection:
        assert connection.execute("SHOW wal_level").fetchone() == ("logical",)
    assert official.fetched[0].endswith("?referrer=npm%3Aneon-new%7Cshop")


def test_a_second_run_leaves_everything(official: Official, project: Project) -> None:
    official("--yes")
    before = project.env_file.read_bytes()
    again = official("--yes")
    assert again.returncode == 0
    assert "already exists" in again.stdout
    assert project.env_file.read_bytes() == before
    assert len(official.server.ids) == 1


def test_its_claim_opens_a_page_that_is_here(official: Official) -> None:
    official("--yes")
    done = official("claim")
    assert done.returncode == 0, done.stdout + done.stderr
    (link,) = official.opened()
    page = asking.get(link.replace("https://neon.new", official.server.url))
    assert page.status_code == 200
    assert "Claim your database" in page.text


def test_its_seed_runs_through_sql_over_http(official: Official, project: Project) -> None:
    (project.folder / "seed.sql").write_text(
        "CREATE TABLE shop (id int PRIMARY KEY, name text);\n"
        "INSERT INTO shop VALUES (1, 'Ärmel; $$'), (2, NULL);\n"
    )
    done = official("--yes", "--seed", "seed.sql")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Schema pushed to database" in done.stdout
    rest = project.url.partition("@")[2].partition("/")[0].partition(".")[2]
    assert official.fetched[2:] == [f"POST https://api.{rest}/sql"] * 2
    with psycopg.connect(project.url) as connection:
        rows = connection.execute("SELECT * FROM shop ORDER BY id").fetchall()
    assert rows == [(1, "Ärmel; $$"), (2, None)]


def test_its_seed_says_which_error_postgres_had(official: Official, project: Project) -> None:
    (project.folder / "seed.sql").write_text("CREATE TABEL shop (id int);")
    done = official("--yes", "--seed", "seed.sql")
    assert done.returncode != 0
    assert 'syntax error at or near "TABEL"' in done.stdout + done.stderr


def test_it_says_that_the_service_failed(official: Official, project: Project) -> None:
    """A file where the data should be: nothing can be created."""
    clusters = official.server.home / "neon" / "clusters"
    clusters.rmdir()
    clusters.write_text("in the way")
    done = official("--yes")
    assert done.returncode != 0
    assert "Failed to create database" in done.stdout + done.stderr
    assert not project.env_file.exists()


def test_neonup_takes_what_it_wrote(official: Official, project: Project) -> None:
    official("--yes")
    before = project.env_file.read_bytes()
    done = neonup(project, "-y", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["url"] == project.url
    assert found["provider"] == "neon.new"
    assert project.env_file.read_bytes() == before
    assert len(official.server.ids) == 1


def test_neonup_knows_how_its_database_is(official: Official, project: Project) -> None:
    official("--yes")
    (name,) = official.server.ids
    status = json.loads(neonup(project, "status", "--json").stdout)
    assert (status["provider"], status["id"], status["state"]) == ("neon.new", name, "ready")
    official.server.claim(name)
    status = json.loads(neonup(project, "status", "--json").stdout)
    assert status["state"] == "claimed"


def test_it_takes_what_neonup_wrote(official: Official, project: Project) -> None:
    done = neonup(project, "-y", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    before = project.env_file.read_bytes()
    again = official("--yes")
    assert again.returncode == 0
    assert "already exists" in again.stdout
    assert project.env_file.read_bytes() == before
    assert official.fetched == []


def test_its_claim_finds_the_link_that_neonup_wrote(official: Official, project: Project) -> None:
    made = json.loads(project.command([sys.executable, "-m", "neonup", "-y", "--json"],
                                      NEONUP_ENV_KEYS="all").stdout)  # fmt: skip
    done = official("claim")
    assert done.returncode == 0, done.stdout + done.stderr
    assert official.opened() == [made["claim_url"]]
    assert asking.get(made["claim_url"]).status_code == 200
