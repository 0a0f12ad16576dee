"""Values as they are shown, filters on them, one row, and what leads to another."""

from __future__ import annotations

import pytest

from neonup_studio.data import row as rows
from neonup_studio.data.cells import SHOWN, CellValue
from neonup_studio.data.filters import ColumnFilter, Comparison
from neonup_studio.data.ordering import RowOrder
from neonup_studio.data.places import key_text
from neonup_studio.data.problem import DataProblem
from neonup_studio.data.rows import RowsRequest, page
from tests.studio.data.conftest import Connection, Describe

VALUES = {
    "NULL::text": None,
    "''::text": "",
    "E'a\\tb\\n'::text": "a\tb\n",
    "'x '::char(5)": "x    ",
    "'10.0.0.1'::inet": "10.0.0.1",
    """'{"b": [1, null], "a": "é"}'::jsonb""": '{"a": "é", "b": [1, null]}',
    """'{"b":1, "a":  2}'::json""": '{"b":1, "a":  2}',
    "ARRAY['a,b', NULL, '']": '{"a,b",NULL,""}',
    "'2026-10-25 02:30:00.000001+01'::timestamptz": "2026-10-25 02:30:00.000001+01",
    "'0044-03-15'::date": "0044-03-15",
    "'infinity'::timestamp": "infinity",
    "interval '1 mon -2 s 3 us'": "1 mon -00:00:01.999997",
    "int4range(1, 5)": "[1,5)",
    "'a=>1, b=>NULL'::hstore": '"a"=>"1", "b"=>NULL',
    "'[1,2.5,-3]'::vector": "[1,2.5,-3]",
    "true": "t",
    "0.1::float8": "0.1",
    "1.10::numeric": "1.10",
    "'NaN'::numeric": "NaN",
    "'(1,2)'::point": "(1,2)",
    "'12.30'::money": "$12.30",
    "B'101'": "101",
}


def test_values_are_shown_as_what_they_are(db: Connection, describe_: Describe) -> None:
    db.execute(
        "SET TimeZone = 'Europe/Berlin'; SET DateStyle = 'German'; SET bytea_output = 'escape'"
    )
    db.execute("SET extra_float_digits = -5; SET IntervalStyle = 'iso_8601'")
    db.execute("CREATE EXTENSION hstore; CREATE EXTENSION vector")
    columns = ", ".join(f"{value} AS c{number}" for number, value in enumerate(VALUES))
    db.execute(f"CREATE TABLE t AS SELECT {columns}".encode())
    relation = describe_("t")
    [row] = page(db, relation, RowsRequest()).rows
    assert row.key
    assert dict(zip(VALUES, (cell.text for cell in row.cells), strict=True)) == VALUES
    whole = rows.by_key(db, relation, row.key)
    assert whole
    assert list(whole.cells) == row.cells


def test_long_values_are_cut_in_the_list_and_whole_in_the_row(
    db: Connection, describe_: Describe
) -> None:
    db.execute(
        "CREATE TABLE t AS SELECT 1 AS id, repeat('é', 5000) AS long, repeat('y', 300) AS fits,"
        " array_fill(7, ARRAY[1000]) AS many, decode(repeat('00ff', 3000), 'hex') AS raw,"
        " decode('0aff', 'hex') AS few, ''::bytea AS none, repeat('z', 300000) AS huge"
    )
    db.execute("ALTER TABLE t ADD PRIMARY KEY (id)")
    relation = describe_("t")
    [row] = page(db, relation, RowsRequest()).rows
    _, long, fits, many, raw, few, none, huge = row.cells
    assert long == CellValue("é" * SHOWN, cut=True)
    assert fits == CellValue("y" * SHOWN)
    assert many.cut
    assert raw == CellValue("\\x" + "00ff" * 12, cut=True, size=6000)
    assert few == CellValue("\\x0aff", size=2)
    assert none == CellValue("\\x", size=0)
    assert huge.cut
    key = row.key or ""
    whole = rows.by_key(db, relation, key)
    assert whole
    assert whole.cells[1] == CellValue("é" * 5000)
    assert whole.cells[4] == CellValue("\\x" + "00ff" * 1024, cut=True, size=6000)
    assert whole.cells[7] == CellValue("z" * rows.WHOLE, cut=True)
    assert rows.value_bytes(db, relation, key, "huge") == b"z" * 300000
    assert rows.value_bytes(db, relation, key, "raw") == b"\x00\xff" * 3000
    assert rows.value_bytes(db, relation, key, "none") == b""
    assert rows.value_bytes(db, relation, key, "id") == b"1"
    with pytest.raises(DataProblem, match="no column nothing"):
        rows.value_bytes(db, relation, key, "nothing")
    assert rows.value_bytes(db, relation, key_text(["2"]), "raw") is None


