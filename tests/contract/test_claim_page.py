"""The claim page in a real browser: one click claims, it is readable, and asks nobody else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import asking
from tests.browser import CHROMIUM, DRIVER, Browser, chromium
from tests.neon_new_server import NeonNewServer
from tests.pages import check_page, show

pytestmark = pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None,
    reason="no browser: apt-get install chromium chromium-driver",
)


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    with chromium(tmp_path / "profile") as found:
        yield found


def make(server: NeonNewServer) -> dict[str, str]:
    made: dict[str, str] = asking.post(f"{server.api}/database", json={"ref": "tests"}).json()
    return made


def status(server: NeonNewServer, name: str) -> str:
    found: str = asking.get(f"{server.api}/database/{name}").json()["status"]
    return found


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
@pytest.mark.parametrize("path", ["claim", "database"])
def test_one_click_claims(
    browser: Browser, neon_new_server: NeonNewServer, path: str, scripts: bool
) -> None:
    """neon-new writes /database/ for the page, the API /claim/."""
    made = make(neon_new_server)
    browser.command("Emulation.setScriptExecutionDisabled", value=not scripts)
    browser.open(f"{neon_new_server.url}/{path}/{made['id']}")
    assert browser.text("h1") == "Claim your database"
    assert status(neon_new_server, made["id"]) == "UNCLAIMED"
    assert browser.label("button") == "Claim this database"
    browser.press("button")
    assert browser.text("h1") == "This database is yours"
    assert status(neon_new_server, made["id"]) == "CLAIMED"
    browser.open(f"{neon_new_server.url}/{path}/{made['id']}")
    assert browser.text("h1") == "This database is yours"
    assert browser.count("button") == 0


def test_the_time_left_counts_down(browser: Browser, neon_new_server: NeonNewServer) -> None:
    browser.open(make(neon_new_server)["claim_url"])
    first = browser.text("#left")
    assert first.startswith("71h 59m ")
    deadline = time.monotonic() + 5
    while browser.text("#left") == first and time.monotonic() < deadline:
        time.sleep(0.05)
    assert browser.text("#left") < first


def test_every_page_is_readable_and_asks_for_nothing_else(
    browser: Browser, neon_new_server: NeonNewServer
) -> None:
    unclaimed, claimed, expired = (make(neon_new_server) for _ in range(3))
    neon_new_server.claims.claim(claimed["id"])
    neon_new_server.let_expire(expired["id"])
    root = neon_new_server.url
    pages = {
        root: "Postgres, the moment it is needed",
        unclaimed["claim_url"]: "Claim your database",
        claimed["claim_url"]: "This database is yours",
        expired["claim_url"]: "This database has expired",
        f"{root}/claim/019beb39-37fb-709d-87ac-7ad6198b89f7": "There is no such database",
        f"{root}/claim/<img src=x onerror=alert(1)>": "There is no such database",
        f"{root}/nothing": "Not found",
    }
    for width, dark in ((1200, False), (1200, True), (320, False)):
        show(browser, width=width, dark=dark)
        for url, title in pages.items():
            browser.open(url)
            check_page(browser, title, width)
            assert "npg_" not in browser.source


def test_a_page_of_another_site_cannot_claim(
    browser: Browser, neon_new_server: NeonNewServer, tmp_path: Path
) -> None:
    made = make(neon_new_server)
    page = tmp_path / "evil.html"
    page.write_text(f'<form method="post" action="{made["claim_url"]}"><button>x</button></form>')
    browser.open(page.as_uri())
    browser.press("button")
    assert "page of another site" in browser.source
    assert status(neon_new_server, made["id"]) == "UNCLAIMED"


def test_the_status_of_each_page_is_right(neon_new_server: NeonNewServer) -> None:
    expired = make(neon_new_server)
    neon_new_server.let_expire(expired["id"])
    root = neon_new_server.url
    for path, expected in {
        "": 200,
        f"/claim/{make(neon_new_server)['id']}": 200,
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


def test_claiming_what_is_gone_says_so(neon_new_server: NeonNewServer) -> None:
    expired = make(neon_new_server)
    neon_new_server.let_expire(expired["id"])
    answer = asking.post(expired["claim_url"], follow_redirects=True)
    assert answer.status_code == 410
    nowhere = f"{neon_new_server.url}/claim/019beb39-37fb-709d-87ac-7ad6198b89f7"
    assert asking.post(nowhere, follow_redirects=True).status_code == 404
