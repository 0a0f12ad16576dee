"""A row added, changed and deleted: as shown, in one transaction, over nobody else's change."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from neonup_studio.data import row as rows
from neonup_studio.data.places import key_text
from neonup_studio.data.problem import DataProblem
from neonup_studio.data.writing import (
    Assigned,
    Assignments,
    RowChange,
    RowChanged,
    addition,
    alteration,
    carry_out,
    deletion,
)
from tests.studio.data.conftest import Connection, Describe

PEOPLE = """
CREATE TABLE teams (id int PRIMARY KEY);
INSERT INTO teams VALUES (1);
CREATE DOMAIN even AS int CHECK (VALUE % 2 = 0);
CREATE TABLE "the ""people" (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL DEFAULT 'nobody' CHECK (name <> 'bad'),
    mail varchar(9) UNIQUE, born date, team int REFERENCES teams, tags text[], price numeric(4, 2),
    pair even, upper text GENERATED ALWAYS AS (upper(name)) STORED);
INSERT INTO "the ""people" (name, mail) VALUES ('Ada', 'a@b'), ('Bob', NULL)
"""
NAME = 'the "people'


@pytest.fixture
def people(db: Connection) -> None:
    for statement in PEOPLE.split(";\n"):
        db.execute(statement.encode())


def contents(db: Connection, columns: str = "id, name, mail") -> list[tuple[object, ...]]:
    return db.execute(f'SELECT {columns} FROM "the ""people" ORDER BY id'.encode()).fetchall()


def version(db: Connection, describe_: Describe, key: str) -> str:
    row = rows.by_key(db, describe_(NAME), key)
    assert row
    assert row.version
    return row.version


@pytest.mark.usefixtures("people")
def test_a_row_is_added_as_shown(db: Connection, describe_: Describe) -> None:
    relation = describe_(NAME)
    values: Assignments = {
        "name": "O'Neil\\",
        "mail": Assigned.NULL,
        "team": Assigned.DEFAULT,
        "tags": "{a,b}",
    }
    change = addition(relation, values)
    assert change.text(db) == (
        "BEGIN;\n"
        'INSERT INTO "public"."the ""people" ("name", "mail", "tags")\n'
        "VALUES ( E'O''Neil\\\\', NULL, '{a,b}')\n"
        'RETURNING "id";\n'
        "COMMIT;"
    )
    assert carry_out(db, change) == key_text(["3"])
    assert contents(db)[-1] == (3, "O'Neil\\", None)
    assert carry_out(db, addition(relation, {})) == key_text(["4"])
    assert contents(db, "name, upper")[-1] == ("nobody", "NOBODY")
    assert carry_out(db, addition(relation, {"name": "", "tags": "{}"})) == key_text(["5"])
    assert contents(db, "name, tags")[-1] == ("", [])


@pytest.mark.usefixtures("people")
def test_a_row_is_changed_and_deleted_as_shown(db: Connection, describe_: Describe) -> None:
    relation, key = describe_(NAME), key_text(["1"])
    change = alteration(relation, key, version(db, describe_, key), {"name": "Eve", "mail": ""})
    assert change.text(db) == (
        "BEGIN;\n"
        'UPDATE "public"."the ""people"\n'
        "SET \"name\" = 'Eve',\n"
        "    \"mail\" = ''\n"
        "WHERE \"id\" = '1'\n"
        'RETURNING "id";\n'
        "COMMIT;"
    )
    assert carry_out(db, change) == key
    assert contents(db) == [(1, "Eve", ""), (2, "Bob", None)]
    change = alteration(relation, key, None, {"name": Assigned.DEFAULT, "mail": Assigned.NULL})
    carry_out(db, change)
    assert contents(db)[0] == (1, "nobody", None)
    change = deletion(relation, key, version(db, describe_, key))
    assert change.text(db) == (
        'BEGIN;\nDELETE FROM "public"."the ""people"\nWHERE "id" = \'1\';\nCOMMIT;'
    )
    assert carry_out(db, change) is None
    assert contents(db) == [(2, "Bob", None)]


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("what", ["changed", "deleted"])
@pytest.mark.parametrize("doing", ["alteration", "deletion"])
def test_what_somebody_else_did_meanwhile_is_told_and_not_overwritten(
    db: Connection, describe_: Describe, what: str, doing: str
) -> None:
    relation, key = describe_(NAME), key_text(["1"])
    seen = version(db, describe_, key)
    change = (
        alteration(relation, key, seen, {"mail": "new@b"})
        if doing == "alteration"
        else deletion(relation, key, seen)
    )
    if what == "changed":
        db.execute("""UPDATE "the ""people" SET name = 'Theirs' WHERE id = 1""")
    else:
        db.execute("""DELETE FROM "the ""people" WHERE id = 1""")
    before = contents(db)
    with pytest.raises(RowChanged, match=f"Somebody has {what} this row") as raised:
        carry_out(db, change)
    assert contents(db) == before
    now = raised.value.now
    assert (now is None) == (what == "deleted")
    if now:
        assert now.cells[1].text == "Theirs"
        carry_out(db, alteration(relation, key, now.version, {"mail": "new@b"}))
        assert contents(db)[0] == (1, "Theirs", "new@b")


@pytest.mark.usefixtures("people")
def test_a_row_that_is_being_changed_is_waited_for_and_then_told(
    db: Connection, describe_: Describe
) -> None:
    relation, key = describe_(NAME), key_text(["1"])
    change = alteration(relation, key, version(db, describe_, key), {"name": "Mine"})
    with psycopg.connect(db.info.dsn, password=db.info.password) as other:
        other.execute("""UPDATE "the ""people" SET name = 'Theirs' WHERE id = 1""")
        with pytest.raises(DataProblem, match="Another transaction has locked it"):
            carry_out(db, change)
        other.commit()
    with pytest.raises(RowChanged):
        carry_out(db, change)


BAD = [
    ({"name": Assigned.NULL}, "name", "null value in column"),
    ({"name": "bad"}, "name", "check constraint"),
    ({"name": "x", "mail": "a@b"}, "mail", "already exists"),
    ({"name": "x", "mail": "0123456789"}, "mail", "too long"),
    ({"name": "x", "born": "soon"}, "born", "type date"),
    ({"name": "x", "born": "2026-02-30"}, "born", "out of range"),
    ({"name": "x", "team": "7"}, "team", "not present"),
    ({"name": "x", "team": "x"}, "team", "type integer"),
    ({"name": "1", "tags": "{"}, "tags", "array"),
    ({"name": "x", "price": "123"}, "price", "overflow"),
    ({"team": "1", "pair": "3"}, "pair", "even"),
    ({"name": "a\0"}, "name", "zero byte"),
    ({"id": "9"}, "id", "itself"),
    ({"upper": "X"}, "upper", "itself"),
    ({"none": "X"}, "none", "no column"),
]


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(("values", "column", "message"), BAD)
def test_an_error_is_at_its_field_and_nothing_has_changed(
    db: Connection,
    describe_: Describe,
    values: dict[str, str | Assigned],
    column: str,
    message: str,
) -> None:
    relation, before = describe_(NAME), contents(db, "*")
    changes: list[Callable[[], RowChange]] = [
        lambda: addition(relation, values),
        lambda: alteration(relation, key_text(["2"]), None, values),
    ]
    for change in changes:
        with pytest.raises(DataProblem) as raised:
            carry_out(db, change())
        assert raised.value.column == column, raised.value.message
        assert message in raised.value.message.lower()
    assert contents(db, "*") == before
    assert db.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


def test_a_row_that_others_refer_to_stays(db: Connection, describe_: Describe) -> None:
    db.execute("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (a int REFERENCES a)")
    db.execute("INSERT INTO a VALUES (1); INSERT INTO b VALUES (1)")
    with pytest.raises(DataProblem, match="still referenced from table") as raised:
        carry_out(db, deletion(describe_("a"), key_text(["1"]), None))
    assert raised.value.column is None
    assert db.execute("SELECT count(*) FROM a").fetchone() == (1,)


def test_a_key_may_change_and_the_new_one_is_told(db: Connection, describe_: Describe) -> None:
    db.execute("CREATE TABLE t (at timestamptz, raw bytea, a int, PRIMARY KEY (at, raw))")
    db.execute(r"INSERT INTO t VALUES ('2026-01-01 00:00:00.000001Z', '\x00', 1)")
    relation = describe_("t")
    [(key,)] = db.execute("SELECT at::text FROM t").fetchall()
    change = alteration(relation, key_text([str(key), "\\x00"]), None, {"raw": "\\x01ff"})
    now = carry_out(db, change)
    assert now == key_text([str(key), "\\x01ff"])
    row = rows.by_key(db, relation, now)
    assert row
    assert row.cells[2].text == "1"


def test_only_tables_with_a_key_can_be_changed(db: Connection, describe_: Describe) -> None:
    db.execute("CREATE TABLE log (line text); CREATE VIEW v AS SELECT * FROM log")
    db.execute("INSERT INTO log VALUES ('x')")
    changes: list[Callable[[], RowChange]] = [
        lambda: alteration(describe_("log"), key_text(["(0,1)"]), None, {"line": "y"}),
        lambda: deletion(describe_("log"), key_text(["(0,1)"]), None),
    ]
    for change in changes:
        with pytest.raises(DataProblem, match="no primary key"):
            change()
    with pytest.raises(DataProblem, match="is a view"):
        addition(describe_("v"), {"line": "y"})
    with pytest.raises(DataProblem, match="Nothing is different"):
        db.execute("CREATE TABLE t (id int PRIMARY KEY)")
        alteration(describe_("t"), key_text(["1"]), None, {})
    assert carry_out(db, addition(describe_("log"), {"line": "y"})) is None
    assert db.execute("SELECT line FROM log").fetchall() == [("x",), ("y",)]


def test_what_a_trigger_swallows_is_told(db: Connection, describe_: Describe) -> None:
    db.execute("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
    db.execute("CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
    db.execute("CREATE TRIGGER no BEFORE INSERT OR DELETE ON t FOR EACH ROW EXECUTE FUNCTION no()")
    for change in (
        addition(describe_("t"), {"id": "2"}),
        deletion(describe_("t"), key_text(["1"]), None),
    ):
        with pytest.raises(DataProblem, match="nothing was done"):
            carry_out(db, change)


def test_partitions_and_parents(db: Connection, describe_: Describe) -> None:
    db.execute("CREATE TABLE p (id int PRIMARY KEY, a text) PARTITION BY RANGE (id)")
    db.execute("CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9)")
    db.execute("CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (9) TO (99)")
    p = describe_("p")
    key = carry_out(db, addition(p, {"id": "1", "a": "x"})) or ""
    row = rows.by_key(db, p, key)
    assert row
    moved = carry_out(db, alteration(p, key, row.version, {"id": "10"})) or ""
    assert db.execute("SELECT id, a FROM p2").fetchall() == [(10, "x")]
    with pytest.raises(RowChanged, match="deleted"):
        carry_out(db, alteration(p, key, row.version, {"a": "y"}))
    with pytest.raises(DataProblem, match="No partition"):
        carry_out(db, addition(p, {"id": "100"}))
    carry_out(db, deletion(p, moved, None))
    db.execute(
        "CREATE TABLE parent (id int PRIMARY KEY, a text); CREATE TABLE child () INHERITS (parent)"
    )
    db.execute("INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1)")
    carry_out(db, alteration(describe_("parent"), key_text(["1"]), None, {"a": "x"}))
    assert db.execute("SELECT a FROM parent").fetchall() == [("x",), (None,)]


def test_a_change_is_plain_data(db: Connection, describe_: Describe) -> None:
    db.execute("CREATE TABLE t (id int PRIMARY KEY)")
    change = addition(describe_("t"), {"id": "1"})
    assert isinstance(change, RowChange)
    assert db.execute("SELECT count(*) FROM t").fetchone() == (0,)  # nothing is run before
