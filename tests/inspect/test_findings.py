"""What is seeded is found and mended, and nothing is found where nothing is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import psycopg
import pytest

import neonup_inspect
from neonup import NeonupError, SqlError, urls
from neonup_inspect import DatabaseFinding, DatabaseReport, Thresholds, report
from tests.inspect.seeds import FOUND
from tests.pgbouncer import MISSING, PROGRAM, pooling
from tests.waiting import wait_until

AT_ONCE = Thresholds(transaction_seconds=0, idle_transaction_seconds=0, wait_seconds=0)


def subjects(seen: DatabaseReport) -> set[tuple[str, str]]:
    return {(finding.topic, finding.subject) for finding in seen.findings}


def run(url: str, statements: str | None) -> None:
    """What a person would type, a statement after the other."""
    assert statements is not None
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements.splitlines():
            connection.execute(statement.encode())


def finding(url: str, topic: str, thresholds: Thresholds = AT_ONCE) -> DatabaseFinding:
    """The only finding of a topic, as soon as there is one."""
    (seen,) = wait_until(
        lambda: neonup_inspect.inspect_url(url, [topic], thresholds=thresholds).findings,
        f"a finding of {topic}",
    )
    return seen


@contextmanager
def session(url: str, statement: str = "SELECT 1") -> Iterator[psycopg.Connection]:
    """A transaction that stays open; it may be ended by somebody else."""
    connection = psycopg.connect(url, application_name="the session")
    connection.execute(statement.encode())
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def waiting(url: str, statement: str, *others: str) -> Iterator[list[int]]:
    """A session that holds locks, and others that wait for it, one after the other; their pids.

    Within the block somebody ends the first one, and then the others go on.
    """
    with ThreadPoolExecutor() as pool, ExitStack() as stack, session(url, statement) as holder:
        pids, running = [holder.info.backend_pid], []
        for other in others:
            connection = stack.enter_context(session(url))
            pids.append(connection.info.backend_pid)
            running.append(pool.submit(_go_on, connection, other))
            wait_until(lambda: waits(url, pids[-1]), f"{other} waits")
        yield pids
        for future in running:
            future.result(30)


def _go_on(connection: psycopg.Connection, statement: str) -> None:
    connection.execute(statement.encode())
    connection.rollback()


def waits(url: str, pid: int) -> bool:
    with psycopg.connect(url) as connection:
        question = "SELECT FROM pg_locks WHERE pid = %s AND NOT granted"
        return connection.execute(question, [pid]).fetchone() is not None


def test_each_kind_is_found_and_its_statement_mends_it(to_mend: str) -> None:
    # Statistics are counted a moment later.
    wait_until(
        lambda: subjects(neonup_inspect.inspect_url(to_mend)) == FOUND,
        lambda: str(subjects(neonup_inspect.inspect_url(to_mend)) ^ FOUND),
    )
    findings = neonup_inspect.inspect_url(to_mend).findings
    weights = [one.weight for one in findings]
    assert weights == sorted(weights, reverse=True)
    assert 0 < weights[-1] <= weights[0] <= 100
    run(to_mend, "UPDATE twice SET of = id")  # why the unique index could not be built
    for one in findings:
        assert (one.statement is None) == (one.topic == "scans")
        if one.statement is not None:
            run(to_mend, one.statement)
    wait_until(
        lambda: {topic for topic, _ in subjects(neonup_inspect.inspect_url(to_mend))} == {"scans"},
        lambda: str(subjects(neonup_inspect.inspect_url(to_mend))),
    )


def test_nothing_is_found_where_nothing_is_wrong(clean: str) -> None:
    seen = neonup_inspect.inspect_url(clean)
    assert seen.findings == []
    assert [topic.name for topic in seen.topics] == [*neonup_inspect.TOPICS]
    assert not [note for note in seen.notes if "not looked at" in note]


def test_each_topic_is_shown_as_a_table_and_as_json(
    seeded: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With rows of every topic: sessions that wait, and statements."""
    locks = 'LOCK TABLE emptied, twice, small, churned, reading, "Front"."Line"'
    with waiting(seeded, locks, "SELECT FROM emptied LIMIT 1"):
        blocker = finding(seeded, "locks")
        for name, topic in neonup_inspect.TOPICS.items():
            seen = neonup_inspect.inspect_url(seeded, [name])
            report.show(seen, topic=True)
            printed = capsys.readouterr().out.splitlines()
            assert printed[0] == topic.question and printed[1] != "none"
            data = json.loads(json.dumps(report.as_data(seen, topic=True), default=str))
            assert data["rows"] and list(data["rows"][0]) == [*topic.columns]
            assert not [note for note in seen.notes if "not looked at" in note]
            if name == "sizes":  # the size of this one would wait as well
                assert not [line for line in printed if "emptied" in line]
        run(seeded, blocker.statement)


