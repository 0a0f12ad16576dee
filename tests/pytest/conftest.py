"""Child projects, whose servers are gone after the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from neonup_local.test_server import runs
from tests import postgres
from tests.project import clean_environ
from tests.pytest.child import Child


@pytest.fixture
def child(tmp_path: Path, neonup_home: Path) -> Iterator[Child]:
    """An empty project with an ini file and a home of its own."""
    folder = tmp_path / "project"
    folder.mkdir()
    project = Child(folder, clean_environ(neonup_home))
    project.ini()
    yield project
    for control in runs.folders(neonup_home):
        runs.remove(control)
    assert project.data == []


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Server]:
    with postgres.running(tls=False) as running:
        yield running


@pytest.fixture
def given(server: postgres.Server, child: Child) -> Iterator[Child]:
    """A project whose tests run there, by a role that may create databases and nothing more."""
    url = server.create("ci", "of the ci", "ci")
    with server.admin() as connection:
        connection.execute("ALTER ROLE ci CREATEDB")
    child.environ["NEONUP_TEST_SERVER"] = url
    child.ini("neon_env = DATABASE_URL\nneon_schema = schema.sql")
    child.file("schema.sql", "CREATE TABLE items AS SELECT 'first' AS name")
    yield child
    with server.admin() as connection:
        for name in server.names("neonup"):
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        connection.execute("DROP DATABASE ci WITH (FORCE)")
