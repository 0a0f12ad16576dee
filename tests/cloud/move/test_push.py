"""`neonup push`: the local database into a Neon, with everything that is in it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import psycopg
import pytest

from neonup import resolve
from neonup.env import lock
from neonup_cloud.move import unfinished
from neonup_cloud.move.between import place
from neonup_cloud.move.session import Session
from neonup_cloud.move.tools import Tools, find_tools
from neonup_cloud.move.unfinished import Unfinished
from tests.cloud.move.databases import EVERYTHING, ask, facts
from tests.emulator.serving import NeonServer
from tests.hostile_variables import HOSTILE
from tests.postgres import programs
from tests.programs import Program
from tests.project import Project
from tests.terminal import terminal
from tests.variables import check, declare
from tests.waiting import wait_until

SAMPLE = Path(__file__).parents[2] / "plugin_provider"
ROWS = "CREATE TABLE big AS SELECT i, repeat('x', 100) AS t FROM generate_series(1, {}) i"
TABLES = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"


@pytest.fixture
def local(project: Project) -> str:
    """The URL of the project's local database, which is empty."""
    project.ok("--provider", "local")
    return project.url


def test_a_push_moves_everything_and_switches(project: Project, local: str, cloud: str) -> None:
    ask(local, EVERYTHING)
    with project.env_file.open("a") as file:
        file.write("# mine\nDEBUG=1\n")
    said = project.ok("push", "--to", cloud)
    assert "pushed 8 tables, 599 rows to " in said
    assert (
        cloud not in said
        and "back to it, in place of this URL: neonup --force --provider local" in said
    )
    assert project.url == cloud
    assert project.variables["DEBUG"] == "1"
    assert facts(cloud) == facts(local)
    assert ask(cloud, "SELECT current_setting('server_version_num')::int / 10000") == 17
    assert ask(local, "SELECT current_setting('server_version_num')::int / 10000") == 18

    project.ok("--force", "--provider", "local")  # what it says
    assert project.url == local
    assert "people" in project.query("SELECT string_agg(tablename, ',') FROM pg_tables")


def test_the_projects_variables_go_with_the_url_there_and_back(
    project: Project, local: str, cloud: str
) -> None:
    """Those of a database that the user has named are neonup's lines still: a new table counts."""
    declare(project)
    project.ok()
    project.ok("push", "--to", cloud)
    check(project)
    pushed = project.env_file.read_bytes()
    project.ok("--force", "--provider", "local")
    check(project)
    project.ok("destroy", "--yes")
    assert project.env_file.read_bytes() == pushed
    with (project.folder / "pyproject.toml").open("a") as file:
        file.write('MORE = "{host}"\n')
    project.ok()
    check(project)
    assert project.variables["MORE"] == project.variables["POSTGRES_SERVER"]


def test_a_push_by_the_default_engine_alone(project: Project, local: str, cloud: str) -> None:
    """Its programs know no TLS, which the local Neon's databases insist on."""
    ask(local, EVERYTHING)
    assert "sslmode=require" in cloud
    folder = programs(tls=False)
    assert not find_tools([cloud], 18, folder).tls
    project.ok("push", "--to", cloud, NEONUP_PG_BIN=str(folder))
    assert facts(cloud) == facts(local)


def test_an_empty_database(project: Project, local: str, cloud: str) -> None:
    project.ok("down")  # it is woken
    assert "pushed 0 tables, 0 rows" in project.ok("push", "--to", cloud)
    assert project.url == cloud


def test_json_and_no_switch(project: Project, local: str, cloud: str) -> None:
    ask(local, 'CREATE TABLE "a b" AS SELECT 1 AS one')
    answer = json.loads(_from_stdin(project, cloud))
    assert answer["rows"] == {'public."a b"': 1}
    assert (answer["switched"], answer["url"]) == (None, cloud)
    assert answer["remarks"] == []
    assert project.url == local
    error = json.loads(project.neonup("push", "--to", cloud, "--json").stdout)
    assert error["error"]["code"] == "move"


