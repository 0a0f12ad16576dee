"""Rows as CSV, JSON and INSERT: what is copied is what was there."""

from __future__ import annotations

import csv
import io
import json

import pytest

from neonup_studio.data import export
from neonup_studio.data.export import CopyFormat, copied
from neonup_studio.data.filters import ColumnFilter, Comparison
from neonup_studio.data.ordering import RowOrder
from neonup_studio.data.places import key_text
from neonup_studio.data.problem import DataProblem
from neonup_studio.data.rows import PageMove, RowsRequest, page
from tests.studio.data.conftest import Connection, Describe

TABLE = """CREATE TABLE "the ""t %s" (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "a b" text, n numeric, f float8, j jsonb,
    raw bytea, at timestamptz, tags text[], ok boolean, mood mood, h hstore, v vector(2),
    span int4range, c char(4), net inet, twice numeric GENERATED ALWAYS AS (n * 2) STORED)"""
ROWS = r"""INSERT INTO "the ""t %s"
    ("a b", n, f, j, raw, at, tags, ok, mood, h, v, span, c, net) VALUES
    (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    ('', 'NaN', '-Infinity', '""', '', '-infinity', '{}', false, 'a', '', '[0,0]', 'empty', '',
     '::1'),
    (E'it''s "q", \\ \n\r\n\t$1 %s {} 日本🐘', -1.50, 1e-300, '{"a": [1, "\\ ''"]}', '\x00ff5c27',
     '2026-10-25 01:30:00.000001Z', ARRAY['a,b', NULL, '', 'it''s'], true, 'it''s',
     'a=>"\"", b=>NULL', '[1.5,-2]', '[1,5)', 'x', '10.0.0.1'),
    ('\.', 12345678901234567890.123, 0.1, '1', 'x', 'infinity', '{{a,b},{c,d}}', NULL, 'a',
     'x=>y', NULL, '(,3)', 'abcd', '10.0.0.0/8')"""


@pytest.fixture
def odd(db: Connection) -> None:
    db.execute("SET TimeZone = 'Europe/Berlin'")
    db.execute("CREATE EXTENSION hstore; CREATE EXTENSION vector")
    db.execute("CREATE TYPE mood AS ENUM ('a', 'it''s')")
    db.execute(TABLE.encode())
    db.execute(ROWS.encode())


def contents(db: Connection, name: str = 'the "t %s') -> list[tuple[object, ...]]:
    quoted = name.replace('"', '""')
    return db.execute(f'SELECT t::text FROM "{quoted}" t ORDER BY 1'.encode()).fetchall()


@pytest.mark.usefixtures("odd")
@pytest.mark.parametrize("strings", ["on", "off"])
def test_insert_makes_the_same_rows_again(
    db: Connection, describe_: Describe, strings: str
) -> None:
    db.execute(f"SET escape_string_warning = off; SET standard_conforming_strings = {strings}")
    before = contents(db)
    made = copied(db, describe_('the "t %s'), RowsRequest(), CopyFormat.INSERT)
    assert (made.rows, made.more) == (4, False)
    assert "twice" not in made.text
    assert " OVERRIDING SYSTEM VALUE VALUES\n" in made.text
    assert ", -1.50, " in made.text
    db.execute('TRUNCATE "the ""t %s"')
    db.execute(made.text.encode())
    assert contents(db) == before


@pytest.mark.usefixtures("odd")
def test_csv_is_what_postgres_reads_again(db: Connection, describe_: Describe) -> None:
    made = copied(db, describe_('the "t %s'), RowsRequest(), CopyFormat.CSV)
    header, *rows = csv.reader(io.StringIO(made.text, newline=""))
    assert header[:2] == ["id", "a b"]
    assert rows[2][1] == 'it\'s "q", \\ \n\r\n\t$1 %s {} 日本🐘'
    db.execute('CREATE TABLE again AS SELECT * FROM "the ""t %s" LIMIT 0')
    with db.cursor().copy("COPY again FROM STDIN (FORMAT csv, HEADER)") as copy:
        copy.write(made.text)
    assert contents(db, "again") == contents(db)


