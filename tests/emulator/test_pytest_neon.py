"""pytest-neon 3.0.1, another's pytest plugin, makes its branches in a local Neon.

It has an environment of its own, since its plugin and neonup's take the same names.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.emulator.api import Project, ask
from tests.emulator.serving import NeonServer
from tests.environments import asks_an_index, empty_folder, install

pytestmark = [pytest.mark.thorough, asks_an_index]

_PACKAGES = ["pytest-neon==3.0.1", "neon-api==0.3.0", "psycopg[binary]", "pytest-xdist"]
_LED_HERE = """
import os
import neon_api.client
import requests

_here = os.environ["NEON_API_HOST"] + "/"
_there = neon_api.client.NEON_API_BASE_URL
neon_api.client.NEON_API_BASE_URL = _here
_request = requests.Session.request

def request(self, method, url, *args, **kwargs):
    return _request(self, method, url.replace(_there, _here), *args, **kwargs)

requests.Session.request = request
"""
"""The plugin has no option for the API's address, and writes it into some of its requests."""
_CONFTEST = """
import psycopg
import pytest

@pytest.fixture(scope="session")
def neon_apply_migrations(_neon_test_branch):
    branch, _ = _neon_test_branch
    with psycopg.connect(branch.connection_string) as connection:
        # Workers share the branch, and IF NOT EXISTS fails where two make a table at once.
        connection.execute("SELECT pg_advisory_xact_lock(1)")
        connection.execute("CREATE TABLE IF NOT EXISTS items (name text)")
"""
_TESTS = """
import os
import psycopg
import pytest

def test_the_branch_has_an_address(neon_branch):
    assert neon_branch.branch_id.startswith("br-")
    assert os.environ["DATABASE_URL"] == neon_branch.connection_string
    assert "sslmode=require" in neon_branch.connection_string

@pytest.mark.parametrize("name", ["a", "b", "c"])
def test_all_of_a_worker_share_it(neon_branch, name):
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        connection.execute("INSERT INTO items VALUES (%s)", [name])
        rows = connection.execute("SELECT name FROM items").fetchall()
    assert (name,) in rows

def test_the_project_s_own_data_is_there(neon_branch):
    with psycopg.connect(neon_branch.connection_string) as connection:
        assert connection.execute("SELECT n FROM own").fetchall() == [(7,)]
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has pytest-neon, and nothing of neonup."""
    folder = tmp_path_factory.mktemp("environment")
    empty_folder(folder)
    found = folder / "bin" / "python"
    install(found, *_PACKAGES)
    return found


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["one process", "two workers"])
def test_its_branches_are_made_used_and_deleted(
    workers: tuple[str, ...],
    python: Path,
    project: Project,
    neon_server_here: NeonServer,
    tmp_path: Path,
) -> None:
    ask(project.url, "CREATE TABLE own AS SELECT 7 AS n")
    (tmp_path / "led_here.py").write_text(_LED_HERE)
    (tmp_path / "conftest.py").write_text(_CONFTEST)
    (tmp_path / "test_it.py").write_text(_TESTS)
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path)}
    environ |= {**neon_server_here.environment, "NEON_PROJECT_ID": project.id}
    done = subprocess.run(
        [python, "-m", "pytest", "-q", "-p", "led_here", "-p", "no:cacheprovider", *workers],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "5 passed" in done.stdout and done.returncode == 0, done.stdout + done.stderr
    left = project.api.ok("GET", f"{project.path}/branches")["branches"]
    assert [branch["id"] for branch in left] == [project.branch]
