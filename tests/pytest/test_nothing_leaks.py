"""Nothing that a test leaves in its database, or holds of it, reaches the next test."""

from __future__ import annotations

import pytest

from tests.pytest.child import Child

MIGRATION = """
    CREATE TABLE items (id serial PRIMARY KEY, name text NOT NULL);
    CREATE SEQUENCE numbers;
    CREATE FUNCTION answer() RETURNS int LANGUAGE sql AS 'SELECT 42';
    CREATE VIEW names AS SELECT name FROM items;
    INSERT INTO items (name) VALUES ('from the schema');
"""

TRACES = """
    import psycopg
    import pytest

    HELD = []

    def rows(c):
        c.execute("INSERT INTO items (name) VALUES ('left')")
        c.execute("DELETE FROM items WHERE name = 'from the schema'")

    def tables(c):
        c.execute("CREATE TABLE left_behind (i int)")
        c.execute("DROP VIEW names")
        c.execute("ALTER TABLE items ADD COLUMN more int")

    def functions(c):
        c.execute("CREATE OR REPLACE FUNCTION answer() RETURNS int LANGUAGE sql AS 'SELECT 7'")

    def sequences(c):
        c.execute("SELECT nextval('numbers'), setval('items_id_seq', 900)")

    def schemas(c):
        c.execute("CREATE SCHEMA other; CREATE TABLE other.t (i int)")

    def types(c):
        c.execute("CREATE TYPE mood AS ENUM ('good'); CREATE DOMAIN small AS int CHECK (VALUE < 9)")

    def extensions(c):
        c.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")

    def settings(c):
        name = c.info.dbname
        c.execute(f'ALTER DATABASE "{name}" SET work_mem = \\'77MB\\'')
        c.execute(f'ALTER ROLE CURRENT_USER IN DATABASE "{name}" SET statement_timeout = 12345')

    def comments(c):
        c.execute(f'COMMENT ON DATABASE "{c.info.dbname}" IS \\'mine\\'')

    def privileges(c):
        c.execute("REVOKE ALL ON items FROM CURRENT_USER; GRANT SELECT ON names TO public")
        c.execute(f'REVOKE CONNECT ON DATABASE "{c.info.dbname}" FROM public')

    def large_objects(c):
        c.execute("SELECT lo_from_bytea(4711, 'big')")

    def prepared_transactions(c):
        c.execute("BEGIN; INSERT INTO items (name) VALUES ('two'); PREPARE TRANSACTION 'left'")

    def advisory_locks(c):
        HELD.append(c)
        c.execute("SELECT pg_advisory_lock(5), pg_advisory_lock_shared(6)")

    def open_transactions(c):
        HELD.append(c)
        c.execute("BEGIN; LOCK TABLE items; INSERT INTO items (name) VALUES ('open')")

    def temporary_tables(c):
        HELD.append(c)
        c.execute("CREATE TEMPORARY TABLE items (other int); INSERT INTO items VALUES (1)")

    def listeners(c):
        HELD.append(c)
        c.execute("LISTEN news")

    def notifications(c):
        c.execute("NOTIFY news, 'from another test'")

    def statistics(c):
        c.execute("CREATE STATISTICS s ON id, name FROM items")
        c.execute("INSERT INTO items (name) SELECT 'x' FROM generate_series(1, 500); ANALYZE")

    def publications(c):
        c.execute("CREATE PUBLICATION p FOR TABLE items")

    def event_triggers(c):
        c.execute("ALTER TABLE items DISABLE TRIGGER USER")
        c.execute("CREATE RULE r AS ON INSERT TO items DO INSTEAD NOTHING")

    def truncation(c):
        c.execute("TRUNCATE items RESTART IDENTITY")
        c.execute("VACUUM FULL items")

    def nothing(c):
        pass

    KINDS = [rows, tables, functions, sequences, schemas, types, extensions, settings, comments,
        privileges, large_objects, prepared_transactions, advisory_locks, open_transactions,
        temporary_tables, listeners, notifications, statistics, publications, event_triggers,
        truncation, nothing]

    CATALOGUE = '''
        SELECT string_agg(line, E'\\n' ORDER BY line) FROM (
            SELECT concat_ws(' ', 'class', relname, relkind, relacl, relnatts,
                CASE WHEN relkind IN ('r', 'm') THEN reltuples END)
                FROM pg_class WHERE relnamespace = 'public'::regnamespace
            UNION ALL SELECT concat_ws(' ', 'column', attrelid::regclass, attname)
                FROM pg_attribute WHERE attnum > 0
                AND attrelid IN (to_regclass('items'), to_regclass('names'))
            UNION ALL SELECT concat_ws(' ', 'schema', nspname, nspacl) FROM pg_namespace
                WHERE nspname !~ '^pg_(toast_)?temp'
            UNION ALL SELECT concat('type ', typname) FROM pg_type
                WHERE typnamespace = 'public'::regnamespace
            UNION ALL SELECT concat_ws(' ', 'function', proname, prosrc) FROM pg_proc
                WHERE pronamespace = 'public'::regnamespace
            UNION ALL SELECT concat('extension ', extname) FROM pg_extension
            UNION ALL SELECT concat('large object ', oid) FROM pg_largeobject_metadata
            UNION ALL SELECT concat('publication ', pubname) FROM pg_publication
            UNION ALL SELECT concat('rule ', rulename) FROM pg_rewrite r JOIN pg_class c
                ON c.oid = ev_class WHERE relnamespace = 'public'::regnamespace
            UNION ALL SELECT concat('statistics ', stxname) FROM pg_statistic_ext
            UNION ALL SELECT concat('setting ', setconfig) FROM pg_db_role_setting s
                JOIN pg_database d ON d.oid = setdatabase WHERE datname = current_database()
            UNION ALL SELECT concat_ws(' ', 'database', datacl, datconnlimit, datistemplate,
                shobj_description(oid, 'pg_database'), pg_get_userbyid(datdba))
                FROM pg_database WHERE datname = current_database()
            UNION ALL SELECT concat('advisory ', objid) FROM pg_locks WHERE locktype = 'advisory'
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            UNION ALL SELECT concat('prepared ', gid) FROM pg_prepared_xacts
            UNION ALL SELECT concat('someone else ', query) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()
            UNION ALL SELECT concat('row ', items) FROM items
            UNION ALL SELECT concat_ws(' ', 'sequence', last_value, is_called) FROM numbers
            UNION ALL SELECT concat_ws(' ', 'serial', last_value, is_called) FROM items_id_seq
            UNION ALL SELECT concat('work_mem ', current_setting('work_mem'))
            UNION ALL SELECT concat('timeout ', current_setting('statement_timeout'))
            UNION ALL SELECT concat('answer ', answer())
        ) AS found(line)
    '''
    FIRST = []

    @pytest.fixture
    def fresh(neon_db):
        with psycopg.connect(neon_db.url, autocommit=True) as connection:
            connection.execute("LISTEN news")
            found = connection.execute(CATALOGUE).fetchone()[0]
            news = list(connection.notifies(timeout=0))
        FIRST.append(found)
        assert found.splitlines() == FIRST[0].splitlines()
        assert "from the schema" in found and news == []
        return neon_db

    import random
    ORDER = KINDS * 2
    random.Random(SEED).shuffle(ORDER)

    @pytest.mark.parametrize("trace", ORDER, ids=lambda trace: trace.__name__)
    def test_it(fresh, trace):
        connection = psycopg.connect(fresh.url, autocommit=True)
        trace(connection)
        if connection not in HELD:
            connection.close()
        # What somebody has changed is seen by others behind the same URL during the test.
        psycopg.connect(fresh.url).close()
"""


