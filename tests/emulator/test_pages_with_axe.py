"""axe-core finds nothing on the local Neon's pages: the console's, claims, and consent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
from starlette.routing import Route

from neonup_emulator.api.oauth import consent
from neonup_emulator.api.web import pages
from tests import asking
from tests.axe import violations, with_axe
from tests.browser import Browser, chromium
from tests.emulator.agent import Agent
from tests.emulator.api import Api, Project, ask
from tests.emulator.oauth import Application
from tests.emulator.persons import create_person
from tests.emulator.serving import NeonServer
from tests.waiting import wait_until

pytestmark = with_axe

BUTTON = "main form button"
OF_PROJECTS = "/projects/{project_id}"
VISITED = {
    "in the console": {
        "/",
        OF_PROJECTS,
        f"{OF_PROJECTS}/connect",
        f"{OF_PROJECTS}/query",
        f"{OF_PROJECTS}/activity",
        f"{OF_PROJECTS}/delete",
        f"{OF_PROJECTS}/branches/{{branch_id}}/restore",
        f"{OF_PROJECTS}/branches/{{branch_id}}/delete",
        f"{OF_PROJECTS}/snapshots/{{snapshot_id}}/delete",
    },
    "behind a claim": {"/claim", "/app/claim", "/app/claimed", "/claim/{id}", "/database/{id}"},
    "signing in": {"/sign-in", "/oauth2/auth"},
    "leads to another": {"/projects"},
}
"""The routes of all pages, by the test below that opens them."""


@pytest.fixture
def site(neon_server_here: NeonServer) -> str:
    """The pages' address, as browsers open it."""
    return neon_server_here.base.removesuffix("/api/v2").replace("localhost", "127.0.0.1")


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    with chromium(tmp_path / "profile") as found:
        yield found


def check(browser: Browser, title: str) -> None:
    """The page that is open has the title, and nothing keeps anybody from using it."""
    assert browser.text("h1").startswith(title)
    assert violations(browser) == []


def enter(browser: Browser, site: str, server: NeonServer) -> None:
    browser.open(f"{site}/sign-in?token={server.neon.console_token}")


def test_every_page_is_visited_here() -> None:
    routes: list[Route] = [*pages.routes(), *consent.routes()]
    shown = {route.path for route in routes if "GET" in (route.methods or ())}
    assert shown == set().union(*VISITED.values())


def test_in_the_console(
    browser: Browser, site: str, api: Api, neon_server_here: NeonServer
) -> None:
    project = api.create_project(name="shop")
    ask(
        project.url,
        "CREATE TABLE orders AS SELECT n, NULL::text AS note FROM generate_series(1, 9) n",
    )
    expires = neon_server_here.neon.clock.now() + timedelta(hours=5)
    preview = project.create_branch("preview", expires_at=expires.isoformat())["branch"]["id"]
    kept = api.ok("POST", f"{project.main}/snapshot", None, name="before")["snapshot"]["id"]
    enter(browser, site, neon_server_here)
    root = f"/projects/{project.id}"
    titles = {
        "/": "Projects",
        "/?search=nothing-like-it": "Projects",
        root: "shop",
        f"{root}/connect?for=fastapi": "Connect",
        f"{root}/query": "Query",
        f"{root}/activity": "Activity",
        f"{root}/delete": "Delete the project",
        f"{root}/branches/{project.branch}/restore": "Restore main",
        f"{root}/branches/{preview}/delete": "Delete the branch",
        f"{root}/snapshots/{kept}/delete": "Delete the snapshot",
        "/projects/none": "That did not work",
    }
    for path, title in titles.items():
        browser.open(site + path)
        check(browser, title)
    for statement in ("TABLE orders", "SELECT 1 FROM nothing_like_it"):
        browser.open(f"{site}{root}/query")
        browser.page.fill("#query", statement)
        browser.press("form.card button")
        check(browser, "Query")
    browser.open(site + root)
    browser.run("document.querySelectorAll('details.menu').forEach((menu) => { menu.open = true })")
    check(browser, "shop")


def test_signing_in(browser: Browser, site: str, cli: Application, api: Api) -> None:
    browser.open(site)
    check(browser, "Postgres, the moment")
    browser.open(f"{site}/oauth2/auth?{urlencode(cli.request())}")
    check(browser, "Sign in")
    browser.page.fill("#key", "wrong")
    browser.press(BUTTON)
    check(browser, "Sign in")
    browser.page.fill("#key", create_person(api).api.key)
    browser.press(BUTTON)
    check(browser, "Allow Neon CLI")
    browser.open(f"{site}/oauth2/auth?client_id=nobody")
    check(browser, "This link does not work")


def test_behind_a_claim(
    browser: Browser, site: str, agent: Agent, neon_server_here: NeonServer
) -> None:
    enter(browser, site, neon_server_here)
    browser.open(f"{site}/claim")
    check(browser, "Claim a project")
    browser.page.fill("#code", "WRNG-2345")
    browser.press(BUTTON)
    check(browser, "Claim a project")
    browser.page.fill("#code", agent.code())
    browser.press(BUTTON)
    check(browser, "Claim this project")
    browser.press(BUTTON)
    check(browser, "Claim this project")  # now the console's, with an organization to choose
    browser.press(BUTTON)
    check(browser, "The project is yours")
    browser.open(f"{site}/app/claim")
    check(browser, "There is no such offer")


def test_behind_a_claim_of_neon_new(
    browser: Browser, site: str, later: Callable[..., None], neon_server_here: NeonServer
) -> None:
    answer = asking.post(f"{site}/api/v1/database", json={"ref": "tests"})
    url = f"{site}/claim/{answer.json()['id']}"
    browser.open(url)
    check(browser, "Claim your database")
    enter(browser, site, neon_server_here)
    browser.open(url)
    check(browser, "Claim your database")
    browser.press(BUTTON)
    wait_until(lambda: browser.title.startswith("This database is yours"), "the claim")
    check(browser, "This database is yours")
    another = asking.post(f"{site}/api/v1/database", json={"ref": "tests"}).json()["id"]
    later(days=4, tidy=True)
    browser.open(f"{site}/database/{another}")
    check(browser, "This database has expired")
    browser.open(f"{site}/claim/nothing")
    check(browser, "There is no such database")


def test_behind_a_platforms_claim(
    browser: Browser, site: str, api: Api, neon_server_here: NeonServer
) -> None:
    giver = create_person(api)
    offered: Project = giver.api.create_project(name="offered")
    request = giver.api.ok("POST", f"{offered.path}/transfer_requests", {})["id"]
    enter(browser, site, neon_server_here)
    browser.open(f"{site}/app/claim?{urlencode({'p': offered.id, 'tr': request})}")
    check(browser, "Claim this project")
    browser.press(BUTTON)
    check(browser, "The project is yours")
    browser.open(f"{site}/app/claim?{urlencode({'p': offered.id, 'tr': request})}")
    check(browser, "This link cannot be used")
