"""The page at ``/_neon``: what it shows, to whom, and how it looks in a real browser."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from tests import asking
from tests.axe import violations, with_axe
from tests.browser import Browser, chromium, in_a_browser
from tests.conftest import remove_home, warm_home
from tests.fastapi.conftest import new_project
from tests.fastapi.served import DEV, RELOAD, Served, serving
from tests.neon_new_server import NeonNewServer
from tests.pages import check_page, show
from tests.project import Project

TABLES = '''
CREATE TABLE customers (id int); INSERT INTO customers SELECT generate_series(1, 1234);
CREATE SCHEMA stock; CREATE TABLE stock."a <b>table</b> ""quoted""" (id int);
CREATE TABLE events (id int, padding char(500));
INSERT INTO events SELECT generate_series(1, 30000), ''; ANALYZE events;
CREATE TABLE by_day (day date) PARTITION BY RANGE (day);
CREATE TABLE by_day_1 PARTITION OF by_day FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
INSERT INTO by_day VALUES ('2026-02-03'), ('2026-02-04');
'''


SESSIONS = "SELECT sessions FROM pg_stat_database WHERE datname = current_database()"
ROWS = """
return [...document.querySelectorAll("tbody tr")].map(
  (row) => [...row.children].map((cell) => cell.textContent));
"""


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    with chromium(tmp_path / "profile") as driver:
        yield driver


def fill(project: Project) -> None:
    with psycopg.connect(project.url, autocommit=True) as connection:
        connection.execute(TABLES)


def page(served: Served) -> str:
    return f"http://127.0.0.1:{served.port}/_neon"


@in_a_browser
def test_it_shows_the_database_its_time_and_its_tables(
    project: Project, neon_new_server: NeonNewServer, browser: Browser
) -> None:
    with serving(project, DEV, **neon_new_server.environment) as served:
        fill(project)
        for width, dark in ((1200, False), (1200, True), (320, False)):
            show(browser, width=width, dark=dark)
            browser.open(page(served))
            check_page(browser, "A neon.new database", width)
            assert "npg_" not in browser.source
        rows = browser.run(ROWS)
        assert rows[0][:2] == ["by_day", "2"]
        assert rows[1][:2] == ["customers", "1,234"]
        assert rows[2][:2] == ["events", "about 30,000"]
        assert rows[3][:2] == ['stock.a <b>table</b> "quoted"', "0"]
        assert len(rows) == 4
        assert browser.text("#left").startswith("71h 59m ")
        assert browser.label("a.button") == "Claim this database"
        link = browser.run("return document.querySelector('a.button').href")
        assert link.startswith(f"{neon_new_server.url}/claim/")
        browser.open(link)
        assert browser.title.startswith("Claim your database")


@in_a_browser
def test_a_local_database_and_one_that_does_not_answer(project: Project, browser: Browser) -> None:
    with serving(project, RELOAD) as served:
        browser.open(page(served))
        check_page(browser, "A local Postgres", 1200)
        assert "None yet" in browser.source
        assert browser.count("a.button, #left") == 0
        shown = browser.text("dl")
        for term in ("Database", "Host", "Provider", "Postgres", "Size"):
            assert f"{term}\n" in shown
        with psycopg.connect(project.url, autocommit=True) as connection:
            connection.execute("ALTER ROLE CURRENT_USER PASSWORD 'another'")
        browser.open(page(served))
        check_page(browser, "A local Postgres", 1200)
        assert browser.text("[role=alert] h2") == "The database does not answer"
        assert "password authentication failed" in browser.source
        assert browser.count("dl") == 1


@with_axe
def test_axe_finds_nothing(
    project: Project, neon_new_server: NeonNewServer, browser: Browser
) -> None:
    with serving(project, RELOAD, **neon_new_server.environment) as served:
        browser.open(page(served))
        assert "None yet" in browser.source
        assert violations(browser) == []
        fill(project)
        browser.open(page(served))
        assert browser.count("tbody tr") == 4
        assert violations(browser) == []
        with psycopg.connect(project.url, autocommit=True) as connection:
            connection.execute("ALTER ROLE CURRENT_USER PASSWORD 'another'")
        browser.open(page(served))
        assert browser.count("[role=alert]") == 1
        assert violations(browser) == []


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "attacker.example"},
        {"host": "127.0.0.1.attacker.example:8000"},
        {"x-forwarded-for": "203.0.113.9"},
        {"forwarded": "for=203.0.113.9"},
        {"origin": "https://attacker.example"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty"},
        {"sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "script"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"},
    ],
)
def test_nobody_else_sees_it(dev: Served, headers: dict[str, str]) -> None:
    answered = dev.get("/_neon", **headers)
    assert answered.status_code == 404
    assert answered.json() == dev.get("/no-such-page").json()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"host": "localhost:8000"},
        {"host": "[::1]:8000"},
        {"sec-fetch-site": "none", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"},
        {
            "sec-fetch-site": "cross-site",
            "sec-fetch-mode": "navigate",
            "sec-fetch-dest": "document",
        },
    ],
)
def test_the_developer_sees_it(dev: Served, headers: dict[str, str]) -> None:
    answered = dev.get("/_neon", **headers)
    assert answered.status_code == 200
    policy = answered.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert answered.headers["cache-control"] == "no-store"


def test_the_schema_of_the_api_does_not_mention_it(dev: Served) -> None:
    assert "_neon" not in dev.get("/openapi.json").text


def test_another_machine_does_not_see_it(project: Project) -> None:
    """A client whose address is not this machine's loopback."""
    with serving(project, (*RELOAD, "--host", "0.0.0.0")) as served:
        address = _own_address()
        if address is None:
            pytest.skip("this machine has no address but loopback")
        url = f"http://{address}:{served.port}/_neon"
        assert asking.get(url, headers={"host": "127.0.0.1"}).status_code == 404
        assert asking.get(f"{url}/health").status_code == 200


def test_many_who_ask_for_its_health_share_one_connection(
    dev: Served, dev_project: Project
) -> None:
    with psycopg.connect(dev_project.url, autocommit=True) as connection:
        before = connection.execute(SESSIONS).fetchone()
        answers = asyncio.run(_at_once(f"{page(dev)}/health", 100))
        connection.execute("SELECT pg_sleep(0.5)")
        after = connection.execute(SESSIONS).fetchone()
    assert set(answers) == {200}
    assert before is not None and after is not None
    assert after[0] - before[0] < 50


@pytest.fixture(scope="module")
def dev_project(tmp_path_factory: pytest.TempPathFactory, warm_parts: Path) -> Iterator[Project]:
    """A project that all share who only look at its page."""
    home = warm_home(warm_parts)
    yield new_project(tmp_path_factory.mktemp("dev"), home)
    remove_home(home)


@pytest.fixture(scope="module")
def dev(dev_project: Project) -> Iterator[Served]:
    with serving(dev_project, RELOAD) as served:
        yield served


async def _at_once(url: str, times: int) -> list[int]:
    async with httpx.AsyncClient(timeout=60) as client:
        answers = await asyncio.gather(*(client.get(url) for _ in range(times)))
    return [answer.status_code for answer in answers]


def _own_address() -> str | None:
    import psutil

    for addresses in psutil.net_if_addrs().values():
        for one in addresses:
            if one.family.name == "AF_INET" and not one.address.startswith("127."):
                return str(one.address)
    return None