@pytest.mark.parametrize("seed", [1, 2])
def test_every_test_begins_with_the_same_database(child: Child, seed: int) -> None:
    child.ini("neon_schema = schema.sql\nfilterwarnings = ignore::ResourceWarning")
    child.file("schema.sql", MIGRATION)
    child.write(test_traces=TRACES.replace("SEED", str(seed)))
    child.pytest("-p", "no:unraisableexception").expect(passed=44)
    child.assert_nothing_left()


def test_roles_of_a_session_fixture_are_shared(child: Child) -> None:
    """Those that a test creates end with it: test_what_roles_keep.py."""
    child.write(
        test_it="""
        import psycopg, pytest

        @pytest.fixture(scope="session", autouse=True)
        def of_all_tests(neon_url):
            with psycopg.connect(neon_url) as connection:
                connection.execute("CREATE ROLE of_all_tests")

        @pytest.mark.parametrize("n", range(2))
        def test_each(neon_connection, n):
            known = neon_connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'of_all_tests'")
            assert known.fetchone()
            neon_connection.execute(f"CREATE ROLE of_{n}")  # which puts roles back after the test
            neon_connection.commit()
        """
    )
    child.pytest().expect(passed=2)


def test_the_session_ended_in_the_middle_of_something(child: Child) -> None:
    """A thread that the test left behind loses its connection, and cannot reach the next one's."""
    child.write(
        test_it="""
        import threading, time
        import psycopg

        ended = []

        def test_one(neon_db):
            begun = threading.Event()
            def work():
                try:
                    with psycopg.connect(neon_db.url, autocommit=True) as connection:
                        connection.execute("CREATE TABLE of_the_first (i int)")
                        begun.set()
                        connection.execute("SELECT pg_sleep(300)")
                except psycopg.OperationalError as error:
                    ended.append(error)
            threading.Thread(target=work, daemon=True).start()
            assert begun.wait(60)

        def test_two(neon_connection):
            deadline = time.monotonic() + 120
            while not ended and time.monotonic() < deadline:
                time.sleep(0.01)
            assert ended
            found = neon_connection.execute("SELECT to_regclass('of_the_first')").fetchone()
            assert found == (None,)
        """
    )
    child.pytest().expect(passed=2)
