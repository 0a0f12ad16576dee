"""``neonup claimable``: databases for a class, created one by one, listed, claimed and deleted."""

from __future__ import annotations

import csv
import signal
import stat
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from neonup_emulator.neon.claimable.model import AgentRegistration
from tests.cloud.relay import Relay
from tests.emulator.agent import Person
from tests.emulator.serving import NeonServer
from tests.programs import Program
from tests.project import Project, clean_environ
from tests.waiting import wait_until

REGISTER = "POST /v1/agent/identity"


@pytest.fixture
def workshop(
    tmp_path: Path, neonup_home: Path, relay: Relay, neon_server_here: NeonServer
) -> Iterator[Project]:
    """An empty folder of a person who gives a workshop."""
    folder = tmp_path / "workshop"
    folder.mkdir()
    yield Project(folder, clean_environ(neonup_home, CLAIMABLE_NEON_HOST=relay.root))
    neon_server_here.neon.clock.ahead = timedelta()


def create(count: int, *more: str) -> list[str]:
    return ["claimable", "create", "--count", str(count), "--pause", "0", *more]


def listed(project: Project, name: str = "claimable") -> list[dict[str, str]]:
    with (project.folder / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def registrations(server: NeonServer) -> int:
    return len(server.neon.store.all(AgentRegistration))


def test_each_has_a_database_of_its_own_in_a_private_file(workshop: Project) -> None:
    said = workshop.ok(*create(3, "--csv"))
    assert "3 databases, 3 of them new" in said
    rows = listed(workshop)
    assert [row["number"] for row in rows] == ["1", "2", "3"]
    assert len({row["url"] for row in rows}) == 3
    assert stat.S_IMODE((workshop.folder / "claimable.csv").stat().st_mode) == 0o600
    for row in rows:
        with psycopg.connect(row["url"]) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        expires_at = datetime.fromisoformat(row["expires_at"])
        assert timedelta(hours=71) < expires_at - datetime.now(UTC) <= timedelta(hours=72)
    assert not workshop.env_file.exists()
    as_json = workshop.json(*create(3))
    assert [row["url"] for row in as_json] == [row["url"] for row in rows]


def test_a_second_run_goes_on(workshop: Project, relay: Relay) -> None:
    workshop.ok(*create(1))
    first = listed(workshop)
    assert "3 databases, 2 of them new" in workshop.ok(*create(3))
    assert listed(workshop)[:1] == first
    assert "3 databases, 0 of them new" in workshop.ok(*create(3))
    assert relay.asked.count(REGISTER) == 3


def test_the_service_that_refuses_in_between(workshop: Project, relay: Relay) -> None:
    """What was created is in the file; what was registered is not registered again."""
    seen = Counter[str]()

    def meet(request: str) -> int | None:
        kind = "credentials" if request.endswith("/credentials") else request
        seen[kind] += 1
        return 400 if (kind, seen[kind]) == ("credentials", 2) else None

    relay.meet = meet
    said = workshop.fails(*create(3))
    assert "status 400" in said
    assert len(listed(workshop)) == 1
    workshop.ok(*create(3))
    assert relay.asked.count(REGISTER) == 3
    assert len(listed(workshop)) == 3


def test_too_many_requests_are_waited_for(workshop: Project, relay: Relay) -> None:
    seen = Counter[str]()
    relay.retry_after = "1"

    def meet(request: str) -> int | None:
        seen[request] += 1
        return 429 if request == REGISTER and seen[request] in range(2, 7) else None

    relay.meet = meet
    done = workshop.neonup(*create(2))
    assert done.returncode == 0, done.stderr
    assert "The service asks to wait 1 s" in done.stderr
    assert len(listed(workshop)) == 2


@pytest.mark.parametrize("ends", [signal.SIGINT, signal.SIGKILL])
def test_ended_while_a_request_is_under_way(
    workshop: Project, relay: Relay, neon_server_here: NeonServer, ends: signal.Signals
) -> None:
    """Ctrl-C lets it end; and what a killed process had registered is taken up again."""
    before = registrations(neon_server_here)
    pattern = "GET /v1/projects/*/credentials"
    running: list[subprocess.Popen[str]] = []

    def end() -> None:  # asked for the second time
        running[0].send_signal(ends)
        if ends == signal.SIGKILL:
            running[0].wait(60)

    workshop.ok(*create(1))
    relay.before[pattern] = end
    running.append(
        Program(
            [sys.executable, "-m", "neonup", *create(3)],
            cwd=workshop.folder,
            env=workshop.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    )
    _, stderr = running[0].communicate(timeout=120)
    if ends == signal.SIGINT:
        assert running[0].returncode == 1
        assert "2 databases are recorded" in stderr
        assert len(listed(workshop)) == 2
    else:
        assert len(listed(workshop)) == 1
    workshop.ok(*create(3))
    assert len({row["project_id"] for row in listed(workshop)}) == 3
    assert registrations(neon_server_here) - before == 3


def test_two_at_once(workshop: Project, relay: Relay) -> None:
    relay.hold.append(REGISTER)
    first = Program(
        [sys.executable, "-m", "neonup", *create(1)],
        cwd=workshop.folder,
        env=workshop.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(relay.held.is_set, "the request is sent")
        said = workshop.fails(*create(1))
        assert "Another command is busy with the databases of claimable" in said
        workshop.ok(*create(1, "--name", "others"))
    finally:
        first.kill()
        first.wait(60)
    assert len(listed(workshop, "others")) == 1


def test_a_file_that_somebody_has_changed_stays(workshop: Project, relay: Relay) -> None:
    path = workshop.folder / "claimable.csv"
    path.write_text("my own\n")
    assert "was changed, or is not neonup's" in workshop.fails(*create(1))
    assert REGISTER not in relay.asked
    workshop.ok(*create(1, "-o", "list.csv"))
    assert path.read_text() == "my own\n"
    with (workshop.folder / "list.csv").open("a") as file:
        file.write("Ada\n")
    assert "was changed" in workshop.fails(*create(2, "-o", "list.csv"))
    workshop.ok(*create(2, "-o", "again.csv"))
    assert len((workshop.folder / "again.csv").read_text().splitlines()) == 3


def test_codes_claims_and_the_clean_up(
    workshop: Project, neon_server_here: NeonServer, tmp_path: Path
) -> None:
    workshop.ok(*create(3))
    assert all(row["claim_code"] == "" for row in listed(workshop))
    assert "3 codes" in workshop.ok("claimable", "codes", "--csv")
    coded = workshop.json("claimable", "codes")  # others, in place of those
    assert [row["claim_code"] for row in coded] != [row["claim_code"] for row in listed(workshop)]
    workshop.ok("claimable", "codes", "--csv")
    rows = listed(workshop)
    assert len({row["claim_code"] for row in rows}) == 3
    root = neon_server_here.base.removesuffix("/api/v2")
    person = Person(root, f"{tmp_path.name}@example.com")
    try:
        assert person.claim(rows[0]["claim_code"]).status_code == 200
    finally:
        person.pages.close()
    wait_until(
        lambda: workshop.json("claimable", "list")[0]["state"] == "claimed", "the claim is done"
    )
    said = workshop.ok("claimable", "list")
    assert "claimed" in said and said.count("unclaimed") == 2
    assert [row["state"] for row in listed(workshop)] == ["claimed", "unclaimed", "unclaimed"]
    assert listed(workshop)[0]["claim_code"] == ""
    assert workshop.neonup("claimable", "delete").returncode == 1
    assert "Deleted 2; 1 are claimed and stay" in workshop.ok("claimable", "delete", "-y")
    assert [row["state"] for row in workshop.json("claimable", "delete", "-y")] == ["claimed"]
    assert [row["state"] for row in listed(workshop)] == ["claimed"]
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(rows[1]["url"], connect_timeout=60).close()


def test_after_three_days_they_are_gone(workshop: Project, neon_server_here: NeonServer) -> None:
    workshop.ok(*create(1))
    neon_server_here.neon.clock.ahead = timedelta(hours=73)
    assert "expired" in workshop.ok("claimable", "list")
    assert "1 were gone already" in workshop.ok("claimable", "delete", "-y")
    assert list(workshop.folder.iterdir()) == []
