"""SIGKILL of the server at any moment of any change."""

from __future__ import annotations

import json
import random
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg
import pytest
from psycopg import conninfo

from tests.emulator.api import Api, Project, ask
from tests.programs import Program
from tests.project import clean_environ
from tests.waiting import wait_until


class Server:
    """`neonup serve` as a process."""

    def __init__(self, home: Path, *options: str):
        self.process = Program(
            [sys.executable, "-m", "neonup", "serve", "--json", "--port", "0", *options],
            env=clean_environ(home),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        said: dict[str, Any] = json.loads(self.process.stdout.readline())
        self.api = Api(said["env"]["NEON_API_HOST"], said["env"]["NEON_API_KEY"])
        self.console = str(said["env"]["NEONUP_CONSOLE_URL"])

    def kill(self) -> None:
        self.process.kill()
        self.end()

    def stop(self) -> None:
        self.process.terminate()
        self.end()

    def end(self) -> None:
        self.process.wait(60)
        assert self.process.stdout
        self.process.stdout.close()


def postgres_of(home: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter(["name", "cmdline"]):
        words = process.info["cmdline"] or []
        if "-D" in words and words[words.index("-D") + 1].startswith(f"{home}/neon/"):
            found.append(process)
    return found


def change_at_random(project: Project, chance: random.Random, stop: threading.Event) -> None:
    """One change after the other, until the server is gone."""
    api, made = project.api, 0
    try:
        while not stop.is_set():
            listed = api.ok("GET", f"{project.path}/branches")["branches"]
            others = [branch["id"] for branch in listed if branch["id"] != project.branch]
            choice = chance.randrange(8)
            made += 1
            name = f"b{chance.randrange(10**9)}"
            if choice < 2 or not others:
                api.ask(
                    "POST", f"{project.path}/branches",
                    {"branch": {"name": name}, "endpoints": [{"type": "read_write"}]},
                )  # fmt: skip
            elif choice == 2:
                api.ask("DELETE", f"{project.path}/branches/{chance.choice(others)}")
            elif choice == 3:
                body = {"source_branch_id": project.branch, "preserve_under_name": name}
                api.ask("POST", f"{project.path}/branches/{chance.choice(others)}/restore", body)
            elif choice == 4:
                api.ask("POST", f"{project.path}/endpoints/{project.endpoint}/suspend")
            elif choice == 5:
                api.ask("POST", f"{project.main}/snapshot", name=name)
            elif choice == 6:
                api.ask("POST", f"{project.main}/roles", {"role": {"name": name}})
            else:
                api.ask("POST", "/projects", {"project": {"name": name}})
    except (httpx.HTTPError, AssertionError):
        if not stop.is_set():
            raise


def write_rows(url: str, acknowledged: list[int], stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            with psycopg.connect(url, autocommit=True, connect_timeout=2) as connection:
                while not stop.is_set():
                    connection.execute("INSERT INTO things VALUES (%s)", [len(acknowledged)])
                    acknowledged.append(len(acknowledged))
        except psycopg.Error:
            stop.wait(0.01)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kills", [6, pytest.param(30, marks=pytest.mark.thorough)])
def test_nothing_is_lost_half_there_or_left_running(neonup_home: Path, kills: int) -> None:
    chance = random.Random(7)
    server = Server(neonup_home)
    project = server.api.create_project(name="shop")
    ask(project.url, "CREATE TABLE things (n int)")
    acknowledged: list[int] = []
    for _ in range(kills):
        project = Project(server.api, project.answer)
        stop = threading.Event()
        threads = [
            threading.Thread(target=change_at_random, args=[project, chance, stop]),
            threading.Thread(target=write_rows, args=[project.url, acknowledged, stop]),
        ]
        for thread in threads:
            thread.start()
        time.sleep(chance.uniform(0.05, 0.8))
        stop.set()
        server.kill()
        killed = datetime.now(UTC)
        for thread in threads:
            thread.join()
        server = Server(neonup_home)
        assert postgres_of(neonup_home) == []
        newest = server.api.ok("GET", "/projects", limit=5)["projects"]
        for path in {project.path, *(f"/projects/{one['id']}" for one in newest)}:
            operations = server.api.ok("GET", f"{path}/operations")["operations"]
            # The new server may already be at one of its own: it renews what history begins with.
            left = [row for row in operations if datetime.fromisoformat(row["created_at"]) < killed]
            assert {row["status"] for row in left} <= {"finished", "failed"}, left
            branches = server.api.ok("GET", f"{path}/branches")["branches"]
            assert {branch["current_state"] for branch in branches} == {"ready"}
        kept = ask(project.url, "SELECT array_agg(n) FROM things") or []
        assert set(acknowledged) <= set(kept)
    for endpoint in server.api.ok("GET", f"{project.path}/endpoints")["endpoints"]:
        branch = f"{project.path}/branches/{endpoint['branch_id']}"
        server.api.ok("GET", f"{branch}/roles")
    clusters = list((neonup_home / "neon" / "clusters").iterdir())
    assert not [one for one in clusters if one.name.startswith(".")]
    server.stop()
    assert postgres_of(neonup_home) == []


@pytest.mark.parametrize("when", ["before Postgres is told", "after it"])
def test_a_password_that_was_being_reset_is_the_recorded_one(neonup_home: Path, when: str) -> None:
    server = Server(neonup_home)
    project = server.api.create_project(name="shop")
    path = f"{project.main}/roles/neondb_owner"
    state = closing(sqlite3.connect(neonup_home / "neon" / "neon.db", isolation_level=None))

    def reset() -> None:
        with suppress(httpx.HTTPError):
            server.api.ask("POST", f"{path}/reset_password")

    thread = threading.Thread(target=reset)
    with state as other, closing(psycopg.connect(project.url)) as session:
        # The role's row is being changed by another transaction: the reset has to wait for it.
        session.execute(f"ALTER ROLE neondb_owner PASSWORD '{'x' * 20}'")
        with closing(psycopg.connect(project.url, autocommit=True)) as watching:
            thread.start()
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            wait_until(lambda: watching.execute(waiting).fetchone() == (1,), "the reset")
            if when == "after it":
                other.execute("BEGIN IMMEDIATE")  # so it cannot be finished
                session.rollback()
                done = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'ALTER ROLE%'"
                wait_until(lambda: watching.execute(done).fetchone() == (0,), "the new password")
            server.kill()
    thread.join(60)
    assert not thread.is_alive()
    server = Server(neonup_home)
    told = server.api.ok("GET", f"{path}/reveal_password")["password"]
    assert ask(conninfo.make_conninfo(project.url, password=told), "SELECT 7") == 7
    server.stop()
