"""The pages of tables in a browser: by keyboard alone, without scripts, in any light and width."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.browser import Browser, chromium, in_a_browser
from tests.pages import CONTRASTS, show
from tests.project import Project
from tests.studio.serving import studio
from tests.waiting import wait_until

pytestmark = in_a_browser

TABLES = """
CREATE TABLE teams (id int PRIMARY KEY, name text);
CREATE TABLE people (id int PRIMARY KEY, name text NOT NULL, team int REFERENCES teams, data jsonb,
    photo bytea, long text, "a column with a name that somebody typed while thinking" timestamptz);
CREATE VIEW grown AS SELECT * FROM people;
INSERT INTO teams VALUES (1, 'Red');
INSERT INTO people SELECT i, 'person ' || i, 1, '{"a": [1, 2]}', '\\x00ff', repeat('long ', 200),
    now() FROM generate_series(1, 120) i
"""


class LookingPerson:
    """Somebody who looks at a project's tables, by keys."""

    def __init__(self, browser: Browser, root: str):
        self.browser = browser
        self.root = root

    def open(self, path: str) -> None:
        self.browser.open(f"{self.root}/db/{path}")

    def press(self, key: str) -> None:
        self.browser.page.keyboard.press(key)

    def go(self) -> None:
        """Press Enter, and wait for the page that comes after."""
        with self.browser.page.expect_navigation(timeout=60_000):
            self.press("Enter")

    def type(self, text: str) -> None:
        self.browser.page.keyboard.type(text)

    def tab_to(self, name: str) -> None:
        """Go on by the Tab key until the element has the focus that is called so."""
        seen = []
        for _ in range(120):
            self.press("Tab")
            seen.append(
                self.browser.run(
                    "const e = document.activeElement; return (e.getAttribute('aria-label') "
                    "|| e.labels?.[0]?.firstChild.textContent || e.textContent || '').trim()"
                )
            )
            if seen[-1] == name:
                return
        raise AssertionError(f"{name} is not reached: {seen}")

    def at(self, title: str) -> None:
        wait_until(lambda: self.browser.title.startswith(title), title)


@pytest.fixture
def person(tmp_path: Path, project: Project) -> Iterator[LookingPerson]:
    with psycopg.connect(project.url, autocommit=True) as connection:
        for statement in TABLES.split(";\n"):
            connection.execute(statement.encode())
    with studio(project) as served, chromium(tmp_path / "profile") as browser:
        browser.open(served.link)
        yield LookingPerson(browser, served.root)


def test_a_row_is_found_and_changed_by_keyboard_alone(
    person: LookingPerson, project: Project
) -> None:
    browser = person.browser
    person.at("Tables")
    person.press("/")
    person.type("peo")
    person.go()
    person.tab_to("people")
    person.go()
    person.at("people")
    person.tab_to("Filter")
    person.press("Enter")
    person.tab_to("Column")
    person.type("name")
    person.tab_to("Value")
    person.type("person 7")
    person.go()
    assert browser.count("table.rows tbody tr") == 1
    person.tab_to("Open row 1")
    person.go()
    person.at("A row of people")
    person.tab_to("Change")
    person.go()
    person.at("Change a row of people")
    person.tab_to("name")
    person.press("Control+a")
    person.type("O'Neil")
    person.tab_to("Show the SQL")
    person.go()
    person.at("Change this row?")
    assert "SET \"name\" = 'O''Neil'" in browser.text("#statement")
    person.tab_to("Change it")
    person.go()
    person.at("A row of people")
    assert "The row was changed." in browser.text("main")
    assert project.query("SELECT name FROM people WHERE id = 7") == "O'Neil"


def test_it_works_without_scripts(person: LookingPerson, project: Project) -> None:
    browser = person.browser
    browser.command("Emulation.setScriptExecutionDisabled", value=True)
    person.open("tables/public/people")
    browser.press("a[rel=next] >> nth=0")
    assert "person 51" in browser.source
    browser.page.locator("input[name=k]").first.check()
    browser.page.locator("select[name=which]").select_option("chosen")
    browser.page.locator("select[name=format]").select_option("sql")
    browser.press("button[value=page]")
    assert "INSERT INTO" in browser.text("#copied")
    assert "1 row as INSERT" in browser.text("main")
    person.open("tables/public/teams/add-row")
    browser.page.locator("textarea").first.fill("2")
    browser.press("button[value=preview]")
    browser.press("button[value=run]")
    assert project.query("SELECT name IS NULL FROM teams WHERE id = 2") == "t"


def test_every_page_is_readable_in_any_light_and_width(person: LookingPerson) -> None:
    browser = person.browser
    person.open("tables/public/people")
    row = browser.page.locator("a[aria-label='Open row 1']").get_attribute("href") or ""
    key = row.partition("key=")[2]
    paths = {
        "tables": "Tables",
        "tables?search=nothing-like-it": "Tables",
        "tables/public/people": "people",
        "tables/public/people?sort=name&dir=desc&c=name&o=has&v=1&c=team&o=null&v=": "people",
        "tables/public/people?c=id&o=eq&v=x": "people",
        "tables/public/grown": "grown",
        "tables/public/people/structure": "people",
        f"tables/public/people/row?key={key}": "A row of people",
        f"tables/public/people/change-row?key={key}": "Change a row of people",
        f"tables/public/people/delete-row?key={key}": "Delete this row?",
        "tables/public/people/add-row": "Add a row to people",
    }
    browser.complaints()
    for width in (360, 768, 1280):
        for dark in (False, True):
            show(browser, width=width, dark=dark)
            for path, title in paths.items():
                person.open(path)
                where = f"{path}, {width} px, {'dark' if dark else 'light'}"
                assert browser.text("h1") == title, where
                wide = browser.run("return document.documentElement.scrollWidth")
                assert wide <= width, where
                assert browser.run(CONTRASTS) == [], where
                assert browser.run(_UNLABELLED) == [], where
    assert [text for text in browser.complaints() if "status of 400" not in text] == []


_UNLABELLED = """
const all = "input:not([type=hidden]), select, textarea, button, a, summary";
return [...document.querySelectorAll(all)]
  .filter((e) => !(e.getAttribute("aria-label") || e.labels?.length || e.textContent.trim()))
  .map((e) => e.outerHTML);
"""
