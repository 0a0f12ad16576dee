"""The claim page of platforms: in a real browser, and what it refuses."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

from neonup_emulator.api.web.transfer_page import web_origin
from tests import asking
from tests.browser import Browser, chromium, in_a_browser
from tests.emulator.api import Api, Project, ask
from tests.emulator.persons import Person, create_person
from tests.emulator.serving import NeonServer
from tests.pages import CONTRASTS, show


@pytest.fixture
def root(neon_server_here: NeonServer) -> str:
    """The pages' address, as browsers open it."""
    return neon_server_here.base.removesuffix("/api/v2").replace("localhost", "127.0.0.1")


@pytest.fixture
def giver(api: Api) -> Person:
    return create_person(api)


@pytest.fixture
def taker(api: Api) -> Person:
    return create_person(api)


@pytest.fixture
def shop(giver: Person) -> Project:
    return giver.api.create_project(name="A <shop> of theirs")


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    with chromium(tmp_path / "profile") as found:
        yield found


@pytest.fixture
def pages(root: str) -> Iterator[httpx.Client]:
    with asking.client(base_url=root) as client:
        yield client


@pytest.fixture
def later(neon_server_here: NeonServer) -> Iterator[Callable[[float], None]]:
    clock = neon_server_here.neon.clock

    def move(seconds: float) -> None:
        clock.ahead = timedelta(seconds=seconds)

    yield move
    clock.ahead = timedelta()


