"""Whole SQL scripts: all of a script or nothing, and once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from neonup import SqlError
from neonup.clients.script import run_script
from tests.postgres import Server
from tests.waiting import PATIENCE

ROLE, PASSWORD = "owner", "s3cret %@/:'\""

SCRIPT = """\
-- a whole script
CREATE TABLE item (id int PRIMARY KEY, label text NOT NULL);
CREATE FUNCTION add_item(id int, label text) RETURNS void LANGUAGE plpgsql AS $body$
BEGIN
    INSERT INTO item VALUES (id, label || '; $$ stays');
END;
$body$;
COPY item (id, label) FROM stdin;
1\tone; two
2\tzwei äöü €
\\.
SELECT add_item(3, 'three'); SELECT add_item(4, E'it''s\\nfour');
DO $$ BEGIN PERFORM add_item(5, 'five'); END $$;
\\set six 6
INSERT INTO item VALUES (:six, 'six')"""


@pytest.fixture
def url(plain_server: Server) -> str:
    """A new database whose owner is no superuser."""
    return plain_server.create(ROLE, PASSWORD, f"d{uuid.uuid4().hex}")


@pytest.fixture
def script(tmp_path: Path) -> Callable[..., Path]:
    def write(text: str | bytes, name: str = "seed.sql") -> Path:
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


Write = Callable[..., Path]


def ask(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()


def tables(url: str) -> list[object]:
    query = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
    return [row[0] for row in ask(url, query)]


def test_functions_copy_and_several_statements(url: str, script: Write) -> None:
    run_script(url, script(SCRIPT), once=True)
    labels = [row[0] for row in ask(url, "SELECT label FROM item ORDER BY id")]
    assert labels == [
        "one; two",
        "zwei äöü €",
        "three; $$ stays",
        "it's\nfour; $$ stays",
        "five; $$ stays",
        "six",
    ]


def test_over_tls(tls_server: Server, script: Write) -> None:
    url = tls_server.create(ROLE, PASSWORD, f"d{uuid.uuid4().hex}")
    run_script(f"{url}&channel_binding=require", script(SCRIPT), once=True)
    assert ask(url, "SELECT count(*) FROM item") == [(6,)]


def test_one_content_runs_once(url: str, script: Write) -> None:
    path = script("CREATE TABLE IF NOT EXISTS t (); INSERT INTO t DEFAULT VALUES;")
    run_script(url, path, once=True)
    run_script(url, path, once=True)
    assert ask(url, "SELECT count(*) FROM t") == [(1,)]
    run_script(url, path, once=False)
    assert ask(url, "SELECT count(*) FROM t") == [(2,)]
    run_script(url, script("INSERT INTO t DEFAULT VALUES;", "more.sql"), once=True)
    run_script(url, path, once=True)
    assert ask(url, "SELECT count(*) FROM t") == [(3,)]


def test_a_comment_on_the_database_stays(url: str, script: Write) -> None:
    run_script(
        url,
        script("SELECT format('COMMENT ON DATABASE %I IS ''mine''', current_database()) \\gexec"),
        once=True,
    )
    query = "SELECT shobj_description(oid, 'pg_database') FROM pg_database"
    [(comment,)] = ask(url, f"{query} WHERE datname = current_database()")
    assert str(comment).startswith("mine\nneonup: ran ")


def test_a_failing_statement_says_its_line_and_leaves_nothing(url: str, script: Write) -> None:
    good = "CREATE TABLE t (a int UNIQUE);\n\nINSERT INTO t VALUES (1);\n"
    with pytest.raises(SqlError) as caught:
        run_script(url, script(f"{good}INSERT INTO t\n  VALUES (1);\nSELECT 1;\n"), once=True)
    assert caught.value.line == 5
    assert caught.value.message == (
        'seed.sql, line 5: duplicate key value violates unique constraint "t_a_key"'
    )
    assert "DETAIL: Key (a)=(1) already exists." in caught.value.checked
    assert "The script was rolled back" in (caught.value.remedy or "")
    assert tables(url) == []
    run_script(url, script(good), once=True)
    assert ask(url, "SELECT a FROM t") == [(1,)]


def test_a_syntax_error_shows_the_place(url: str, script: Write) -> None:
    with pytest.raises(SqlError) as caught:
        run_script(url, script("SELECT 1;\nSELCT 2;\n"), once=True)
    assert caught.value.message == 'seed.sql, line 2: syntax error at or near "SELCT"'
    assert caught.value.checked[:2] == ("LINE 1: SELCT 2;", "        ^")


def test_notices_are_not_errors(url: str, script: Write) -> None:
    text = "DO $$ BEGIN RAISE NOTICE 'ERROR: no'; RAISE WARNING 'w'; END $$;\nSELECT 1/0;"
    with pytest.raises(SqlError, match="line 2: division by zero"):
        run_script(url, script(text), once=True)


def test_a_script_with_its_own_transaction(url: str, script: Write) -> None:
    path = script("BEGIN;\nCREATE TABLE t (a int);\nCOMMIT;\nINSERT INTO t VALUES (1);\n")
    run_script(url, path, once=True)
    run_script(url, path, once=True)
    assert ask(url, "SELECT a FROM t") == [(1,)]
    with pytest.raises(SqlError) as caught:
        run_script(
            url, script("BEGIN;\nCREATE TABLE u ();\nCOMMIT;\nSELECT 1/0;", "b.sql"), once=True
        )
    assert caught.value.line == 4
    assert "What it had committed stays" in (caught.value.remedy or "")


@pytest.mark.parametrize(
    "statement", ["CREATE INDEX CONCURRENTLY i ON t (a)", "VACUUM t", "CREATE DATABASE x"]
)
def test_what_no_transaction_takes(url: str, script: Write, statement: str) -> None:
    with pytest.raises(SqlError, match="transaction block") as caught:
        run_script(url, script(f"CREATE TABLE t (a int);\n{statement};\n"), once=True)
    assert "put COMMIT; before the statement" in (caught.value.remedy or "")
    assert tables(url) == []


def test_and_the_remedy_for_it_works(url: str, script: Write) -> None:
    text = "CREATE TABLE t (a int);\nCOMMIT;\nCREATE INDEX CONCURRENTLY i ON t (a);\n"
    run_script(url, script(text), once=True)
    run_script(url, script(text), once=True)
    assert ask(url, "SELECT count(*) FROM pg_indexes WHERE indexname = 'i'") == [(1,)]


def test_a_missing_extension_is_named(url: str, script: Write) -> None:
    with pytest.raises(SqlError) as caught:
        run_script(url, script("CREATE EXTENSION no_such_thing;"), once=True)
    assert "no extension no_such_thing" in (caught.value.remedy or "")


@pytest.mark.parametrize(
    "name",
    [
        "with spaces and 'single' \"double\" quotes.sql",
        "äöü €.sql",
        "back\\slash $HOME `id`.sql",
        ":colon; -- dashes.sql",
        "line\nend.sql",
        "%d {} #.sql",
    ],
)
def test_any_file_name(url: str, script: Write, name: str) -> None:
    run_script(url, script("CREATE TABLE t ();", name), once=True)
    assert tables(url) == ["t"]
    with pytest.raises(SqlError, match="division by zero"):
        run_script(url, script("\n\nSELECT 1/0;", name), once=True)


def test_crlf(url: str, script: Write) -> None:
    run_script(url, script(SCRIPT.replace("\n", "\r\n")), once=True)
    assert ask(url, "SELECT id, label FROM item WHERE id < 3 ORDER BY id") == [
        (1, "one; two"),
        (2, "zwei äöü €"),
    ]


def test_a_byte_order_mark(url: str, script: Write) -> None:
    run_script(url, script(b"\xef\xbb\xbf" + SCRIPT.encode()), once=True)
    assert ask(url, "SELECT count(*) FROM item") == [(6,)]


@pytest.mark.parametrize("text", ["", "\n", "-- nothing\n", ";"])
def test_an_empty_script(url: str, script: Write, text: str) -> None:
    run_script(url, script(text), once=True)


def test_another_encoding_that_the_script_names(url: str, script: Write) -> None:
    text = "SET client_encoding = 'LATIN1';\nCREATE TABLE t AS SELECT 'äöü' AS a;\n"
    run_script(url, script(text.encode("latin-1")), once=True)
    assert ask(url, "SELECT a FROM t") == [("äöü",)]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("SELECT 'äöü';".encode("latin-1"), "not UTF-8"),
        ("SELECT 1;".encode("utf-16"), "not UTF-8"),
        (b"PGDMP\x01\x0e\x00", "pg_dump's own format"),
    ],
)
def test_what_is_no_sql_script(url: str, script: Write, content: bytes, words: str) -> None:
    with pytest.raises(SqlError, match=words):
        run_script(url, script(content), once=True)


def test_no_file(url: str, tmp_path: Path) -> None:
    with pytest.raises(SqlError, match="No such file"):
        run_script(url, tmp_path / "missing.sql", once=True)
    with pytest.raises(SqlError, match="directory"):
        run_script(url, tmp_path, once=True)


def test_included_files(url: str, script: Write, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    script("1,one\n2,two\n", "folder/data.csv")
    script("CREATE TABLE t (a int, b text);\n\\copy t FROM 'folder/data.csv' CSV\n", "folder/a.sql")
    run_script(url, script("\\ir folder/a.sql\n"), once=True, folder=tmp_path)
    assert ask(url, "SELECT b FROM t ORDER BY a") == [("one",), ("two",)]
    script("\nSELECT 1/0;\n", "folder/bad.sql")
    with pytest.raises(SqlError, match=r"in folder/bad.sql, line 2: division by zero"):
        run_script(url, script("\\i folder/bad.sql\n"), once=True, folder=tmp_path)
    with pytest.raises(SqlError, match=r"line 1: nowhere.sql: No such file"):
        run_script(url, script("\\i nowhere.sql\n"), once=True, folder=tmp_path)


def test_what_the_script_sets_does_not_confuse_the_end(url: str, script: Write) -> None:
    text = (
        "SELECT set_config('search_path', '', false);\n\\set ON_ERROR_STOP 0\n"
        "SET standard_conforming_strings = off;\nSET row_security = off;\nCREATE TABLE public.t ();"
    )
    for _ in range(2):
        run_script(url, script(text), once=True)
    assert tables(url) == ["t"]
    with pytest.raises(SqlError, match="division by zero"):
        run_script(url, script(f"\\set ON_ERROR_STOP 0\nSELECT 1/0;\n{SCRIPT}"), once=True)
    assert tables(url) == ["t"]


def test_a_database_that_does_not_answer(script: Write) -> None:
    with pytest.raises(SqlError, match="did not run") as caught:
        run_script("postgresql://u:s3cret@127.0.0.1:1/d", script("SELECT 1;"), once=True)
    assert "refused" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_password_in_the_script_is_not_repeated(url: str, script: Write) -> None:
    with pytest.raises(SqlError) as caught:
        run_script(url, script("CREATE ROLE x PASSWORD 'hidden' NOSUCH;"), once=True)
    assert "hidden" not in str(caught.value)


def test_no_password_in_the_process_list(url: str, script: Write) -> None:
    run = threading.Thread(
        target=run_script, args=(url, script("SELECT pg_sleep(3);")), kwargs={"once": True}
    )
    run.start()
    listing = b""
    while run.is_alive():
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                listing += entry.read_bytes()
            except OSError:
                continue
        time.sleep(0.1)
    run.join()
    assert b"neonup_script=" in listing
    assert b"s3cret" not in listing


def test_many_at_once_run_it_once(url: str, script: Write) -> None:
    path = script("CREATE TABLE t (a int);\nSELECT pg_sleep(0.2);\nINSERT INTO t VALUES (1);\n")
    failures: list[BaseException] = []

    def run() -> None:
        try:
            run_script(url, path, once=True)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert ask(url, "SELECT count(*) FROM t") == [(1,)]


CHILD = """
import sys
from pathlib import Path
from neonup.clients.script import run_script
run_script(sys.argv[1], Path(sys.argv[2]), once=True)
"""


def _start(url: str, path: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", CHILD, url, str(path)], stderr=subprocess.PIPE)


def _wait_until_asleep(url: str) -> None:
    query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    deadline = time.monotonic() + PATIENCE
    while ask(url, f"{query} AND datname = current_database()") != [(1,)]:
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("transaction", ["", "COMMIT;\n"])
def test_a_killed_run_whose_psql_lives_on(url: str, script: Write, transaction: str) -> None:
    path = script(
        f"CREATE TABLE t (a int);\n{transaction}SELECT pg_sleep(3);\nINSERT INTO t VALUES (1);\n"
    )
    with _start(url, path) as first:
        _wait_until_asleep(url)
        first.kill()
        first.wait()
        run_script(url, path, once=True)  # waits for the psql that nobody waits for
    assert ask(url, "SELECT count(*) FROM t") == [(1,)]


def test_a_killed_psql_leaves_nothing(url: str, script: Write) -> None:
    path = script("CREATE TABLE t ();\nSELECT pg_sleep(3);\n")
    with _start(url, path) as run:
        _wait_until_asleep(url)
        children = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
        os.kill(int(children[0]), signal.SIGKILL)
        assert b"killed by signal 9" in run.communicate()[1]
    run_script(url, path, once=True)
    assert tables(url) == ["t"]
