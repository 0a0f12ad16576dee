"""The query page in Chromium: cancelled by a button, copied, readable in any light and width."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tests.browser import Browser, chromium, in_a_browser
from tests.pages import CONTRASTS, check_names, show
from tests.project import Project
from tests.studio.serving import studio
from tests.waiting import wait_until

pytestmark = in_a_browser

VALUES = """
SELECT 1 AS n, 12345678901234567890.120 AS exact, true AS yes, NULL AS nothing, '' AS empty,
  'a "b", c' || chr(10) || 'd' AS words, '{"a": [1]}'::json AS doc
UNION ALL SELECT 2, 0, false, 'x', 'y', 'z', 'null'
"""
PLANNED = """
WITH numbers AS MATERIALIZED (SELECT n FROM generate_series(1, 20000) n)
SELECT a.n FROM numbers a
LEFT JOIN a_table_with_a_rather_long_name_that_has_to_be_wrapped b USING (n)
WHERE (SELECT max(n) FROM numbers) > 3 AND a.n % 3 = 0 ORDER BY 1
"""


@dataclass
class QueryPage:
    """The page in a browser that has opened the link.

    Args:
        database: a connection to what it shows.
    """

    browser: Browser
    root: str
    database: psycopg.Connection

    def fill(self, query: str) -> None:
        self.browser.open(f"{self.root}/db/query")
        self.browser.page.fill("#query", query)

    def ask(self, query: str, button: str = "Run") -> None:
        self.fill(query)
        self.browser.press(f"form button:text-is('{button}')")

    def key(self, name: str, *, code: int, text: str = "") -> None:
        """Press a key: Chromium takes nothing else while an answer is awaited."""
        event = {"key": name, "code": name, "windowsVirtualKeyCode": code}
        more = {"text": text} if text else {}
        self.browser.command("Input.dispatchKeyEvent", type="keyDown", **event, **more)
        self.browser.command("Input.dispatchKeyEvent", type="keyUp", **event)

    def count(self, mark: str) -> int:
        (number,) = self.database.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' "
            "AND query LIKE %s AND pid <> pg_backend_pid()",
            [f"%{mark}%"],
        ).fetchone() or (0,)
        return int(number)


@pytest.fixture
def page(project: Project, tmp_path: Path) -> Iterator[QueryPage]:
    with (
        studio(project) as served,
        chromium(tmp_path / "profile") as browser,
        psycopg.connect(project.url, autocommit=True) as database,
    ):
        database.execute(
            "CREATE TABLE a_table_with_a_rather_long_name_that_has_to_be_wrapped (n int)"
        )
        browser.open(served.link)
        yield QueryPage(browser, served.root, database)


def test_a_query_that_runs_is_cancelled_by_its_button(page: QueryPage) -> None:
    page.fill("SELECT pg_sleep(3600) AS pressed")
    page.browser.page.uncheck("[name=read_only]")
    page.browser.page.select_option("#seconds", "600")
    assert not page.browser.page.locator("#cancel").is_visible()
    page.browser.page.focus("form button:text-is('Run')")
    page.key("Enter", code=13, text="\r")
    wait_until(lambda: page.count("pressed") == 1, "the query")
    for _ in range(3):  # past "Explain" and "Explain and run" to "Cancel"
        page.key("Tab", code=9)
    page.key("Enter", code=13, text="\r")
    page.browser.page.wait_for_selector(".problem", timeout=60_000)
    assert "It was cancelled after" in page.browser.text(".problem h2")
    wait_until(lambda: page.count("pressed") == 0, "its end")
    assert page.browser.complaints() == []
    assert page.browser.page.input_value("#seconds") == "600"  # what was chosen stays
    assert not page.browser.page.is_checked("[name=read_only]")


def test_rows_are_copied_as_they_are(page: QueryPage) -> None:
    page.browser.command(
        "Browser.grantPermissions",
        origin=page.root,
        permissions=["clipboardReadWrite", "clipboardSanitizedWrite"],
    )
    page.ask(VALUES)
    texts = {}
    for kind in ("csv", "json"):
        page.browser.page.locator(f"[data-as={kind}]").click()
        page.browser.page.locator(f"[data-as={kind}]:text-is('Copied')").wait_for(timeout=60_000)
        answer = page.browser.command(
            "Runtime.evaluate",
            expression="navigator.clipboard.readText()",
            awaitPromise=True,
            userGesture=True,
        )
        texts[kind] = answer["result"]["value"]
    rows = list(csv.reader(io.StringIO(texts["csv"], newline="")))
    assert rows[0] == ["n", "exact", "yes", "nothing", "empty", "words", "doc"]
    assert rows[1] == ["1", "12345678901234567890.120", "t", "", "", 'a "b", c\nd', '{"a": [1]}']
    assert ',,"",' in texts["csv"]  # NULL, and an empty text
    first, second = json.loads(texts["json"], parse_float=str)
    assert first["exact"] == "12345678901234567890.120"
    assert [first[name] for name in ("n", "yes", "nothing", "empty")] == [1, True, None, ""]
    assert first["doc"] == {"a": [1]}
    assert second["doc"] is None
    assert second["yes"] is False


def test_it_goes_by_keyboard_and_without_scripts(page: QueryPage) -> None:
    page.fill("SELECT 6 * 7 AS answer")
    page.browser.page.focus("#query")
    with page.browser.page.expect_navigation(timeout=60_000):
        page.browser.page.keyboard.press("Control+Enter")
    assert page.browser.text(".result td") == "42"
    page.browser.command("Emulation.setScriptExecutionDisabled", value=True)
    page.ask("SELECT 6 * 8 AS answer")
    assert page.browser.text(".result td") == "48"
    assert not page.browser.page.locator("[data-rows]").first.is_visible()
    page.ask("SELECT 1", "Explain and run")
    assert page.browser.text(".step .title strong") == "Result"
    page.browser.page.locator(".past a").nth(1).click()
    assert page.browser.page.input_value("#query") == "SELECT 6 * 8 AS answer"
    page.browser.press("button:text-is('Clear history')")
    assert page.browser.count(".past") == 0


def test_it_is_readable_in_any_light_and_width(page: QueryPage) -> None:
    for width, dark in ((1280, False), (1280, True), (360, True), (360, False)):
        show(page.browser, width=width, dark=dark)
        for query, button in (
            (PLANNED, "Explain and run"),
            (PLANNED, "Explain"),
            ("SELECT repeat('wide ', 60), nothing", "Run"),
            (VALUES, "Run"),
        ):
            page.ask(query, button)
            check(page.browser, width)


def check(browser: Browser, width: int) -> None:
    wide = (
        f"return [...document.querySelectorAll('main *')].filter((e) => "
        f"e.getBoundingClientRect().right > {width} && !e.closest('.scroll'))"
        ".map((e) => e.outerHTML.slice(0, 200))"
    )
    assert browser.run("return document.documentElement.scrollWidth") <= width, browser.run(wide)
    assert browser.run(CONTRASTS) == []
    assert [text for text in browser.complaints() if "status of" not in text] == []
    check_names(browser)
