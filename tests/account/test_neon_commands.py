"""``neonup projects``, ``branches``, ``snapshots`` and ``usage`` as processes, on a local Neon."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from neonup.cli.neon import reach
from neonup.errors import SettingsError
from tests.neon.serving import NeonServer
from tests.project import Project, clean_environ


@pytest.fixture
def shell(tmp_path: Path, neonup_home: Path, neon_server_here: NeonServer) -> Project:
    """A folder whose shell reaches the account."""
    return Project(tmp_path, clean_environ(neonup_home, **neon_server_here.environment))


@pytest.fixture
def shop(shell: Project) -> Iterator[str]:
    """A project of the account, which the shell names."""
    made = shell.json("projects", "create", "shop")
    id_ = str(made["project"]["id"])
    shell.environ["NEON_PROJECT_ID"] = id_
    yield id_
    shell.ok("projects", "delete", id_, "--yes")


def ask(url: str, statement: bytes) -> object:
    """The first value of a statement's answer."""
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement)
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def test_projects_are_created_listed_deleted_and_recovered(shell: Project) -> None:
    printed = shell.ok("projects", "create", "store")
    id_ = next(line.split()[1] for line in printed.splitlines() if line.startswith("project"))
    assert "postgresql://neondb_owner:" in printed
    headings, *lines = shell.ok("projects", "list", "--search", "store").splitlines()
    assert headings.split() == ["id", "name", "region", "postgres", "created"]
    assert [line.split()[:2] for line in lines] == [[id_, "store"]]
    assert "Pass --yes" in shell.fails("projects", "delete", id_)
    shell.ok("projects", "delete", id_, "--yes")
    assert "not found" in shell.fails("projects", "delete", id_, "--yes")
    assert id_ in [one["id"] for one in shell.json("projects", "list", "--deleted")]
    assert shell.json("projects", "recover", id_)["id"] == id_
    shell.ok("projects", "delete", id_, "--yes")


def test_a_branch_is_created_goes_back_is_reset_and_deleted(shell: Project, shop: str) -> None:
    made = shell.json("branches", "create", "dev", "--expires-in", "2h")
    expires = datetime.fromisoformat(made["branch"]["expires_at"])
    assert timedelta(hours=1.9) < expires - datetime.now(UTC) < timedelta(hours=2.1)
    ask(made["url"], b"CREATE TABLE t (n int)")
    ask(made["url"], b"INSERT INTO t VALUES (1)")
    lsn = ask(made["url"], b"SELECT pg_current_wal_insert_lsn()")
    ask(made["url"], b"INSERT INTO t VALUES (2)")
    shell.ok("branches", "restore", "dev", "--at", str(lsn), "--keep-as", "dev-before")
    assert ask(made["url"], b"SELECT count(*) FROM t") == 1
    names = {line.split()[1] for line in shell.ok("branches", "list").splitlines()[1:]}
    assert names == {"main", "dev", "dev-before"}
    shell.ok("branches", "reset", "dev", "--yes")
    with pytest.raises(psycopg.errors.UndefinedTable):
        ask(made["url"], b"SELECT count(*) FROM t")
    assert "no parent" in shell.fails("branches", "reset", "main", "--yes")
    shell.ok("branches", "delete", "dev", "--yes")


def test_a_snapshot_is_kept_previewed_and_put_back(shell: Project, shop: str) -> None:
    url = str(shell.json("branches", "create", "other")["url"])
    assert ask(url, b"SELECT 1") == 1
    kept = shell.json("snapshots", "create", "v1")
    assert "v1" in shell.ok("snapshots", "list")
    shell.ok("snapshots", "restore", "v1", "--preview", "look")
    assert "look" in shell.ok("branches", "list")
    assert "Pass --yes" in shell.fails("snapshots", "restore", "v1")
    shell.ok("snapshots", "restore", kept["id"], "--yes")
    assert "main (old)" in shell.ok("branches", "list")
    shell.ok("snapshots", "delete", "v1", "--yes")
    assert "There is no snapshot 'v1'" in shell.fails("snapshots", "delete", "v1", "--yes")


def test_usage_is_shown(shell: Project, shop: str) -> None:
    told = shell.json("usage", "--granularity", "hourly")
    assert [one["project_id"] for one in told] == [shop]
    assert shell.ok("usage").startswith("from")


def test_which_project_is_meant_must_be_clear(shell: Project) -> None:
    said = shell.fails("branches", "list")
    assert "Which Neon project is meant?" in said
    assert "it has no database" in said
    assert "not found" in shell.fails("branches", "list", "--project", "no-such-project")


def test_two_of_one_name_are_told_apart_by_their_ids(shell: Project, shop: str) -> None:
    first, second = (shell.json("snapshots", "create", "twin")["id"] for _ in range(2))
    said = shell.fails("snapshots", "delete", "twin", "--yes")
    assert first in said and second in said
    for id_ in (first, second):
        shell.ok("snapshots", "delete", id_, "--yes")


def test_without_a_key_the_way_to_one_is_named(shell: Project) -> None:
    said = shell.fails("projects", "list", NEON_API_KEY="")
    assert "neonup auth login" in said


def test_moments_as_people_write_them() -> None:
    assert reach.moment(None) == {}
    assert reach.moment("0/1A2B3C4") == {"lsn": "0/1A2B3C4"}
    then = reach.moment("2026-11-25T12:00:00Z")["timestamp"]
    assert then == datetime(2026, 11, 25, 12, tzinfo=UTC)
    assert reach.moment("2026-11-25 12:00")["timestamp"].tzinfo is not None
    ago = datetime.now(UTC) - reach.moment("5m ago")["timestamp"]
    assert timedelta(minutes=4, seconds=59) < ago < timedelta(minutes=6)
    with pytest.raises(SettingsError, match="no moment"):
        reach.moment("yesterday")
    with pytest.raises(SettingsError, match="no length"):
        reach.length("long")
