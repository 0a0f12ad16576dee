"""The query box: what it shows, and what a hostile query does not reach."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from neonup_emulator.neon.model import Branch
from neonup_pages import query_box
from tests.emulator.api import Api, Project, ask
from tests.emulator.pages import Pages, session
from tests.emulator.serving import NeonServer


@pytest.fixture
def pages(neon_server_here: NeonServer) -> Iterator[Pages]:
    with session(neon_server_here) as found:
        yield found


def run(pages: Pages, project: Project, query: str, *, writes: bool = False) -> str:
    answer = pages.send(
        f"/projects/{project.id}/query", query=query, **({} if writes else {"read_only": "yes"})
    )
    assert answer.status_code == 200, answer.text
    return answer.text


def test_rows_are_shown_and_nothing_of_them_is_markup(pages: Pages, project: Project) -> None:
    page = run(pages, project, "SELECT '<script>alert(1)</script>' AS \"<i>\", NULL AS no, 7 AS n")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "&lt;i&gt;" in page
    assert "<script>alert" not in page
    assert '<span class="null">null</span>' in page
    assert "SELECT 1" in page


def test_many_rows_are_cut(pages: Pages, project: Project) -> None:
    for writes in (False, True):
        page = run(pages, project, "SELECT * FROM generate_series(1, 5000)", writes=writes)
        assert page.count("<tr>") == query_box.ROWS + 1
        assert "The first 200 rows are shown." in page
    long = run(pages, project, "SELECT repeat('x', 1000000)")
    assert len(long) < 100_000


def test_an_error_has_its_place(pages: Pages, project: Project) -> None:
    page = run(pages, project, "SELECT 'ü',\n  nothing")
    assert "Column &#34;nothing&#34; does not exist" in page
    assert "42703" in page
    assert "Line 2, column 3" in page
    assert "<mark>nothing</mark>" in page
    for query, said in {
        "": "Type a query first.",
        "SELECT 1; SELECT 2": "one statement at a time",
        "COPY (SELECT 1) TO STDOUT": "Read-only takes a query",
        "SELECT '\0'": "A query is text",
        "-- nothing": "There is no statement in it.",
    }.items():
        assert said in run(pages, project, query), query
    assert "use psql" in run(pages, project, "COPY (SELECT 1) TO STDOUT", writes=True)


def test_read_only_writes_nothing(pages: Pages, project: Project) -> None:
    run(pages, project, "CREATE TABLE orders AS SELECT 1 AS id", writes=True)
    for query in (
        "INSERT INTO orders VALUES (2)",
        "COMMIT; INSERT INTO orders VALUES (2)",
        "COMMIT",
        "SET TRANSACTION READ WRITE",
        "SET default_transaction_read_only = off",
        "SELECT set_config('transaction_read_only', 'off', false)",
        "WITH gone AS (DELETE FROM orders RETURNING *) SELECT * FROM gone",
        "DO $$ BEGIN COMMIT; INSERT INTO orders VALUES (2); END $$",
        "SELECT nextval(pg_get_serial_sequence('orders', 'id'))",
    ):
        run(pages, project, query)
    assert ask(project.url, "SELECT sum(id) FROM orders") == 1
    page = run(pages, project, "INSERT INTO orders VALUES (2)")
    assert "Read-only takes a query" in page
    assert "Allow changes" in page
    page = run(pages, project, "SELECT 1 AS id INTO copied")
    assert "read-only transaction" in page


@pytest.mark.parametrize(
    "query",
    [
        "SELECT pg_create_physical_replication_slot('left')",
        "/* SELECT */ SELECT PG_CREATE_physical_REPLICATION_slot('left')",
        "SELECT U&\"pg_create_physical_replication_slo\\0074\"('left')",
        "EXPLAIN ANALYZE SELECT pg_create_physical_replication_slot('left')",
        "DO $$ BEGIN EXECUTE 'SELECT pg_create_phys' || 'ical_replication_slot(''left'')'; END $$",
        "/* /* */ SELECT */ DO $$ BEGIN PERFORM 1; END $$",
        "CALL slot()",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'witness'",
        "SELECT query_to_xml('SELECT ' || reverse('1 SA txet'), true, true, '')",
        "SELECT pg_advisory_lock(1)",
        "SELECT * FROM dblink('', 'INSERT INTO orders VALUES (2)') AS t (n int)",
    ],
)
def test_read_only_has_no_effect_outside_of_its_transaction(
    pages: Pages, project: Project, query: str
) -> None:
    """As the tools of `neonup mcp`: see tests/mcp/test_read_only.py."""
    ask(project.url, "CREATE EXTENSION dblink")
    ask(
        project.url,
        "CREATE PROCEDURE slot() LANGUAGE plpgsql AS $$ BEGIN "
        "PERFORM pg_create_physical_replication_slot('left'); END $$",
    )
    with psycopg.connect(project.url, application_name="witness", autocommit=True) as witness:
        page = run(pages, project, query)
        assert 'class="card problem"' in page
        assert witness.execute("SELECT count(*) FROM pg_replication_slots").fetchone() == (0,)


@pytest.mark.parametrize(
    "query",
    [
        "-- which\n/* query */ ((SELECT 7))",
        "with numbers as (values (7)) table numbers",
        "VALUES (7)",
        "SHOW max_parallel_workers",
        "EXPLAIN SELECT 7",
        "SELECT count(*) FROM pg_stat_activity WHERE random() < 7",
    ],
)
def test_read_only_takes_every_query(pages: Pages, project: Project, query: str) -> None:
    assert 'class="card problem"' not in run(pages, project, query)


def test_several_statements_run_where_it_may_write(pages: Pages, project: Project) -> None:
    page = run(
        pages,
        project,
        "CREATE TABLE t (id int); INSERT INTO t VALUES (1), (2); TABLE t",
        writes=True,
    )
    for tag in ("CREATE TABLE", "INSERT 0 2", "SELECT 2"):
        assert tag in page
    run(pages, project, "INSERT INTO t VALUES (3); SELECT 1/0", writes=True)
    assert ask(project.url, "SELECT count(*) FROM t") == 2


@pytest.mark.parametrize(
    "query",
    [
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT pg_read_binary_file('PG_VERSION')",
        "SELECT * FROM pg_ls_dir('/')",
        "CREATE TABLE p (line text); COPY p FROM PROGRAM 'id'",
        "CREATE TABLE p (line text); COPY p FROM '/etc/passwd'",
        "COPY (SELECT 1) TO '/tmp/neonup-query-box'",
        "COPY (SELECT 1) TO PROGRAM 'cat'",
        "SELECT lo_import('/etc/passwd')",
        "SELECT lo_export(lo_from_bytea(0, 'x'), '/tmp/neonup-query-box')",
        "CREATE EXTENSION file_fdw",
        "CREATE EXTENSION adminpack",
        "CREATE FUNCTION f() RETURNS text LANGUAGE internal AS 'pg_read_file'",
        "CREATE FUNCTION f() RETURNS int LANGUAGE C AS '/lib/libc.so.6', 'getpid'",
        "ALTER SYSTEM SET archive_command = 'id'",
        "SET ROLE cloud_admin",
        "SET SESSION AUTHORIZATION cloud_admin",
        "ALTER ROLE neondb_owner SUPERUSER",
        "GRANT pg_execute_server_program TO neondb_owner",
        "GRANT pg_read_server_files TO neondb_owner",
        "LOAD '/lib/libc.so.6'",
    ],
)
def test_a_hostile_query_is_refused(pages: Pages, project: Project, query: str) -> None:
    page = run(pages, project, query, writes=True)
    assert 'class="card problem"' in page
    assert "root:" not in page
    assert not Path("/tmp/neonup-query-box").exists()


def test_a_hostile_query_reads_no_other_project(
    pages: Pages, project: Project, api: Api, neon_server_here: NeonServer
) -> None:
    other = api.create_project(name="other")
    word = "open-sesame"
    ask(other.url, f"CREATE TABLE secret AS SELECT '{word}' AS word")
    assert "neondb" in run(pages, project, "SELECT datname FROM pg_database")
    assert "does not exist" in run(pages, project, "TABLE secret")
    assert "CREATE EXTENSION" in run(pages, project, "CREATE EXTENSION dblink", writes=True)
    host, _, port = other.url.rpartition("@")[2].partition("/")[0].partition(":")
    at = f"host={host} port={port or 5432} dbname=neondb"
    backend = neon_server_here.neon.computes.address(_cluster(neon_server_here, other))
    inside = f"host={backend['host']} port={backend['port']} dbname=neondb"
    for place in (at, inside):
        for user in ("cloud_admin", "neondb_owner"):
            for password in ("", " password=x", " passfile=/etc/passwd", " require_auth=none"):
                query = (
                    f"SELECT * FROM dblink('{place} user={user}{password}', 'TABLE secret') "
                    "AS t (word text)"
                )
                page = run(pages, project, query, writes=True)
                assert 'class="card problem"' in page
                assert word not in page
        page = run(
            pages,
            project,
            f"CREATE SUBSCRIPTION s CONNECTION '{place} user=cloud_admin password=x' PUBLICATION p",
            writes=True,
        )
        assert 'class="card problem"' in page


def _cluster(server: NeonServer, project: Project) -> str:
    branch = server.neon.store.get(Branch, project.branch)
    assert branch
    return branch.cluster_id


def test_it_asks_as_the_owner_and_of_the_branch_alone(pages: Pages, project: Project) -> None:
    page = run(pages, project, "SELECT current_user, session_user, current_setting('is_superuser')")
    assert "neondb_owner" in page
    assert "cloud_admin" not in page
    answer = pages.send(
        f"/projects/{project.id}/query", query="SELECT 1", database="postgres", read_only="yes"
    )
    assert answer.status_code == 404
    assert "there is no such database" in answer.text


def test_a_query_that_does_not_end_is_ended(project: Project) -> None:
    arguments = {"conninfo": project.url}
    endless = "WITH RECURSIVE n AS (SELECT 1 UNION ALL SELECT 1 FROM n) SELECT count(*) FROM n"
    slow = query_box.run(
        {**arguments, "options": "-c statement_timeout=200"}, endless, read_only=True
    )
    assert slow.problem
    assert "statement timeout" in slow.problem.message
    query = "SET statement_timeout = 0; SELECT pg_sleep(60)"
    stubborn = query_box.run(
        arguments, query, read_only=False, limits=query_box.RunLimits(seconds=0.5)
    )
    assert stubborn.problem
    assert "cancelled" in stubborn.problem.message
