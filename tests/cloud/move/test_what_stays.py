"""What a local database's role may not create: it is left out and said, or refused clearly."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cloud.move.databases import ask
from tests.emulator.api import Api
from tests.emulator.serving import NeonServer
from tests.postgres import ADMIN_PASSWORD, Server, running
from tests.project import Project

TABLES = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A Postgres of somebody's, with a superuser."""
    with running(tls=False) as server:
        yield server


@pytest.fixture
def superusers(server: Server, request: pytest.FixtureRequest) -> str:
    """The URL of a database that a superuser may fill with anything."""
    name = f"d {request.node.name}"
    server.create("shop owner", "pw", name)
    return server.url("admin", ADMIN_PASSWORD, name)


def test_what_only_a_superuser_creates(project: Project, superusers: str) -> None:
    ask(superusers, "CREATE TABLE t AS SELECT 1 AS one")
    ask(
        superusers,
        "CREATE FUNCTION f() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';"
        "CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION f();"
        "COMMENT ON EVENT TRIGGER watch IS 'of the superuser';"
        "CREATE PUBLICATION everything FOR ALL TABLES; COMMENT ON PUBLICATION everything IS 'x';"
        "CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;"
        "DROP SERVER files; DROP EXTENSION file_fdw",
    )
    said = project.ok("pull", "--from", superusers)
    assert "event triggers stay behind: watch" in said
    assert "publications stay behind: everything" in said
    assert project.query("SELECT one FROM t") == "1"


def test_privileges_that_others_gave(project: Project, superusers: str) -> None:
    ask(
        superusers,
        "DROP ROLE IF EXISTS giver, taker; CREATE ROLE giver; CREATE ROLE taker;"
        'CREATE TABLE t AS SELECT 1 AS one; ALTER TABLE t OWNER TO "shop owner";'
        "GRANT SELECT ON t TO giver WITH GRANT OPTION;"
        "SET ROLE giver; GRANT SELECT ON t TO taker; GRANT SELECT ON t TO PUBLIC; RESET ROLE;"
        "ALTER DEFAULT PRIVILEGES FOR ROLE giver IN SCHEMA public GRANT SELECT ON TABLES TO PUBLIC;"
        "SELECT lo_create(77); GRANT SELECT ON LARGE OBJECT 77 TO taker, PUBLIC;"
        "COMMENT ON LARGE OBJECT 77 IS 'empty'",
    )
    said = project.ok("pull", "--from", superusers)
    assert "privileges of roles that the target does not have stay behind: giver, taker" in said
    public = "SELECT count(*) FROM {}, aclexplode({}) x WHERE x.grantee = 0 AND {}"
    of_table = public.format("pg_class", "relacl", "relname = 't'")
    assert project.query(of_table) == "1"
    assert project.query(public.format("pg_largeobject_metadata", "lomacl", "oid = 77")) == "1"
    assert project.query("SELECT count(*) FROM pg_default_acl") == "0"


def test_rows_that_the_role_may_not_see(project: Project, server: Server, superusers: str) -> None:
    ask(
        superusers,
        'CREATE TABLE t AS SELECT 1 AS one; ALTER TABLE t OWNER TO "shop owner";'
        "ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t FORCE ROW LEVEL SECURITY",
    )
    url = superusers.replace(f"admin:{ADMIN_PASSWORD.replace(' ', '%20')}", "shop%20owner:pw")
    assert url != superusers
    said = project.fails("pull", "--from", url)
    assert "query would be affected by row-level security policy" in said
    assert project.ok("pull", "--from", superusers)


def test_rows_that_get_lost_on_the_way_undo_all(project: Project, superusers: str) -> None:
    """A server whose superuser lets each new table swallow its rows."""
    ask(
        superusers,
        "CREATE FUNCTION pg_catalog.swallow() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN RETURN NULL; END';"
        "CREATE FUNCTION pg_catalog.watch() RETURNS event_trigger LANGUAGE plpgsql AS $$"
        " DECLARE made record; BEGIN"
        " FOR made IN SELECT * FROM pg_event_trigger_ddl_commands() WHERE object_type = 'table'"
        " LOOP EXECUTE format('CREATE TRIGGER s BEFORE INSERT ON %s FOR EACH ROW"
        " EXECUTE FUNCTION pg_catalog.swallow()', made.object_identity); END LOOP; END $$;"
        "CREATE EVENT TRIGGER w ON ddl_command_end WHEN TAG IN ('CREATE TABLE')"
        " EXECUTE FUNCTION pg_catalog.watch()",
    )
    project.ok("--provider", "local")
    local = project.url
    ask(local, "CREATE TABLE kept (a int); CREATE TABLE lost AS SELECT generate_series(1, 12) i")
    said = project.fails("push", "--to", superusers)
    assert "The rows in the target are not as many as in the source: nothing was kept." in said
    assert "checked: public.lost: 12 rows in the source, 0 in the target" in said
    assert "public.kept" not in said
    assert project.url == local
    assert ask(superusers, TABLES) == 0


def test_vectors_with_their_index(project: Project, superusers: str) -> None:
    ask(
        superusers,
        "CREATE EXTENSION vector; CREATE TABLE items (id int, v vector(3));"
        "INSERT INTO items SELECT i, ARRAY[i, i * 2, 1]::vector FROM generate_series(1, 200) i;"
        "CREATE INDEX ON items USING hnsw (v vector_l2_ops)",
    )
    project.ok("pull", "--from", superusers)
    nearest = "SELECT id FROM items ORDER BY v <-> '[10, 20, 1]' LIMIT 1"
    assert project.query(nearest) == "10"
    assert "hnsw" in project.query("SELECT string_agg(indexdef, '') FROM pg_indexes")


def test_from_a_read_only_endpoint(project: Project, neon: NeonServer) -> None:
    cloud = Api(neon.base, neon.key).create_project(name="read")
    ask(cloud.url, "CREATE TABLE t AS SELECT 1 AS one")
    body = {"endpoint": {"branch_id": cloud.branch, "type": "read_only"}}
    made = cloud.api.ok("POST", f"{cloud.path}/endpoints", body)
    host = made["endpoint"]["host"]
    account, _, rest = cloud.url.partition("@")
    url = f"{account}@{host}/{rest.partition('/')[2]}"
    assert ask(url, "SELECT pg_is_in_recovery()") is True
    project.ok("pull", "--from", url)
    assert project.query("SELECT one FROM t") == "1"
