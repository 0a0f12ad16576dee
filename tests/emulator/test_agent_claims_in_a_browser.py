"""The person's part of a claim, in a real browser."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tests.browser import Browser, chromium, in_a_browser
from tests.emulator.agent import Agent, Person, error
from tests.emulator.api import ask
from tests.emulator.serving import NeonServer
from tests.pages import CONTRASTS, show
from tests.project import Project, clean_environ

pytestmark = in_a_browser

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


def built_by_an_agent(root: str, folder: Path, home: Path) -> tuple[Project, Agent]:
    """A folder in which neonup works for an agent without an account, and that agent."""
    folder.mkdir()
    environ = {"CLAIMABLE_NEON_HOST": root, "NEONUP_PROVIDER": "claimable"}
    project = Project(folder, clean_environ(home, **environ))
    project.ok()
    (path,) = (home / "claimable").iterdir()
    identity = json.loads(path.read_text())
    ids = {"id": identity["project_id"], "branch_id": ""}
    registered = {"identity_assertion": identity["assertion"], "project": ids}
    return project, Agent(root, registration=registered)


def digest(url: str) -> object:
    return ask(url, "SELECT md5(string_agg(note, '' ORDER BY n)) FROM orders")


def test_an_agent_builds_and_a_person_claims(
    browser: Browser,
    root: str,
    tmp_path: Path,
    neonup_home: Path,
    new_person: Callable[[], Person],
    neon_server_here: NeonServer,
    later: Callable[..., None],
) -> None:
    """Continued, lapsed, continued with a new code, reconciled, adopted; every row is there."""
    person = new_person()
    project, agent = built_by_an_agent(root, tmp_path / "shop", neonup_home)
    old = project.url
    ask(
        old, "CREATE TABLE orders AS SELECT n, md5(n::text) AS note FROM generate_series(1, 5000) n"
    )
    before = digest(old)
    begun = agent.ok("POST", "/claim")

    browser.open(begun["verification_uri_complete"])
    assert browser.text("h1") == "Sign in"
    type_in(browser, "#key", person.account["api_key"])
    browser.press(BUTTON)
    check(browser, "Claim this project")
    assert agent.id in browser.text("main") and begun["user_code"] in browser.text("main")
    assert browser.text(BUTTON) == "Continue to Neon"
    assert agent.state() == "pending" and digest(old) == before  # looking freezes nothing

    browser.press(BUTTON)
    check(browser, "Claim this project")
    assert "old connection strings are dead" in browser.text("main")
    assert browser.label("#org_id") == "Organization"
    assert error(agent.ask("GET", "/claim")) == "unauthorized"  # the token was revoked
    assert agent.renew() == ""
    assert agent.state() == "accepted"
    assert error(agent.ask("POST", "/claim")) == "claim_in_progress"
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        ask(old, "SELECT 1")

    later(minutes=16)
    browser.press(BUTTON)
    check(browser, "This link cannot be used")
    assert agent.renew() == ""
    assert agent.state() == "expired"
    assert error(agent.ask("GET", "/credentials")) == "scope_insufficient"
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        ask(old, "SELECT 1")

    begun = agent.ok("POST", "/claim")
    browser.open(begun["verification_uri_complete"])
    check(browser, "Claim this project")
    browser.press(BUTTON)
    agent.renew()
    assert agent.state() == "accepted"
    browser.press(BUTTON)
    check(browser, "The project is yours")
    assert f"neon connection-string --project-id {agent.id}" in browser.text("main")
    assert agent.state() == "reconciled"
    assert error(agent.exchange()) == "project_claimed"

    account = {"NEON_API_HOST": neon_server_here.base, "NEON_API_KEY": person.account["api_key"]}
    assert "adopted" in project.ok("adopt", **account)
    assert project.url != old
    assert digest(project.url) == before


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