def test_who_lets_others_wait_is_named_and_ended(lively: str) -> None:
    change = "UPDATE customer SET email = 'a' WHERE id = 1"
    others = "ALTER TABLE customer ADD COLUMN age int", "SELECT FROM customer LIMIT 1"
    with waiting(lively, change, *others) as (holder, first, second):
        blocker = finding(lively, "locks")
        assert blocker.subject == f"session {holder}"
        pids = ", ".join(map(str, sorted([first, second])))
        reason = blocker.reason
        assert f"lets 2 sessions ({pids}) wait" in reason
        assert "is idle in transaction" in reason and change in reason
        run(lively, blocker.statement)
    assert neonup_inspect.inspect_url(lively, ["locks"], thresholds=AT_ONCE).findings == []


def test_a_transaction_that_is_left_open_is_found_and_ended(lively: str) -> None:
    secret = "ALTER ROLE CURRENT_USER PASSWORD 'hunter''s 2'"
    with session(lively) as holder:
        holder.execute(f"DO $do$ BEGIN IF false THEN {secret}; END IF; END $do$".encode())
        left = finding(lively, "transactions")
        assert left.subject == f"session {holder.info.backend_pid}"
        assert "PASSWORD '***'" in left.reason and "hunter" not in left.reason
        assert neonup_inspect.inspect_url(lively, ["transactions"]).findings == []  # not for long
        run(lively, left.statement)
        with pytest.raises(psycopg.OperationalError):
            holder.execute("SELECT 1")


def test_a_prepared_transaction_is_found_and_ended(lively: str) -> None:
    with psycopg.connect(lively, autocommit=True) as connection:
        connection.execute("BEGIN; DELETE FROM visit; PREPARE TRANSACTION 'it''s left'")
    left = finding(lively, "transactions")
    assert left.statement == "ROLLBACK PREPARED 'it''s left';"
    with waiting(lively, "SELECT 1", "ALTER TABLE visit ADD COLUMN age int"):
        blocker = finding(lively, "locks")
        assert (blocker.subject, blocker.statement) == ("a prepared transaction", left.statement)
        run(lively, blocker.statement)


def test_connections_cache_and_statements_have_their_limits(lively: str) -> None:
    run(lively, "CREATE EXTENSION pg_stat_statements")
    low = Thresholds(
        connections_ratio=0, cache_ratio=2, read_blocks=0, statement_seconds=0, statement_share=0
    )
    with session(lively, "SELECT email FROM customer ORDER BY email"), session(lively):
        wait_until(  # those that were closed just now may still be there
            lambda: finding(lively, "connections", low).subject == "the session",
            "the sessions are the most",
        )
        used = finding(lively, "connections", low)
        assert "of 97 connections" in used.reason
        run(lively, used.statement)  # it is not idle for long enough
    assert finding(lively, "cache", low).statement == "ALTER SYSTEM SET shared_buffers = '64MB';"
    slow = neonup_inspect.inspect_url(lively, ["outliers"], thresholds=low).findings
    (sorted_,) = [one for one in slow if one.subject.startswith("SELECT email FROM customer")]
    assert sorted_.statement is not None and sorted_.statement.startswith("EXPLAIN (GENERIC_PLAN)")
    run(lively, sorted_.statement)
    for topic in ("connections", "cache", "outliers"):
        assert neonup_inspect.inspect_url(lively, [topic]).findings == []


