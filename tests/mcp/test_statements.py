"""What statements return, how much of it, and what stays of them."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from neonup.errors import NeonupError, SqlError
from neonup_mcp import session, statements
from neonup_mcp.session import StatementLimits
from tests.project import Project

LIMITS = StatementLimits(seconds=60)

VALUES: dict[str, Any] = {
    "NULL": None,
    "true": True,
    "1::smallint": 1,
    "9007199254740992": 9007199254740992,
    "9007199254740993": "9007199254740993",
    "1.50": "1.50",
    "'NaN'::numeric": "NaN",
    "0.25::float8": 0.25,
    "'-Infinity'::float8": "-inf",
    "'a | b'": "a | b",
    r"'\xdead'::bytea": r"\xdead",
    "'infinity'::date": "infinity",
    "DATE '12000-01-01'": "12000-01-01",
    "TIMESTAMP '0044-03-15 12:00 BC'": "0044-03-15 12:00:00 BC",
    "TIME '12:00'": "12:00:00",
    "INTERVAL '1 month 2 days'": "1 mon 2 days",
    "'{\"a\": [1, 2.5, null]}'::jsonb": {"a": [1, 2.5, None]},
    "'[1,2]'::json": [1, 2],
    "'null'::jsonb": None,
    "ARRAY[1, NULL]": [1, None],
    "ARRAY[[1.5],[2]]": [["1.5"], ["2"]],
    "ARRAY[DATE '2026-01-01']": ["2026-01-01"],
    "'{}'::text[]": [],
    "int4range(1, 5)": "[1,5)",
    "ROW(1, 'a')": "(1,a)",
    "'127.0.0.1'::inet": "127.0.0.1",
    "'c56a4180-65aa-42ec-a945-5fd21dec0538'::uuid": "c56a4180-65aa-42ec-a945-5fd21dec0538",
    "12.3::money": "$12.30",
    "point(1, 2)": "(1,2)",
}


async def test_every_kind_of_value_has_its_form_in_json(shop: Project) -> None:
    found = await statements.read(shop.url, f"SELECT {', '.join(VALUES)}", LIMITS)
    assert dict(zip(VALUES, found.rows[0], strict=True)) == VALUES


async def test_columns_have_names_and_types_though_two_are_called_alike(shop: Project) -> None:
    found = await statements.read(
        shop.url, "SELECT 1 AS a, 'x'::varchar AS a, ARRAY[now()] FROM customer LIMIT 0", LIMITS
    )
    assert found.columns == [
        ("a", "integer"),
        ("a", "character varying"),
        ("array", "timestamp with time zone[]"),
    ]
    assert found.rows == []
    assert not found.truncated


@pytest.mark.parametrize(("there", "truncated"), [(3, False), (4, True), (1_000_000, True)])
async def test_rows_beyond_the_limit_are_cut(shop: Project, there: int, truncated: bool) -> None:
    limits = StatementLimits(seconds=60, rows=3)
    for run in (statements.read, statements.write):
        query = f"SELECT generate_series(1, {min(there, 1000)})"
        found = await run(shop.url, query, limits)
        assert found.rows == [[1], [2], [3]]
        assert found.truncated == truncated


async def test_long_values_are_cut_and_say_so(shop: Project) -> None:
    query = "SELECT repeat('x', 100000), to_json(repeat('y', 100000)), ARRAY[repeat('z', 100000)]"
    (row,) = (await statements.read(shop.url, query, LIMITS)).rows
    for value in row:
        assert len(value) < 2100
        assert "more characters]" in value


async def test_many_long_values_end_the_rows_early(shop: Project) -> None:
    query = "SELECT repeat('x', 1000) FROM generate_series(1, 10000000)"
    found = await statements.read(shop.url, query, StatementLimits(seconds=60, rows=10_000))
    assert 50 < len(found.rows) < 120
    assert found.truncated


async def test_a_statement_that_takes_too_long_is_ended(shop: Project) -> None:
    limits = StatementLimits(seconds=1)
    endless = "SELECT count(*) FROM generate_series(1, 1000000000000)"
    for run in (statements.read, statements.write):
        with pytest.raises(SqlError, match="statement timeout"):
            await run(shop.url, endless, limits)
    with pytest.raises(SqlError, match="statement timeout"):
        await statements.explain(shop.url, endless, limits, analyze=True, writes=False)


async def test_an_error_says_where_and_what_to_do(shop: Project) -> None:
    with pytest.raises(SqlError) as raised:
        await statements.read(shop.url, "SELECT id,\n  nome\nFROM customer", LIMITS)
    assert raised.value.line == 2
    assert str(raised.value).splitlines() == [
        'column "nome" does not exist (SQLSTATE 42703)',
        '  checked: hint: Perhaps you meant to reference the column "customer.name".',
        "  checked: line 2: nome",
        "  -> This tool takes one query: SELECT, WITH, VALUES or TABLE.",
    ]


@pytest.mark.parametrize(
    "statement", ["SELECT *\nFROM\n", "", "\n", "SELECT 'open", "-- nothing", "\x00SELECT 1"]
)
async def test_what_is_no_statement_is_an_error(shop: Project, statement: str) -> None:
    for run in (statements.read, statements.write):
        with pytest.raises(SqlError):
            await run(shop.url, statement, LIMITS)


async def test_a_database_in_another_encoding_is_read(shop: Project) -> None:
    for name, encoding in (("latin", "LATIN1"), ("bare", "SQL_ASCII")):
        create = f"CREATE DATABASE {name} ENCODING {encoding} LOCALE_PROVIDER libc LOCALE 'C'"
        await statements.write(shop.url, f"{create} TEMPLATE template0", LIMITS)
    latin = shop.url.removesuffix("neondb") + "latin?client_encoding=SJIS"
    assert (await statements.read(latin, "SELECT 'é', ROW('é')", LIMITS)).rows == [["é", "(é)"]]
    with pytest.raises(SqlError, match="UTF8"):
        bare = shop.url.removesuffix("neondb") + "bare"
        await statements.read(bare, r"SELECT E'\xff'", LIMITS)


async def test_what_a_function_tells_others_is_taken_back(shop: Project) -> None:
    with psycopg.connect(shop.url, autocommit=True) as connection:
        connection.execute(
            "CREATE OR REPLACE FUNCTION told() RETURNS text LANGUAGE sql AS "
            "$$ SELECT pg_notify('shop', 'x')::text $$"
        )
        connection.execute("LISTEN shop")
        await statements.read(shop.url, "SELECT told()", LIMITS)
        assert not list(connection.notifies(timeout=0))


async def test_a_write_is_committed_and_says_what_it_did(project: Project) -> None:
    project.ok()
    url = project.url
    assert (await statements.write(url, "CREATE TABLE t (id int)", LIMITS)).status == "CREATE TABLE"
    found = await statements.write(url, "INSERT INTO t VALUES (1), (2) RETURNING id", LIMITS)
    assert (found.status, found.rows) == ("INSERT 0 2", [[1], [2]])
    await statements.write(url, "VACUUM t", LIMITS)  # which runs in no transaction block
    assert (await statements.read(url, "TABLE t", LIMITS)).rows == [[1], [2]]

    for statement in ("DELETE FROM t; SELECT 1", "BEGIN", "COMMIT", "ROLLBACK", "COPY t TO STDOUT"):
        with pytest.raises(NeonupError):
            await statements.write(url, statement, LIMITS)
    for _ in range(2):  # a transaction that ends with its call changes nothing
        with pytest.raises(SqlError, match="no effect"):
            await statements.write(url, "BEGIN", LIMITS)
    plan = await statements.explain(url, "DELETE FROM t", LIMITS, analyze=True, writes=True)
    assert "actual time" in plan
    assert (await statements.read(url, "TABLE t", LIMITS)).rows == [[1], [2]]


async def test_no_password_is_in_an_error(shop: Project) -> None:
    password = shop.url.partition("@")[0].rpartition(":")[2]
    port = shop.url.rpartition(":")[2].partition("/")[0]
    for url in (shop.url.replace(port, "1"), shop.url.removesuffix("neondb") + "other"):
        with pytest.raises(SqlError) as raised:
            await statements.read(url, "SELECT 1", LIMITS)
        assert password not in str(raised.value)
    with pytest.raises(SqlError) as raised:
        async with session.connected(shop.url) as connection:
            await connection.execute("SELECT 1/0")
    assert "division by zero" in str(raised.value)
