"""Pages of rows: every order, every type of key, forwards and backwards."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import psycopg
import pytest
from psycopg import sql

from neonup_studio.data.filters import ColumnFilter, Comparison
from neonup_studio.data.ordering import RowOrder
from neonup_studio.data.places import LONGEST, RowPlace, encoded, key_text, read_key
from neonup_studio.data.problem import DataProblem
from neonup_studio.data.relation import DescribedRelation
from neonup_studio.data.rows import PageMove, RowsPage, RowsRequest, page
from tests.studio.data.conftest import Connection, Describe

KEYS = {
    "integers": ("int8", "SELECT i - 20 FROM generate_series(1, 40) i"),
    "uuid": ("uuid", "SELECT md5(i::text)::uuid FROM generate_series(1, 40) i"),
    "text": (
        'text COLLATE "C"',
        r"""SELECT * FROM unnest(ARRAY['', ' ', '%', '_', '''', '"', '\', E'\n', E'a\tb', '{}',
            '%s', '%(a)s', 'é', '日本', '🐘', 'NULL', '$1', E'\x01', 'a,b',
            '&=?#/+', '(', E'\r\n']::text[])""",
    ),
    "numeric": (
        "numeric",
        "SELECT * FROM unnest(ARRAY['-Infinity', '-1e30', '-0.10', '0', '1e-20', '1.5',"
        " '1.50000001', '123456789012345678901234567890.123', 'Infinity', 'NaN']::numeric[])",
    ),
    "float8": (
        "float8",
        "SELECT * FROM unnest(ARRAY['-Infinity', '-0.1', '0', '1e-300', '0.1',"
        " '0.30000000000000004', '1e22', 'Infinity', 'NaN']::float8[])",
    ),
    "timestamptz": (
        "timestamptz",
        "SELECT * FROM unnest(ARRAY['-infinity', '0044-03-15 12:00 BC',"
        " '2026-10-25 00:30:00.000001Z', '2026-10-25 01:30:00.000001Z',"
        " '2026-10-25 01:30:00.000002Z', '294000-01-01', 'infinity']"
        "::timestamptz[])",
    ),
    "interval": (
        "interval",
        "SELECT make_interval(months => i, secs => i * 0.000001) FROM generate_series(-9, 9) i",
    ),
    "bytea": (
        "bytea",
        "SELECT decode(lpad(to_hex(i), 2, '0') || '00ff', 'hex') FROM generate_series(0, 50) i",
    ),
    "arrays": ("int[]", "SELECT ARRAY[i % 3, i, NULL] FROM generate_series(1, 20) i"),
    "ranges": ("int4range", "SELECT int4range(i, i + 3) FROM generate_series(1, 20) i"),
    "jsonb": (
        "jsonb",
        """SELECT jsonb_build_object('a', i, 'b', '"%') FROM generate_series(1, 20) i""",
    ),
    "enum": ("mood", "SELECT unnest(enum_range(NULL::mood))"),
    "domain": ("word", "SELECT 'w' || i FROM generate_series(1, 20) i"),
    "citext": ("citext", "SELECT chr(65 + i % 26 + i % 2 * 32) || i FROM generate_series(1, 40) i"),
    "character": ("char(5)", "SELECT chr(65 + i) FROM generate_series(1, 20) i"),
    "bits": ("bit(6)", "SELECT i::bit(6) FROM generate_series(1, 40) i"),
    "inet": ("inet", "SELECT ('10.0.0.' || i)::inet FROM generate_series(1, 20) i"),
    "quoted": ("boolean", "SELECT unnest(ARRAY[true, false])"),
    "composite": ("pair", "SELECT ROW(i % 3, 'x' || i)::pair FROM generate_series(1, 20) i"),
}


def walk(
    db: Connection, relation: DescribedRelation, request: RowsRequest
) -> tuple[list[RowsPage], list[RowsPage]]:
    """All pages from the first on, and all from the last back."""
    pages, back = [page(db, relation, request)], []
    while (place := pages[-1].next) is not None:
        pages.append(page(db, relation, replace(request, move=PageMove.NEXT, place=place)))
        assert len(pages) < 100
    back.append(page(db, relation, replace(request, move=PageMove.LAST)))
    while (place := back[-1].previous) is not None:
        back.append(page(db, relation, replace(request, move=PageMove.PREVIOUS, place=place)))
        assert len(back) < 100
    return pages, back


def texts(pages: list[RowsPage], column: int = 0) -> list[str | None]:
    return [row.cells[column].text for page in pages for row in page.rows]


def check(
    db: Connection, relation: DescribedRelation, request: RowsRequest, order: str, column: int = 0
) -> None:
    """The pages have every row once, in the order that Postgres itself has."""
    query = sql.SQL("SELECT format('%s', {}), {} IS NULL FROM {} ORDER BY ").format(
        relation.columns[column].identifier,
        relation.columns[column].identifier,
        relation.name.identifier,
    ) + sql.SQL(order)
    expected = [None if null else text for text, null in db.execute(query).fetchall()]
    pages, back = walk(db, relation, request)
    assert texts(pages, column) == expected
    # Going back ends with a whole first page, which may have rows of the second.
    assert texts(back[-1:], column) == expected[: request.limit]
    if rest := texts(back[-2::-1], column):
        assert rest == expected[-len(rest) :]
        assert len(rest) >= len(expected) - request.limit
    assert all(len(page.rows) == request.limit for page in pages[:-1])
    assert pages[0].previous is None
    assert back[0].next is None
    assert all(page.previous for page in pages[1:])


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("descending", [False, True], ids=["up", "down"])
def test_every_type_of_key_pages_both_ways(
    db: Connection, describe_: Describe, name: str, descending: bool
) -> None:
    type_, rows = KEYS[name]
    db.execute("SET TimeZone = 'Europe/Berlin'")
    db.execute("CREATE TYPE mood AS ENUM ('z', 'a', 'm', 'it''s')")
    db.execute("CREATE DOMAIN word AS varchar(9) CHECK (VALUE LIKE 'w%')")
    db.execute("CREATE TYPE pair AS (a int, b text)")
    if name == "citext":
        db.execute("CREATE SCHEMA elsewhere")  # not in the search path
        db.execute("CREATE EXTENSION citext SCHEMA elsewhere")
        type_ = "elsewhere.citext"
    db.execute(f'CREATE TABLE "the ""keys" ("the %s {{key}}" {type_} PRIMARY KEY)'.encode())
    db.execute(f'INSERT INTO "the ""keys" {rows}'.encode())
    relation = describe_('the "keys')
    request = RowsRequest(RowOrder(descending=descending), limit=3)
    check(db, relation, request, '"the %s {key}"' + " DESC" * descending)


@pytest.mark.parametrize("descending", [False, True], ids=["up", "down"])
@pytest.mark.parametrize("nulls_first", [False, True], ids=["nulls last", "nulls first"])
@pytest.mark.parametrize("limit", [1, 4, 7, 50])
def test_a_sorted_column_with_nulls_pages_both_ways(
    db: Connection, describe_: Describe, descending: bool, nulls_first: bool, limit: int
) -> None:
    db.execute("CREATE TABLE people (id int PRIMARY KEY, age int, name text)")
    db.execute(
        "INSERT INTO people SELECT i, CASE WHEN i % 4 > 0 THEN i % 3 END, i FROM"
        " generate_series(1, 30) i"
    )
    down = " DESC" * descending
    nulls = "FIRST" if nulls_first else "LAST"
    request = RowsRequest(RowOrder("age", descending, nulls_first), limit=limit)
    check(db, describe_("people"), request, f"age{down} NULLS {nulls}, id{down}")


@pytest.mark.parametrize("value", ["NULL", "1"])
def test_a_sorted_column_with_nothing_but_nulls_or_without_any(
    db: Connection, describe_: Describe, value: str
) -> None:
    db.execute(f"CREATE TABLE t AS SELECT i AS id, {value}::int AS a FROM generate_series(1, 7) i")
    db.execute("ALTER TABLE t ADD PRIMARY KEY (id)")
    check(db, describe_("t"), RowsRequest(RowOrder("a"), limit=3), "id")
    check(db, describe_("t"), RowsRequest(RowOrder("a", nulls_first=True), limit=3), "id")


def test_a_key_of_several_columns_and_a_sort_by_one_of_them(
    db: Connection, describe_: Describe
) -> None:
    db.execute(
        "CREATE TABLE seats (hall text, at timestamptz, number int, PRIMARY KEY (hall, at, number))"
    )
    db.execute(
        "INSERT INTO seats SELECT 'h' || a, '2026-01-01'::timestamptz + b * interval '1 us', c"
        " FROM generate_series(1, 3) a, generate_series(1, 3) b, generate_series(1, 3) c"
    )
    relation = describe_("seats")
    assert [column.name for column in relation.key] == ["hall", "at", "number"]
    check(db, relation, RowsRequest(limit=4), "hall, at, number", 2)
    check(db, relation, RowsRequest(RowOrder("number"), limit=4), "number, hall, at", 1)
    check(
        db,
        relation,
        RowsRequest(RowOrder("hall", True), limit=4),
        "hall DESC, at DESC, number DESC",
    )


def test_operators_of_two_schemas_in_one_order(db: Connection, describe_: Describe) -> None:
    db.execute("CREATE SCHEMA elsewhere")
    db.execute("CREATE EXTENSION citext SCHEMA elsewhere")
    db.execute("CREATE TABLE t (id int, name elsewhere.citext, PRIMARY KEY (name, id))")
    db.execute(
        "INSERT INTO t SELECT i, chr(65 + i % 4 + i % 8 / 4 * 32) FROM generate_series(1, 30) i"
    )
    check(db, describe_("t"), RowsRequest(limit=4), "name, id")
    check(db, describe_("t"), RowsRequest(RowOrder("id", True), limit=4), "id DESC, name DESC")


def test_a_unique_index_without_nulls_stands_for_a_key(db: Connection, describe_: Describe) -> None:
    db.execute("CREATE TABLE t (a int, b int NOT NULL, c int NOT NULL, d text NOT NULL)")
    for index in ("(a)", "(c) WHERE b > 99", "((b + 1))", '(d COLLATE "C")'):
        db.execute(f"CREATE UNIQUE INDEX ON t {index}".encode())
    assert describe_("t").key == ()
    db.execute("CREATE UNIQUE INDEX ON t (c, b) INCLUDE (a)")
    assert [column.name for column in describe_("t").key] == ["c", "b"]
    db.execute("INSERT INTO t SELECT i, i, i / 10, i FROM generate_series(1, 30) i")
    check(db, describe_("t"), RowsRequest(limit=4), "c, b", 1)


@pytest.mark.parametrize("descending", [False, True], ids=["up", "down"])
def test_a_table_without_a_key_is_paged_by_places(
    db: Connection, describe_: Describe, descending: bool
) -> None:
    db.execute("CREATE TABLE log (line text, n int)")
    db.execute("INSERT INTO log SELECT repeat('x', 2000), i FROM generate_series(1, 300) i")
    db.execute("DELETE FROM log WHERE n BETWEEN 40 AND 250")
    relation = describe_("log")
    assert relation.key == ()
    down = " DESC" * descending
    check(db, relation, RowsRequest(RowOrder(descending=descending), limit=7), f"ctid{down}", 1)
    check(db, relation, RowsRequest(RowOrder("line"), limit=7), "line, ctid", 1)
    few = RowsRequest(filters=(ColumnFilter("n", Comparison.GREATER, "298"),), limit=1)
    pages, back = walk(db, relation, few)
    assert texts(pages, 1) == ["299", "300"]
    assert texts(back, 1) == ["300", "299"]


def test_an_empty_table_and_a_view(db: Connection, describe_: Describe) -> None:
    db.execute("CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE none (a int)")
    for name in ("t", "none"):
        for move in (PageMove.FIRST, PageMove.LAST):
            assert page(db, describe_(name), RowsRequest(move=move)) == RowsPage([], None, None)
    db.execute("INSERT INTO t SELECT generate_series(1, 60); CREATE VIEW v AS SELECT id FROM t")
    first = page(db, describe_("v"), RowsRequest(RowOrder("id", True), limit=50))
    assert (first.next, first.previous, first.more) == (None, None, True)
    assert texts([first])[:2] == ["60", "59"]
    assert {row.key for row in first.rows} == {None}
    assert not page(db, describe_("v"), RowsRequest(limit=60)).more


def test_materialized_views_partitions_and_parents(db: Connection, describe_: Describe) -> None:
    db.execute("CREATE MATERIALIZED VIEW m AS SELECT i FROM generate_series(1, 20) i")
    check(db, describe_("m"), RowsRequest(limit=6), "ctid")
    db.execute("CREATE TABLE p (id int PRIMARY KEY, a text) PARTITION BY RANGE (id)")
    db.execute("CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10)")
    db.execute("CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (99)")
    db.execute("INSERT INTO p SELECT i, i % 3 FROM generate_series(0, 20) i")
    check(db, describe_("p"), RowsRequest(limit=6), "id")
    check(db, describe_("p"), RowsRequest(RowOrder("a"), limit=6), "a, id")
    db.execute("CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child () INHERITS (parent)")
    db.execute("INSERT INTO parent VALUES (1), (2); INSERT INTO child VALUES (1)")
    assert texts([page(db, describe_("parent"), RowsRequest())]) == ["1", "2"]


def test_a_foreign_table_has_a_first_page(db: Connection, describe_: Describe) -> None:
    db.execute("CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw")
    db.execute(
        "CREATE FOREIGN TABLE lines (line text) SERVER files"
        " OPTIONS (program 'printf \"a\\nb\\n\"', format 'csv')"
    )
    assert texts([page(db, describe_("lines"), RowsRequest())]) == ["a", "b"]
    assert page(db, describe_("lines"), RowsRequest(limit=1)).more


def test_rows_that_go_and_come_meanwhile_move_no_page(db: Connection, describe_: Describe) -> None:
    db.execute("CREATE TABLE t AS SELECT i AS id FROM generate_series(10, 100, 10) i")
    db.execute("ALTER TABLE t ADD PRIMARY KEY (id)")
    relation = describe_("t")
    first = page(db, relation, RowsRequest(limit=3))
    db.execute("DELETE FROM t WHERE id <= 30; INSERT INTO t VALUES (5), (35)")
    second = page(db, relation, RowsRequest(limit=3, move=PageMove.NEXT, place=first.next or ""))
    assert texts([second]) == ["35", "40", "50"]


def test_a_sorted_value_too_long_for_an_address_is_looked_up(
    db: Connection, describe_: Describe
) -> None:
    db.execute("CREATE TABLE t (id int PRIMARY KEY, a text)")
    db.execute(
        f"INSERT INTO t SELECT i, repeat('x', {LONGEST} + i % 3) FROM generate_series(1, 9) i"
    )
    first = page(db, describe_("t"), RowsRequest(RowOrder("a"), limit=2))
    assert len(first.next or "") < 2 * LONGEST
    check(db, describe_("t"), RowsRequest(RowOrder("a"), limit=2), "a, id")
    longest = page(db, describe_("t"), RowsRequest(RowOrder("a", True), limit=1)).next or ""
    assert len(longest) < 50


@pytest.mark.parametrize(
    "place",
    ["", "!", "bnVsbA", encoded([]), encoded(["x"]), encoded([None, False]),
     encoded([True, False, "1"]), encoded([None, False, "1", "2"]),
     encoded([None, False, None]), "W1tbW1s" * 500, "ü"],
)  # fmt: skip
def test_an_address_that_names_no_row_is_a_clear_error(
    db: Connection, describe_: Describe, place: str
) -> None:
    db.execute("CREATE TABLE t (id int PRIMARY KEY)")
    with pytest.raises(DataProblem, match="This address names no row"):
        page(db, describe_("t"), RowsRequest(move=PageMove.NEXT, place=place))


def test_a_made_up_place_is_a_value_and_nothing_more(db: Connection, describe_: Describe) -> None:
    db.execute("CREATE TABLE t (id int PRIMARY KEY)")
    for value in ("1); DROP TABLE t; --", "x", "\0", "\ud800"):
        place = encoded([None, False, value]) if value != "\ud800" else "WyJceCJd"
        with pytest.raises(DataProblem):
            page(db, describe_("t"), RowsRequest(move=PageMove.NEXT, place=place))
    assert db.execute("SELECT count(*) FROM t").fetchone() == (0,)
    with pytest.raises(DataProblem, match="no row"):
        page(db, describe_("t"), RowsRequest(move=PageMove.NEXT, place=key_text(["1"])))


def test_keys_of_any_text_round_trip() -> None:
    for key in ([], [""], ["a", "b"], ['"', "\\", "\n", "日本🐘", "\x01", "=&?+/ %"]):
        assert read_key(key_text(key), len(key)) == tuple(key)
    place = RowPlace(("a", "\n"), None, False)
    assert RowPlace.read(place.text, 2) == place
    assert place.text.replace("-", "").replace("_", "").isalnum()


def test_it_cannot_be_sorted_by_what_has_no_order(db: Connection, describe_: Describe) -> None:
    db.execute("CREATE TABLE t (id int PRIMARY KEY, j json, p point, js json[])")
    for name in ("j", "p", "js", "none"):
        with pytest.raises(DataProblem, match=r"have no order|no column none") as raised:
            page(db, describe_("t"), RowsRequest(RowOrder(name)))
        assert raised.value.column == name


def test_a_page_is_few_round_trips_counts_nothing_and_skips_nothing(
    db: Connection, describe_: Describe
) -> None:
    db.execute("CREATE TABLE t (id int PRIMARY KEY, a int)")
    relation = describe_("t")
    asked: list[str] = []

    class Heard(psycopg.Connection[Any]):
        def execute(self, query: Any, *args: Any, **named: Any) -> Any:
            asked.append(query if isinstance(query, str) else query.as_string(self))
            return super().execute(query, *args, **named)

    with Heard.connect(db.info.dsn, password=db.info.password, autocommit=True) as heard:
        page(heard, relation, RowsRequest(RowOrder("a")))
    assert len(asked) <= 4
    assert not [query for query in asked if "count(" in query or "OFFSET" in query.upper()]


def test_nothing_can_be_written_while_rows_are_shown(db: Connection, describe_: Describe) -> None:
    db.execute("CREATE TABLE t (id int)")
    db.execute(
        "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS"
        " 'BEGIN INSERT INTO t VALUES (1); RETURN 1; END'; CREATE VIEW v AS SELECT f()"
    )
    with pytest.raises(DataProblem, match="read-only transaction"):
        page(db, describe_("v"), RowsRequest())
    assert db.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


def test_what_takes_too_long_is_given_up(db: Connection, describe_: Describe) -> None:
    db.execute("CREATE VIEW slow AS SELECT 1 AS one FROM pg_sleep(600)")
    with pytest.raises(DataProblem, match="took too long") as raised:
        page(db, describe_("slow"), RowsRequest(), seconds=0.2)
    assert raised.value.remedy
    assert db.execute("SELECT 1").fetchone() == (1,)
