"""The person's part of a claim, in a real browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tests.browser import CHROMIUM, DRIVER, Browser, chromium
from tests.neon.agent import Agent, Person, carry_out, error
from tests.neon.api import ask
from tests.neon.serving import NeonServer
from tests.pages import CONTRASTS, show
from tests.waiting import wait_until

pytestmark = pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None,
    reason="no browser: apt-get install chromium chromium-driver",
)

BUTTON = "main form button"


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    with chromium(tmp_path / "profile") as found:
        yield found


def type_in(browser: Browser, field: str, text: str) -> None:
    browser.run(f"document.querySelector({field!r}).value = {text!r}")


def check(browser: Browser, title: str) -> None:
    """The page that is open says so, at any width, in light and dark, and asks nobody else."""
    assert browser.text("h1") == title
    assert browser.title.startswith(title)
    for width, dark in ((360, False), (1280, True)):
        show(browser, width=width, dark=dark)
        assert browser.run("return document.documentElement.scrollWidth") <= width
        assert browser.run(CONTRASTS) == []
    root = browser.run("return location.origin")
    names = browser.run("return performance.getEntriesByType('resource').map((e) => e.name)")
    assert all(name.startswith(f"{root}/") for name in names)
    assert [text for text in browser.complaints() if "status of" not in text] == []


def test_an_agent_builds_and_a_person_claims(
    browser: Browser,
    agent: Agent,
    new_person: Callable[[], Person],
    neon_server_here: NeonServer,
) -> None:
    neon, person = neon_server_here.neon, new_person()
    url = agent.url()
    ask(
        url, "CREATE TABLE orders AS SELECT n, md5(n::text) AS note FROM generate_series(1, 5000) n"
    )
    before = ask(url, "SELECT md5(string_agg(note, '' ORDER BY n)) FROM orders")
    begun = agent.ok("POST", "/claim")
    assert agent.state() == "pending"

    browser.open(begun["verification_uri_complete"])
    assert browser.text("h1") == "Sign in"
    type_in(browser, "#key", person.account["api_key"])
    browser.press(BUTTON)
    check(browser, "Claim this project")
    assert agent.id in browser.text("main") and begun["user_code"] in browser.text("main")
    assert browser.label("#org_id") == "Organization"
    assert agent.state() == "pending"
    with neon.journal.locked(agent.id):  # the claim has to wait
        browser.press(BUTTON)
        check(browser, "The project is being moved")
        assert agent.state() == "accepted"
    carry_out(neon, agent.id)
    assert agent.state() == "reconciled"
    # The page looks by itself.
    wait_until(lambda: browser.title.startswith("The project is yours"), "the page")
    check(browser, "The project is yours")
    assert f"neon connection-string --project-id {agent.id}" in browser.text("main")

    assert error(agent.exchange()) == "project_claimed"
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        ask(url, "SELECT 1")
    query = {"role_name": "neondb_owner", "database_name": "neondb"}
    new = person.api.ok("GET", f"/projects/{agent.id}/connection_uri", **query)["uri"]
    assert ask(new, "SELECT md5(string_agg(note, '' ORDER BY n)) FROM orders") == before


def test_a_code_is_typed(browser: Browser, agent: Agent, neon_server_here: NeonServer) -> None:
    begun = agent.ok("POST", "/claim")
    root, token = begun["verification_uri"], neon_server_here.neon.console_token
    browser.open(f"{root.removesuffix('/claim')}/sign-in?token={token}&next=/claim")
    check(browser, "Claim a project")
    assert browser.label("#code") == "Code"
    type_in(browser, "#code", "WRNG-2345")
    browser.press(BUTTON)
    check(browser, "Claim a project")
    assert "not valid" in browser.text("[role=alert]")
    type_in(browser, "#code", begun["user_code"].lower())
    browser.press(BUTTON)
    check(browser, "Claim this project")