def _from_stdin(project: Project, url: str) -> str:
    argv = [sys.executable, "-m", "neonup", "push", "--to", "-", "--no-switch", "--json"]
    done = project.command(argv, stdin=f"{url}\n")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_target_that_is_not_empty(project: Project, local: str, cloud: str) -> None:
    ask(local, "CREATE TABLE ours AS SELECT 1 AS one")
    ask(cloud, EVERYTHING)
    before = facts(cloud)
    said = project.fails("push", "--to", cloud)
    assert "is not empty; nothing was moved" in said and "--force" in said
    assert project.url == local
    after = facts(cloud)
    del before["next person"], before["next ticket"], after["next person"], after["next ticket"]
    assert after == before

    project.ok("push", "--to", cloud, "--force")
    assert project.url == cloud
    assert ask(cloud, TABLES) == 1
    assert ask(cloud, "SELECT count(*) FROM pg_largeobject_metadata") == 0
    assert ask(cloud, "SELECT one FROM ours") == 1


def test_everything_over_everything(project: Project, local: str, cloud: str) -> None:
    ask(local, EVERYTHING)
    ask(cloud, EVERYTHING)
    project.ok("push", "--to", cloud, "--force")
    assert facts(cloud) == facts(local)


COPYING = "SELECT count(*) FROM pg_stat_progress_copy WHERE tuples_processed > 1000"


