"""The query page over HTTP: results, errors and their places, notices, limits, plans."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

import psycopg
import pytest

from neonup_pages import query_box
from tests.studio.serving import Visitor


@pytest.fixture
def orders(database: psycopg.Connection) -> Iterator[psycopg.Connection]:
    database.execute("CREATE TABLE orders AS SELECT n AS id FROM generate_series(1, 1000) n")
    try:
        yield database
    finally:
        database.execute("DROP TABLE orders")


def run(shop: Visitor, query: str, *, writes: bool = False, **fields: str) -> str:
    """The page with the answer, without HTML's escapes."""
    sent = {"query": query, **({} if writes else {"read_only": "yes"}), **fields}
    answer = shop.send("query", **sent)
    assert answer.status_code == 200, answer.text
    return unescape(answer.text)


def test_values_are_shown_as_postgres_writes_them(shop: Visitor) -> None:
    page = run(
        shop,
        r"""SELECT '\xdeadbeef'::bytea, '{"a": [1]}'::jsonb, ARRAY['x', NULL, 'y z'], """
        "timestamptz '2026-01-02 03:04:05+00' AT TIME ZONE 'UTC', NULL, numrange(1, 2)",
    )
    for value in (r"\xdeadbeef", '{"a": [1]}', '{x,NULL,"y z"}', "2026-01-02 03:04:05", "[1,2)"):
        assert f"<td>{value}</td>" in page, value
    assert "<small>text[]</small>" in page
    assert '<span class="null">null</span>' in page


def test_as_many_rows_as_were_chosen(shop: Visitor) -> None:
    many = "SELECT * FROM generate_series(1, 6000)"
    for rows in query_box.ROWS, 1000, 5000:
        page = run(shop, many, rows=str(rows))
        assert page.count("<tr>") == rows + 1
        assert f"The first {rows:,} rows are shown." in page
        assert f'<option value="{rows}" selected>' in page
    assert run(shop, many, rows="100000").count("<tr>") == query_box.ROWS + 1


def test_huge_values_are_cut(shop: Visitor) -> None:
    page = run(shop, "SELECT repeat('x', 30000000)")
    assert "Values that end in … are longer" in page
    assert len(page) < 20_000
    wide = ", ".join(["repeat('y', 999)"] * 200)
    page = run(shop, f"SELECT {wide} FROM generate_series(1, 5000)", rows="5000")
    assert len(page) < 12_000_000
    assert re.search(r"The first \d+ rows are shown", page)


def test_each_result_of_several_is_shown_and_what_was_said(shop: Visitor) -> None:
    page = run(
        shop,
        "SELECT 11 AS one; DO $$ BEGIN RAISE NOTICE 'look %', 1; RAISE WARNING 'beware'; END $$; "
        "SELECT 22 AS two",
        writes=True,
    )
    for text in ('<td class="right">11', '<td class="right">22', "look 1", "beware", "WARNING"):
        assert text in page
    loud = run(
        shop,
        "DO $$ BEGIN FOR i IN 1..5000 LOOP RAISE NOTICE 'n%', i; END LOOP; END $$",
        writes=True,
    )
    assert "n50<" in loud
    assert "n51<" not in loud


def test_an_error_points_at_its_place_among_several_statements(
    shop: Visitor, orders: psycopg.Connection
) -> None:
    page = run(shop, "SELECT 1;\n\nSELECT 'ü', nothing\nFROM orders", writes=True)
    assert "Line 3, column 13" in page
    assert "<mark>nothing</mark>" in page
    page = run(shop, "INSERT INTO orders VALUES (-1); SELECT 1/0; SELECT 2", writes=True)
    assert "Division by zero" in page
    assert "It is statement 2." in page
    assert orders.execute("SELECT count(*) FROM orders WHERE id = -1").fetchone() == (0,)


def test_an_error_inside_of_a_function_points_there(shop: Visitor) -> None:
    page = run(
        shop,
        "DO $$ DECLARE n int; BEGIN\nEXECUTE 'SELECT 1 +\n absent' INTO n; END $$",
        writes=True,
    )
    assert "In a statement that ran inside, line 2, column 2" in page
    assert "<mark>absent</mark>" in page
    assert "PL/pgSQL function inline_code_block line 2 at EXECUTE" in page


def test_a_transaction_that_was_left_open_is_told_of(
    shop: Visitor, orders: psycopg.Connection
) -> None:
    page = run(shop, "BEGIN; DELETE FROM orders", writes=True)
    assert "was not ended by COMMIT" in page
    assert orders.execute("SELECT count(*) FROM orders").fetchone() == (1000,)
    assert "was not ended" not in run(shop, "BEGIN; SELECT 1; COMMIT", writes=True)


def test_a_plan_is_shown_without_running_it(shop: Visitor, orders: psycopg.Connection) -> None:
    for writes in False, True:
        page = run(shop, "DELETE FROM orders WHERE id < 9;", writes=writes, action="plan")
        assert "It was not run: these are estimates." in page
        assert "Filter" in page
        assert "(id < 9)" in page
        assert 'class="card problem"' not in page
    assert orders.execute("SELECT count(*) FROM orders").fetchone() == (1000,)
    refused = run(shop, "DROP TABLE orders", action="plan")
    assert "A plan is made of SELECT" in refused


def test_a_plan_is_run_and_its_changes_are_rolled_back(
    shop: Visitor, orders: psycopg.Connection
) -> None:
    page = run(shop, "SELECT count(*) FROM orders", action="analyze")
    assert "to run" in page
    assert "Slowest" in page
    assert "rolled back" not in page
    page = run(shop, "DELETE FROM orders WHERE id < 9", writes=True, action="analyze")
    assert "what it wrote was rolled back" in page
    assert orders.execute("SELECT count(*) FROM orders").fetchone() == (1000,)
    refused = run(shop, "DELETE FROM orders", action="analyze")
    assert "Read-only takes a query" in refused
    refused = run(
        shop, "WITH gone AS (DELETE FROM orders RETURNING *) TABLE gone", action="analyze"
    )
    assert "read-only transaction" in refused
    refused = run(shop, "SELECT 1; COMMIT; DELETE FROM orders", writes=True, action="analyze")
    assert "A plan takes one statement at a time." in refused
    assert orders.execute("SELECT count(*) FROM orders").fetchone() == (1000,)


def test_an_error_in_what_is_explained_has_its_place_in_what_was_typed(shop: Visitor) -> None:
    page = run(shop, "SELECT 1,\n  nothing", action="analyze")
    assert "Line 2, column 3" in page
    assert "<mark>nothing</mark>" in page
    page = run(shop, "EXPLAIN SELECT 1", action="analyze")
    assert "Syntax error" in page
    assert "Line 1, column 1" in page


def test_names_in_a_plan_are_no_markup(shop: Visitor, orders: psycopg.Connection) -> None:
    sent = {"query": "SELECT id AS x FROM orders AS \"<i>\" WHERE id::text = '<b>'"}
    page = shop.send("query", read_only="yes", action="plan", **sent).text
    assert "&lt;i&gt;" in page
    assert "<b>" not in page
    assert "style=" not in page