def test_a_role_that_may_see_little_is_told_what_it_does_not_see(seeded: str) -> None:
    run(seeded, "DROP ROLE IF EXISTS visitor")
    run(seeded, "CREATE ROLE visitor LOGIN PASSWORD 'v'")
    url = str(replace(urls.parse(seeded), user="visitor", password="v"))
    with waiting(seeded, "LOCK TABLE twice", "SELECT FROM twice") as (holder, _):
        blocker = finding(url, "locks")
        assert blocker.subject == f"session {holder}"
        seen = neonup_inspect.inspect_url(url)
        run(seeded, blocker.statement)
    owned = {one for one in FOUND if one[0] in ("duplicates", "foreign-keys")}
    assert owned <= subjects(seen)
    notes = "\n".join(seen.notes)
    assert "sessions of other roles did is hidden from visitor" in notes
    assert "GRANT pg_read_all_stats TO visitor;" in notes
    assert "visitor may not read 4 sequences" in notes
    assert "cannot be estimated, which ANALYZE has not seen yet, or visitor may not read" in notes
    assert "not looked at" not in notes


def test_rows_that_were_added_and_analyzed_at_once_are_counted_once(lively: str) -> None:
    with psycopg.connect(lively, autocommit=True) as connection:
        connection.execute("CREATE TABLE filled (a int)")
        connection.execute("INSERT INTO filled SELECT generate_series(1, 2000)")
        connection.execute("ANALYZE filled")
        connection.execute("SELECT count(*) FROM filled")
        connection.execute("SELECT pg_stat_force_next_flush()")
        counted = connection.execute(
            "SELECT n_live_tup FROM pg_stat_all_tables WHERE relid = 'filled'::regclass"
        ).fetchone()
        assert counted == (4000,), "what makes this test one"
        for name, column in ("bloat", "name"), ("scans", "table"):
            (topic,) = neonup_inspect.inspect(connection, [name]).topics
            (row,) = [row for row in topic.rows if row[column] == "public.filled"]
            assert row["live_rows"] == 2000


def test_only_catalogs_are_read_and_nothing_stays_set(clean: str) -> None:
    with psycopg.connect(clean) as connection:
        connection.execute("SET statement_timeout = '7min'")
        connection.execute("INSERT INTO customer (email) VALUES (NULL)")
        scans = "SELECT sum(seq_scan + coalesce(idx_scan, 0)) FROM pg_stat_xact_user_tables"
        before = connection.execute(scans).fetchone()
        neonup_inspect.inspect(connection)
        assert connection.execute(scans).fetchone() == before
        assert connection.execute("SHOW statement_timeout").fetchone() == ("7min",)
        assert connection.execute("SHOW search_path").fetchone() == ('"$user", public',)
        connection.execute("INSERT INTO customer (email) VALUES (NULL)")
        connection.rollback()


def test_names_of_the_users_own_do_not_stand_for_postgres_names(lively: str) -> None:
    run(lively, "CREATE VIEW pg_class AS SELECT 1 AS oid")
    run(lively, "CREATE FUNCTION format(text, name, name) RETURNS text RETURN 1 / 0")
    run(lively, "ALTER DATABASE lively SET search_path = public, pg_catalog")
    seen = neonup_inspect.inspect_url(lively)
    assert seen.findings == [] and not [note for note in seen.notes if "not looked at" in note]


@pytest.mark.skipif(PROGRAM is None, reason=MISSING)
def test_it_works_through_a_pooler(clean: str) -> None:
    with (
        pooling(clean) as pooler,
        psycopg.connect(pooler.url, prepare_threshold=None, autocommit=True) as connection,
    ):
        for _ in range(2 * pooler.connections):
            assert neonup_inspect.inspect(connection).findings == []
            assert connection.execute("SHOW lock_timeout").fetchone() == ("0",)


def test_what_cannot_be_asked_is_said(clean: str) -> None:
    with pytest.raises(NeonupError, match="no topic 'looks'") as refused:
        neonup_inspect.inspect_url(clean, ["looks"])
    assert "foreign-keys" in str(refused.value)
    wrong = str(replace(urls.parse(clean), password="of somebody else"))
    with pytest.raises(SqlError, match="authentication failed") as unknown:
        neonup_inspect.inspect_url(wrong)
    assert "somebody" not in str(unknown.value)