@pytest.mark.usefixtures("odd")
def test_json_has_values_as_they_are(db: Connection, describe_: Describe) -> None:
    made = copied(
        db, describe_('the "t %s'), RowsRequest(RowOrder(descending=True)), CopyFormat.JSON
    )
    last, odd, empty, nulls = json.loads(made.text)
    assert "12345678901234567890.123" in made.text
    assert (last["id"], nulls["a b"], empty["a b"]) == (4, None, "")
    assert (odd["j"], odd["tags"]) == ({"a": [1, "\\ '"]}, ["a,b", None, "", "it's"])
    assert (odd["raw"], odd["ok"], empty["n"]) == ("\\x00ff5c27", True, "NaN")
    nothing = RowsRequest(filters=(ColumnFilter("id", Comparison.EQUAL, "99"),))
    assert json.loads(copied(db, describe_('the "t %s'), nothing, CopyFormat.JSON).text) == []


def test_a_page_chosen_rows_or_those_of_filters(
    db: Connection, describe_: Describe, monkeypatch: pytest.MonkeyPatch
) -> None:
    db.execute(
        "CREATE TABLE t AS SELECT i AS id, nullif(i % 3, 0) AS a FROM generate_series(1, 30) i"
    )
    db.execute("ALTER TABLE t ADD PRIMARY KEY (id)")
    relation = describe_("t")

    def ids(request: RowsRequest, **more: object) -> list[int]:
        text = copied(db, relation, request, CopyFormat.JSON, **more).text  # type: ignore[arg-type]
        return [row["id"] for row in json.loads(text)]

    order = RowOrder("a", nulls_first=True)
    first = page(db, relation, RowsRequest(order, limit=4))
    second = RowsRequest(order, limit=4, move=PageMove.NEXT, place=first.next or "")
    shown = [int(row.cells[0].text or "") for row in page(db, relation, second).rows]
    assert ids(second, whole_page=True) == shown == [15, 18, 21, 24]
    assert ids(RowsRequest(), keys=[key_text(["7"]), key_text(["3"])]) == [3, 7]
    assert ids(RowsRequest(), keys=[]) == []
    filters = (ColumnFilter("a", Comparison.EQUAL, "2"),)
    assert ids(RowsRequest(RowOrder(descending=True), filters)) == [*range(29, 0, -3)]
    with pytest.raises(DataProblem) as raised:
        ids(RowsRequest(filters=(ColumnFilter("a", Comparison.EQUAL, "b"),)))
    assert raised.value.filter_number == 0


def test_what_is_copied_is_bounded(db: Connection, describe_: Describe) -> None:
    db.execute(f"CREATE TABLE t AS SELECT i FROM generate_series(1, {export.ROWS + 1}) i")
    made = copied(db, describe_("t"), RowsRequest(), CopyFormat.CSV)
    assert (made.rows, made.more) == (export.ROWS, True)
    assert made.text.count("\r\n") == export.ROWS + 1
    db.execute("CREATE TABLE big AS SELECT repeat('x', 9000000) AS a FROM generate_series(1, 9)")
    made = copied(db, describe_("big"), RowsRequest(), CopyFormat.CSV)
    assert (made.rows, made.more) == (3, True)


def test_a_view_is_copied_but_not_as_insert(db: Connection, describe_: Describe) -> None:
    db.execute("CREATE VIEW v AS SELECT i FROM generate_series(1, 90) i; CREATE TABLE none ()")
    view = describe_("v")
    assert copied(db, view, RowsRequest(), CopyFormat.CSV, whole_page=True).rows == 50
    assert copied(db, view, RowsRequest(), CopyFormat.CSV).rows == 90
    with pytest.raises(DataProblem, match="view"):
        copied(db, view, RowsRequest(), CopyFormat.INSERT)
    db.execute("INSERT INTO none DEFAULT VALUES")
    made = copied(db, describe_("none"), RowsRequest(), CopyFormat.INSERT)
    assert made.text == 'INSERT INTO "public"."none" DEFAULT VALUES;\n'
