"""A person claims an agent's project."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path

import httpx
import psycopg
import pytest

from neonup_emulator.neon.claimable import agents
from neonup_emulator.neon.claimable.attempts import Attempts
from neonup_emulator.neon.claimable.model import ClaimCode
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.model import Project
from tests import asking
from tests.emulator.agent import Agent, Person, csrf, error
from tests.emulator.api import Api, ask
from tests.emulator.serving import NeonServer
from tests.emulator.test_killed import Server

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


def new_url(owner: Person, agent: Agent) -> str:
    """The connection string that the new owner's account has."""
    query = {"role_name": "neondb_owner", "database_name": "neondb"}
    return str(owner.api.ok("GET", f"/projects/{agent.id}/connection_uri", **query)["uri"])


def check_dead(url: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        ask(url, "SELECT 1")


def test_the_whole_ceremony(agent: Agent, new_person: NewPerson) -> None:
    owner, url, old = new_person(), agent.url(), agent.token
    ask(url, "CREATE TABLE things AS SELECT generate_series(1, 1000) AS n")
    assert error(agent.ask("GET", "/claim")) == "not_found"  # nobody asked for a code yet
    begun = agent.ok("POST", "/claim")
    assert CODE.fullmatch(begun["user_code"])
    assert (begun["expires_in"], begun["interval"]) == (900, 5)
    assert begun["verification_uri_complete"].endswith(f"/claim?code={begun['user_code']}")
    assert agent.ok("GET", "/claim")["reconciled"] is False
    page = owner.look(begun["user_code"])
    assert agent.id in page.text and "tests" in page.text
    # Opening the link freezes nothing.
    assert agent.state() == "pending"
    ask(url, "INSERT INTO things VALUES (1001)")
    with psycopg.connect(url) as connection:
        console = owner.proceed(page)
        assert console.url.path == "/app/claim" and "Claim this project" in console.text
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    check_dead(url)
    for token in (old, agent.token):
        assert error(agent.ask("GET", "/claim", token=token)) == "unauthorized"
    assert agent.renew() == ""
    assert agent.state() == "accepted"
    for method, path in (("GET", "/credentials"), ("GET", "/branches"), ("DELETE", "")):
        assert error(agent.ask(method, path)) == "claim_in_progress"
    refused = agent.ask("POST", "/claim")
    assert (refused.status_code, error(refused)) == (409, "claim_in_progress")
    assert owner.api.refused("GET", f"/projects/{agent.id}")[0] == 404  # not theirs yet
    done = owner.take(console)
    assert "is yours" in done.text and f"--project-id {agent.id}" in done.text
    assert agent.ok("GET", "/claim")["reconciled"] is True
    assert agent.state() == "reconciled"
    assert error(agent.ask("GET", "/credentials")) == "project_claimed"
    assert error(agent.ask("POST", "/claim")) == "project_claimed"
    assert error(agent.exchange()) == "project_claimed"
    project = owner.api.ok("GET", f"/projects/{agent.id}")["project"]
    assert project["org_id"] == owner.account["org_id"]
    assert "quota" not in project["settings"]
    check_dead(url)
    assert ask(new_url(owner, agent), "SELECT count(*) FROM things") == 1001


def test_a_window_that_lapses_leaves_the_project_unclaimed_and_the_agent_a_new_code(
    agent: Agent, new_person: NewPerson, api: Api, later: Later
) -> None:
    person, url = new_person(), agent.url()
    ask(url, "CREATE TABLE things AS SELECT generate_series(1, 100) AS n")
    first = agent.code()
    console = person.proceed(person.look(first))
    later(seconds=890)
    agent.token = agent.new_token()
    assert agent.state() == "accepted"
    api.control("PUT", "/clock", {"ahead_seconds": 905})  # `later` puts it back
    assert agent.state() == "expired"
    assert person.take(console).status_code == 410
    assert person.look(first).status_code == 404
    # What was revoked stays so: the token has no scopes, and is good for the claim alone.
    check_dead(url)
    for method, path, body in (
        ("GET", "", None),
        ("GET", "/credentials", None),
        ("GET", "/branches", None),
        ("GET", f"/branches/{agent.branch}/auth", None),
        ("GET", "/connection_uri", None),
        ("POST", f"/branches/{agent.branch}/roles", {"role": {"name": "door"}}),
        ("DELETE", "", None),
    ):
        refused = agent.ask(method, path, body)
        assert (refused.status_code, error(refused)) == (403, "scope_insufficient"), (method, path)
    assert agent.exchange().json()["scope"] == ""
    begun = agent.ok("POST", "/claim")
    assert begun["expires_in"] == 900 and agent.state() == "pending"
    before = agent.token
    console = person.proceed(person.look(begun["user_code"]))
    assert error(agent.ask("GET", "/claim", token=before)) == "unauthorized"  # revoked again
    agent.token = agent.new_token()
    assert agent.state() == "accepted"
    assert person.take(console).status_code == 200
    assert agent.state() == "reconciled"
    assert error(agent.exchange()) == "project_claimed"
    assert ask(new_url(person, agent), "SELECT count(*) FROM things") == 100


def test_a_lapsed_project_expires_as_any_other(
    agent: Agent, new_person: NewPerson, neon_server_here: NeonServer, later: Later
) -> None:
    person = new_person()
    person.proceed(person.look(agent.code()))
    later(hours=71, minutes=55)
    agent.token = agent.new_token()
    begun = agent.ok("POST", "/claim")
    assert begun["expires_in"] <= 300  # no code outlives the project
    later(hours=72, minutes=1, tidy=True)
    assert error(agent.ask("POST", "/claim")) == "project_expired"
    assert error(agent.exchange()) == "project_expired"
    assert person.look(begun["user_code"]).status_code == 404
    assert neon_server_here.neon.store.get(Project, agent.id) is None


def test_a_window_that_was_opened_in_time_is_waited_for(
    agent: Agent, new_person: NewPerson, later: Later
) -> None:
    owner = new_person()
    ask(agent.url(), "CREATE TABLE things AS SELECT 7 AS n")
    later(hours=71, minutes=59)
    agent.token = agent.new_token()
    console = owner.proceed(owner.look(agent.code()))
    later(hours=72, minutes=5, tidy=True)
    agent.token = agent.new_token()
    assert agent.state() == "accepted"
    assert owner.take(console).status_code == 200
    later(hours=80, tidy=True)
    assert ask(new_url(owner, agent), "SELECT n FROM things") == 7
    assert error(agent.exchange()) == "project_claimed"


def test_whoever_went_on_can_go_on_again_until_the_window_ends(
    agent: Agent, new_person: NewPerson, later: Later
) -> None:
    """A tab was closed, or the button pressed twice; nobody else gets there by the code."""
    person, other = new_person(), new_person()
    code = agent.code()
    page = person.look(code)
    person.proceed(page)
    later(minutes=10)
    for again in (person.look(code), person.proceed(page)):
        assert again.url.path == "/app/claim"
    assert other.look(code).status_code == 404
    later(minutes=16)
    assert person.look(code).status_code == 404
    assert person.take(again).status_code == 410


def test_going_on_waits_for_what_is_under_way_but_not_for_long(
    agent: Agent, new_person: NewPerson, neon_server_here: NeonServer
) -> None:
    person, url = new_person(), agent.url()
    page = person.look(agent.code())
    with neon_server_here.neon.journal.locked(agent.id):
        refused = person.proceed(page)
        assert refused.status_code == 423 and "try again in a moment" in refused.text
    assert agent.state() == "pending" and ask(url, "SELECT 1") == 1  # nothing was revoked
    with ThreadPoolExecutor(2) as pool:
        with neon_server_here.neon.journal.locked(agent.id):
            pressed = [pool.submit(person.proceed, refused) for _ in range(2)]
        for answer in pressed:  # twice: each leads to the console
            assert answer.result().url.path == "/app/claim"


def test_a_test_claims_by_the_code_without_a_browser(
    agent: Agent, new_person: NewPerson, api: Api
) -> None:
    key = new_person().account["api_key"]
    claim = partial(api.as_key(key).control, "POST", "/claim")
    for wanted in ({}, {"code": "WRNG-2345", "id": "x"}, {"id": "x", "only_continue": True}):
        assert claim(wanted).status_code == 400
    assert claim({"code": "WRNG-2345"}).status_code == 404
    code = agent.code()
    went_on = claim({"code": code, "only_continue": True})
    assert (went_on.status_code, went_on.json()["org_id"]) == (200, None)
    assert agent.renew() == "" and agent.state() == "accepted"
    done = claim({"code": code})
    assert (done.status_code, done.json()["neon_project_id"]) == (200, agent.id)
    assert error(agent.exchange()) == "project_claimed"


def test_nobody_gets_in_through_a_role_that_the_agent_left(
    agent: Agent, new_person: NewPerson
) -> None:
    url, person = agent.url(), new_person()
    ask(url, "CREATE ROLE back_door LOGIN PASSWORD 'known'")
    door = re.sub(r"//[^@]+@", "//back_door:known@", url)
    assert ask(door, "SELECT current_user") == "back_door"
    person.proceed(person.look(agent.code()))
    check_dead(door)


def test_a_project_that_its_agent_made_too_large_for_the_plan_can_be_claimed(
    agent: Agent, new_person: NewPerson
) -> None:
    """Once the person has gone on, the agent could not make it smaller."""
    owner = new_person()
    (endpoint,) = agent.ok("GET", "/endpoints")["endpoints"]
    large = {"autoscaling_limit_max_cu": 8, "suspend_timeout_seconds": 60}
    agent.ok("PATCH", f"/endpoints/{endpoint['id']}", {"endpoint": large})
    assert "is yours" in owner.claim(agent.code()).text


def test_the_api_accepts_a_claim_as_the_page_does(agent: Agent, new_person: NewPerson) -> None:
    owner = new_person()
    console = owner.proceed(owner.look(agent.code()))
    ids = dict(console.url.params)
    path = f"/projects/{ids['p']}/transfer_requests/{ids['tr']}"
    owner.api.ok("PUT", path, {"org_id": owner.account["org_id"]})
    assert error(agent.exchange()) == "project_claimed"


def test_a_code_is_good_for_15_minutes(agent: Agent, new_person: NewPerson, later: Later) -> None:
    person, code = new_person(), agent.code()
    page = person.look(code)
    assert page.status_code == 200
    later(seconds=901)
    agent.token = agent.new_token()
    assert agent.state() == "expired"
    assert person.look(code).status_code == 404
    assert person.proceed(page).status_code == 404
    again = agent.code()
    assert agent.state() == "pending"
    assert person.look(again).status_code == 200


def test_a_new_code_cancels_the_old_one(agent: Agent, new_person: NewPerson) -> None:
    person, old = new_person(), agent.code()
    page = person.look(old)
    new = agent.code()
    assert old != new
    assert person.proceed(page).status_code == 404
    assert person.look(new).status_code == 200
    assert agent.state() == "pending"


def test_a_code_cannot_be_used_twice(agent: Agent, new_person: NewPerson) -> None:
    first, second, code = new_person(), new_person(), agent.code()
    pages = [first.look(code), second.look(code)]
    console = first.proceed(pages[0])
    assert second.proceed(pages[1]).status_code == 404
    assert second.look(code).status_code == 404
    first.take(console)
    for person, page in ((first, pages[0]), (second, pages[1])):
        assert person.proceed(page).status_code == 404
    assert first.take(console).status_code == 410
    assert second.api.refused("GET", f"/projects/{agent.id}")[0] == 404
    first.api.ok("GET", f"/projects/{agent.id}")
    assert second.pages.get("/app/claimed", params={"p": agent.id}).status_code == 404


def test_of_many_at_once_one_goes_on(agent: Agent, new_person: NewPerson) -> None:
    people, code = [new_person() for _ in range(5)], agent.code()
    pages = [one.look(code) for one in people]
    start = threading.Barrier(len(people))

    def proceed(number: int) -> httpx.Response:
        start.wait(120)
        return people[number].proceed(pages[number])

    with ThreadPoolExecutor(len(people)) as pool:
        answers = list(pool.map(proceed, range(len(people))))
    statuses = [answer.status_code for answer in answers]
    # Another is told to wait while the first one's is carried out, or that the code is used.
    assert statuses.count(200) == 1 and {*statuses} <= {200, 404, 423}
    winner = statuses.index(200)
    assert people[winner].take(answers[winner]).status_code == 200
    people[winner].api.ok("GET", f"/projects/{agent.id}")


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
    for answer in (guesser.look("WRNG-9999"), guesser.look(code), guesser.proceed(page)):
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
    with asking.client(base_url=root) as stranger:
        for path in ("/claim", f"/claim?code={code}", f"/claim?code={code[:-1]}A"):
            answer = stranger.get(path)
            assert answer.status_code == 303
            assert answer.headers["location"].startswith("/sign-in?next=%2Fclaim")
        token = csrf(stranger.get("/sign-in"))
        answer = stranger.post("/claim", data={"csrf": token, "code": code})
        assert answer.status_code == 303
    assert agent.state() == "pending"


def test_the_buttons_want_their_form_and_an_organization_of_ones_own(
    agent: Agent, new_person: NewPerson
) -> None:
    person, other = new_person(), new_person()
    page = person.look(agent.code())
    assert person.proceed(page, csrf="wrong").status_code == 403
    forged = asking.post(
        f"{agent.root}/claim", data={"code": "x"}, headers={"Origin": "https://evil.example"}
    )
    assert forged.status_code == 403
    assert agent.state() == "pending"
    console = person.proceed(page)
    assert person.take(console, csrf="wrong").status_code == 403
    for org_id in (other.account["org_id"], "org-unclaimed-projects-00000000"):
        assert person.take(console, org_id=org_id).status_code in {403, 404}
    assert agent.state(token=agent.new_token()) == "accepted"


def test_a_deleted_project_cannot_be_claimed(agent: Agent, new_person: NewPerson) -> None:
    person, code = new_person(), agent.code()
    page = person.look(code)
    agent.ok("DELETE", "")
    assert person.proceed(page).status_code == 404


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
def test_a_window_outlives_its_server(neonup_home: Path, before: str) -> None:
    server = Server(neonup_home)
    try:
        agent = Agent(server.api.base.removesuffix("/api/v2"))
        url, code = agent.url(), agent.code()
        ask(url, "CREATE TABLE things AS SELECT generate_series(1, 100) AS n")
        owner = Person(agent.root, "owner@example.com")
        with closing(owner.pages):
            console = owner.proceed(owner.look(code))
        ids = dict(console.url.params)
    finally:
        (server.kill if before == "killed" else server.stop)()
    server = Server(neonup_home)
    try:
        # The port is another, and the assertion is the same.
        agent.root = server.api.base.removesuffix("/api/v2")
        agent.token = agent.new_token()
        assert agent.state() == "accepted"
        check_dead(url)
        owner.api = server.api.as_key(owner.account["api_key"])
        owner.api.ok("PUT", f"/projects/{agent.id}/transfer_requests/{ids['tr']}", {})
        assert error(agent.exchange()) == "project_claimed"
        assert ask(new_url(owner, agent), "SELECT count(*) FROM things") == 100
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
