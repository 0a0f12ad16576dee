"""The picture's page, as a browser without and with a screen gets it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from neonup_studio.picture.structure import TableStructure
from tests.axe import violations, with_axe
from tests.browser import Browser, chromium, in_a_browser
from tests.pages import CONTRASTS, show
from tests.project import Project
from tests.studio.serving import Visitor, studio


def _tables(page: str) -> set[str]:
    return set(re.findall(r'<a href="[^"]*" aria-label="([^" ]+)"><title>', page))


def test_a_schema_is_drawn_and_told_in_words(shop: Visitor, erp: TableStructure) -> None:
    page = shop.read("picture", schema="erp")

    assert _tables(page) == {str(table.name) for table in erp.tables}
    assert page.count('class="way"') == 103
    assert "<title>erp.orders (customer_id) → erp.customers (id)</title>" in page
    words = page.partition('id="words"')[2]
    assert words.count(" → ") == 103
    assert "stock (warehouse_id, variant_id)" in words
    assert " style=" not in page
    assert page.count("<script") == 1  # that of all pages


def test_a_table_leads_to_itself_and_its_neighbours(shop: Visitor, erp: TableStructure) -> None:
    page = shop.read("picture", schema="erp")
    link = re.search(r'<a class="near-by" href="([^"]+)" aria-label="erp.refunds and', page)
    assert link

    near = shop.read(link[1].replace("&amp;", "&"))

    assert "<h1>erp.refunds and its neighbours</h1>" in near
    assert _tables(near) == {"erp.refunds", "erp.payments", "erp.returns"}
    assert near.count(" focused") == 1


def test_each_table_leads_to_its_rows(shop: Visitor, erp: TableStructure) -> None:
    page = shop.read("picture", schema="erp", table="refunds")
    links = dict(re.findall(r'<a href="([^"]+)" aria-label="(erp.\w+)">', page))

    assert set(links.values()) == {"erp.refunds", "erp.payments", "erp.returns"}
    for link, name in links.items():
        rows = shop.read(link)
        assert f"<h1>{name}</h1>" in rows
        assert f'href="/db/picture?schema=erp&amp;table={name[4:]}"' in rows


def test_columns_and_size_are_chosen_by_links(shop: Visitor, erp: TableStructure) -> None:
    keys = shop.read("picture", schema="erp")
    assert "billing_address_id</text>" in keys
    assert "password_hash</text>" not in keys
    assert "password_hash</text>" in shop.read("picture", schema="erp", columns="all")
    assert "billing_address_id</text>" not in shop.read("picture", schema="erp", columns="none")

    def width(**parameters: str) -> str:
        found = re.search(
            r'<svg class="schema[^>]* width="([^"]+)"',
            shop.read("picture", schema="erp", **parameters),
        )
        assert found
        return found[1]

    assert width(zoom="fit") == "100%"
    assert int(width(zoom="150")) == pytest.approx(1.5 * int(width()), abs=2)
    assert width(zoom="7") == width(columns="other") == width()
    assert 'href="/db/picture?schema=erp&amp;columns=all&amp;zoom=50"' in shop.read(
        "picture", schema="erp", columns="all"
    )


def test_what_is_not_there_is_said(shop: Visitor, erp: TableStructure) -> None:
    for asked in ({"schema": "gone"}, {"schema": "erp", "table": "gone"}):
        answer = shop.open("picture", **asked)
        assert answer.status_code == 404
        assert "gone" in answer.text


def test_names_are_no_markup(shop: Visitor, database: psycopg.Connection, schema: str) -> None:
    name = """<b>'"&</b>"""
    quoted = '"' + name.replace('"', '""') + '"'
    database.execute(
        f"CREATE TABLE {quoted} ({quoted} int PRIMARY KEY REFERENCES {quoted})".encode()
    )

    page = shop.read("picture", schema=schema)

    assert "<b>" not in page
    assert "&lt;b&gt;&#39;&#34;&amp;&lt;/b&gt;" in page
    assert shop.open("picture", schema=schema, table=name).status_code == 200


