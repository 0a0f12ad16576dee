"""A used database is restored only where nothing at all of its use stays behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neonup.plugin.postgres import ServerLost
from neonup_local.test_server import EphemeralServer, choose_engine
from neonup_pytest.databases import naming, restore
from neonup_pytest.databases import statements as sql
from neonup_pytest.databases.restore import Restorer
from neonup_pytest.servers.admin import Admin
from tests.conftest import make_home, remove_home, warm_home
from tests.postgres import free_port
from tests.waiting import PATIENCE

TEMPLATE = "neonup_test_template_x"

SCHEMA = """
CREATE TABLE author (id serial PRIMARY KEY, name text UNIQUE NOT NULL, long text);
CREATE TABLE book (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    author int REFERENCES author ON DELETE CASCADE,
    title text, tags text[], data jsonb, price numeric,
    twice numeric GENERATED ALWAYS AS (price * 2) STORED
);
CREATE INDEX ON book USING gin (data);
CREATE TABLE audit (at timestamptz DEFAULT now(), what text);
CREATE TABLE "Odd name; --" ("a ""column""\" int);
CREATE TABLE event (day date, n int) PARTITION BY RANGE (day);
CREATE TABLE event_1 PARTITION OF event FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE empty ();
CREATE SCHEMA other;
CREATE TABLE other.thing (id bigserial, size int CHECK (size > 0));
CREATE SEQUENCE counter CACHE 10;
CREATE MATERIALIZED VIEW names AS SELECT name FROM author;
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN INSERT INTO audit (what) VALUES (TG_OP); RETURN NULL; END $$;
CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON author
FOR EACH STATEMENT EXECUTE FUNCTION note();
INSERT INTO author (name, long) SELECT 'a' || g, repeat(md5(g::text), 400)
FROM generate_series(1, 20) AS g;
INSERT INTO book (author, title, data, price) SELECT g, 't', '{"a": 1}', g
FROM generate_series(1, 20) AS g;
INSERT INTO event SELECT date '2026-03-01' + g, g FROM generate_series(1, 10) AS g;
SELECT nextval('counter');

CREATE TABLE parent (id int PRIMARY KEY, note text);
CREATE TABLE child (extra text) INHERITS (parent);
CREATE TABLE secret (id int PRIMARY KEY, owner text, body text);
ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
ALTER TABLE secret FORCE ROW LEVEL SECURITY;
CREATE POLICY mine ON secret USING (id % 2 = 0);
CREATE TABLE worn (a int, gone text, b int);
INSERT INTO worn SELECT g, repeat('x', 50), g FROM generate_series(1, 300) AS g;
ALTER TABLE worn DROP COLUMN gone;
UPDATE worn SET b = b + 1 WHERE a % 3 = 0;
CREATE TABLE measured (at timestamp, value int);
CREATE INDEX measured_brin ON measured USING brin (at) WITH (pages_per_range = 4);
CREATE INDEX measured_value ON measured (value);
CREATE UNLOGGED TABLE fast (i int PRIMARY KEY);
INSERT INTO parent SELECT g, 'p' FROM generate_series(1, 50) AS g;
INSERT INTO child SELECT g + 100, 'c', repeat(md5(g::text), 90) FROM generate_series(1, 50) AS g;
INSERT INTO secret SELECT g, 'o', 'b' FROM generate_series(1, 60) AS g;
INSERT INTO measured SELECT timestamp '2026-01-01' + g * interval '1 hour', g % 50
FROM generate_series(1, 2000) AS g;
INSERT INTO fast SELECT generate_series(1, 100);
"""

RESTORED = {
    "nothing": "",
    "read": "SELECT count(*) FROM author, book",
    "rows added": "INSERT INTO author (name) VALUES ('new'), ('newer')",
    "rows changed": "UPDATE book SET data = '[]', price = 7",
    "rows removed, and those that refer to them": "DELETE FROM author",
    "a long value": "UPDATE author SET long = repeat(md5(random()::text), 3000) WHERE id < 4",
    "a transaction that was rolled back": "BEGIN ;; DELETE FROM author ;; ROLLBACK",
    "a sequence": "SELECT nextval('counter')",
    "a sequence, often": "SELECT nextval('counter') FROM generate_series(1, 200)",
    "a sequence set back": "SELECT setval('counter', 1, false)",
    "a partition": "INSERT INTO event VALUES ('2026-05-05', 1)",
    "another schema": "INSERT INTO other.thing (size) VALUES (3)",
    "an odd name": """INSERT INTO "Odd name; --" VALUES (1)""",
    "a table without columns": "INSERT INTO empty DEFAULT VALUES",
    "a session's own": "SET work_mem = '1MB' ;; LISTEN a ;; SELECT pg_advisory_lock(1)",
    "a message": "NOTIFY a, 'b'",
    "all tables": "DELETE FROM book ;; DELETE FROM author ;; DELETE FROM event",
    "much": "INSERT INTO audit (what) SELECT md5(g::text) FROM generate_series(1, 60000) AS g",
    "an unlogged table": "DELETE FROM fast ;; INSERT INTO fast VALUES (1000)",
    "statistics": "INSERT INTO author (name) VALUES ('s') ;; ANALYZE author",
    "a vacuumed table": "DELETE FROM event ;; VACUUM event_1",
    "a frozen table": "VACUUM (FREEZE) worn",
    "a temporary table": "CREATE TEMP TABLE t (i int) ;; INSERT INTO t VALUES (1)",
    "a table that came and went": "CREATE TABLE t (i int) ;; DROP TABLE t",
    "a column": "ALTER TABLE author ADD COLUMN c int",
    "an index": "CREATE INDEX ON author (long)",
    "a comment": "COMMENT ON TABLE author IS 'x'",
    "a privilege": "GRANT SELECT ON author TO PUBLIC",
    "a prepared transaction": "BEGIN ;; DELETE FROM book ;; PREPARE TRANSACTION 'p'",
}

REFUSED = {
    "a table": "CREATE TABLE t (i int)",
    "an unlogged table": "CREATE UNLOGGED TABLE t (i int)",
    "a truncated table": "TRUNCATE author CASCADE",
    "a table written anew": "VACUUM FULL worn",
    "a dropped table, which is empty": "DROP TABLE empty",
    "an index made anew": "REINDEX TABLE author",
    "a view": "CREATE VIEW v AS SELECT 1",
    "a materialized view": "REFRESH MATERIALIZED VIEW names",
    "a function": "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "a large object": "SELECT lo_from_bytea(0, 'x')",
    "an extension": "CREATE EXTENSION pg_trgm",
    "a privilege of a role": "GRANT SELECT ON author TO pg_monitor ;; CREATE TABLE t (i int)",
    "the database's settings": "ALTER DATABASE {name} SET work_mem = '1MB'",
    "a role's settings in it": "ALTER ROLE {role} IN DATABASE {name} SET work_mem = '1MB'",
    "the database's comment": "COMMENT ON DATABASE {name} IS 'x'",
    "the database's privileges": "REVOKE CONNECT ON DATABASE {name} FROM PUBLIC",
}


@dataclass
class World:
    server: EphemeralServer
    admin: Admin
    restorer: Restorer

    def url(self, name: str) -> str:
        return f"postgresql://{self.server.OWNER}:pw@127.0.0.1:{self.server.port}/{name}"

    def connect(self, name: str) -> psycopg.Connection:
        return psycopg.connect(self.url(name), autocommit=True)

    def make(self, name: str) -> str:
        """A new copy of the template; returns its oid."""
        sql.create(self.admin, name, TEMPLATE, self.server.OWNER)
        oid = sql.oid(self.admin, name)
        self.restorer.adopt(oid)
        return oid

    def use(self, name: str, statements: str) -> None:
        """Run statements as a test does."""
        text = statements.format(name=name, role=self.server.OWNER)
        with self.connect(name) as connection:
            for statement in filter(None, text.split(" ;; ")):
                connection.execute(statement)
        sql.close(self.admin, name)

    def is_open(self, name: str) -> bool:
        """Whether there is a database of that name, and connections are let in."""
        said = f"SELECT datallowconn FROM pg_database WHERE datname = '{name}'"
        return self.admin.value(said) == "t"

    def restore(self, name: str) -> bool:
        """Whether it could be restored; it can be connected to then."""
        done = bool(self.restorer.restore([sql.oid(self.admin, name)]))
        if done:
            sql.open_(self.admin, name)
        return done

    def files(self, name: str) -> dict[str, bytes]:
        """What the database's folder has; an empty file of a relation is as good as none."""
        folder = self.server.data / "base" / sql.oid(self.admin, name)
        contents = {path.name: path.read_bytes() for path in folder.iterdir()}
        return {file: content for file, content in contents.items() if content}

    def dump(self, name: str, *options: str) -> str:
        """The schema, the rows and the sequences, as pg_dump sees them."""
        command, environ = self.server.administrator()
        program = Path(command[0]).with_name("pg_dump")
        done = subprocess.run(
            [program, "--restrict-key=x", *options, name],
            env=environ,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return done.stdout

    def content(self, name: str) -> list[object]:
        """Every row, as a scan of the table finds it and as each index does, with its place; every
        sequence; what the planner knows, and what it makes of it."""
        _, environ = self.server.administrator()
        place = " ".join(
            f"{key}={environ[f'PG{key.upper()}']}" for key in ("host", "port", "user", "password")
        )
        with psycopg.connect(f"{place} dbname={name}", autocommit=True) as connection:
            ask = connection.execute
            seen: list[object] = []
            for (table,) in ask(_TABLES).fetchall():
                seen.append(ask(f"EXPLAIN SELECT * FROM {table}").fetchall())
                ask("SET enable_indexscan = off; SET enable_bitmapscan = off")
                seen.append(ask(f"SELECT ctid, xmin, * FROM ONLY {table}").fetchall())
                ask("RESET ALL; SET enable_seqscan = off; SET enable_sort = off")
                for (columns,) in ask(_INDEXES, [table]).fetchall():
                    query = f"SELECT ctid, * FROM ONLY {table} ORDER BY {columns}"
                    seen += [ask(f"EXPLAIN {query}").fetchall(), ask(query).fetchall()]
                ask("RESET ALL")
            for query in _QUERIES:
                seen += [ask(f"EXPLAIN {query}").fetchall(), ask(query).fetchall()]
            ask("SET enable_seqscan = off; SET enable_indexscan = off")
            for index, query in _BY_INDEX.items():
                plan = str(ask(f"EXPLAIN {query}").fetchall())
                assert index in plan, plan
                seen += [plan, ask(query).fetchall()]
            ask("RESET ALL")
            for (sequence,) in ask(_SEQUENCES).fetchall():
                seen.append(ask(f"SELECT * FROM {sequence}").fetchall())
            return [*seen, ask(_KNOWN).fetchall(), ask("TABLE pg_stats").fetchall()]


_OURS = "relnamespace::regnamespace::text IN ('public', 'other')"
_TABLES = f"SELECT oid::regclass::text FROM pg_class WHERE relkind IN ('r', 'm') AND {_OURS}"
_SEQUENCES = f"SELECT oid::regclass::text FROM pg_class WHERE relkind = 'S' AND {_OURS}"
_INDEXES = """
SELECT string_agg(pg_get_indexdef(i.indexrelid, k::int, true), ', ' ORDER BY k)
FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid JOIN pg_am AS a ON a.oid = c.relam,
    generate_series(1, indnkeyatts) AS k
WHERE indrelid = %s::regclass AND amname = 'btree' GROUP BY i.indexrelid ORDER BY i.indexrelid"""
_KNOWN = f"""
SELECT oid, relname, relpages, reltuples, relallvisible, relfilenode,
    pg_relation_size(oid), pg_relation_size(oid, 'vm'), pg_relation_size(oid, 'fsm')
FROM pg_class WHERE {_OURS} ORDER BY oid"""
_BY_INDEX = {
    "book_data_idx": """SELECT ctid, * FROM book WHERE data @> '{"a": 1}'""",
    "measured_brin": "SELECT ctid, * FROM measured WHERE at > '2026-02-20'",
}
"""Indexes that keep no order, GIN and BRIN, and queries that they answer."""
_QUERIES = (
    """SELECT * FROM book WHERE data @> '{"a": 1}'""",
    "SELECT * FROM measured WHERE at BETWEEN '2026-01-20' AND '2026-01-25'",
    "SELECT * FROM measured WHERE value = 7",
    "SELECT * FROM event WHERE day > '2026-03-04'",
    "SELECT * FROM parent",
    "SELECT * FROM author JOIN book ON book.author = author.id",
)


@pytest.fixture(scope="module")
def world(warm_parts: Path) -> Iterator[World]:
    home = warm_home(warm_parts)
    folder = make_home()
    port = free_port()
    server = EphemeralServer(home, folder, port, choose_engine(home))
    server.make(None)
    server.start()
    admin = Admin(*server.administrator())
    try:
        admin.run(*server.passwords("pw", quick=True))
        assert restore.prepare(admin, server.data)
        sql.create(admin, TEMPLATE, naming.EMPTY, server.OWNER)
        with psycopg.connect(
            f"postgresql://{server.OWNER}:pw@127.0.0.1:{port}/{TEMPLATE}", autocommit=True
        ) as connection:
            connection.execute(SCHEMA)
        sql.settle(admin, TEMPLATE)
        sql.close(admin, TEMPLATE)
        made = World(server, admin, Restorer(admin, server.data, TEMPLATE))
        yield made
        made.restorer.close()
        made.admin.close()
    finally:
        admin.close()
        server.stop(cleanly=False)
        remove_home(folder)
        remove_home(home)


@pytest.fixture
def used(world: World) -> Iterator[str]:
    """A new copy of the template."""
    name = "neonup_test_used"
    world.make(name)
    yield name
    sql.drop(world.admin, name)


@pytest.fixture(scope="module")
def fresh(world: World) -> Iterator[str]:
    """A new copy of the template that is only read."""
    name = "neonup_test_fresh"
    world.make(name)
    yield name
    sql.drop(world.admin, name)


@pytest.fixture(scope="module")
def again(world: World) -> Iterator[str]:
    """The name of a database that is used by one example after the other, as in a pool."""
    name = "neonup_test_again"
    yield name
    sql.drop(world.admin, name)


@pytest.mark.parametrize("what", RESTORED)
def test_it_is_the_same_to_the_byte(world: World, used: str, fresh: str, what: str) -> None:
    before = world.files(TEMPLATE)
    for _ in range(2):  # once more: a restored database can be restored again
        world.use(used, RESTORED[what])
        assert world.restore(used)
        assert world.files(used) == before
    assert world.content(used) == world.content(fresh)
    assert world.dump(used) == world.dump(fresh)


@pytest.mark.parametrize("what", REFUSED)
def test_anything_else_wants_a_new_copy(world: World, used: str, what: str) -> None:
    world.use(used, REFUSED[what])
    assert not world.restore(used)


_number = st.integers(1, 60)
_rows = st.integers(1, 400)
_statement = st.one_of(
    st.builds("UPDATE book SET price = price + 1 WHERE id % {} = 0".format, _number),
    st.builds("UPDATE book SET data = jsonb_build_object('k', id) WHERE id > {}".format, _number),
    st.builds("DELETE FROM author WHERE id % {} = 0".format, _number),
    st.builds("UPDATE author SET long = repeat(md5(name), {}) WHERE id < 9".format, _rows),
    st.builds(
        "INSERT INTO author (name, long) SELECT 'n' || g, repeat('w', 900) "
        "FROM generate_series(1, {}) AS g".format,
        _rows,
    ),
    st.builds(
        "INSERT INTO event SELECT date '2026-02-01' + g % 300, g "
        "FROM generate_series(1, {}) AS g".format,
        _rows,
    ),
    st.builds("DELETE FROM event WHERE n > {}".format, _number),
    st.builds("UPDATE event SET day = day + 1 WHERE n < {}".format, _number),
    st.builds("UPDATE parent SET note = note || 'x' WHERE id % {} = 0".format, _number),
    st.builds("DELETE FROM child WHERE id > 100 + {}".format, _number),
    st.builds("INSERT INTO secret VALUES ({0} * 200, 'me', 'mine')".format, _number),
    st.builds("DELETE FROM secret WHERE id > {}".format, _number),
    st.builds("UPDATE worn SET b = b + 1 WHERE a % {} = 0".format, _number),
    st.builds("DELETE FROM worn WHERE a > {}".format, _rows),
    st.builds("INSERT INTO worn SELECT g, g FROM generate_series(1, {}) AS g".format, _rows),
    st.builds("UPDATE measured SET value = value + 1 WHERE value = {}".format, _number),
    st.builds("DELETE FROM measured WHERE value < {}".format, _number),
    st.builds("SELECT nextval('counter') FROM generate_series(1, {})".format, _number),
    st.builds("INSERT INTO fast VALUES (1000 + {}) ON CONFLICT DO NOTHING".format, _rows),
    st.builds("SELECT count(*) FROM {}".format, st.sampled_from(["book", "measured", "child"])),
    st.builds("VACUUM {}".format, st.sampled_from(["worn", "measured", "event", "author", ""])),
    st.builds("ANALYZE {}".format, st.sampled_from(["worn", "measured", "book"])),
    st.sampled_from(
        [
            "BEGIN",
            "COMMIT",
            "ROLLBACK",
            "SAVEPOINT s",
            "ROLLBACK TO s",
            "CREATE TEMP TABLE t (i int)",
            "ALTER TABLE worn ADD COLUMN c text DEFAULT 'c'",
            "ALTER TABLE parent DROP COLUMN note CASCADE",
            "CREATE INDEX ON measured (at, value)",
            "CREATE TABLE new_one (i int)",
            "TRUNCATE measured",
            "REINDEX TABLE worn",
        ]
    ),
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(_statement, min_size=1, max_size=8), st.booleans())
def test_whatever_was_done(
    world: World, fresh: str, again: str, statements: list[str], busy: bool
) -> None:
    """Also where a connection still writes when the test ends; a used copy is used again."""
    if not world.is_open(again):
        sql.drop(world.admin, again)
        world.make(again)
    with _writes(world, again) if busy else contextlib.nullcontext():
        connection = world.connect(again)
        for statement in statements:
            with contextlib.suppress(psycopg.Error):
                connection.execute(statement)
        sql.close(world.admin, again)
    connection.close()
    if world.restore(again):
        assert world.files(again) == world.files(TEMPLATE)
        assert world.content(again) == world.content(fresh)
    else:
        assert any(word in " ".join(statements) for word in ("CREATE TABLE", "TRUNCATE", "REINDEX"))


@contextlib.contextmanager
def _writes(world: World, name: str) -> Iterator[None]:
    """Another connection that goes on writing until it is ended."""
    connection = world.connect(name)
    has_begun = threading.Event()

    def write() -> None:
        with contextlib.suppress(psycopg.Error):
            while True:
                connection.execute("INSERT INTO audit (what) VALUES ('again')")
                connection.execute("UPDATE worn SET b = b + 1 WHERE a < 20")
                has_begun.set()

    thread = threading.Thread(target=write)
    thread.start()
    assert has_begun.wait(120)
    yield
    thread.join(120)
    assert not thread.is_alive()
    connection.close()


def test_many_at_once(world: World, fresh: str) -> None:
    names = [f"neonup_test_many_{number}" for number in range(4)]
    oids = [world.make(name) for name in names]
    try:
        for name in names[:3]:
            world.use(name, "DELETE FROM author")
        world.use(names[3], "CREATE TABLE t (i int)")
        assert world.restorer.restore(oids) == {*oids[:3]}
        assert all(world.files(name) == world.files(TEMPLATE) for name in names[:3])
    finally:
        for name in names:
            sql.drop(world.admin, name)


def test_scans_begin_at_the_start(world: World, used: str, fresh: str) -> None:
    """Postgres lets a scan of a large table begin where another one is."""
    world.use(
        used, "INSERT INTO audit (what) SELECT repeat('x', 1000) FROM generate_series(1, 15000)"
    )
    sql.open_(world.admin, used)
    with world.connect(used) as connection:
        first = connection.execute("SELECT ctid FROM audit LIMIT 1").fetchone()
        connection.execute("SELECT 1 FROM audit OFFSET 9000 LIMIT 1")
        assert connection.execute("SELECT ctid FROM audit LIMIT 1").fetchone() == first


def test_a_database_of_unknown_origin(world: World) -> None:
    name = "neonup_test_unknown"
    sql.create(world.admin, name, TEMPLATE, world.server.OWNER)
    try:
        assert not world.restore(name)
    finally:
        sql.drop(world.admin, name)


def test_a_recovery_repeats_nothing(world: World, used: str) -> None:
    """What was done before a database was restored is in the log, and must not be done again."""
    logged = "--no-unlogged-table-data"  # which Postgres empties when it recovers
    before = world.dump(used, logged)
    world.use(used, RESTORED["all tables"])
    assert world.restore(used)
    with world.connect(used) as connection:
        os.kill(connection.info.backend_pid, signal.SIGKILL)  # Postgres then ends all, and recovers
        with pytest.raises(ServerLost):
            _wait_until_lost(world.admin)
    world.admin.close()
    world.restorer.close()
    world.admin = _reconnected(world.server)
    world.restorer = Restorer(world.admin, world.server.data, TEMPLATE)
    assert world.dump(used, logged) == before


def _wait_until_lost(admin: Admin) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        admin.run("SELECT 1")


def _reconnected(server: EphemeralServer) -> Admin:
    deadline = time.monotonic() + PATIENCE
    while True:
        admin = Admin(*server.administrator())
        try:
            admin.run("SELECT 1")
        except ServerLost:
            admin.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return admin