def test_a_value_that_is_too_large_to_send_says_so(
    db: Connection, describe_: Describe, monkeypatch: pytest.MonkeyPatch
) -> None:
    db.execute("CREATE TABLE t (id int PRIMARY KEY, a text, b bytea)")
    db.execute(f"INSERT INTO t VALUES (1, repeat('x', {rows.LARGEST + 1}), NULL)")
    with pytest.raises(DataProblem, match=f"{rows.LARGEST + 1:,} bytes"):
        rows.value_bytes(db, describe_("t"), key_text(["1"]), "a")
    assert rows.value_bytes(db, describe_("t"), key_text(["1"]), "b") is None


FILTERED = [
    ("n", Comparison.EQUAL, "2", [2]),
    ("n", Comparison.EQUAL, " 2 ", [2]),
    ("n", Comparison.DIFFERENT, "2", [1]),
    ("n", Comparison.LESS, "2", [1]),
    ("n", Comparison.AT_MOST, "2", [1, 2]),
    ("n", Comparison.GREATER, "1", [2]),
    ("n", Comparison.AT_LEAST, "1", [1, 2]),
    ("n", Comparison.NULL, "", [3]),
    ("n", Comparison.NOT_NULL, "ignored", [1, 2]),
    ("name", Comparison.CONTAINS, "B%", [2]),
    ("name", Comparison.CONTAINS, "_", []),
    ("name", Comparison.CONTAINS, "\\", [1]),
    ("name", Comparison.BEGINS, "a", [1]),
    ("name", Comparison.EQUAL, "", [3]),
    ("name", Comparison.EQUAL, "' OR true --", []),
    ("name", Comparison.CONTAINS, "'; DROP TABLE t; --", []),
    ("short", Comparison.EQUAL, "abcdef", []),
    ("at", Comparison.GREATER, "2026-01-01 00:00:00.000001", [2]),
    ("at", Comparison.AT_LEAST, "yesterday", []),
    ("j", Comparison.INCLUDES, '{"a": 1}', [1]),
    ("tags", Comparison.INCLUDES, "{x}", [1, 2]),
    ("tags", Comparison.EQUAL, "{x,y}", [2]),
    ("tags", Comparison.CONTAINS, "y", [2]),
    ("span", Comparison.INCLUDES, "[2,3)", [2]),
    ("w", Comparison.EQUAL, "not-a-word", []),
    ("u", Comparison.EQUAL, "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", [1]),
]


@pytest.mark.parametrize(("column", "comparison", "value", "found"), FILTERED)
def test_filters(
    db: Connection,
    describe_: Describe,
    column: str,
    comparison: Comparison,
    value: str,
    found: list[int],
) -> None:
    _filtered(db)
    request = RowsRequest(filters=(ColumnFilter(column, comparison, value),))
    shown = page(db, describe_("t"), request).rows
    assert [row.cells[0].text for row in shown] == [str(number) for number in found]


def _filtered(db: Connection) -> None:
    db.execute("CREATE DOMAIN word AS text CHECK (VALUE LIKE 'w%')")
    db.execute("""CREATE TABLE t (id int PRIMARY KEY, n numeric(3, 1), name text, short varchar(3),
        at timestamptz, j jsonb, tags text[], span int4range, w word, u uuid, js json)""")
    db.execute(r"""INSERT INTO t VALUES
        (1, 1, 'a\', 'abc', '2026-01-01', '{"a": 1, "b": 2}', '{x}', '[4,5)', 'w',
         'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'),
        (2, 2, 'Ab%c', 'ab', '2026-01-02', '[]', '{x,y}', '[1,5)', NULL, NULL),
        (3, NULL, '', NULL, NULL, NULL, NULL, NULL, NULL, NULL)""")


