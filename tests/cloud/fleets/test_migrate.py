"""Migrations over all projects: some at once, resumed, and reported."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from pathlib import Path
from typing import Any

import psycopg
import pytest

from neonup.errors import SettingsError
from neonup.plugin.http import Sender
from neonup_cloud.fleets import Fleet, MigrationTarget, command
from tests.cloud.both import Both
from tests.cloud.fleets import children
from tests.cloud.fleets.fleets import Asked
from tests.emulator.serving import NeonServer

USERS = ("anna", "ben", "cleo")
TABLE = "CREATE TABLE migrated (n int)"


def users(found: Any) -> list[str]:
    return sorted(one.user for one in found)


@pytest.fixture
def peopled(fleet: Asked, blocking: Fleet[Sender]) -> Asked:
    """With a project for each user."""
    for user in USERS:
        blocking.provision(user, "free")
    return fleet


def work(neon: Both, done: list[str], failing: tuple[str, ...] = ()) -> Any:
    """Notes whose database it migrates; of some it fails. For either driver."""

    def migrate(target: MigrationTarget) -> None:
        if target.project.user in failing:
            raise ValueError(f"cannot migrate {target.url}")
        with psycopg.connect(target.url) as connection:
            connection.execute(TABLE)
        done.append(str(target.project.user))

    async def amigrate(target: MigrationTarget) -> None:
        await asyncio.to_thread(migrate, target)

    return migrate if neon.driver == "blocking" else amigrate


def test_each_user_is_migrated_once_and_failures_are_reported(
    peopled: Asked, neon: Both, tmp_path: Path
) -> None:
    journal, done = tmp_path / "0001.jsonl", list[str]()
    peopled(lambda fleet: fleet.suspend("cleo"))
    failing = work(neon, done, failing=("ben",))
    report = peopled(lambda fleet: fleet.migrate(failing, journal=journal, name="0001"))
    assert (users(report.done), users(report.skipped), report.earlier) == (["anna"], ["cleo"], ())
    [failed] = report.failed
    assert failed.project.user == "ben"
    assert "ValueError: cannot migrate postgresql://neondb_owner:***@" in failed.error
    peopled(lambda fleet: fleet.resume("cleo"))
    report = peopled(lambda fleet: fleet.migrate(work(neon, done), journal=journal, name="0001"))
    assert (users(report.done), users(report.earlier)) == (["ben", "cleo"], ["anna"])
    assert sorted(done) == list(USERS)
    assert "npg_" not in journal.read_text()
    with pytest.raises(SettingsError, match="another run: '0001'"):
        peopled(lambda fleet: fleet.migrate(work(neon, done), journal=journal, name="0002"))


def test_a_torn_last_line_counts_for_nothing(peopled: Asked, neon: Both, tmp_path: Path) -> None:
    journal, done = tmp_path / "journal", list[str]()
    peopled(lambda fleet: fleet.migrate(work(neon, done), journal=journal))
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:-1]) + lines[-1][:20])
    torn = json.loads(lines[-1])["project"]
    url = peopled(lambda fleet: fleet.connection("x", pooled=False, project_id=torn))
    with psycopg.connect(url) as connection:
        connection.execute("DROP TABLE migrated")
    again = peopled(lambda fleet: fleet.migrate(work(neon, done), journal=journal))
    assert [one.project_id for one in again.done] == [torn]
    assert len(again.earlier) == 2


@pytest.mark.parametrize("content", [b"hello\n", b'{"project": "p"}\n', b"[]\n", b"\xff\n"])
def test_what_is_no_journal(peopled: Asked, neon: Both, tmp_path: Path, content: bytes) -> None:
    journal = tmp_path / "journal"
    journal.write_bytes(content)
    with pytest.raises(SettingsError, match="not a journal"):
        peopled(lambda fleet: fleet.migrate(work(neon, []), journal=journal))
    assert journal.read_bytes() == content


def test_a_journal_that_cannot_be_written(fleet: Asked, neon: Both, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be used"):
        fleet(lambda fleet: fleet.migrate(work(neon, []), journal=tmp_path))


def test_a_command(blocking: Fleet[Sender], tmp_path: Path) -> None:
    for user in USERS:
        blocking.provision(user, "free")
    script = tmp_path / "migrate.py"
    script.write_text(
        "import os, psycopg\n"
        "with psycopg.connect(os.environ['DATABASE_URL']) as connection:\n"
        f"    connection.execute({TABLE!r})\n"
    )
    report = blocking.migrate(command([sys.executable, str(script)]))
    assert users(report.done) == list(USERS)
    report = blocking.migrate(command([sys.executable, str(script)]))
    assert len(report.failed) == 3
    assert "DuplicateTable" in report.failed[0].error
    report = blocking.migrate(command(["/no/such/program"]))
    assert "cannot be run" in report.failed[0].error


def test_a_command_finds_the_variables_of_its_project(
    blocking: Fleet[Sender], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocking.provision("anna", "free")
    table = '[tool.neonup]\nkey = "SHOP_URL"\n[tool.neonup.variables]\nDB_HOST = "{host}"\n'
    (tmp_path / "pyproject.toml").write_text(table)
    (tmp_path / "migrate.py").write_text(
        "import os, psycopg\n"
        "with psycopg.connect('') as connection:\n"
        f"    connection.execute({TABLE!r})\n"
        "    assert connection.info.host == os.environ['DB_HOST']\n"
        "    assert os.environ['SHOP_URL'] == os.environ['DATABASE_URL']\n"
    )
    monkeypatch.setenv("DB_HOST", "db.example")
    monkeypatch.setenv("PGDATABASE", "elsewhere")
    report = blocking.migrate(command([sys.executable, "migrate.py"], cwd=tmp_path))
    assert users(report.done) == ["anna"], report.failed


def test_as_many_at_once_as_asked_for(peopled: Asked, neon: Both) -> None:
    """Each waits until the others are there: with fewer at once none would be done."""
    barrier, abarrier = threading.Barrier(3, timeout=120), asyncio.Barrier(3)

    async def wait(_: MigrationTarget) -> None:
        await asyncio.wait_for(abarrier.wait(), 120)

    task: Any = (lambda _: barrier.wait()) if neon.driver == "blocking" else wait
    report = peopled(lambda fleet: fleet.migrate(task, concurrency=3))
    assert users(report.done) == list(USERS)


def test_no_more_at_once_than_asked_for(peopled: Asked, neon: Both) -> None:
    now, most, lock = 0, 0, threading.Lock()

    def enter(by: int) -> None:
        nonlocal now, most
        with lock:
            now += by
            most = max(most, now)

    def migrate(target: MigrationTarget) -> None:
        enter(1)
        psycopg.connect(target.url).close()
        enter(-1)

    async def amigrate(target: MigrationTarget) -> None:
        enter(1)
        await asyncio.to_thread(lambda: psycopg.connect(target.url).close())
        enter(-1)

    task: Any = migrate if neon.driver == "blocking" else amigrate
    peopled(lambda fleet: fleet.migrate(task, concurrency=1))
    assert most == 1
    with pytest.raises(SettingsError, match="concurrency"):
        peopled(lambda fleet: fleet.migrate(task, concurrency=0))


def test_killed_in_the_middle_it_goes_on(
    blocking: Fleet[Sender], neon_server_here: NeonServer, prefix: str, tmp_path: Path
) -> None:
    server, journal = neon_server_here, tmp_path / "journal"
    for user in USERS:
        blocking.provision(user, "free")
    child = children.start(server, server.base, prefix, f"migrate:{journal}")
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "second\n"  # the first is done
        with pytest.raises(SettingsError, match="Another process"):
            blocking.migrate(lambda _: None, journal=journal)
    finally:
        child.kill()
        child.communicate()
    seen: list[str | None] = []
    report = blocking.migrate(lambda target: seen.append(target.project.user), journal=journal)
    assert users(report.earlier) == ["anna"]
    assert sorted(map(str, seen)) == ["ben", "cleo"]


def test_all_usages_at_once(peopled: Asked) -> None:
    found = peopled(lambda fleet: fleet.usages(concurrency=2))
    assert [one.project.user for one in found] == list(USERS)
    assert all(one.figures["active_time_seconds"].limit == 36_000 for one in found)
