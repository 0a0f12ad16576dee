"""A used database is restored only where nothing at all of its use stays behind."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from neonup_local.scratch import ScratchServer, choose_engine
from neonup_pytest import databases, recycle
from neonup_pytest.admin import Admin
from neonup_pytest.recycle import Recycler, Span
from tests.conftest import make_home, remove_home, warm_home

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
}

REFUSED = {
    "a table": "CREATE TABLE t (i int)",
    "a temporary table": "CREATE TEMP TABLE t (i int)",
    "an unlogged table": "CREATE UNLOGGED TABLE t (i int)",
    "a table that came and went": "CREATE TABLE t (i int) ;; DROP TABLE t",
    "a column": "ALTER TABLE author ADD COLUMN c int",
    "an index": "CREATE INDEX ON author (long)",
    "a truncated table": "TRUNCATE author CASCADE",
    "a view": "CREATE VIEW v AS SELECT 1",
    "a materialized view": "REFRESH MATERIALIZED VIEW names",
    "a function": "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "a large object": "SELECT lo_from_bytea(0, 'x')",
    "an extension": "CREATE EXTENSION pg_trgm",
    "a comment": "COMMENT ON TABLE author IS 'x'",
    "a privilege": "GRANT SELECT ON author TO PUBLIC",
    "statistics": "INSERT INTO author (name) VALUES ('s') ;; ANALYZE author",
    "a vacuumed table": "DELETE FROM event ;; VACUUM event_1",
    "a sequence's definition": "ALTER SEQUENCE counter INCREMENT BY 2",
    "the database's settings": "ALTER DATABASE {name} SET work_mem = '1MB'",
    "a role's settings in it": "ALTER ROLE {role} IN DATABASE {name} SET work_mem = '1MB'",
    "the database's comment": "COMMENT ON DATABASE {name} IS 'x'",
    "the database's privileges": "REVOKE CONNECT ON DATABASE {name} FROM PUBLIC",
    "much": "INSERT INTO audit (what) SELECT md5(g::text) FROM generate_series(1, 60000) AS g",
}


@dataclass
class World:
    server: ScratchServer
    admin: Admin

    def url(self, name: str) -> str:
        return f"postgresql://{self.server.OWNER}:pw@127.0.0.1:{self.server.port}/{name}"

    def make(self, name: str) -> None:
        databases.create(self.admin, name, "neonup_test_template_x", self.server.OWNER)

    def use(self, name: str, statements: str) -> Span:
        """Run statements as a test does; what the log has of it."""
        begin = databases.log_position(self.admin)
        text = statements.format(name=name, role=self.server.OWNER)
        with psycopg.connect(self.url(name), autocommit=True) as connection:
            for statement in filter(None, text.split(" ;; ")):
                connection.execute(statement)
        databases.close(self.admin, name)
        end = databases.log_position(self.admin)
        databases.tidy(self.admin)  # commits: the log is written up to here
        self.admin.run("COMMENT ON DATABASE postgres IS 'written'")
        return Span(begin, end)

    def dump(self, name: str) -> str:
        """Everything in it: the schema, the rows, the sequences."""
        command, environ = self.server.administrator()
        program = Path(command[0]).with_name("pg_dump")
        done = subprocess.run(
            [program, "--restrict-key=x", name],
            env=environ,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return done.stdout

    def next_values(self, name: str) -> list[tuple[int, ...]]:
        """What each sequence gives next."""
        with psycopg.connect(self.url(name), autocommit=True) as connection:
            return connection.execute(
                "SELECT nextval('counter'), nextval('author_id_seq'), nextval('book_id_seq')"
            ).fetchall()


@pytest.fixture(scope="module")
def world(warm_parts: Path) -> Iterator[World]:
    home = warm_home(warm_parts)
    folder = make_home()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    server = ScratchServer(home, folder, port, choose_engine(home))
    server.make(None)
    server.start()
    admin = Admin(*server.administrator())
    try:
        admin.run(*server.passwords("pw"))
        assert recycle.prepare(admin)
        template = "neonup_test_template_x"
        databases.create(admin, template, databases.EMPTY, server.OWNER)
        made = World(server, admin)
        with psycopg.connect(made.url(template), autocommit=True) as connection:
            connection.execute(SCHEMA)
            connection.execute("ANALYZE")
        databases.close(admin, template)
        yield made
    finally:
        admin.close()
        server.stop(cleanly=False)
        remove_home(folder)
        remove_home(home)


@pytest.fixture(scope="module")
def recycler(world: World) -> Iterator[Recycler]:
    world.make("neonup_test_reference")
    found = Recycler(world.admin, "neonup_test_reference")
    yield found
    found.close()


@pytest.mark.parametrize("what", RESTORED)
def test_rows_and_sequences_are_put_back(world: World, recycler: Recycler, what: str) -> None:
    used, fresh = "neonup_test_used", "neonup_test_fresh"
    world.make(used)
    world.make(fresh)
    try:
        for _ in range(2):  # once more, since a restored database is not quite a new one
            span = world.use(used, RESTORED[what])
            assert recycler.restore(used, span)
            recycler.release()
        assert world.dump(used) == world.dump(fresh)
        assert world.next_values(used) == world.next_values(fresh)
    finally:
        databases.drop(world.admin, used)
        databases.drop(world.admin, fresh)


@pytest.mark.parametrize("what", REFUSED)
def test_anything_else_wants_a_new_copy(world: World, recycler: Recycler, what: str) -> None:
    used = "neonup_test_used"
    world.make(used)
    try:
        assert not recycler.restore(used, world.use(used, REFUSED[what]))
    finally:
        databases.drop(world.admin, used)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE UNLOGGED TABLE fast (i int)",
        "ALTER TABLE author ENABLE ALWAYS TRIGGER note",
    ],
)
def test_a_template_whose_changes_are_not_all_in_the_log(world: World, statement: str) -> None:
    reference, used = "neonup_test_special", "neonup_test_used"
    world.make(reference)
    world.make(used)
    for name in (reference, used):
        with psycopg.connect(world.url(name), autocommit=True) as connection:
            connection.execute(statement)
    recycler = Recycler(world.admin, reference)
    try:
        assert not recycler.restore(used, world.use(used, "SELECT 1"))
    finally:
        recycler.close()
        for name in (reference, used):
            databases.drop(world.admin, name)


def test_the_log_of_long_ago_is_gone(world: World, recycler: Recycler) -> None:
    used = "neonup_test_used"
    world.make(used)
    try:
        span = world.use(used, "INSERT INTO author (name) VALUES ('x')")
        assert not recycler.restore(used, Span("0/100", span.end))
    finally:
        databases.drop(world.admin, used)