@pytest.mark.parametrize(
    ("column", "comparison", "value", "message"),
    [
        ("n", Comparison.EQUAL, "two", 'Invalid input syntax for type numeric: "two"'),
        ("n", Comparison.EQUAL, "", "Invalid input syntax"),
        ("at", Comparison.LESS, "soon", "Invalid input syntax for type timestamp"),
        ("at", Comparison.LESS, "2026-02-30", "Date/time field value out of range"),
        ("j", Comparison.INCLUDES, "{a}", "Invalid input syntax for type json"),
        ("tags", Comparison.EQUAL, "{", "Malformed array literal"),
        ("js", Comparison.EQUAL, "{}", "no order"),
        ("name", Comparison.INCLUDES, "a", "include no others"),
        ("name", Comparison.EQUAL, "a\0b", "zero byte"),
        ("name", Comparison.CONTAINS, "\ud800", "half of a character"),
        ("none", Comparison.NULL, "", "There is no column none"),
        ("id; --", Comparison.NULL, "", "There is no column"),
    ],
)
def test_a_bad_value_is_an_error_at_its_filter(
    db: Connection,
    describe_: Describe,
    column: str,
    comparison: Comparison,
    value: str,
    message: str,
) -> None:
    _filtered(db)
    filters = (ColumnFilter("id", Comparison.EQUAL, "1"), ColumnFilter(column, comparison, value))
    with pytest.raises(DataProblem) as raised:
        page(db, describe_("t"), RowsRequest(RowOrder("id"), filters))
    assert message in raised.value.message
    assert (raised.value.column, raised.value.filter_number) == (column, 1)
    assert db.execute("SELECT count(*) FROM t").fetchone() == (3,)


def test_a_foreign_key_leads_to_its_row_and_back(db: Connection, describe_: Describe) -> None:
    db.execute("CREATE TABLE a (x int, y text, PRIMARY KEY (x, y))")
    db.execute("CREATE TABLE b (id int PRIMARY KEY, p text, q bigint, up int REFERENCES b)")
    db.execute("ALTER TABLE b ADD FOREIGN KEY (q, p) REFERENCES a (x, y)")
    db.execute("INSERT INTO a VALUES (1, 'it''s'), (2, 'z')")
    db.execute(
        "INSERT INTO b SELECT i, 'it''s', 1, CASE WHEN i > 1 THEN 1 END FROM"
        " generate_series(1, 150) i"
    )
    a, b = describe_("a"), describe_("b")
    row = rows.by_key(db, b, key_text(["7"]))
    assert row
    leads = {key.name: rows.target_of(key, b, row.cells) for key in b.references}
    target = rows.by_filters(db, a, leads["b_q_p_fkey"] or ())
    assert target
    assert [cell.text for cell in target.cells] == ["1", "it's"]
    [back] = rows.referring(db, a, target)
    assert back.count == rows.COUNTED + 1
    assert len(page(db, b, RowsRequest(filters=back.filters)).rows) == 50
    first = rows.by_key(db, b, key_text(["1"]))
    assert first
    assert rows.target_of(b.references[1], b, first.cells) is None or first.cells[3].null
    [own] = rows.referring(db, b, row)
    assert own.count == 0
    other = rows.by_key(db, a, key_text(["2", "z"]))
    assert other
    assert [one.count for one in rows.referring(db, a, other)] == [0]


def test_a_row_that_is_gone_or_has_no_key(db: Connection, describe_: Describe) -> None:
    db.execute("CREATE TABLE t (id int PRIMARY KEY); CREATE VIEW v AS SELECT * FROM t")
    db.execute("CREATE TABLE log (line text); INSERT INTO log VALUES ('x')")
    assert rows.by_key(db, describe_("t"), key_text(["1"])) is None
    with pytest.raises(DataProblem, match="apart"):
        rows.by_key(db, describe_("v"), key_text(["1"]))
    for key in ("", "x", key_text(["a"]), key_text(["1", "2"])):
        with pytest.raises(DataProblem):
            rows.by_key(db, describe_("t"), key)
    [row] = page(db, describe_("log"), RowsRequest()).rows
    whole = rows.by_key(db, describe_("log"), row.key or "")
    assert whole
    assert whole.cells == (CellValue("x"),)
    assert rows.placed(describe_("log"))
    assert not rows.placed(describe_("t"))
