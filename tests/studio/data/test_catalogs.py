"""What the catalogs say of relations: the list, and one of them whole."""

from __future__ import annotations

import psycopg
import pytest

from neonup_studio.data.description import KnownRelations, describe, index_sizes
from neonup_studio.data.overview import relations, schemas
from neonup_studio.data.problem import DataProblem
from neonup_studio.data.reading import reading
from neonup_studio.data.relation import RelationKind, RelationName, RelationSummary, ValueKind
from tests.postgres import ADMIN_PASSWORD, Server
from tests.studio.data.conftest import Connection, Describe


def listed(db: Connection) -> dict[str, RelationSummary]:
    return {str(summary.name): summary for summary in relations(db)}


def test_the_list_has_all_that_has_rows(db: Connection) -> None:
    db.execute("CREATE SCHEMA shop; CREATE SCHEMA empty; CREATE TABLE shop.orders (id int)")
    db.execute("COMMENT ON TABLE shop.orders IS 'what was ordered'; CREATE VIEW v AS SELECT 1 AS a")
    db.execute("CREATE MATERIALIZED VIEW m AS SELECT 1 AS a; CREATE TEMP TABLE mine (a int)")
    db.execute("CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw")
    db.execute("CREATE FOREIGN TABLE f (a text) SERVER files OPTIONS (filename '/dev/null')")
    db.execute("CREATE EXTENSION pg_stat_statements")
    found = schemas(db)
    assert [(schema.name, [one.name.name for one in schema.relations]) for schema in found] == [
        ("empty", []),
        ("public", ["f", "m", "pg_stat_statements", "pg_stat_statements_info", "v"]),
        ("shop", ["orders"]),
    ]
    known = listed(db)
    assert known["shop.orders"].comment == "what was ordered"
    assert known["f"].kind is RelationKind.FOREIGN
    assert known["v"].kind is RelationKind.VIEW
    assert (known["v"].rows, known["v"].size) == (None, None)
    assert known["pg_stat_statements"].extension == "pg_stat_statements"
    assert known["m"].extension is None


def test_rows_are_estimated_and_unknown_where_nobody_knows(db: Connection) -> None:
    db.execute("CREATE TABLE known AS SELECT generate_series(1, 5000); ANALYZE known")
    db.execute("CREATE TABLE none (a int)")
    db.execute("SELECT pg_stat_force_next_flush()")
    known = listed(db)
    assert known["known"].rows == 5000
    assert known["known"].analyzed is not None
    assert (known["none"].rows, known["none"].analyzed) == (0, None)
    # As after a crash: the statistics are lost, and nobody has looked since.
    db.execute("CREATE TABLE lost AS SELECT generate_series(1, 5000)")
    db.execute("SELECT pg_stat_reset()")
    assert listed(db)["lost"].rows is None
    assert (listed(db)["lost"].size or 0) > 100_000


def test_rows_that_were_added_and_analyzed_at_once_are_counted_once(
    db: Connection, describe_: Describe
) -> None:
    db.execute("CREATE TABLE seeded (a int)")
    db.execute("INSERT INTO seeded SELECT generate_series(1, 2000)")
    db.execute("ANALYZE seeded")
    db.execute("SELECT pg_stat_force_next_flush()")
    assert listed(db)["seeded"].rows == 2000
    assert describe_("seeded").rows == 2000
    db.execute("INSERT INTO seeded SELECT generate_series(1, 3000)")
    db.execute("ANALYZE seeded")
    db.execute("SELECT pg_stat_force_next_flush()")
    assert listed(db)["seeded"].rows == 5000


def test_a_partitioned_table_has_the_sums_and_its_partitions_after_it(db: Connection) -> None:
    db.execute("CREATE TABLE p (id int) PARTITION BY RANGE (id); CREATE TABLE o (a int)")
    db.execute("CREATE TABLE z PARTITION OF p FOR VALUES FROM (0) TO (9) PARTITION BY LIST (id)")
    db.execute("CREATE TABLE a PARTITION OF z FOR VALUES IN (1, 2, 3)")
    db.execute("CREATE TABLE b PARTITION OF p FOR VALUES FROM (9) TO (99)")
    db.execute("INSERT INTO p SELECT i FROM generate_series(1, 3) i; ANALYZE p")
    db.execute("SELECT pg_stat_force_next_flush()")
    assert [one.name.name for one in relations(db)] == ["o", "p", "b", "z", "a"]
    known = listed(db)
    assert (known["p"].rows, known["p"].partitions) == (3, 3)
    assert known["p"].size == known["a"].size == known["z"].size
    assert known["a"].parent == known["z"].name


