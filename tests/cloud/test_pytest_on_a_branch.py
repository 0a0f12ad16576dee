"""The same tests on a Neon branch: made for the run, and gone after it, however it ends."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from neonup_cloud import NeonClient
from neonup_cloud.api.answers import CreatedProject
from neonup_emulator.neon.model import Branch
from tests.cloud.neon import branches
from tests.emulator.serving import NeonServer
from tests.project import clean_environ
from tests.pytest.child import Child
from tests.waiting import wait_until

SUITE = """
    import pytest

    @pytest.mark.parametrize("n", range(4))
    def test_it(neon_connection, n):
        assert neon_connection.execute("SELECT * FROM items").fetchall() == [("first",)]
        neon_connection.execute("DELETE FROM items")
        neon_connection.commit()
"""
SLEEPER = """
    import pathlib, time

    def test_it(neon_connection):
        pathlib.Path("begun").touch()
        time.sleep(100)
"""


@pytest.fixture
def project(neon_server_here: NeonServer) -> CreatedProject:
    with NeonClient(neon_server_here.key, base_url=neon_server_here.base) as neon:
        made = neon.projects.create(name="tested")
    with psycopg.connect(made.connection_uris[0].connection_uri) as connection:
        connection.execute("CREATE TABLE own AS SELECT 1 AS i")
    return made


@pytest.fixture
def child(
    tmp_path: Path, neonup_home: Path, neon_server_here: NeonServer, project: CreatedProject
) -> Iterator[Child]:
    """A project whose `.env` leads to a Neon project."""
    folder = tmp_path / "project"
    folder.mkdir()
    found = Child(folder, clean_environ(neonup_home, **neon_server_here.environment))
    found.ini("neon_env = DATABASE_URL\nneon_schema = schema.sql\nneon_provider = account")
    found.file("schema.sql", "CREATE TABLE items AS SELECT 'first' AS name")
    found.env_file.write_text(f"DATABASE_URL={project.connection_uris[0].connection_uri}\n")
    yield found
    assert [*(neonup_home / "test-branches").glob("*.json")] == []


def assert_untouched(project: CreatedProject, server: NeonServer) -> None:
    """The development database and its project are as they were."""
    assert branches(server, project.project.id) == ["main"]
    with psycopg.connect(project.connection_uris[0].connection_uri) as connection:
        assert connection.execute("SELECT count(*) FROM own").fetchone() == (1,)
        rows = connection.execute("SELECT datname FROM pg_database WHERE datname ~ '^neonup'")
        assert rows.fetchall() == []


@pytest.mark.parametrize("args", [(), ("-n2",)])
def test_a_run_has_a_branch(
    child: Child, project: CreatedProject, neon_server_here: NeonServer, args: tuple[str, ...]
) -> None:
    child.write(test_it=SUITE)
    child.pytest(*args).expect(passed=4)
    assert_untouched(project, neon_server_here)
    assert child.servers == []


def test_the_branch_itself_has_its_parents_data(
    child: Child, project: CreatedProject, neon_server_here: NeonServer
) -> None:
    child.write(
        test_it="""
        import psycopg

        def test_it(neon_branch, neon_db):
            assert neon_branch.name.startswith("neonup-test-")
            assert "@" not in repr(neon_branch)
            with psycopg.connect(neon_branch.url) as connection:
                connection.execute("DELETE FROM own")
        """
    )
    child.pytest().expect(passed=1)
    assert_untouched(project, neon_server_here)


def test_stopping_at_the_first_failure_deletes_it(
    child: Child, project: CreatedProject, neon_server_here: NeonServer
) -> None:
    child.write(test_it="def test_it(neon_db):\n    assert False\n")
    run = child.pytest("-x").expect(1, failed=1)
    assert "has been kept" not in run.output  # it goes with the branch
    assert_untouched(project, neon_server_here)


def test_ctrl_c_deletes_it(
    child: Child, project: CreatedProject, neon_server_here: NeonServer
) -> None:
    child.write(test_it=SLEEPER)
    with child.started() as process:
        wait_until((child.folder / "begun").exists, "the test")
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
    assert process.returncode == pytest.ExitCode.INTERRUPTED, output
    assert_untouched(project, neon_server_here)


def test_what_a_killed_run_left_expires_and_the_next_run_deletes_it(
    child: Child, project: CreatedProject, neon_server_here: NeonServer
) -> None:
    child.write(test_it=SLEEPER, test_quick=SUITE)
    with child.started("test_it.py") as process:
        wait_until((child.folder / "begun").exists, "the test")
        process.kill()
    left = [
        one
        for one in neon_server_here.neon.store.all(Branch, project_id=project.project.id)
        if one.name.startswith("neonup-test-")
    ]
    assert len(left) == 1
    assert left[0].expires_at is not None
    assert left[0].expires_at > datetime.now(UTC)
    child.pytest("test_quick.py").expect(passed=4)
    assert_untouched(project, neon_server_here)


def test_a_killed_run_with_workers(
    child: Child, project: CreatedProject, neon_server_here: NeonServer
) -> None:
    child.write(test_it=SLEEPER.replace("sleep(100)", "sleep(3)"), test_quick=SUITE)
    with child.started("test_it.py", "-n1") as process:
        wait_until((child.folder / "begun").exists, "the test")
        process.kill()
    child.pytest("test_quick.py", "-n1").expect(passed=4)
    assert_untouched(project, neon_server_here)


def test_a_run_leaves_a_living_one_s_branch(
    child: Child, project: CreatedProject, neon_server_here: NeonServer
) -> None:
    child.write(test_it=SLEEPER, test_quick=SUITE)
    with child.started("test_it.py") as process:
        wait_until((child.folder / "begun").exists, "the test")
        child.pytest("test_quick.py").expect(passed=4)
        assert len(branches(neon_server_here, project.project.id)) == 2
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert_untouched(project, neon_server_here)


def test_a_server_and_a_branch_cannot_both_be_meant(child: Child) -> None:
    child.write(test_it=SUITE)
    run = child.pytest(NEONUP_TEST_SERVER="postgresql://me@localhost/postgres")
    run.refused("NEONUP_TEST_SERVER names a server")


def test_an_unknown_project_is_said(child: Child) -> None:
    child.write(test_it=SUITE)
    child.env_file.unlink()
    child.pytest().refused("NEON_PROJECT_ID.")


def test_a_run_that_cannot_begin_leaves_no_branch(
    child: Child, project: CreatedProject, neon_server_here: NeonServer
) -> None:
    child.write(conftest="raise RuntimeError('broken')\n", test_it=SUITE)
    run = child.pytest()
    assert run.code == pytest.ExitCode.USAGE_ERROR, run.output
    assert_untouched(project, neon_server_here)


def test_the_branch_is_of_the_parent_that_is_named(
    child: Child, project: CreatedProject, neon_server_here: NeonServer
) -> None:
    child.ini("neon_env = DATABASE_URL\nneon_provider = account\nneon_parent = nothing")
    child.write(test_it=SUITE)
    child.pytest().refused("has no branch 'nothing'")
    child.ini("neon_env = DATABASE_URL\nneon_provider = account")
    link = {"projectId": project.project.id, "branch": "gone"}  # as `neon checkout` writes it
    child.file(".neon", json.dumps(link))
    child.pytest().refused("names the branch 'gone'")
    child.env_file.unlink()  # then the file says which project as well
    child.file(".neon", json.dumps(link | {"branch": "main"}))
    child.write(test_it="def test_it(neon_branch):\n    assert neon_branch.url\n")
    child.pytest().expect(passed=1)
    assert_untouched(project, neon_server_here)
