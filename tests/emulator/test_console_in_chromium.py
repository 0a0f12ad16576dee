"""The console in a real browser: by keyboard alone, without scripts, in any light and width."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.browser import Browser, chromium, in_a_browser
from tests.emulator.api import Api, Project, ask
from tests.emulator.serving import NeonServer
from tests.pages import CONTRASTS, check_names, show
from tests.waiting import wait_until

pytestmark = in_a_browser


class Console:
    """The console in a browser, signed in by the printed link."""

    def __init__(self, browser: Browser, server: NeonServer):
        self.browser = browser
        self.root = server.base.removesuffix("/api/v2").replace("localhost", "127.0.0.1")
        self._token = server.neon.console_token

    def sign_in(self) -> None:
        self.browser.open(f"{self.root}/sign-in?token={self._token}")

    def open(self, path: str) -> None:
        self.browser.open(f"{self.root}{path}")

    def key(self, name: str, *, code: int, modifiers: int = 0, text: str = "") -> None:
        """Press a key, with Control (2) or Shift (8)."""
        event = {"key": name, "code": name, "windowsVirtualKeyCode": code, "modifiers": modifiers}
        more = {"text": text} if text else {}
        self.browser.command("Input.dispatchKeyEvent", type="keyDown", **event, **more)
        self.browser.command("Input.dispatchKeyEvent", type="keyUp", **event)

    def tab(self) -> None:
        self.key("Tab", code=9)

    def enter(self, modifiers: int = 0) -> None:
        self.key("Enter", code=13, modifiers=modifiers, text="\r")

    def type(self, text: str) -> None:
        self.browser.command("Input.insertText", text=text)

    def focus(self) -> str:
        """What a screen reader would call the element that has the focus."""
        found: str = self.browser.run(
            "const e = document.activeElement; return (e.getAttribute('aria-label') "
            "|| e.labels?.[0]?.firstChild.textContent || e.textContent || e.tagName).trim()"
        )
        return found

    def tab_to(self, name: str) -> None:
        """Go on by the Tab key until an element has the focus."""
        seen = []
        for _ in range(60):
            self.tab()
            seen.append(self.focus())
            if seen[-1] == name:
                return
        raise AssertionError(f"{name} is not reached: {seen}")

    def until(self, expected: Callable[[], bool], what: str) -> None:
        wait_until(expected, what)

    def at(self, title: str) -> None:
        """Wait for a page."""
        self.until(lambda: self.browser.title.startswith(title), title)


@pytest.fixture
def console(tmp_path: Path, neon_server_here: NeonServer) -> Iterator[Console]:
    with chromium(tmp_path / "profile") as browser:
        yield Console(browser, neon_server_here)


def test_everything_goes_by_keyboard_alone(console: Console, project: Project) -> None:
    assert project.id  # there is one, so that the form is closed at first
    console.sign_in()
    console.open("/")
    console.tab()
    assert console.focus() == "Skip to the content"
    console.tab_to("Create a project")
    console.enter()
    console.tab_to("Name")
    console.type("by keyboard")
    console.enter()
    console.at("by keyboard")
    assert console.browser.text("h1") == "by keyboard"
    console.tab_to("Create a branch")
    console.enter()
    console.tab_to("Name")
    console.type("dev")
    console.enter()
    ready = console.browser.page.get_by_text("The branch dev is ready.")  # not the page before's
    console.until(lambda: ready.count() == 1, "the message")
    console.tab_to("Query dev")
    console.enter()
    console.at("Query")
    assert console.browser.run("return document.activeElement.id") == "query"
    console.browser.run("document.activeElement.select()")
    console.type("SELECT 6 * 7 AS answer")
    console.enter(modifiers=2)
    console.until(lambda: console.browser.count(".result td") == 1, "the result")
    assert console.browser.text(".result td") == "42"


def test_a_menu_closes_by_escape_and_its_button_has_the_focus_again(
    console: Console, project: Project
) -> None:
    console.sign_in()
    console.open(f"/projects/{project.id}")
    console.tab_to("Take a snapshot")
    console.enter()
    assert console.browser.count("details[open]") == 1
    console.tab()
    console.key("Escape", code=27)
    assert console.browser.count("details[open]") == 0
    assert console.focus() == "Take a snapshot"


def test_the_connection_string_is_shown_and_copied(console: Console, project: Project) -> None:
    console.sign_in()
    console.browser.command(
        "Browser.grantPermissions",
        origin=console.root,
        permissions=["clipboardReadWrite", "clipboardSanitizedWrite"],
    )
    console.open(f"/projects/{project.id}/connect")
    assert "***" in console.browser.text("#url")
    assert not console.browser.run("return document.body.innerText.includes('npg_')")
    console.browser.run("document.querySelector('[data-show=\"#url\"]').click()")
    assert console.browser.text("#url") == project.url
    console.browser.run("document.querySelector('[data-show=\"#url\"]').click()")
    assert "***" in console.browser.text("#url")
    console.browser.run("document.querySelector('[data-copy=\"#url\"]').click()")
    button = '[data-copy="#url"]'
    console.until(lambda: console.browser.text(button) == "Copied", "the copy")
    assert console.browser.text("#said") == "Copied"
    console.open(f"/projects/{project.id}/query")
    console.browser.run("document.querySelector('#query').select()")
    console.browser.run("document.execCommand('paste')")
    pasted = console.browser.command(
        "Runtime.evaluate",
        expression="navigator.clipboard.readText()",
        awaitPromise=True,
        userGesture=True,
    )
    assert pasted["result"]["value"] == project.url


def test_what_expires_counts_down_and_is_gone_at_its_end(
    console: Console, project: Project, neon_server_here: NeonServer
) -> None:
    expires = neon_server_here.neon.clock.now() + timedelta(hours=26)
    project.create_branch("preview", expires_at=expires.isoformat())
    console.sign_in()
    console.open(f"/projects/{project.id}")
    first = console.browser.text("time[data-countdown]")
    assert first.startswith("1d 01h 59m ")
    console.until(lambda: console.browser.text("time[data-countdown]") < first, "the next second")


def test_it_works_without_scripts(console: Console, project: Project) -> None:
    ask(project.url, "CREATE TABLE words AS SELECT 'x' AS word")
    console.browser.command("Emulation.setScriptExecutionDisabled", value=True)
    console.sign_in()
    console.open(f"/projects/{project.id}/connect")
    assert console.browser.count("details.no-js") == 1
    assert project.url.replace("&", "&amp;") in console.browser.source
    console.open(f"/projects/{project.id}/query")
    console.browser.press("form.card button")
    assert console.browser.text("td:nth-child(2)") == "words"
    console.open(f"/projects/{project.id}")
    console.browser.press(f"form[action$='{project.endpoint}/suspend'] button")
    assert console.browser.text(".badge.idle") == "Idle"


def test_every_page_is_readable_in_any_light_and_width(
    console: Console, api: Api, neon_server_here: NeonServer
) -> None:
    project = api.create_project(
        name="a-name-of-a-project-that-somebody-typed-while-thinking-of-something-else-entirely",
        settings={"quota": {"logical_size_bytes": 40_000_000}},
    )
    ask(project.url, "CREATE TABLE t AS SELECT i, repeat('word ', 50) FROM generate_series(1, 9) i")
    expires = neon_server_here.neon.clock.now() + timedelta(hours=5)
    project.create_branch(
        "preview/a-name-of-a-branch-without-end" * 4, expires_at=expires.isoformat()
    )
    api.ok("POST", f"{project.main}/snapshot", None, name="snapshot-with-a-long-name" * 4)
    root = f"/projects/{project.id}"
    paths = {
        "/": "Projects",
        "/?search=nothing-like-it": "Projects",
        root: "a-name-of-a-project",
        f"{root}/connect?for=fastapi": "Connect",
        f"{root}/query": "Query",
        f"{root}/activity": "Activity",
        f"{root}/delete": "Delete the project",
        f"{root}/branches/{project.branch}/restore": "Restore main",
        f"{root}/branches/{project.branch}/delete": "Delete the branch",
        "/projects/none": "That did not work",
    }
    browser = console.browser
    for width, dark in ((1600, False), (1280, True), (768, False), (360, True), (360, False)):
        show(browser, width=width, dark=dark)
        browser.command("Network.clearBrowserCookies")
        console.open("/")
        check(browser, "Postgres, the moment", width, console.root)
        console.sign_in()
        for path, title in paths.items():
            console.open(path)
            check(browser, title, width, console.root)
        console.open(f"{root}/query")
        browser.run("document.querySelector('#query').value = 'TABLE t'")
        browser.press("form.card button")
        check(browser, "Query", width, console.root)


def check(browser: Browser, title: str, width: int, root: str) -> None:
    """The page that is open: its title, what it asks for, and whether it can be read."""
    assert browser.text("h1").startswith(title)
    assert browser.run("return document.documentElement.scrollWidth") <= width
    assert browser.run(CONTRASTS) == []
    asked = browser.run("return performance.getEntriesByType('resource').map((e) => e.name)")
    assert all(one.startswith(f"{root}/static/") for one in asked), asked
    assert [text for text in browser.complaints() if "status of" not in text] == []
    check_names(browser)
