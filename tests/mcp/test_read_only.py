"""What somebody may try who writes the SQL of a server that only reads: each of it fails.

Once as the role of a local database, which owns it and may create roles, and once as a superuser,
whom somebody's own database may have.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from neonup.errors import NeonupError
from neonup.postgres import urls
from neonup_mcp import statements
from neonup_mcp.session import StatementLimits
from tests.project import Project

LIMITS = StatementLimits(seconds=60)

STATE = """
SELECT (SELECT array_agg(c::text ORDER BY id) FROM customer c),
    (SELECT array_agg(relname ORDER BY oid) FROM pg_class),
    (SELECT last_value FROM numbers),
    (SELECT array_agg(r::text ORDER BY r.oid) FROM pg_roles r),
    (SELECT count(*) FROM pg_db_role_setting),
    (SELECT count(*) FROM pg_replication_slots),
    (SELECT count(*) FROM pg_largeobject_metadata),
    (SELECT count(*) FROM pg_prepared_xacts),
    (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'),
    current_setting('fsync')
"""
"""What an attack could change."""


class Witness:
    """The application's own connection, which an attack must not end, and what it sees."""

    def __init__(self, url: str):
        self.url = url
        self._connection = psycopg.connect(url, autocommit=True)
        self._connection.execute("LISTEN shop")
        self._before = self._state()

    def _state(self) -> object:
        return self._connection.execute(STATE).fetchone()

    def check(self) -> None:
        assert self._state() == self._before
        assert not list(self._connection.notifies(timeout=0))

    def close(self) -> None:
        self._connection.close()


@pytest.fixture(scope="module", params=["owner", "superuser"])
def witness(request: pytest.FixtureRequest, shop: Project) -> Iterator[Witness]:
    """A database with what an attacker could use."""
    url = urls.parse(shop.url)
    with psycopg.connect(shop.url, autocommit=True) as connection:
        if connection.execute("SELECT to_regclass('numbers') IS NULL").fetchone() == (True,):
            connection.execute(SETUP)
    if request.param == "superuser":
        password = (Path(shop.environ["NEONUP_HOME"]) / "cloud_admin").read_text()
        url = replace(url, user="cloud_admin", password=password)
    witness = Witness(str(url))
    yield witness
    witness.close()


SETUP = """
        CREATE EXTENSION dblink; CREATE EXTENSION tablefunc; CREATE EXTENSION pg_prewarm;
        CREATE SEQUENCE numbers;
        CREATE FUNCTION counted() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM customer';
        CREATE FUNCTION empty() RETURNS int LANGUAGE plpgsql AS
            'BEGIN DELETE FROM customer; RETURN 1; END';
        CREATE FUNCTION disguised() RETURNS int IMMUTABLE LANGUAGE sql AS
            'DELETE FROM customer; SELECT 1';
        CREATE FUNCTION written() RETURNS int LANGUAGE plpgsql AS
            'BEGIN SET TRANSACTION READ WRITE; DELETE FROM customer; RETURN 1; END';
        CREATE PROCEDURE committed() LANGUAGE plpgsql AS
            'BEGIN COMMIT; SET TRANSACTION READ WRITE; DELETE FROM customer; END';
"""

ATTACKS = {
    # More than one statement.
    "two statements": "SELECT 1; DELETE FROM customer",
    "commit first": "COMMIT; DELETE FROM customer",
    "after the query": "SELECT 1; COMMIT; DELETE FROM customer; --",
    "behind a comment": "SELECT 1 /* /* ; */ */; DELETE FROM customer",
    "behind a line comment": "SELECT 1 --\n; DELETE FROM customer",
    "a string that looks open": r"SELECT '\'; DELETE FROM customer; --'; DELETE FROM customer",
    "an empty query": "; DELETE FROM customer",
    # Statements that are no queries.
    "delete": "DELETE FROM customer",
    "delete in WITH": "WITH gone AS (DELETE FROM customer RETURNING *) SELECT * FROM gone",
    "insert": "INSERT INTO customer VALUES (3, 'x')",
    "merge": "MERGE INTO customer USING customer o ON true WHEN MATCHED THEN DELETE",
    "truncate": "TRUNCATE customer",
    "create": "CREATE TABLE mine (id int)",
    "a temporary table": "CREATE TEMP TABLE mine (id int)",
    "select into": "SELECT * INTO mine FROM customer",
    "table as": "CREATE TABLE mine AS SELECT * FROM customer",
    "do": "DO $$ BEGIN DELETE FROM customer; END $$",
    "call": "CALL committed()",
    "prepare": "PREPARE p AS DELETE FROM customer",
    "execute": "EXECUTE p",
    "copy from a program": "COPY customer FROM PROGRAM 'touch /tmp/attacked'",
    "copy to a program": "COPY customer TO PROGRAM 'touch /tmp/attacked'",
    "copy to a file": "COPY customer TO '/tmp/attacked'",
    "copy to the client": "COPY customer TO STDOUT",
    "copy from the client": "COPY customer FROM STDIN",
    "explain analyze": "EXPLAIN ANALYZE DELETE FROM customer",
    "grant": "GRANT pg_write_all_data TO CURRENT_USER",
    "a role": "CREATE ROLE mine SUPERUSER",
    "alter system": "ALTER SYSTEM SET fsync = off",
    "alter role": "ALTER ROLE CURRENT_USER PASSWORD 'x'",
    "load": "LOAD 'auto_explain'",
    "lock": "LOCK TABLE customer",
    "notify": "NOTIFY shop",
    "listen": "LISTEN shop",
    "checkpoint": "CHECKPOINT",
    "vacuum": "VACUUM customer",
    # The transaction itself.
    "read write": "SET TRANSACTION READ WRITE",
    "the default": "SET default_transaction_read_only = off",
    "begin": "BEGIN READ WRITE",
    "rollback": "ROLLBACK",
    "prepare transaction": "PREPARE TRANSACTION 'mine'",
    "another role": "SET ROLE cloud_admin",
    "another user": "SET SESSION AUTHORIZATION cloud_admin",
    # Rows that are locked.
    "for update": "SELECT * FROM customer FOR UPDATE",
    "for share in WITH": "WITH held AS (SELECT * FROM customer FOR SHARE) SELECT * FROM held",
    # Functions that write.
    "nextval": "SELECT nextval('numbers')",
    "setval": "SELECT setval('numbers', 1000)",
    "a function that deletes": "SELECT empty()",
    "one that says it does not": "SELECT disguised()",
    "one that makes it writable": "SELECT written()",
    "a large object": "SELECT lo_from_bytea(0, 'x')",
    # Functions with effects outside of the transaction.
    "terminate": "SELECT pg_terminate_backend(pid) FROM pg_stat_activity",
    "cancel": "SELECT pg_cancel_backend(pid) FROM pg_stat_activity",
    "set_config": "SELECT set_config('transaction_read_only', 'off', false)",
    "a timeout": "SELECT set_config('statement_timeout', '0', false)",
    "another role by function": "SELECT set_config('role', 'cloud_admin', false)",
    "advisory lock": "SELECT pg_advisory_lock(1)",
    "notify by function": "SELECT pg_notify('shop', 'x')",
    "a slot": "SELECT pg_create_logical_replication_slot('mine', 'test_decoding')",
    "drop slots": "SELECT pg_drop_replication_slot('mine')",
    "message in the WAL": "SELECT pg_logical_emit_message(false, 'x', 'y')",
    "export a snapshot": "SELECT pg_export_snapshot()",
    "statistics": "SELECT pg_restore_relation_stats('relation', 'customer')",
    "sleep": "SELECT pg_sleep(1)",
    "read a file": "SELECT pg_read_file('postgresql.conf')",
    "list files": "SELECT pg_ls_dir('.')",
    "write a file": "SELECT lo_export(1, '/tmp/attacked')",
    "reload": "SELECT pg_reload_conf()",
    "dblink": "SELECT dblink_exec('host=127.0.0.1', 'DELETE FROM customer')",
    "dblink as a table": "SELECT * FROM dblink('dbname=neondb', 'SELECT 1') AS t (id int)",
    "prewarm": "SELECT pg_prewarm('customer')",
    # The same, in disguise.
    "in capitals": "SELECT PG_SLEEP(1)",
    "quoted": 'SELECT "pg_sleep"(1)',
    "with its schema": "SELECT pg_catalog . pg_sleep (1)",
    "with a comment between": "SELECT pg_sleep/* */(1)",
    "in unicode": r'SELECT U&"pg\005fsleep"(1)',
    "in lower-case unicode": r'SELECT u&"pg\005fsleep"(1)',
    "in unicode of one's own": "SELECT U&\"pg!005fsleep\" UESCAPE '!' (1)",
    "in FROM": "SELECT * FROM pg_sleep(1)",
    "in a default": "SELECT * FROM (VALUES (1)) v WHERE pg_sleep(1) IS NULL",
    "as text for XML": "SELECT query_to_xml('SELECT pg_sl' || 'eep(1)', true, true, '')",
    "as text for statistics": "SELECT ts_stat('SELECT pg_sl' || 'eep(1)::text::tsvector')",
    "as text for a pivot": "SELECT * FROM crosstab('SELECT ''a'', ''b'', pg_sl' || 'eep(1)::text') "
    "AS t (a text, b text)",
    "as text for a tree": "SELECT * FROM connectby('customer', 'id', 'pg_sl' || 'eep(1)', '1', 0) "
    "AS t (id int, parent int, level int)",
}


@pytest.mark.parametrize("attack", ATTACKS)
async def test_nothing_gets_through(attack: str, witness: Witness) -> None:
    with pytest.raises(NeonupError):
        await statements.read(witness.url, ATTACKS[attack], LIMITS)
    witness.check()
    assert not Path("/tmp/attacked").exists()


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("witness", ["superuser"], indirect=True)
async def test_nor_by_way_of_explain(attack: str, witness: Witness) -> None:
    with suppress(NeonupError):  # what has a plan may be explained, as long as it is not run
        await statements.explain(witness.url, ATTACKS[attack], LIMITS, analyze=False, writes=False)
    with pytest.raises(NeonupError):
        await statements.explain(witness.url, ATTACKS[attack], LIMITS, analyze=True, writes=False)
    witness.check()


QUERIES = {
    "parentheses": "(SELECT 1)",
    "with": "WITH RECURSIVE t (n) AS (SELECT 1 UNION SELECT n + 1 FROM t WHERE n < 3) TABLE t",
    "values": "VALUES (1), (2)",
    "table": "TABLE customer",
    "a semicolon at the end": "SELECT 1;",
    "a comment at the end": "SELECT 1 -- one",
    "comments before": "/* one */ -- two\nSELECT 1",
    "a percent sign": "SELECT * FROM customer WHERE name LIKE '%a%' AND id % 2 = 1",
    "placeholders as text": "SELECT '%s', '$1', ':name', '{}'",
    "random": "SELECT random(), gen_random_uuid(), clock_timestamp()",
    "sizes": "SELECT pg_size_pretty(pg_total_relation_size('customer'))",
    "activity": "SELECT pid, query FROM pg_stat_activity",
    "locks": "SELECT * FROM pg_locks",
    "settings": "SELECT current_setting('work_mem'), * FROM pg_settings LIMIT 1",
    "the project's function": "SELECT counted()",
    "a column with a function's name": "SELECT 1 AS system, 2 AS bernoulli",
}


@pytest.mark.parametrize("query", QUERIES)
async def test_what_only_reads_is_let_through(query: str, witness: Witness) -> None:
    found = await statements.read(witness.url, QUERIES[query], LIMITS)
    assert found.rows
    await statements.explain(witness.url, QUERIES[query], LIMITS, analyze=True, writes=False)
