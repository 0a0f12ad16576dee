"""The pages of tables: the list, rows, one row, structure and copies, over HTTP."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from tests.project import Project
from tests.studio.forms import form, forms
from tests.studio.serving import Visitor, studio, visitor

Database = psycopg.Connection[tuple[object, ...]]
SCHEMA = "looked at/%s"
ROOT = "tables/looked%2520at%252F%2525s"
"""The schema's part of addresses."""

TABLES = """
CREATE TABLE {}.teams (id int PRIMARY KEY, name text, note text);
CREATE TABLE {}.people (id int PRIMARY KEY, name text NOT NULL, team int REFERENCES {}.teams,
    data jsonb, photo bytea, at timestamptz, score numeric, tags text[]);
CREATE TABLE {}.log (line text);
CREATE TABLE {}."../a?b#c" (".." int PRIMARY KEY);
CREATE VIEW {}.grown AS SELECT id, name FROM {}.people;
CREATE TABLE {}.parts (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE {}.parts_0 PARTITION OF {}.parts FOR VALUES FROM (0) TO (9);
COMMENT ON TABLE {}.people IS 'who is <here>';
COMMENT ON COLUMN {}.people.score IS 'of the game';
INSERT INTO {}.teams VALUES (1, 'Red & <Blue>', repeat('long ', 100)), (2, 'None', NULL);
INSERT INTO {}.people SELECT i, 'person ' || i, CASE WHEN i % 2 = 0 THEN 1 END,
    jsonb_build_object('number', i, 'list', ARRAY[1, 2]), decode('00ff', 'hex'),
    '2026-01-01 12:00:00.000001Z', nullif(i % 5, 0), ARRAY['a', NULL, 'b,c']
    FROM generate_series(1, 120) i;
INSERT INTO {}.log SELECT 'line ' || i FROM generate_series(1, 120) i;
INSERT INTO {}."../a?b#c" VALUES (7)
"""


@pytest.fixture
def tables(database: Database) -> Iterator[None]:
    schema = sql.Identifier(SCHEMA)
    database.execute(sql.SQL("CREATE SCHEMA {}").format(schema))
    for statement in TABLES.split(";\n"):
        database.execute(sql.SQL(statement).format(*[schema] * statement.count("{}")))
    try:
        yield
    finally:
        database.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(schema))


def link(page: str, text: str) -> str:
    """Where the first link with this text leads."""
    found = re.search(rf'<a [^>]*href="([^"]*)"[^>]*>(?:<[^>]*>)*{re.escape(text)}', page)
    assert found, text
    return html.unescape(found[1])


def cells(page: str) -> list[list[str]]:
    """The rows of the table of rows, as they are read."""
    body = re.search(r'class="result rows">.*?<tbody>(.*?)</tbody>', page, re.DOTALL)
    if body is None:
        return []
    return [
        [
            html.unescape(re.sub(r"<[^>]+>", "", cell)).strip()
            for cell in re.findall(r"<td.*?</td>", row, re.DOTALL)
        ]
        for row in re.findall(r"<tr>(.*?)</tr>", body[1], re.DOTALL)
    ]


def ids(page: str) -> list[int]:
    return [int(row[1]) for row in cells(page)]


@pytest.mark.usefixtures("tables")
def test_the_list_leads_to_each_table(shop: Visitor) -> None:
    page = shop.read("tables")
    assert f"<h2>{SCHEMA}</h2>" in page
    assert "who is &lt;here&gt;" in page
    assert "parts_0" not in page
    assert "1 partition" in page
    for name in ("people", "log", "grown", "../a?b#c", "parts"):
        assert shop.client.get(link(page, name)).status_code == 200, name
    odd = shop.client.get(link(page, "../a?b#c")).text
    assert cells(odd) == [["Open", "7"]]
    found = shop.read("tables", search="PARTS_")
    assert "partition of looked at/%s.parts" in found
    assert "people" not in found
    assert "No table is called like that" in shop.read("tables", search="nothing like it")


