"""Consent in a real Chromium: by mouse and by keyboard, in any light and width."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests import browser as browsers
from tests.browser import Browser, chromium
from tests.emulator.oauth import Application, Person, root_of
from tests.emulator.serving import NeonServer
from tests.pages import CONTRASTS, show
from tests.waiting import wait_until

pytestmark = pytest.mark.skipif(not browsers.CHROMIUM, reason="Chromium is not installed")


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    with chromium(tmp_path / "profile") as found:
        yield found


class Callback:
    """The application's own address, on a free port."""

    def __init__(self) -> None:
        seen = self.seen = list[dict[str, list[str]]]()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path.startswith("/callback"):
                    seen.append(parse_qs(urlsplit(self.path).query))
                    self.send_response(302)  # on to its front end
                    port = self.headers["Host"].rpartition(":")[2]
                    self.send_header("Location", f"http://localhost:{port}/")
                    self.end_headers()
                    return
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"<title>The application</title>done")

            def log_message(self, *arguments: object) -> None:
                """Codes are in the addresses."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.uri = f"http://127.0.0.1:{self.server.server_port}/callback"


@pytest.fixture
def callback() -> Iterator[Callback]:
    found = Callback()
    thread = Thread(target=found.server.serve_forever)
    thread.start()
    yield found
    found.server.shutdown()
    thread.join()
    found.server.server_close()


@pytest.fixture
def application(neon_server_here: NeonServer, callback: Callback) -> Application:
    return Application(root_of(neon_server_here), redirect_uri=callback.uri)


def page_of(application: Application) -> str:
    root = application.root.replace("//localhost", "//127.0.0.1")
    return f"{root}/oauth2/auth?{urlencode(application.request())}"


def sign_in(browser: Browser, person: Person) -> None:
    """By the form, where the browser is."""
    assert browser.title.startswith("Sign in")
    browser.run(f"document.getElementById('key').value = {person.key!r}")
    browser.press("main form button")


def key(browser: Browser, name: str, code: int) -> None:
    for kind in ("keyDown", "keyUp"):
        text = {"text": "\r"} if (name, kind) == ("Enter", "keyDown") else {}
        browser.command(
            "Input.dispatchKeyEvent", type=kind, key=name, windowsVirtualKeyCode=code, **text
        )


def test_sign_in_and_allow(
    browser: Browser, application: Application, callback: Callback, person: Person
) -> None:
    browser.open(page_of(application))
    sign_in(browser, person)
    assert "Neon CLI" in browser.text("h1")
    assert person.email in browser.text("main > p:first-of-type")
    browser.press("button[value=allow]")
    wait_until(lambda: bool(callback.seen), "the callback")
    (seen,) = callback.seen
    assert seen["state"] == ["a state"]
    tokens = application.exchange(seen["code"][0]).json()
    assert "access_token" in tokens
    assert [one for one in browser.complaints() if "favicon" not in one] == []
    assert browser.title == "The application"


def test_deny(
    browser: Browser, application: Application, callback: Callback, person: Person
) -> None:
    browser.open(page_of(application))
    sign_in(browser, person)
    browser.press("button[value=deny]")
    wait_until(lambda: bool(callback.seen), "the callback")
    assert callback.seen[0]["error"] == ["access_denied"]


@pytest.mark.parametrize("decision", ["allow", "deny"])
def test_by_keyboard(
    browser: Browser, application: Application, callback: Callback, person: Person, decision: str
) -> None:
    browser.open(page_of(application))
    sign_in(browser, person)
    for _ in range(10):
        key(browser, "Tab", 9)
        if browser.run("return document.activeElement.value") == decision:
            break
    assert browser.run("return document.activeElement.value") == decision
    assert browser.run("return getComputedStyle(document.activeElement).outlineStyle") != "none"
    key(browser, "Enter", 13)
    wait_until(lambda: bool(callback.seen), "the callback")
    assert ("code" in callback.seen[0]) == (decision == "allow")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [320, 1280])
def test_it_is_readable(
    browser: Browser, application: Application, person: Person, width: int, dark: bool
) -> None:
    show(browser, width=width, dark=dark)
    browser.open(page_of(application))
    sign_in(browser, person)
    assert browser.run(CONTRASTS) == []
    assert browser.run("return document.documentElement.scrollWidth") <= width
    assert browser.label("button[value=allow]") == "Allow"
