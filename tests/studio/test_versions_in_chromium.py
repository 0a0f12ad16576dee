"""The page of versions in a real browser: kept, looked into and undone, with any number of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from neonup_local.service.versions import manifest
from neonup_local.service.versions.manifest import VersionManifest
from tests.browser import Browser, chromium, in_a_browser
from tests.pages import CONTRASTS, show
from tests.project import Project
from tests.studio.serving import ServedStudio, studio

pytestmark = in_a_browser

_CONTROLS = """
return [...document.querySelectorAll("main a, main button, main input:not([type=hidden])")]
  .filter((e) => !(e.labels?.length || e.innerText.trim() || e.getAttribute("aria-label")))
  .map((e) => e.outerHTML);
"""
_SIZES = [(1200, False), (1200, True), (360, False), (360, True)]


@pytest.fixture
def served(project: Project) -> Iterator[ServedStudio]:
    with studio(project) as found:
        yield found


@pytest.fixture
def browser(tmp_path: Path, served: ServedStudio) -> Iterator[Browser]:
    with chromium(tmp_path / "profile") as found:
        found.open(served.link)
        yield found


def looks_well(browser: Browser, url: str) -> None:
    """In every light and width: readable, not wider than the screen, and all controls named."""
    for width, dark in _SIZES:
        show(browser, width=width, dark=dark)
        browser.open(url)
        assert browser.run("return document.documentElement.scrollWidth") <= width, url
        assert browser.run(CONTRASTS) == [], url
        assert browser.run(_CONTROLS) == [], url
    assert browser.complaints() == []
    show(browser, width=1200, dark=False)


def test_a_day_with_versions(project: Project, served: ServedStudio, browser: Browser) -> None:
    page = f"{served.root}/db/versions"
    looks_well(browser, page)
    assert "None yet" in browser.text("main")
    with psycopg.connect(project.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE people AS SELECT 'Ada' AS name")
    browser.page.get_by_label("Name").fill("before the change")
    browser.press("text='Keep it'")
    assert browser.text("[role=status].said") == "The database is kept as before the change."
    with psycopg.connect(project.url, autocommit=True) as connection:
        connection.execute("DROP TABLE people")

    browser.press("button:has-text('Look into it')")
    assert "This is a copy, preview-before the change:" in browser.text("[role=note]")
    assert browser.run("return document.querySelector('[role=note] time').textContent") != ""
    looks_well(browser, browser.page.url)
    browser.press("text='To the project\\'s database'")
    assert browser.count("[role=note]") == 0

    looks_well(browser, page)
    browser.open(page)
    browser.press("text=Undo: back to before the change…")
    assert browser.text("h1") == 'Go back to the version "before the change"?'
    looks_well(browser, browser.page.url)
    browser.press("text='Go back to it'")
    assert "is back at before the change." in browser.text(".said")
    assert browser.count(".timeline:not(.copies) > li") == 2
    with psycopg.connect(project.url) as connection:
        assert connection.execute("SELECT name FROM people").fetchall() == [("Ada",)]


def test_two_hundred_versions(project: Project, served: ServedStudio, browser: Browser) -> None:
    many(project, 200)
    page = f"{served.root}/db/versions"
    looks_well(browser, page)
    assert "200 versions" in browser.text("main")
    names: list[str] = []
    for _ in range(4):
        names += browser.page.locator(".timeline .name").all_inner_texts()
        if browser.count("text='Older versions'"):
            browser.press("text='Older versions'")
    assert names == [f"step {number}" for number in range(200)]
    browser.page.get_by_label("Part of a name").fill("STEP 17")
    browser.press("text='Search'")
    found = browser.page.locator(".timeline .name").all_inner_texts()
    assert found == ["step 17", *(f"step {number}" for number in range(170, 180))]
    assert browser.count("h3.day") > 1


def many(project: Project, count: int) -> None:
    """Versions of 200 days, of which nobody needs the data."""
    [database] = Path(project.environ["NEONUP_HOME"]).glob("databases/*")
    now = datetime.now(UTC)
    for number in range(count):
        at = now - timedelta(hours=24 * number + 1)
        making = manifest.begin(database)
        (making / "data").mkdir()
        made = VersionManifest(f"step {number}", "", 34_000_000, automatic=number % 3 == 0)
        manifest.finish(database, making, replace(made, created_at=at.isoformat()))