@pytest.mark.usefixtures("tables")
def test_rows_are_paged_sorted_and_filtered(shop: Visitor) -> None:
    page = shop.read(f"{ROOT}/people")
    assert ids(page) == [*range(1, 51)]
    assert "First</a>" not in page
    seen = ids(page)
    while 'rel="next"' in page:
        page = shop.client.get(link(page, "Next")).text
        seen += ids(page)
    assert seen == [*range(1, 121)]
    assert ids(shop.client.get(link(page, "Previous")).text) == [*range(51, 101)]
    first = shop.client.get(link(page, "First")).text
    assert ids(first) == [*range(1, 51)]
    last = shop.client.get(link(first, "Last")).text
    assert ids(last) == [*range(71, 121)]
    by_score = shop.client.get(link(first, "score")).text
    assert 'aria-sort="ascending"' in by_score
    assert [row[7] for row in cells(by_score)][:25] == ["1"] * 24 + ["2"]
    down = shop.client.get(link(by_score, "score")).text
    assert 'aria-sort="descending"' in down
    assert cells(down)[0][7] == "4"
    nulls = shop.client.get(link(down, "put it first")).text
    assert cells(nulls)[0][7] == "NULL"
    filters = form(first, "/people")
    found = filters.send(shop, c="name", o="has", v="ON 11", size="25").text
    assert ids(found) == [11, *range(110, 120)]
    again = form(found, "/people")
    assert [pair for pair in again.fields if pair[1]] == [
        ("c", "name"), ("o", "has"), ("v", "ON 11"), ("o", "eq"), ("size", "25")
    ]  # fmt: skip
    assert ids(shop.client.get(link(found, "Remove")).text) == [*range(1, 26)]
    assert "No row is like that" in filters.send(shop, c="name", o="eq", v="nobody").text


@pytest.mark.usefixtures("tables")
def test_a_bad_filter_is_said_at_its_field(shop: Visitor) -> None:
    answer = shop.open(f"{ROOT}/people", c="at", o="lt", v="<soon>")
    assert answer.status_code == 400
    assert "Invalid input syntax for type timestamp" in answer.text
    assert re.search(r'id="v0" name="v" value="&lt;soon&gt;"[^>]* aria-invalid="true"', answer.text)
    for asked in (
        {"sort": "nothing"},
        {"c": "name", "o": "like", "v": "x"},
        {"move": "next", "at": "x"},
        {"c": "';--", "o": "eq", "v": "1"},
    ):
        wrong = shop.open(f"{ROOT}/people", **asked)
        assert wrong.status_code == 400, asked
        assert 'role="alert"' in wrong.text


@pytest.mark.usefixtures("tables")
def test_values_are_shown_as_what_they_are(shop: Visitor) -> None:
    row = cells(shop.read(f"{ROOT}/people"))[4]
    assert row == [
        "Open", "5", "person 5", "NULL", '{"list": [1, 2], "number": 5}', "\\x00ff 2 B",
        "2026-01-01 12:00:00.000001+00", "NULL", '{a,NULL,"b,c"}',
    ]  # fmt: skip
    page = shop.read(f"{ROOT}/teams")
    assert cells(page)[0][2] == "Red & <Blue>"
    assert cells(page)[0][3].endswith("…")


@pytest.mark.usefixtures("tables")
def test_a_foreign_key_leads_to_its_row_and_back(shop: Visitor) -> None:
    people = shop.read(f"{ROOT}/people")
    team = shop.client.get(link(people, "1</a></td>\n<td>{".removesuffix("</a></td>\n<td>{"))).text
    person = shop.client.get(re.findall(r'href="([^"]*/row\?key=[^"]*)"', people)[1]).text
    assert "A row of looked at/%s.people" in person
    assert '  "number": 2' in html.unescape(person)
    team = shop.client.get(link(person, "The row of")).text
    assert "A row of looked at/%s.teams" in team
    assert "Red &amp; &lt;Blue&gt;" in team
    assert "long " * 100 in team
    back = re.search(r'href="([^"]*)">looked at/%s.people</a> by team: (\d+)', team)
    assert back
    assert back[2] == "60"
    assert ids(shop.client.get(html.unescape(back[1])).text) == [*range(2, 101, 2)]


@pytest.mark.usefixtures("tables")
def test_a_value_is_downloaded_whole(shop: Visitor) -> None:
    people = shop.read(f"{ROOT}/people")
    person = shop.client.get(html.unescape(re.findall(r'href="([^"]*/row\?key=[^"]*)"', people)[0]))
    photo = shop.client.get(link(person.text, "Download photo"))
    assert photo.content == b"\x00\xff"
    assert photo.headers["content-disposition"] == "attachment; filename*=UTF-8''people-photo.bin"
    assert photo.headers["x-content-type-options"] == "nosniff"
    address = link(person.text, "Download photo").replace("photo", "nothing")
    assert shop.client.get(address).status_code == 400