@contextmanager
def pushing(project: Project, cloud: str) -> Iterator[subprocess.Popen[str]]:
    """A push that is in the middle of a table's rows."""
    ask(project.url, ROWS.format(400_000))
    with Program(
        [sys.executable, "-m", "neonup", "push", "--to", cloud],
        cwd=project.folder,
        env=project.environ,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        wait_until(lambda: ask(cloud, COPYING) != 0, "the copying")
        yield process


def nothing_was_moved(project: Project, local: str, cloud: str) -> None:
    wait_until(lambda: ask(cloud, COPYING) == 0, "its transaction")
    assert ask(cloud, TABLES) == 0
    assert project.url == local
    assert ask(local, "SELECT count(*) FROM big") == 400_000


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_push_that_is_killed_leaves_nothing_and_is_begun_anew(
    project: Project, local: str, cloud: str, how: signal.Signals
) -> None:
    with pushing(project, cloud) as process:
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(how)
        process.wait()
        assert len(children) >= 3
    wait_until(lambda: not _pids(children), "the end of its programs")
    nothing_was_moved(project, local, cloud)
    project.ok("push", "--to", cloud)
    assert ask(cloud, "SELECT count(*) FROM big") == 400_000
    assert project.url == cloud


def test_the_targets_server_breaks_off(project: Project, local: str, cloud: str) -> None:
    with pushing(project, cloud) as process:
        copies = "SELECT pg_terminate_backend(pid) FROM pg_stat_progress_copy"
        ask(cloud, copies)
        assert process.wait() == 1
        assert process.stderr is not None
        said = process.stderr.read()
    assert "The target" in said and "Traceback" not in said, said
    nothing_was_moved(project, local, cloud)


def test_the_sources_server_breaks_off(project: Project, local: str, cloud: str) -> None:
    with pushing(project, cloud) as process:
        copies = "SELECT pg_terminate_backend(pid) FROM pg_stat_progress_copy"
        ask(local, copies)
        assert process.wait() == 1
        assert process.stderr is not None
        said = process.stderr.read()
    assert "The source cannot be read" in said and "Traceback" not in said, said
    nothing_was_moved(project, local, cloud)


def _pids(processes: list[psutil.Process]) -> list[int]:
    return [one.pid for one in processes if one.is_running() and one.status() != "zombie"]


@pytest.fixture
def killed_before_the_switch(project: Project, local: str, cloud: str) -> None:
    """A push that had filled its target, and waited for another process to write `.env`."""
    ask(local, "CREATE TABLE kept AS SELECT 1 AS one")
    with (
        lock.project(resolve(project.folder)),
        Program(
            [sys.executable, "-m", "neonup", "push", "--to", cloud],
            cwd=project.folder,
            env=project.environ,
        ) as process,
    ):
        wait_until(lambda: ask(cloud, TABLES) == 1, "the table")
        assert process.poll() is None
        process.send_signal(signal.SIGKILL)
    assert project.url == local


@pytest.mark.usefixtures("killed_before_the_switch")
def test_a_push_that_was_killed_before_the_switch_is_finished(
    project: Project, cloud: str, neonup_home: Path
) -> None:
    notes = [path for path in (neonup_home / "pushes").iterdir() if path.suffix != ".lock"]
    assert [path.stat().st_mode & 0o777 for path in notes] == [0o600]
    assert "an earlier push had moved everything" in project.ok("push", "--to", cloud)
    assert project.url == cloud
    assert not notes[0].exists()


@pytest.mark.usefixtures("killed_before_the_switch")
def test_rows_that_came_since_are_not_passed_over(project: Project, local: str, cloud: str) -> None:
    ask(local, "INSERT INTO kept VALUES (2)")
    assert "is not empty" in project.fails("push", "--to", cloud)
    assert project.url == local
    project.ok("push", "--to", cloud, "--force")
    assert ask(cloud, "SELECT sum(one) FROM kept") == 3


def test_a_push_whose_transaction_has_not_ended_yet(
    project: Project, local: str, cloud: str
) -> None:
    """Its program was killed, and its server has not noticed yet."""
    with psycopg.connect(cloud) as connection:
        row = connection.execute("SELECT pg_current_xact_id()::text").fetchone()
        assert row is not None
        settings = replace(resolve(project.folder), home=Path(project.environ["NEONUP_HOME"]))
        unfinished.write(settings, Unfinished(place(cloud), row[0]))
        assert "An earlier push to this database has not ended" in project.fails(
            "push", "--to", cloud
        )
    project.ok("push", "--to", cloud)


def test_unreachable_and_refused(project: Project, local: str, cloud: str) -> None:
    before = project.env_file.read_bytes()
    ask(local, "CREATE TABLE t AS SELECT 1 AS one")
    password = cloud.partition("@")[0].rpartition(":")[2]
    wrong = project.fails("push", "--to", cloud.replace(password, "not-the-password"))
    assert "The target cannot be reached: FATAL:  password authentication failed" in wrong
    assert "checked: it is at " in wrong and "not-the-password" not in wrong
    closed = "postgresql://me:secret-word@127.0.0.1:1/d?sslmode=require"
    said = project.fails("push", "--to", closed)
    assert "The target cannot be reached" in said and "secret-word" not in said
    assert "cannot be used" in project.fails("push", "--to", "mysql://me:secret-word@h/d")
    assert project.env_file.read_bytes() == before
    assert ask(cloud, TABLES) == 0


def test_onto_itself(project: Project, local: str) -> None:
    ask(local, "CREATE TABLE t AS SELECT 1 AS one")
    for url in (local, local.replace("127.0.0.1", "localhost")):
        assert "are the same database" in project.fails("push", "--to", url, "--force")
    assert ask(local, "SELECT one FROM t") == 1


def test_somebody_uses_what_is_to_be_removed(project: Project, local: str, cloud: str) -> None:
    ask(cloud, "CREATE TABLE theirs AS SELECT 1 AS one")
    with psycopg.connect(cloud) as connection:
        connection.execute("SELECT * FROM theirs")
        said = project.fails("push", "--to", cloud, "--force")
    assert "lock timeout" in said and "Somebody else uses it" in said
    assert ask(cloud, "SELECT one FROM theirs") == 1


def test_neither_a_url_nor_a_provider(project: Project, local: str, cloud: str) -> None:
    assert "Name the database to fill" in project.fails("push")
    assert "Name the database to fill" in project.fails(
        "push", "--to", cloud, "--provider", "neon.new"
    )


def test_only_a_local_database_is_pushed(project: Project, cloud: str) -> None:
    project.env_file.write_text(f"DATABASE_URL={cloud}\n")
    assert "not a local one of neonup's" in project.fails("push", "--to", cloud)


def test_a_variable_of_the_shell_would_win(project: Project, local: str, cloud: str) -> None:
    said = project.fails("push", "--to", cloud, DATABASE_URL=local)
    assert "is set in the environment" in said and "--no-switch" in said
    assert ask(cloud, TABLES) == 0


@pytest.mark.parametrize(
    ("made", "why"),
    [
        ("CREATE EXTENSION vector; CREATE TABLE v (v vector(3))", "the extension vector"),
        ("CREATE TABLE u (id uuid DEFAULT uuidv7())", "uuidv7() or uuidv4(), which Postgres 17"),
        ("CREATE TABLE g (a int, b int GENERATED ALWAYS AS (a + 1))", "virtual generated columns"),
        (
            "CREATE TABLE n (a int, CONSTRAINT never CHECK (a > 0) NOT ENFORCED)",
            "NOT ENFORCED, which Postgres 17 does not know: never",
        ),
    ],
    ids=["extension", "uuidv7", "virtual", "not enforced"],
)
def test_what_cannot_go_is_said_before(
    project: Project, local: str, cloud: str, made: str, why: str
) -> None:
    ask(local, made)
    said = project.fails("push", "--to", cloud)
    assert "nothing was moved" in said and why in said
    assert ask(cloud, TABLES) == 0
    assert project.url == local


def test_what_nobody_foresaw_undoes_all(project: Project, local: str, cloud: str) -> None:
    ask(local, "CREATE TABLE first AS SELECT 1 AS one")
    ask(local, "CREATE VIEW new AS SELECT array_sort(ARRAY[3, 1])")  # of Postgres 18
    said = project.fails("push", "--to", cloud)
    assert "array_sort" in said and "The target is as it was." in said
    assert ask(cloud, TABLES) == 0


def test_roles_of_this_server_alone(project: Project, local: str, cloud: str) -> None:
    ask(local, "CREATE TABLE t AS SELECT 1 AS one; CREATE TABLE other AS SELECT 1 AS one")
    ask(local, 'CREATE ROLE "a reader"; CREATE ROLE keeper; GRANT keeper TO CURRENT_USER')
    ask(local, 'GRANT SELECT ON t TO "a reader", PUBLIC')
    ask(local, 'ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO "a reader"')
    ask(local, "GRANT CREATE ON SCHEMA public TO keeper; ALTER TABLE other OWNER TO keeper")
    said = project.ok("push", "--to", cloud)
    assert 'privileges of roles that the target does not have stay behind: "a reader", keeper' in (
        said
    )
    assert "everything belongs to neondb_owner now, not to keeper, neondb_owner" in said
    granted = "SELECT count(*) FROM pg_class, aclexplode(relacl) x WHERE relname = 't'"
    assert ask(cloud, f"{granted} AND x.grantee = 0") == 1


def test_a_policy_for_a_role_that_the_target_lacks(
    project: Project, local: str, cloud: str
) -> None:
    ask(
        local, "CREATE TABLE t (a int); CREATE ROLE tenant; ALTER TABLE t ENABLE ROW LEVEL SECURITY"
    )
    ask(local, "CREATE POLICY theirs ON t TO tenant USING (true)")
    assert "row-level security for the role tenant" in project.fails("push", "--to", cloud)
    ask(cloud, "CREATE ROLE tenant")
    project.ok("push", "--to", cloud)
    assert ask(cloud, "SELECT roles::text FROM pg_policies") == "{tenant}"


def test_what_stays_behind_is_said(project: Project, local: str, cloud: str) -> None:
    ask(local, "CREATE TABLE t (a int); CREATE PUBLICATION news FOR TABLE t")
    ask(local, "ALTER DATABASE neondb SET work_mem = '5MB'")
    said = project.ok("push", "--to", cloud)
    assert "publications stay behind: news" in said
    assert "settings of the database (ALTER DATABASE ... SET) stay behind: work_mem" in said


def test_a_script_that_ran_here_is_known_there(project: Project, local: str, cloud: str) -> None:
    (project.folder / "seed.sql").write_text("CREATE TABLE seeded AS SELECT 1 AS one;")
    project.ok("--seed", "seed.sql")
    project.ok("push", "--to", cloud)
    from neonup import run_script

    run_script(cloud, project.folder / "seed.sql", once=True)


def test_a_provider_creates_the_target(
    project: Project, local: str, neon: NeonServer, neonup_home: Path
) -> None:
    ask(local, "CREATE TABLE t AS SELECT 1 AS one")
    ask(local, "CREATE TABLE u (id uuid DEFAULT uuidv7())")
    service = {"NEONUP_NEON_NEW_URL": neon.base.replace("/api/v2", "/api/v1")}
    said = project.fails("push", "--provider", "neon.new", **service)
    assert "uuidv7" in said  # but the database was created
    ask(local, "DROP TABLE u")
    (note,) = [path for path in (neonup_home / "pushes").iterdir() if path.suffix != ".lock"]
    created = json.loads(note.read_text())["created"]
    answer = project.json("push", "--provider", "neon.new", **service)
    assert (answer["provider"], answer["id"]) == ("neon.new", created["id"])
    assert project.url == answer["url"] and answer["claim_url"]
    assert f"POSTGRES_CLAIM_URL={answer['claim_url']}" in project.env_file.read_text()
    assert not note.exists()
    assert project.json("status", **service)["state"] == "ready"
    assert project.query("SELECT one FROM t") == "1"


def test_libpqs_variables_lead_a_push_or_a_pull_nowhere_else(
    project: Project, local: str, neon: NeonServer
) -> None:
    ask(local, "CREATE TABLE t AS SELECT 1 AS one")
    service = {"NEONUP_NEON_NEW_URL": neon.base.replace("/api/v2", "/api/v1")}
    project.environ |= HOSTILE | service
    answer = project.json("push", "--provider", "neon.new")
    ask(answer["url"], "INSERT INTO t VALUES (2)")
    assert "pulled 1 table, 2 rows" in project.ok("pull")
    assert project.url == answer["url"]
    assert project.query("SELECT sum(one) FROM t") == "3"


def test_a_provider_of_a_third_party(
    project: Project, local: str, cloud: str, tmp_path: Path
) -> None:
    """It makes databases on a server; its plugin wants one more variable in `.env`."""
    ask(local, EVERYTHING)
    installed = tmp_path / "site"
    info = installed / "neonup_shared-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: neonup-shared\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[neonup]\nshared = neonup_shared.plugin\n")
    (installed / "neonup_shared").symlink_to(SAMPLE / "neonup_shared")
    plugin = {"PYTHONPATH": str(installed), "NEONUP_SHARED_URL": cloud}
    project.ok("push", "--provider", "shared", **plugin)
    assert project.url != local
    assert facts(project.url) == facts(local)
    name = project.url.rpartition("/")[2].partition("?")[0]
    assert f"SHARED_DATABASE={name}" in project.env_file.read_text()