@pytest.fixture
def platform() -> Iterator[str]:
    """The address of a platform's own page, on another origin."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = f"<title>Platform</title><h1>Back at {self.path}</h1>".encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def link(project: Project, **more: str) -> str:
    """The path of a claim link, as platforms build it."""
    id_ = project.api.ok("POST", f"{project.path}/transfer_requests", {})["id"]
    return f"/app/claim?{urlencode({'p': project.id, 'tr': id_, **more})}"


def fields_of(page: httpx.Response) -> dict[str, str]:
    """What the form of the claim page sends, its first organization chosen."""
    found = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    option = re.search(r'<option value="([^"]+)"', page.text)
    assert option, page.text
    return found | {"org_id": option[1]}


def sign_in(pages: httpx.Client, person: Person) -> None:
    page = pages.get("/sign-in")
    token = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert token
    answer = pages.post("/sign-in", data={"csrf": token[1], "key": person.api.key})
    assert answer.status_code == 303


def fill(browser: Browser, selector: str, text: str) -> None:
    browser.run(f"document.querySelector({selector!r}).value = {text!r}")


@in_a_browser
@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_person_claims_a_project(
    browser: Browser, root: str, taker: Person, shop: Project, scripts: bool
) -> None:
    ask(shop.url, "CREATE TABLE kept AS SELECT 7 AS number")
    another = taker.organization()
    browser.open(root + link(shop))
    assert browser.text("h1") == "Sign in"
    fill(browser, "#key", taker.api.key)
    browser.press("main button")
    assert browser.text("h1") == "Claim this project"
    assert browser.text(".left strong") == "A <shop> of theirs"
    assert str(shop.answer["project"]["owner"]["email"]) in browser.text(".left span")
    assert browser.label("select") == "Organization"
    assert browser.count("option") == 2
    fill(browser, "select", another)
    browser.command("Emulation.setScriptExecutionDisabled", value=not scripts)
    browser.press("main button")
    assert browser.text("h1") == "The project is yours"
    assert taker.api.ok("GET", shop.path)["project"]["org_id"] == another
    assert shop.api.refused("GET", shop.path)[0] == 404
    assert ask(shop.url, "SELECT number FROM kept") == 7
    assert [text for text in browser.complaints() if "status of" not in text] == []


@in_a_browser
def test_the_platform_has_them_back(
    browser: Browser, root: str, taker: Person, shop: Project, platform: str
) -> None:
    """The policy of the page lets its form lead there, and nowhere else."""
    browser.open(root + link(shop, ru=f"{platform}/claimed?user=7"))
    fill(browser, "#key", taker.api.key)
    browser.press("main button")
    host = platform.removeprefix("http://")
    assert browser.text(".note") == f"Then you go on to {host}."
    browser.press("main button")
    assert browser.text("h1") == "Back at /claimed?user=7"
    assert taker.api.ok("GET", shop.path)["project"]["org_id"] == taker.org_id


@in_a_browser
def test_the_pages_are_readable(
    browser: Browser, root: str, taker: Person, shop: Project, api: Api
) -> None:
    claimed, offered = link(shop), link(taker.api.create_project(name="p" * 200))
    stranger = create_person(api)
    browser.open(root + claimed)
    fill(browser, "#key", stranger.api.key)
    browser.press("main button")
    browser.press("main button")
    urls = {
        browser.run("return location.href"): "The project is yours",
        root + claimed: "This link cannot be used",
        root + offered: "Claim this project",
        f"{root}/app/claim": "There is no such offer",
        f"{root}/app/claim?p=<script>&tr=%00": "There is no such offer",
    }
    for width, dark in ((1200, False), (1200, True), (320, False)):
        show(browser, width=width, dark=dark)
        for url, title in urls.items():
            browser.open(url)
            assert browser.text("h1") == title
            assert browser.run("return document.documentElement.scrollWidth") <= width
            assert browser.run(CONTRASTS) == []
            script = "return performance.getEntriesByType('resource').map((e) => e.name)"
            assert all(one.startswith(f"{root}/static/") for one in browser.run(script))


def test_what_cannot_be_claimed_any_more(
    pages: httpx.Client, taker: Person, shop: Project, later: Callable[[float], None]
) -> None:
    sign_in(pages, taker)
    path = link(shop)
    form = fields_of(pages.get(path))
    later(86_401)
    for answer in (pages.get(path), pages.post("/app/claim", data=form)):
        assert answer.status_code == 410
        assert "expired" in answer.text
    later(0)
    assert pages.post("/app/claim", data=form).headers["location"] == f"/app/claimed?p={shop.id}"
    for answer in (pages.get(path), pages.post("/app/claim", data=form)):
        assert answer.status_code == 410
        assert "used already" in answer.text
    unknown = pages.get(f"/app/claim?p={shop.id}&tr=3f0c0a52-5f0e-4a49-8d59-6f2f7f3c0a11")
    assert unknown.status_code == 404


def test_a_plan_that_is_too_small_is_said(
    pages: httpx.Client, taker: Person, giver: Person
) -> None:
    big = giver.api.create_project(
        name="big", default_endpoint_settings={"autoscaling_limit_max_cu": 8}
    )
    sign_in(pages, taker)
    form = fields_of(pages.get(link(big))) | {"org_id": taker.organization("free")}
    answer = pages.post("/app/claim", data=form)
    assert answer.status_code == 406
    assert "up to 2 compute units are allowed, not 8" in answer.text
    assert fields_of(answer)["tr"] == form["tr"]  # another organization can be chosen


def test_the_owner_has_it_already(pages: httpx.Client, giver: Person, shop: Project) -> None:
    sign_in(pages, giver)
    page = pages.get(link(shop))
    assert page.status_code == 200
    assert "no organization of yours that could take it" in page.text
    assert '<form method="post" action="/app/claim">' not in page.text


def test_the_form_takes_its_session(
    pages: httpx.Client, taker: Person, shop: Project, root: str
) -> None:
    path = link(shop)
    assert pages.get(path).headers["location"].startswith("/sign-in?next=%2Fapp%2Fclaim")
    sign_in(pages, taker)
    form = fields_of(pages.get(path))
    for wrong in ({**form, "csrf": "x"}, {k: v for k, v in form.items() if k != "csrf"}):
        assert pages.post("/app/claim", data=wrong).status_code == 403
    foreign = {"Origin": "https://evil.example"}
    assert pages.post("/app/claim", data=form, headers=foreign).status_code == 403
    with asking.client(base_url=root) as other:
        assert other.post("/app/claim", data=form).status_code == 403
    assert shop.api.ok("GET", shop.path)["project"]["id"] == shop.id
    strange = pages.post("/app/claim", data={**form, "org_id": "org-of-nobody"})
    assert strange.status_code == 404
    assert "Organization not found" in strange.text


@pytest.mark.parametrize(
    "target",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//evil.example/",
        "/\\evil.example",
        "https:evil.example",
        "https://good.example@evil.example/",
        "https://evil.example\\@good.example/",
        "https://evil.example; script-src *",
        "https://evil.example;x/",
        "https://evil.example'/",
        "https://evil.example:0x50/",
        "https://[::1/",
        "https://",
        "https://a b.example/",
        "https://x.example/\r\nset-cookie: a=b",
    ],
)
def test_it_leads_to_web_pages_alone(
    pages: httpx.Client, taker: Person, shop: Project, target: str
) -> None:
    assert web_origin(target) is None
    sign_in(pages, taker)
    page = pages.get(link(shop, ru=target))
    assert "form-action 'self';" in page.headers["content-security-policy"]
    assert "you stay here" in page.text
    form = fields_of(page) | {"ru": target}
    answer = pages.post("/app/claim", data=form)
    assert answer.headers["location"] == f"/app/claimed?p={shop.id}"


@pytest.mark.parametrize(
    ("target", "origin"),
    [
        ("https://app.example/back?x=1#y", "https://app.example"),
        ("HTTP://App.Example:8080", "http://app.example:8080"),
        ("http://[::1]:3000/", "http://[::1]:3000"),
        ("https://xn--bcher-kva.example/", "https://xn--bcher-kva.example"),
    ],
)
def test_the_origin_of_a_web_page(target: str, origin: str) -> None:
    assert web_origin(target) == origin


def test_who_has_not_claimed_it_is_not_told_of_it(
    pages: httpx.Client, taker: Person, shop: Project
) -> None:
    assert pages.get(f"/app/claimed?p={shop.id}").status_code == 303
    sign_in(pages, taker)
    answer = pages.get(f"/app/claimed?p={shop.id}")
    assert answer.status_code == 404
    assert "shop" not in answer.text
