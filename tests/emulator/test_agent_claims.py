"""A person claims an agent's project."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx
import psycopg
import pytest

from neonup_emulator.neon import upkeep
from neonup_emulator.neon.claimable import agent_claims, agents
from neonup_emulator.neon.claimable.attempts import Attempts
from neonup_emulator.neon.claimable.model import ClaimCode
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.model import Project
from tests.emulator.agent import Agent, Person, carry_out, csrf, error
from tests.emulator.api import ask
from tests.emulator.serving import NeonServer
from tests.emulator.test_killed import Server
from tests.waiting import wait_until

NewPerson = Callable[[], Person]
Later = Callable[..., None]
CODE = re.compile(r"[A-HJKMNP-Z2-9]{4}-[A-HJKMNP-Z2-9]{4}")


@pytest.fixture(autouse=True)
def fresh_attempts(neon_server_here: NeonServer) -> Iterator[None]:
    """Other tests' wrong codes are not this one's."""
    neon = neon_server_here.neon
    neon.claim_attempts = Attempts(neon.clock)
    yield
    neon.claim_attempts = Attempts(neon.clock)


def test_the_whole_ceremony(
    agent: Agent, new_person: NewPerson, neon_server_here: NeonServer
) -> None:
    neon, owner = neon_server_here.neon, new_person()
    url = agent.url()
    ask(url, "CREATE TABLE things AS SELECT generate_series(1, 1000) AS n")
    assert error(agent.ask("GET", "/claim")) == "not_found"  # nobody asked for a code yet
    begun = agent.ok("POST", "/claim")
    assert CODE.fullmatch(begun["user_code"])
    assert (begun["expires_in"], begun["interval"]) == (900, 5)
    assert begun["verification_uri_complete"].endswith(f"/claim?code={begun['user_code']}")
    assert agent.ok("GET", "/claim")["reconciled"] is False
    assert agent.state() == "pending"
    page = owner.look(begun["user_code"])
    assert agent.id in page.text and "tests" in page.text
    with psycopg.connect(url) as connection:
        with neon.journal.locked(agent.id):  # the claim has to wait
            assert "is being moved" in owner.press(page).text
            upkeep.expire(neon)
            assert agent.state() == "accepted"
            assert error(agent.ask("GET", "/credentials")) == "claim_in_progress"
            assert error(agent.ask("GET", "/branches")) == "claim_in_progress"
            assert error(agent.ask("POST", "/claim")) == "claim_in_progress"
            assert error(agent.ask("DELETE", "")) == "claim_in_progress"
            exchanged = agent.exchange().json()
            assert exchanged["scope"] == ""
            assert agent.state(token=exchanged["access_token"]) == "accepted"
        carry_out(neon, agent.id)
        assert agent.ok("GET", "/claim")["reconciled"] is True
        assert agent.state() == "reconciled"
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    assert error(agent.ask("GET", "/credentials")) == "project_claimed"
    assert error(agent.exchange()) == "project_claimed"
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        ask(url, "SELECT 1")
    done = owner.pages.get("/claim", params={"claimed": agent.id})
    assert "is yours" in done.text and f"--project-id {agent.id}" in done.text
    project = owner.api.ok("GET", f"/projects/{agent.id}")["project"]
    assert project["org_id"] == owner.account["org_id"]
    assert "quota" not in project["settings"]
    query = {"role_name": "neondb_owner", "database_name": "neondb"}
    new = owner.api.ok("GET", f"/projects/{agent.id}/connection_uri", **query)["uri"]
    assert ask(new, "SELECT count(*) FROM things") == 1000


def test_nobody_gets_in_through_a_role_that_the_agent_left(
    agent: Agent, new_person: NewPerson, neon_server_here: NeonServer
) -> None:
    url = agent.url()
    ask(url, "CREATE ROLE back_door LOGIN PASSWORD 'known'")
    door = re.sub(r"//[^@]+@", "//back_door:known@", url)
    assert ask(door, "SELECT current_user") == "back_door"
    new_person().claim(agent.code())
    carry_out(neon_server_here.neon, agent.id)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        ask(door, "SELECT 1")


def test_a_claim_is_carried_out_by_itself(agent: Agent, new_person: NewPerson) -> None:
    new_person().claim(agent.code())
    wait_until(lambda: agent.state() == "reconciled", "the claim")


def test_a_claimed_project_does_not_expire(
    agent: Agent, new_person: NewPerson, neon_server_here: NeonServer, later: Later
) -> None:
    owner = new_person()
    owner.claim(agent.code())
    later(hours=80)
    upkeep.expire(neon_server_here.neon)
    carry_out(neon_server_here.neon, agent.id)  # what was accepted in time
    owner.api.ok("GET", f"/projects/{agent.id}")
    assert error(agent.exchange()) == "project_claimed"


def test_a_claim_stays_accepted_until_an_agent_that_polls_has_seen_it(
    agent: Agent, new_person: NewPerson, neon_server_here: NeonServer, later: Later
) -> None:
    neon = neon_server_here.neon
    with neon.journal.locked(agent.id):  # what becomes due meanwhile has to wait
        new_person().claim(agent.code())
        later(hours=-1)
    agent_claims.reconcile(neon)
    assert agent.state() == "accepted"
    later(seconds=6)
    agent_claims.reconcile(neon)
    wait_until(lambda: agent.state() == "reconciled", "the claim")


def test_a_code_is_good_for_15_minutes(agent: Agent, new_person: NewPerson, later: Later) -> None:
    person, code = new_person(), agent.code()
    page = person.look(code)
    assert page.status_code == 200
    later(seconds=901)
    agent.token = agent.new_token()
    assert agent.state() == "expired"
    assert person.look(code).status_code == 404
    assert person.press(page).status_code == 404
    again = agent.code()
    assert agent.state() == "pending"
    assert person.look(again).status_code == 200


def test_a_new_code_cancels_the_old_one(agent: Agent, new_person: NewPerson) -> None:
    person, old = new_person(), agent.code()
    page = person.look(old)
    new = agent.code()
    assert old != new
    assert person.press(page).status_code == 404
    assert person.look(new).status_code == 200
    assert agent.state() == "pending"


def test_a_code_cannot_be_used_twice(
    agent: Agent, new_person: NewPerson, neon_server_here: NeonServer
) -> None:
    first, second, code = new_person(), new_person(), agent.code()
    pages = [first.look(code), second.look(code)]
    first.press(pages[0])
    assert second.press(pages[1]).status_code == 404
    assert first.press(pages[0]).status_code == 404
    assert second.look(code).status_code == 404
    carry_out(neon_server_here.neon, agent.id)
    assert second.press(pages[1]).status_code == 404
    assert second.api.refused("GET", f"/projects/{agent.id}")[0] == 404
    first.api.ok("GET", f"/projects/{agent.id}")
    assert second.pages.get("/claim", params={"claimed": agent.id}).status_code == 404


def test_of_many_at_once_one_gets_it(
    agent: Agent, new_person: NewPerson, neon_server_here: NeonServer
) -> None:
    people, code = [new_person() for _ in range(5)], agent.code()
    pages = [one.look(code) for one in people]
    start = threading.Barrier(len(people))

    def press(number: int) -> int:
        start.wait(30)
        return people[number].press(pages[number]).status_code

    with ThreadPoolExecutor(len(people)) as pool:
        statuses = list(pool.map(press, range(len(people))))
    assert sorted(statuses) == [200, 404, 404, 404, 404]
    carry_out(neon_server_here.neon, agent.id)
    winner = people[statuses.index(200)]
    winner.api.ok("GET", f"/projects/{agent.id}")


def test_small_letters_and_blanks_will_do(agent: Agent, new_person: NewPerson) -> None:
    code = agent.code()
    for typed in (code.lower(), code.replace("-", ""), f" {code.replace('-', ' ')} "):
        assert new_person().look(typed).status_code == 200


def test_a_session_may_be_wrong_ten_times(
    agent: Agent, new_person: NewPerson, later: Later
) -> None:
    guesser, other, code = new_person(), new_person(), agent.code()
    page = guesser.look(code)
    for number in range(10):
        assert guesser.look(f"WRNG-{number:04}").status_code == 404
    # Whether a guess is right is not told any more, on neither way.
    for answer in (guesser.look("WRNG-9999"), guesser.look(code), guesser.press(page)):
        assert answer.status_code == 429
        assert agent.id not in answer.text
    assert other.look(code).status_code == 200
    later(minutes=16)
    agent.token = agent.new_token()
    assert guesser.look(agent.code()).status_code == 200


def test_all_sessions_together_may_be_wrong_a_hundred_times(
    agent: Agent, new_person: NewPerson, neon_server_here: NeonServer
) -> None:
    attempts = neon_server_here.neon.claim_attempts
    for number in range(99):
        attempts.wrong(f"session {number}")
    code = agent.code()
    assert new_person().look("WRNG-0000").status_code == 404
    assert new_person().look(code).status_code == 429


def test_codes_lead_nowhere_before_signing_in(agent: Agent, root: str) -> None:
    code = agent.code()
    with httpx.Client(base_url=root) as stranger:
        for path in ("/claim", f"/claim?code={code}", f"/claim?code={code[:-1]}A"):
            answer = stranger.get(path)
            assert answer.status_code == 303
            assert answer.headers["location"].startswith("/sign-in?next=%2Fclaim")
        token = csrf(stranger.get("/sign-in"))
        answer = stranger.post("/claim", data={"csrf": token, "code": code})
        assert answer.status_code == 303
    assert agent.state() == "pending"


def test_the_button_wants_its_form_and_an_organization_of_ones_own(
    agent: Agent, new_person: NewPerson, neon_server_here: NeonServer
) -> None:
    person, other = new_person(), new_person()
    page = person.look(agent.code())
    assert person.press(page, csrf="wrong").status_code == 403
    for org_id in (other.account["org_id"], "", "org-unclaimed-projects-00000000"):
        assert person.press(page, org_id=org_id).status_code == 403
    assert agent.state() == "pending"
    forged = httpx.post(
        f"{agent.root}/claim", data={"code": "x"}, headers={"Origin": "https://evil.example"}
    )
    assert forged.status_code == 403


def test_a_deleted_project_cannot_be_claimed(agent: Agent, new_person: NewPerson) -> None:
    person, code = new_person(), agent.code()
    page = person.look(code)
    agent.ok("DELETE", "")
    assert person.press(page).status_code == 404


def test_the_page_escapes_what_the_agent_calls_itself(
    root: str, new_person: NewPerson, neon_server_here: NeonServer
) -> None:
    agent = Agent(root, source="<script>alert(1)</script>")
    page = new_person().look(agent.code())
    assert "<script>" not in page.text
    assert "&lt;script&gt;" in page.text


def test_codes_are_kept_as_keyed_hashes(agent: Agent, neon_server_here: NeonServer) -> None:
    agent.code()
    (row,) = neon_server_here.neon.store.all(ClaimCode, project_id=agent.id)
    assert re.fullmatch(r"[0-9a-f]{64}", row.digest)


@pytest.mark.parametrize("before", ["killed", "stopped"])
def test_a_claim_that_was_accepted_is_carried_out_by_the_next_server(
    neonup_home: Path, before: str
) -> None:
    server = Server(neonup_home)
    try:
        agent = Agent(server.api.base.removesuffix("/api/v2"))
        url = agent.url()
        ask(url, "CREATE TABLE things AS SELECT generate_series(1, 100) AS n")
        owner = Person(agent.root, "owner@example.com")
        with closing(owner.pages):
            owner.claim(agent.code())
        assert agent.state() == "accepted"
    finally:
        (server.kill if before == "killed" else server.stop)()
    server = Server(neonup_home)
    try:
        # The port is another, and the assertion is the same.
        agent.root = server.api.base.removesuffix("/api/v2")
        wait_until(lambda: agent.exchange().status_code == 409, "the claim")
        assert error(agent.exchange()) == "project_claimed"
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            ask(url, "SELECT 1")
        api = server.api.as_key(owner.account["api_key"])
        query = {"role_name": "neondb_owner", "database_name": "neondb"}
        new = api.ok("GET", f"/projects/{agent.id}/connection_uri", **query)["uri"]
        assert ask(new, "SELECT count(*) FROM things") == 100
    finally:
        server.stop()


def test_a_registration_that_was_not_finished_leaves_nothing(neonup_home: Path) -> None:
    neon = LocalNeon(neonup_home)
    neon.start()
    found = agents.register(neon, [], "tests", "http://localhost:1")
    neon.store.delete(found.registration)  # as if it had been killed before writing that
    neon.stop()
    neon = LocalNeon(neonup_home)
    neon.start()
    try:
        assert neon.store.all(Project) == []
        assert neon.people.users()[0].email == "developer@example.com"
        assert list((neonup_home / "neon" / "clusters").iterdir()) == []
    finally:
        neon.stop()