def test_no_provider_of_this_machine(project: Project, local: str) -> None:
    said = project.fails("push", "--provider", "local")
    assert "makes databases on this machine" in said
    assert "There is no provider 'clouds'" in project.fails("push", "--provider", "clouds")
    said = project.fails("push", "--provider", "neon.new", NEONUP_ENV="", CI="true")
    assert "in CI only the local provider may create" in said


def test_two_pushes_at_once(project: Project, local: str, cloud: str) -> None:
    ask(local, ROWS.format(300_000))
    results: list[subprocess.CompletedProcess[str]] = []

    def push() -> None:
        results.append(project.neonup("push", "--to", cloud, "--no-switch"))

    threads = [threading.Thread(target=push) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one.returncode for one in results) == [0, 1]
    (failed,) = [one.stderr for one in results if one.returncode]
    assert "Another push" in failed or "not empty" in failed
    assert ask(cloud, "SELECT count(*) FROM big") == 300_000


GATED = """
CREATE FUNCTION gate() RETURNS boolean LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN true; END';
ALTER TABLE big ADD CHECK (gate());
"""
"""Rows come in where nobody holds the lock 7."""


def test_progress_on_a_terminal(project: Project, local: str, cloud: str) -> None:
    ask(local, ROWS.format(200_000))
    ask(local, GATED)
    argv = [sys.executable, "-m", "neonup", "push", "--to", cloud, "--json"]
    with (
        psycopg.connect(cloud) as holder,
        terminal(argv, cwd=project.folder, env=project.environ) as screen,
    ):
        holder.execute("SELECT pg_advisory_lock(7)")
        screen.until(", public.big, ")
        screen.until(" left")
        holder.execute("SELECT pg_advisory_unlock(7)")
        assert json.loads(screen.end())["rows"] == {"public.big": 200_000}
    (shown, *_) = [line for line in screen.lines if "public.big" in line]
    assert re.search(r"Moving the rows: [\d,]+ of 200,000 rows, [\d.]+ MB, public.big, ", shown)
    assert "\n" not in screen.seen


def test_a_session_says_what_failed(local: str) -> None:
    tools = find_tools([local], 18)
    with pytest.raises(Exception, match="division by zero"), _session(tools, local) as session:
        session.run("SELECT 1/0;")
    with _session(tools, local) as session:
        assert session.rows("SELECT 1 AS a, NULL AS b") == [{"a": 1, "b": None}]
        assert b"".join(session.copy_out("SELECT E'\\\\.', 2 WHERE false")) == b"\\.\n"
        assert b"".join(session.copy_out("SELECT E'\\\\.', 2")) == b"\\\\.\t2\n\\.\n"
        assert list(session.lines("SELECT 1; SELECT 2;")) == ["1", "2"]


def _session(tools: Tools, url: str) -> Session:
    return Session(tools.command("psql", url), "The database")
