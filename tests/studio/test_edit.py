"""Rows added, changed and deleted by the pages: the SQL is shown before it is run."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import httpx
import psycopg
import pytest

from tests.project import Project
from tests.studio.forms import PageForm, form
from tests.studio.serving import Visitor, studio, visitor

Database = psycopg.Connection[tuple[object, ...]]
TABLE = """
CREATE SCHEMA edited;
CREATE TYPE edited.mood AS ENUM ('fine', 'it''s');
CREATE TABLE edited.people (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, note text DEFAULT 'new',
    born date, mood edited.mood, ok boolean NOT NULL DEFAULT true, data jsonb, photo bytea,
    upper text GENERATED ALWAYS AS (upper(name)) STORED, long text);
INSERT INTO edited.people (name, note, data, long)
    VALUES ('Ada', E'\\n two\\r\\nlines <b>"', '{"a": 1}', repeat('x', 30000)),
        ('Bob', '', NULL, NULL)
"""
ROOT = "tables/edited/people"


@pytest.fixture
def people(database: Database) -> Iterator[None]:
    for statement in TABLE.split(";\n"):
        database.execute(statement.encode())
    try:
        yield
    finally:
        database.execute("DROP SCHEMA edited CASCADE")


def row(database: Database, id_: int, columns: str = "name, note, born, mood, ok, data") -> object:
    return database.execute(
        f"SELECT {columns} FROM edited.people WHERE id = {id_}".encode()
    ).fetchone()


def statement(page: str) -> str:
    found = re.search(r'<pre id="statement"><code>(.*?)</code>', page, re.DOTALL)
    assert found, page
    return html.unescape(found[1])


def changing(shop: Visitor, id_: int) -> PageForm:
    page = shop.read(f"{ROOT}/row", c="id", o="eq", v=str(id_))
    found = re.search(r'href="([^"]*change-row[^"]*)"', page)
    assert found
    return form(shop.client.get(html.unescape(found[1])).text, "change-row")


def run(shop: Visitor, preview: httpx.Response) -> httpx.Response:
    assert preview.status_code == 200, preview.text
    return form(preview.text, "-row").send(shop, ("step", "run"))


SHOW = ("step", "preview")


@pytest.mark.usefixtures("people")
def test_a_row_is_added(shop: Visitor, database: Database) -> None:
    page = shop.read(f"{ROOT}/add-row")
    assert "Postgres gives it the next number." in page
    adding = form(page, "add-row")
    preview = adding.send(shop, SHOW, v_2="O'Neil\nwith lines", v_5="=it's", v_7='{"b": [1]}')
    assert statement(preview.text) == (
        'BEGIN;\nINSERT INTO "edited"."people" ("name", "born", "mood", "data", "photo", "long")\n'
        "VALUES ('O''Neil\nwith lines', NULL, 'it''s', '{\"b\": [1]}', NULL, NULL)\n"
        'RETURNING "id";\nCOMMIT;'
    )
    assert row(database, 3) is None
    done = run(shop, preview)
    assert "The row was added." in done.text
    assert "A row of edited.people" in done.text
    assert row(database, 3) == ("O'Neil\nwith lines", "new", None, "it's", True, {"b": [1]})
    again = form(preview.text, "-row").send(shop, ("step", "edit"))
    assert form(again.text, "add-row").value("v.2") == "O'Neil\nwith lines"


@pytest.mark.usefixtures("people")
def test_only_what_is_different_is_changed(shop: Visitor, database: Database) -> None:
    before = row(database, 1, "note, long, data")
    change = changing(shop, 1)
    assert change.value("v.3") == '\n two\r\nlines <b>"'
    assert "v.10" not in dict(change.fields)  # too long for a field
    untouched = change.send(shop, SHOW)
    assert untouched.status_code == 400
    assert "Nothing is different." in untouched.text
    preview = change.send(shop, SHOW, v_2="Eve", v_6="=f")
    assert statement(preview.text) == (
        'BEGIN;\nUPDATE "edited"."people"\nSET "name" = \'Eve\',\n    "ok" = \'f\'\n'
        'WHERE "id" = \'1\'\nRETURNING "id";\nCOMMIT;'
    )
    assert "The row was changed." in run(shop, preview).text
    assert row(database, 1, "name, ok, upper") == ("Eve", False, "EVE")
    assert row(database, 1, "note, long, data") == before


@pytest.mark.usefixtures("people")
def test_null_an_empty_text_and_the_default_are_three_things(
    shop: Visitor, database: Database
) -> None:
    for meaning, value in (("null", None), ("text", ""), ("default", "new")):
        run(shop, changing(shop, 1).send(shop, SHOW, v_3="", e_3=meaning))
        assert row(database, 1, "note") == (value,)
    assert changing(shop, 2).value("e.3") == "text"
    for meaning, value in (("default", "new"), ("text", ""), ("null", None)):
        adding = form(shop.read(f"{ROOT}/add-row"), "add-row")
        run(shop, adding.send(shop, SHOW, v_2=f"a {meaning}", e_3=meaning))
        found = database.execute(
            "SELECT note FROM edited.people WHERE name = %s", [f"a {meaning}"]
        ).fetchone()
        assert found == (value,)


@pytest.mark.usefixtures("people")
def test_an_error_is_at_its_field_and_what_was_typed_stays(
    shop: Visitor, database: Database
) -> None:
    preview = changing(shop, 1).send(shop, SHOW, v_2="Eve", v_4="<soon>")
    answer = run(shop, preview)
    assert answer.status_code == 400
    assert re.search(r'name="v\.4"[^>]*aria-invalid="true" aria-describedby="error4"', answer.text)
    assert "Invalid input syntax for type date" in answer.text
    again = form(answer.text, "change-row")
    assert (again.value("v.2"), again.value("v.4")) == ("Eve", "<soon>")
    assert "The row was changed." in run(shop, again.send(shop, SHOW, v_4="2026-02-28")).text
    assert row(database, 1, "name, born::text") == ("Eve", "2026-02-28")


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("when", ["before the preview", "after it"])
def test_somebody_elses_change_is_shown_and_kept(
    shop: Visitor, database: Database, when: str
) -> None:
    change = changing(shop, 1)
    theirs = "UPDATE edited.people SET note = 'theirs' WHERE id = 1"
    if when == "before the preview":
        database.execute(theirs)
        answer = change.send(shop, SHOW, v_2="Mine")
    else:
        preview = change.send(shop, SHOW, v_2="Mine")
        database.execute(theirs)
        answer = run(shop, preview)
    assert answer.status_code == 409
    assert "Somebody has changed this row meanwhile" in answer.text
    assert "theirs" in answer.text
    assert "Mine" in answer.text
    assert row(database, 1, "name, note") == ("Ada", "theirs")


@pytest.mark.usefixtures("people")
def test_a_row_is_deleted_after_its_sql_was_shown(shop: Visitor, database: Database) -> None:
    page = shop.read(f"{ROOT}/row", c="id", o="eq", v="2")
    found = re.search(r'href="([^"]*delete-row[^"]*)"', page)
    assert found
    preview = shop.client.get(html.unescape(found[1]))
    assert statement(preview.text) == (
        'BEGIN;\nDELETE FROM "edited"."people"\nWHERE "id" = \'2\';\nCOMMIT;'
    )
    assert row(database, 2)
    assert "It was deleted." in run(shop, preview).text
    assert row(database, 2) is None
    assert run(shop, preview).status_code == 404


@pytest.mark.usefixtures("people")
def test_what_is_run_is_what_was_shown(shop: Visitor, database: Database) -> None:
    preview = changing(shop, 1).send(shop, SHOW, v_2="Eve")
    sent = form(preview.text, "-row").send(shop, ("step", "run"), v_2="Mallory")
    assert "'Mallory'" in statement(sent.text)  # shown again, since it is another one
    assert row(database, 1, "name") == ("Ada",)


@pytest.mark.usefixtures("people")
def test_nothing_is_changed_without_leave(
    shared_project: Project, shop: Visitor, database: Database
) -> None:
    sent = shop.client.post(f"/db/{ROOT}/add-row", data={"v.2": "x", "step": "run"})
    assert sent.status_code == 403  # without the token of a page
    with studio(shared_project, "--read-only") as served, visitor(served) as reader:
        page = reader.read(ROOT)
        assert "add-row" not in page
        assert "Read-only" in page
        assert "change-row" not in reader.read(f"{ROOT}/row", c="id", o="eq", v="1")
        assert reader.open(f"{ROOT}/add-row").status_code == 403
        answer = reader.send(f"{ROOT}/add-row", **{"v.2": "x", "step": "run"})
        assert answer.status_code == 403
        assert "--read-only" in answer.text
    assert database.execute("SELECT count(*) FROM edited.people").fetchone() == (2,)


@pytest.mark.usefixtures("people")
def test_a_table_without_a_key_takes_rows_and_changes_none(
    shop: Visitor, database: Database
) -> None:
    database.execute("CREATE TABLE edited.log (line text); CREATE VIEW edited.v AS SELECT 1 AS a")
    adding = form(shop.read("tables/edited/log/add-row"), "add-row")
    done = run(shop, adding.send(shop, SHOW, v_1="first"))
    assert "The row was added." in done.text
    for kind in ("change-row", "delete-row"):
        assert shop.open(f"tables/edited/log/{kind}", key="WyIoMCwxKSJd").status_code == 400
    assert shop.open("tables/edited/v/add-row").status_code == 400
    assert shop.open("tables/edited/log/drop-row").status_code == 404
    assert shop.open(f"{ROOT}/change-row", key="WyI5OTkiXQ").status_code == 404
