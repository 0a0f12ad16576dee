"""axe-core finds nothing on any of the studio's pages, in light, in dark and on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from neonup_studio import pages
from tests.axe import violations, with_axe
from tests.browser import Browser, chromium
from tests.project import Project
from tests.studio.serving import studio

pytestmark = with_axe

TABLE = "tables/{schema}/{table}"
FIRST = "key=WyIxIl0"
"""The row whose key is 1."""
OPENED = {
    "tables": ["tables", "tables?search=pay"],
    TABLE: [
        "tables/public/products",
        "tables/public/orders?sort=status&dir=desc&c=id&o=gt&v=5&c=note&o=notnull&v=",
        "tables/public/orders?c=id&o=lt&v=0",
        "tables/public/sales",
    ],
    f"{TABLE}/row": [f"tables/public/{name}/row?{FIRST}" for name in ("products", "customers")],
    f"{TABLE}/structure": ["tables/public/orders/structure", "tables/public/sales/structure"],
    f"{TABLE}/{{kind}}-row": [
        "tables/public/products/add-row",
        f"tables/public/products/change-row?{FIRST}",
        f"tables/public/products/delete-row?{FIRST}",
    ],
    "query": ["query", "query?query=TABLE+customers"],
    "picture": [
        "picture",
        "picture?columns=none&zoom=fit",
        "picture?schema=public&table=customers",
    ],
    "versions": ["versions", "versions?search=nothing-like-it"],
    "versions/{version}/restore": ["versions/{version}/restore"],
    "versions/{version}/delete": ["versions/{version}/delete"],
    "copies/{copy}/delete": ["copies/{copy}/delete"],
    "inspect": ["inspect"],
    "inspect/{topic}": ["inspect/sizes", "inspect/locks"],
    "tests": ["tests"],
}
"""The paths of all pages, and addresses of each that a test opens; `ids` fills them."""
FILES = {f"{TABLE}/value"}
"""What is saved, and not shown."""
STATEMENTS = ("TABLE customers", "SELECT 1 FROM customers; SELECT nothing FROM customers")


@pytest.fixture
def browser(tmp_path: Path, lamp_shop: Project) -> Iterator[Browser]:
    """In the studio of a project with something in its database."""
    with studio(lamp_shop) as served, chromium(tmp_path / "profile") as found:
        found.open(served.link)
        yield found


@pytest.fixture
def ids(lamp_shop: Project) -> dict[str, str]:
    """Of what addresses name."""
    found = lamp_shop.json("versions", "list")
    return {"version": found["versions"][0]["id"], "copy": found["previews"][0]["id"]}


def open_page(browser: Browser, path: str, *, place: str = "db") -> None:
    """A page of a database, which must be there."""
    root = browser.run("return location.origin")
    answer = browser.page.goto(f"{root}/{place}/{path}")
    assert answer is not None and answer.status == 200 and answer.url == f"{root}/{place}/{path}"


def test_every_page_is_opened_here() -> None:
    paths = {
        route.path.removeprefix("/{place}/")
        for route in pages.routes()
        if "GET" in (route.methods or ())
    }
    assert paths == {*OPENED, *FILES}


def test_each_page(browser: Browser, ids: dict[str, str]) -> None:
    for paths in OPENED.values():
        for path in paths:
            open_page(browser, path.format(**ids))
            assert violations(browser) == []


def test_pages_of_a_versions_preview(browser: Browser, ids: dict[str, str]) -> None:
    for path in ("query", "versions"):
        open_page(browser, path, place=f"branch-{ids['copy']}")
        assert violations(browser) == []


def test_what_statements_answer(browser: Browser) -> None:
    for statement in STATEMENTS:
        open_page(browser, "query")
        browser.page.fill("#query", statement)
        browser.press("form.card button[type=submit]")
        assert browser.count("#result") == 1
        assert violations(browser) == []


def test_what_forms_of_tables_lead_to(browser: Browser) -> None:
    browser.open(f"{browser.run('return location.origin')}/db/tables/public/orders?c=id&o=eq&v=x")
    assert browser.count("[aria-invalid=true]") == 1
    assert violations(browser) == []
    open_page(browser, "tables/public/orders")
    browser.press("button[value=page]")
    assert browser.text("h1") == "Copy of orders"
    assert violations(browser) == []
    open_page(browser, f"tables/public/orders/change-row?{FIRST}")
    browser.page.get_by_label("status").fill("lost")
    browser.press("button[value=preview]")
    assert browser.text("h1") == "Change this row?"
    assert violations(browser) == []
    browser.press("button[value=run]")
    assert browser.count("[aria-invalid=true]") == 1
    assert violations(browser) == []


def test_a_plan(browser: Browser) -> None:
    for button in ("Explain", "Explain and run"):
        open_page(browser, "query")
        browser.page.fill("#query", "SELECT * FROM customers WHERE id < (SELECT 9) ORDER BY 1")
        browser.press(f"form button:text-is('{button}')")
        browser.run("document.querySelector('.plan details').open = true")
        assert browser.count(".plan .step") > 2
        assert browser.count(".past li") > 0
        assert violations(browser) == []


def test_what_forms_answer(browser: Browser) -> None:
    open_page(browser, "tables/public/products")
    browser.press("button[name=as][value=page]")
    assert browser.text("h1") == "Copy of products"
    assert violations(browser) == []
    open_page(browser, "tables/public/products/add-row")
    for field, value in {"#v2": "Radon desk lamp", "#v3": "2", "#v4": "cheap"}.items():
        browser.page.fill(field, value)
    browser.press("button[value=preview]")
    assert browser.text("h1") == "Add this row?"
    assert violations(browser) == []
    browser.press("button[value=run]")
    assert browser.count("#v4[aria-invalid=true]") == 1
    assert violations(browser) == []


def test_pages_of_no_database(browser: Browser) -> None:
    root = browser.run("return location.origin")
    for path in ("/nothing", "/db/inspect/nothing", "/branch-nothing/query"):
        browser.open(f"{root}{path}")
        assert violations(browser) == []
    browser.command("Network.clearBrowserCookies")
    browser.open(root)
    assert browser.text("h1").startswith("This link was used")
    assert violations(browser) == []
