"""The example applications in a real browser: connect, list, create, disconnect."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser import Browser, chromium, in_a_browser
from tests.cloud.oauth.terminal import Terminal, mode
from tests.cloud.oauth.web import COMMANDS, site
from tests.emulator.oauth import Person
from tests.emulator.serving import NeonServer

pytestmark = in_a_browser


def sign_in(browser: Browser, person: Person) -> None:
    browser.run(f"document.getElementById('key').value = {person.key!r}")
    browser.press("main form button")


@pytest.mark.parametrize("name", COMMANDS)
def test_an_example(
    name: str, neon_server_here: NeonServer, person: Person, terminal: Terminal, tmp_path: Path
) -> None:
    there = person.api.ok("POST", "/projects", {"project": {"name": "there <already>"}})
    with (
        site(name, neon_server_here, tmp_path) as found,
        chromium(tmp_path / "profile") as browser,
    ):
        browser.open(found.root)
        browser.press("#connect")
        sign_in(browser, person)
        assert name in browser.text("h1")
        assert browser.count("main li") >= 2, browser.source  # what it may do, in words
        browser.press("button[value=allow]")
        assert browser.text("#projects") == "there <already>", found.said
        (kept,) = found.tokens.glob("*.json")
        assert mode(kept) == 0o600

        browser.run("document.getElementById('name').value = 'by example'")
        browser.press("#create")
        assert "by example" in browser.text("#projects"), found.said
        names = {one["name"] for one in person.api.ok("GET", "/projects")["projects"]}
        assert names == {"there <already>", "by example"}
        assert len(terminal.grants) == 1

        browser.press("#disconnect")
        assert browser.count("#connect") == 1
        assert terminal.grants == []
        assert not list(found.tokens.glob("*.json"))
        assert "neon=disconnected" in str(browser.run("return location.href"))

        browser.press("#connect")
        browser.press("button[value=deny]")
        assert "neon=denied" in str(browser.run("return location.href"))
        assert terminal.grants == []
    assert there["project"]["id"]


def test_the_command_with_a_browser(terminal: Terminal, tmp_path: Path) -> None:
    with terminal.login() as login, chromium(tmp_path / "profile") as browser:
        browser.open(login.url)
        sign_in(browser, terminal.person)
        browser.press("button[value=allow]")
        assert browser.text("h1") == "Back from Neon"
        assert terminal.person.email in login.ends(0)
        assert browser.complaints() == []