def test_all_schemas_are_in_one_picture(
    shop: Visitor, erp: TableStructure, database: psycopg.Connection, schema: str
) -> None:
    database.execute("CREATE TABLE notes (id int PRIMARY KEY, author bigint REFERENCES erp.users)")

    assert {"erp.users", f"{schema}.notes"} < _tables(shop.read("picture", every="yes"))
    own = shop.read("picture", schema=schema)
    assert _tables(own) == {"erp.users", f"{schema}.notes"}
    assert own.count(" elsewhere") == 1


def test_of_five_hundred_tables_some_are_drawn_and_all_are_listed(
    shop: Visitor, database: psycopg.Connection, schema: str
) -> None:
    for number in range(500):
        leads = f", up int REFERENCES t{number // 3}" if number else ""
        database.execute(f"CREATE TABLE t{number} (id int PRIMARY KEY{leads})".encode())

    page = shop.read("picture", schema=schema)

    assert len(_tables(page)) == 300
    assert page.count("not in the picture") == 200
    assert "Of 500 tables, the picture has the 300 with the most foreign keys." in page


@pytest.fixture(scope="module")
def browser(
    shared_project: Project, erp: TableStructure, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browser]:
    profile: Path = tmp_path_factory.mktemp("browser")
    with studio(shared_project) as served, chromium(profile) as found:
        found.open(served.link)
        yield found


def _open(browser: Browser, query: str) -> None:
    root = browser.run("return location.origin")
    browser.open(f"{root}/db/picture?{query}")


@in_a_browser
@pytest.mark.parametrize("width", [1400, 360])
@pytest.mark.parametrize("dark", [False, True])
def test_it_can_be_read_in_any_light_and_width(browser: Browser, width: int, dark: bool) -> None:
    show(browser, width=width, dark=dark)
    for query in ("schema=erp", "schema=erp&table=users", "schema=erp&zoom=fit&columns=none"):
        _open(browser, query)

        assert browser.run("return document.documentElement.scrollWidth") <= width
        assert browser.run(CONTRASTS) == []
        assert browser.complaints() == []


@with_axe
def test_axe_finds_nothing_wrong_with_sixty_tables(browser: Browser) -> None:
    _open(browser, "schema=erp")

    assert violations(browser) == []


@in_a_browser
@pytest.mark.parametrize("columns", ["all", "keys", "none"])
def test_words_fit_into_their_boxes(browser: Browser, columns: str) -> None:
    """Measured with the fonts that this browser has."""
    show(browser, width=1400, dark=False)
    _open(browser, f"schema=erp&columns={columns}")

    assert browser.count("g.table") == 62
    outside = browser.run(
        """
        const found = [];
        for (const table of document.querySelectorAll("g.table")) {
          const box = table.querySelector("rect").getBoundingClientRect();
          for (const text of table.querySelectorAll("text")) {
            const at = text.getBoundingClientRect();
            const inside = at.left >= box.left + 5 && at.right <= box.right - 5
              && at.top >= box.top && at.bottom <= box.bottom;
            if (!inside) found.push(text.textContent);
          }
          for (const row of table.querySelectorAll("g.column")) {
            const [name, type] = row.querySelectorAll("text");
            const [left, right] = [name, type].map((text) => text.getBoundingClientRect());
            if (left.right + 3 > right.left) found.push(row.textContent);
          }
        }
        return found;
        """
    )
    assert outside == []


@in_a_browser
def test_the_keyboard_reaches_tables_and_opens_them(browser: Browser) -> None:
    show(browser, width=1400, dark=False)
    _open(browser, "schema=erp")

    browser.page.locator('svg a[aria-label="erp.carts and its neighbours"]').focus()
    with browser.page.expect_navigation(timeout=60_000):
        browser.page.keyboard.press("Enter")

    assert browser.text("h1") == "erp.carts and its neighbours"
    assert browser.count("g.table") == 4


@in_a_browser
def test_it_needs_no_script(browser: Browser) -> None:
    browser.command("Emulation.setScriptExecutionDisabled", value=True)
    try:
        _open(browser, "schema=erp&table=carts")
        assert browser.count("svg.schema path.way") == 3
    finally:
        browser.command("Emulation.setScriptExecutionDisabled", value=False)
