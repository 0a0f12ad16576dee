"""The claim page in a real browser: a button claims, it is readable, and asks nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from neonup_emulator.neon.claimable import neon_new
from tests import asking
from tests.browser import Browser, chromium, in_a_browser
from tests.emulator.agent import Person, csrf
from tests.neon_new_server import NeonNewServer
from tests.pages import CONTRASTS, show
from tests.waiting import wait_until

BUTTON = "main form button"


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    with chromium(tmp_path / "profile") as found:
        yield found


@pytest.fixture
def person(neon_new_server: NeonNewServer) -> Iterator[Person]:
    found = Person(neon_new_server.url, "ada@example.com")
    yield found
    found.pages.close()


def make(server: NeonNewServer) -> dict[str, str]:
    made: dict[str, str] = asking.post(f"{server.api}/database", json={"ref": "tests"}).json()
    return made


def status(server: NeonNewServer, name: str) -> str:
    found: str = asking.get(f"{server.api}/database/{name}").json()["status"]
    return found


def sign_in(browser: Browser, server: NeonNewServer) -> None:
    """As the default user, by the link that `neonup serve` prints."""
    browser.open(f"{server.url}/sign-in?token={server.neon.console_token}")


def press(person: Person, link: str, **fields: str) -> httpx.Response:
    """The button on the page, with its fields or others, without a browser."""
    form = {"csrf": csrf(person.pages.get(link)), "org_id": person.account["org_id"], **fields}
    return person.pages.post(link, data=form)


def check(browser: Browser, title: str) -> None:
    """The page that is open says so, is readable, and asks nobody else."""
    assert browser.text("h1") == title
    assert browser.title.startswith(title)
    assert browser.run("return document.documentElement.lang") == "en"
    width = browser.run("return window.innerWidth")
    assert browser.run("return document.documentElement.scrollWidth") <= width
    assert browser.run(CONTRASTS) == []
    root = browser.run("return location.origin")
    names = browser.run("return performance.getEntriesByType('resource').map((e) => e.name)")
    assert all(name.startswith(f"{root}/") for name in names)
    assert [text for text in browser.complaints() if "status of" not in text] == []


@in_a_browser
@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
@pytest.mark.parametrize("path", ["claim", "database"])
def test_somebody_signs_in_and_claims(
    browser: Browser, neon_new_server: NeonNewServer, path: str, scripts: bool
) -> None:
    """neon-new writes /database/ for the page, the API /claim/."""
    made = make(neon_new_server)
    with psycopg.connect(made["connection_string"]) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS x")
    link = f"{neon_new_server.url}/{path}/{made['id']}"
    browser.open(link)
    assert browser.text("h1") == "Claim your database"
    assert browser.count(BUTTON) == 0
    browser.press("main p a")
    assert browser.text("h1") == "Sign in"
    browser.run(f"document.querySelector('#key').value = {neon_new_server.key!r}")
    browser.command("Emulation.setScriptExecutionDisabled", value=not scripts)
    browser.press(BUTTON)
    assert browser.text("h1") == "Claim your database"
    assert status(neon_new_server, made["id"]) == "UNCLAIMED"
    assert browser.label("#org_id") == "Organization"
    assert browser.label(BUTTON) == "Claim this database"
    browser.press(BUTTON)
    wait_until(lambda: browser.text("h1") == "This database is yours", "the claim")
    assert status(neon_new_server, made["id"]) == "CLAIMED"
    with psycopg.connect(neon_new_server.owned_url(made["neon_project_id"])) as connection:
        assert connection.execute("SELECT x FROM kept").fetchone() == (7,)
    browser.open(link)
    assert browser.text("h1") == "This database is yours"
    assert browser.count(BUTTON) == 0


@in_a_browser
def test_the_time_left_is_shown(browser: Browser, neon_new_server: NeonNewServer) -> None:
    made = make(neon_new_server)
    browser.open(made["claim_url"])
    # The pages' script counts it down where there is one.
    assert browser.text("time[data-countdown]").startswith(("2 days", "2d 23h 59m"))
    moment = browser.run("return document.querySelector('time[data-countdown]').dateTime")
    assert moment == made["expires_at"][:19] + "+00:00"


@in_a_browser
def test_every_page_is_readable_and_asks_for_nothing_else(
    browser: Browser, neon_new_server: NeonNewServer, person: Person
) -> None:
    unclaimed, claimed, taken, expired, moving = (make(neon_new_server) for _ in range(5))
    neon_new_server.claim(claimed["id"])
    assert press(person, taken["claim_url"]).status_code == 200
    neon_new_server.let_expire(expired["id"])
    sign_in(browser, neon_new_server)
    root = neon_new_server.url
    pages = {
        unclaimed["claim_url"]: "Claim your database",
        claimed["claim_url"]: "This database is yours",
        taken["claim_url"]: "This database has been claimed",
        expired["claim_url"]: "This database has expired",
        f"{root}/claim/019beb39-37fb-709d-87ac-7ad6198b89f7": "There is no such database",
        f"{root}/claim/<img src=x onerror=alert(1)>": "There is no such database",
        f"{root}/nothing": "Not found",
    }
    for width, dark in ((1200, False), (1200, True), (320, False)):
        show(browser, width=width, dark=dark)
        for url, title in pages.items():
            browser.open(url)
            check(browser, title)
            assert "npg_" not in browser.source
    with neon_new_server.neon.journal.locked(moving["neon_project_id"]):
        assert press(person, moving["claim_url"]).status_code == 200
        browser.open(moving["claim_url"])
        check(browser, "The database is being moved")
        assert status(neon_new_server, moving["id"]) == "CLAIMING"
    neon_new.carry_out_claims(neon_new_server.neon)
    wait_until(lambda: browser.title.startswith("This database has been claimed"), "the page")


@in_a_browser
def test_a_page_of_another_site_cannot_claim(
    browser: Browser, neon_new_server: NeonNewServer, tmp_path: Path
) -> None:
    made = make(neon_new_server)
    sign_in(browser, neon_new_server)
    page = tmp_path / "evil.html"
    page.write_text(f'<form method="post" action="{made["claim_url"]}"><button>x</button></form>')
    browser.open(page.as_uri())
    browser.press("button")
    assert "page of another site" in browser.source
    assert status(neon_new_server, made["id"]) == "UNCLAIMED"


def test_the_status_of_each_page_is_right(neon_new_server: NeonNewServer) -> None:
    expired, claimed = make(neon_new_server), make(neon_new_server)
    neon_new_server.let_expire(expired["id"])
    neon_new_server.claim(claimed["id"])
    root = neon_new_server.url
    for path, expected in {
        "": 200,
        f"/claim/{make(neon_new_server)['id']}": 200,
        f"/claim/{claimed['id']}": 200,
        f"/claim/{expired['id']}": 410,
        "/claim/nonsense": 404,
        "/claim/..%2f..%2fserve.lock": 404,
        "/nothing": 404,
    }.items():
        answer = asking.get(f"{root}{path}")
        assert answer.status_code == expected
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-store"
        assert "npg_" not in answer.text


def test_claiming_what_is_gone_says_so(neon_new_server: NeonNewServer, person: Person) -> None:
    made = make(neon_new_server)
    form = {"csrf": csrf(person.pages.get(made["claim_url"])), "org_id": person.account["org_id"]}
    neon_new_server.let_expire(made["id"])
    assert person.pages.post(made["claim_url"], data=form).status_code == 410
    nowhere = f"{neon_new_server.url}/claim/019beb39-37fb-709d-87ac-7ad6198b89f7"
    assert person.pages.post(nowhere, data=form).status_code == 404


def test_the_button_needs_the_session_its_token_and_an_own_organization(
    neon_new_server: NeonNewServer, person: Person
) -> None:
    made = make(neon_new_server)
    link, default = made["claim_url"], neon_new_server.neon.identity.default()[1]
    assert asking.post(link).status_code == 403
    for fields, expected in (
        ({"csrf": "guessed"}, 403),
        ({"csrf": ""}, 403),
        ({"org_id": default}, 403),
        ({"org_id": "org-nobodys-00000000"}, 403),
        ({"org_id": ""}, 403),
    ):
        assert press(person, link, **fields).status_code == expected
    with asking.client(follow_redirects=True) as stranger:
        token = csrf(stranger.get(f"{neon_new_server.url}/sign-in"))
        answer = stranger.post(link, data={"csrf": token, "org_id": default})
        assert "<h1>Sign in</h1>" in answer.text
    assert status(neon_new_server, made["id"]) == "UNCLAIMED"
    assert "This database is yours" in press(person, link).text
    assert status(neon_new_server, made["id"]) == "CLAIMED"


def test_the_second_to_claim_gets_nothing(neon_new_server: NeonNewServer, person: Person) -> None:
    made = make(neon_new_server)
    form = {"csrf": csrf(person.pages.get(made["claim_url"])), "org_id": person.account["org_id"]}
    new = neon_new_server.claim(made["id"])
    answer = person.pages.post(made["claim_url"], data=form)
    assert "This database has been claimed" in answer.text
    with psycopg.connect(new) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert person.api.refused("GET", f"/projects/{made['neon_project_id']}")[0] == 404