@pytest.mark.usefixtures("tables")
def test_a_table_without_a_key_and_a_view(shop: Visitor) -> None:
    log = shop.read(f"{ROOT}/log")
    assert "It has no primary key" in log
    last = shop.client.get(link(log, "Last")).text
    assert cells(last)[-1][1] == "line 120"
    row = shop.client.get(html.unescape(re.findall(r'href="([^"]*/row\?key=[^"]*)"', log)[0])).text
    assert "known by its place" in row
    assert "change-row" not in row
    grown = shop.read(f"{ROOT}/grown")
    assert "only the first of them can be shown" in grown
    assert 'rel="next"' not in grown
    assert cells(grown)[0] == ["1", "person 1"]


@pytest.mark.usefixtures("tables")
def test_the_structure(shop: Visitor) -> None:
    page = html.unescape(shop.read(f"{ROOT}/people/structure"))
    for text in (
        "of the game",
        "people_pkey",
        "FOREIGN KEY (team) REFERENCES",
        "jsonb",
        "not null",
    ):
        assert text in page, text
    assert "looked at/%s.teams" in shop.client.get(link(page, "looked at/%s.teams")).text
    assert shop.client.get(link(page, "It and its neighbours")).status_code == 200
    assert "by team to id" in shop.read(f"{ROOT}/teams/structure")
    assert "RANGE (id)" in shop.read(f"{ROOT}/parts/structure")
    assert "FOR VALUES FROM (0) TO (9)" in shop.read(f"{ROOT}/parts_0/structure")
    assert "FROM" in shop.read(f"{ROOT}/grown/structure")


@pytest.mark.usefixtures("tables")
def test_rows_are_copied(shop: Visitor, database: Database) -> None:
    page = shop.read(f"{ROOT}/people", c="id", o="gt", v="100")
    copy = form(page, "/people/copy")
    shown = copy.send(shop, ("as", "page"), which="all", format="json").text
    assert "20 rows as JSON" in shown
    file = form(shown, "/people/copy").send(shop, ("as", "file"))
    assert file.headers["content-disposition"].endswith("people.json")
    rows = json.loads(file.text)
    assert [row["id"] for row in rows] == [*range(101, 121)]
    assert rows[0]["data"] == {"list": [1, 2], "number": 101}
    keys = re.findall(r'name="k" value="([^"]+)"', page)
    chosen = {**dict(copy.fields), "which": "chosen", "format": "sql", "as": "file"}
    made = shop.client.post(copy.action, data={**chosen, "k": keys[1:3]}).text
    database.execute(
        sql.SQL("DELETE FROM {} WHERE id IN (102, 103)").format(sql.Identifier(SCHEMA, "people"))
    )
    database.execute(made.encode())
    assert ids(shop.read(f"{ROOT}/people", c="id", o="gt", v="100")) == [*range(101, 121)]
    refused = shop.client.post(copy.action, data=chosen)
    assert refused.status_code == 400
    assert "No row was chosen" in refused.text
    second = shop.client.get(link(shop.read(f"{ROOT}/people"), "Next")).text
    of_page = form(second, "/people/copy").send(shop, ("as", "file"), format="csv").text
    assert [row[0] for row in csv.reader(io.StringIO(of_page))][1:] == [
        str(i) for i in range(51, 101)
    ]
    assert shop.client.post(copy.action, data={**chosen, "format": "xml"}).status_code == 400


@pytest.mark.usefixtures("tables")
def test_what_is_not_there(shop: Visitor) -> None:
    for path in ("tables/public/nothing", f"{ROOT}/nothing/structure", f"{ROOT}/people/nothing"):
        assert shop.open(path).status_code == 404, path
    row = f"{ROOT}/people/row"
    assert shop.open(row).status_code == 404
    assert shop.open(row, key="x").status_code == 400
    assert shop.open(row, c="id", o="eq", v="9999").status_code == 404
    assert shop.open(row, c="id", o="eq", v="x").status_code == 400


def test_a_database_without_a_table(project: Project) -> None:
    with studio(project) as served, visitor(served) as shop:
        page = shop.read("tables")
    assert len(forms(page)) == 1
    assert "There is no table yet" in page