def test_a_table_that_is_locked_is_listed_without_its_size(db: Connection) -> None:
    db.execute("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
    dsn = db.info.dsn
    with psycopg.connect(dsn, password=db.info.password) as other:
        other.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
        with reading(db):
            assert listed(db)["t"].size is None
    assert listed(db)["t"].size


def test_a_role_sees_what_it_may_not_read(db: Connection, data_server: Server) -> None:
    db.execute("CREATE TABLE t (id int); CREATE TABLE own (id int)")
    db.execute("DROP ROLE IF EXISTS reader")
    db.execute(f"CREATE ROLE reader LOGIN PASSWORD '{ADMIN_PASSWORD}'")
    db.execute("GRANT SELECT ON own TO reader")
    url = data_server.url("reader", ADMIN_PASSWORD, "looked_into")
    with psycopg.connect(url, autocommit=True) as reader:
        assert {name: one.readable for name, one in listed(reader).items()} == {
            "t": False,
            "own": True,
        }
    db.execute("DROP OWNED BY reader; DROP ROLE reader")


def test_columns_are_described(db: Connection, describe_: Describe) -> None:
    db.execute(
        "CREATE TYPE mood AS ENUM ('z', 'it''s'); CREATE DOMAIN word AS varchar(9) DEFAULT 'w'"
    )
    db.execute("CREATE EXTENSION vector; CREATE EXTENSION hstore")
    db.execute("""CREATE TABLE "T %s" (
        id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n int GENERATED BY DEFAULT AS IDENTITY,
        name varchar(20) NOT NULL DEFAULT 'x', upper text GENERATED ALWAYS AS (upper(name)) STORED,
        j jsonb, js json, b bytea, a int[], v vector(3), h hstore, at timestamptz(3), ok boolean,
        how mood, w word, price numeric(10, 2), cash money, bits bit(3), c char, sorted text
        COLLATE "C", r regclass, xy point)""")
    db.execute('ALTER TABLE "T %s" DROP COLUMN xy; ALTER TABLE "T %s" ADD COLUMN span int4range')
    db.execute("""COMMENT ON COLUMN "T %s".price IS 'in euros'""")
    relation = describe_("T %s")
    by_name = {column.name: column for column in relation.columns}
    assert {name: (column.type, column.kind) for name, column in by_name.items()} == {
        "id": ("bigint", ValueKind.NUMBER),
        "n": ("integer", ValueKind.NUMBER),
        "name": ("character varying(20)", ValueKind.TEXT),
        "upper": ("text", ValueKind.TEXT),
        "j": ("jsonb", ValueKind.JSON),
        "js": ("json", ValueKind.JSON),
        "b": ("bytea", ValueKind.BYTES),
        "a": ("integer[]", ValueKind.ARRAY),
        "v": ("vector(3)", ValueKind.VECTOR),
        "h": ("hstore", ValueKind.OTHER),
        "at": ("timestamp(3) with time zone", ValueKind.TIME),
        "ok": ("boolean", ValueKind.BOOLEAN),
        "how": ("mood", ValueKind.ENUM),
        "w": ("word", ValueKind.TEXT),
        "price": ("numeric(10,2)", ValueKind.NUMBER),
        "cash": ("money", ValueKind.OTHER),
        "bits": ("bit(3)", ValueKind.OTHER),
        "c": ("character(1)", ValueKind.TEXT),
        "sorted": ("text", ValueKind.TEXT),
        "r": ("regclass", ValueKind.OTHER),
        "span": ("int4range", ValueKind.OTHER),
    }
    assert (by_name["id"].identity, by_name["n"].identity) == ("always", "by default")
    assert [column.name for column in relation.columns if not column.assignable] == ["id", "upper"]
    assert by_name["upper"].generated == "upper((name)::text)"
    assert by_name["upper"].default is None
    assert by_name["name"].default == "'x'::character varying"
    assert by_name["w"].default == "'w'::character varying"
    assert (by_name["name"].limit, by_name["c"].limit, by_name["upper"].limit) == (20, 1, None)
    assert [column.name for column in relation.columns if not column.nullable] == [
        "id",
        "n",
        "name",
    ]
    assert by_name["how"].labels == ("z", "it's")
    assert by_name["price"].comment == "in euros"
    assert by_name["sorted"].collation == "C"
    assert {column.name for column in relation.columns if column.order_schema is None} == {"js"}
    assert by_name["w"].base == "character varying"
    assert by_name["c"].base == "bpchar"


def test_keys_indexes_and_constraints(db: Connection, describe_: Describe) -> None:
    db.execute("CREATE EXTENSION btree_gist")
    db.execute("""CREATE TABLE t (a int, b text CHECK (b <> ''), c int4range, UNIQUE (b, a),
        EXCLUDE USING gist (c WITH &&), PRIMARY KEY (a))""")
    db.execute("CREATE INDEX half ON t ((a + 1), b) WHERE b IS NOT NULL")
    db.execute("ALTER TABLE t ADD CONSTRAINT new CHECK (a > 0) NOT VALID")
    relation = describe_("t")
    assert [column.name for column in relation.key] == ["a"]
    by_name = {index.name: index for index in relation.indexes}
    assert by_name["half"].keys == ("", "b")
    assert by_name["half"].definition.endswith("WHERE (b IS NOT NULL)")
    assert by_name["t_pkey"].primary
    assert by_name["t_b_a_key"].unique
    assert not by_name["t_b_a_key"].pages_rows  # b may be NULL
    assert by_name["t_c_excl"].method == "gist"
    constraints = {one.name: (one.kind, one.columns, one.valid) for one in relation.constraints}
    assert constraints["t_pkey"] == ("primary key", ("a",), True)
    assert constraints["t_b_check"] == ("check", ("b",), True)
    assert constraints["new"] == ("check", ("a",), False)
    assert constraints["t_c_excl"][0] == "exclusion"


def test_a_description_is_kept_until_the_relation_is_another(db: Connection) -> None:
    name = RelationName("public", "t")
    db.execute("CREATE TABLE other (id int PRIMARY KEY); CREATE TABLE t (id int)")
    known = KnownRelations()
    first = known.describe(db, "db", name)
    assert known.describe(db, "db", name) is first
    assert known.describe(db, "another", name) is not first
    for change in (
        "ALTER TABLE t ADD PRIMARY KEY (id)",
        "ALTER TABLE t ADD COLUMN a int",
        "ALTER TABLE t ALTER COLUMN a SET DEFAULT 1",
        "ALTER TABLE t ALTER COLUMN a SET DEFAULT 2",
        "ALTER TABLE t ALTER COLUMN a TYPE text",
        "ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES other",
        "ALTER TABLE t DROP CONSTRAINT f",
        "CREATE UNIQUE INDEX i ON t (a)",
        "DROP INDEX i",
        "ALTER TABLE other ADD COLUMN t int REFERENCES t",
        "ALTER TABLE t RENAME COLUMN a TO b",
        "ALTER TABLE t DROP COLUMN b",
        "DROP TABLE t CASCADE; CREATE TABLE t (id int)",
    ):
        db.execute(change.encode())
        now = known.describe(db, "db", name)
        assert now == describe(db, name), change
        assert now is not first
        first = now
    db.execute("DROP TABLE t")
    with pytest.raises(DataProblem):
        known.describe(db, "db", name)


def test_the_sizes_of_indexes(db: Connection, describe_: Describe) -> None:
    db.execute("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
    assert index_sizes(db, describe_("t")) == {"t_pkey": 16384}
    with psycopg.connect(db.info.dsn, password=db.info.password) as other:
        relation = describe_("t")
        other.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE; REINDEX TABLE t")
        assert index_sizes(db, relation) == {}
        with pytest.raises(DataProblem, match="Another transaction has locked it"):
            describe_("t")


def test_foreign_keys_both_ways_without_the_copies_of_partitions(
    db: Connection, describe_: Describe
) -> None:
    db.execute("CREATE SCHEMA s; CREATE TABLE s.a (x int, y int, PRIMARY KEY (y, x))")
    db.execute("CREATE TABLE b (id int PRIMARY KEY, p int, q int, up int REFERENCES b)")
    db.execute("ALTER TABLE b ADD CONSTRAINT ba FOREIGN KEY (p, q) REFERENCES s.a (x, y)")
    db.execute("CREATE TABLE p (id int PRIMARY KEY, b int REFERENCES b) PARTITION BY RANGE (id)")
    db.execute("CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9)")
    db.execute("CREATE TABLE c (p int REFERENCES p)")
    b = describe_("b")
    keys = [(key.name, key.columns, str(key.target), key.targets) for key in b.references]
    assert keys == [("b_up_fkey", ("up",), "b", ("id",)), ("ba", ("p", "q"), "s.a", ("x", "y"))]
    assert [(key.name, str(key.table)) for key in b.referrers] == [
        ("b_up_fkey", "b"),
        ("p_b_fkey", "p"),
    ]
    assert [str(key.table) for key in describe_("s.a").referrers] == ["b"]
    assert [str(key.table) for key in describe_("p").referrers] == ["c"]
    assert [str(key.target) for key in describe_("c").references] == ["p"]
    assert [str(key.target) for key in describe_("p1").references] == ["b"]


def test_other_kinds_are_described(db: Connection, describe_: Describe) -> None:
    db.execute("CREATE TABLE p (id int) PARTITION BY RANGE (id); CREATE VIEW v AS SELECT id FROM p")
    db.execute("CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9)")
    db.execute("CREATE TABLE empty ()")
    p, p1 = describe_("p"), describe_("p1")
    assert (p.partition_key, p.partitions) == ("RANGE (id)", (p1.name,))
    assert (p1.bound, p1.parent) == ("FOR VALUES FROM (0) TO (9)", p.name)
    assert "FROM p" in (describe_("v").query or "")
    assert describe_("v").columns[0].nullable
    assert describe_("empty").columns == ()
    assert not describe_("v").heap
    assert p1.heap


def test_what_is_not_there_is_said(db: Connection, describe_: Describe) -> None:
    for name in ("none", "it's", 'pg_catalog."', "x" * 500):
        with pytest.raises(DataProblem, match="There is no table or view"):
            describe_(name)
    assert RelationName("public", "a").identifier.as_string(db) == '"public"."a"'
