"""NEONUP_TEST_SERVER: a server that somebody else runs, of which only our names are touched."""

from __future__ import annotations

import psycopg
import pytest

from tests import postgres
from tests.pytest.child import Child
from tests.pytest.test_crashes import QUICK, SLEEPER, wait_for

MANY = """
    import pytest

    @pytest.mark.parametrize("n", range(8))
    def test_it(neon_connection, n):
        assert neon_connection.execute("SELECT * FROM items").fetchall() == [("first",)]
        neon_connection.execute("DELETE FROM items")
        neon_connection.commit()
"""


def test_only_the_template_stays(given: Child, server: postgres.Server) -> None:
    with psycopg.connect(given.environ["NEONUP_TEST_SERVER"]) as connection:
        connection.execute("CREATE TABLE own (i int)")
    given.write(test_it=MANY)
    for args in ((), ("-n2",)):
        run = given.pytest(*args).expect(passed=8)
        assert "of the ci" not in run.output
        (template,) = server.names("neonup")
        assert template.startswith("neonup_test_template_")
    with psycopg.connect(given.environ["NEONUP_TEST_SERVER"]) as connection:
        assert connection.execute("SELECT count(*) FROM own").fetchone() == (0,)
    assert given.servers == []


def test_two_runs_at_once_and_a_dead_one(given: Child, server: postgres.Server) -> None:
    given.write(test_it=SLEEPER, test_quick=QUICK)
    with given.started("test_it.py") as process:
        wait_for((given.folder / "begun").exists, process)
        process.kill()
    dead = [name for name in server.names("neonup") if "template" not in name]
    assert dead
    (given.folder / "begun").unlink()
    with given.started("test_it.py") as process:  # this one removes what the dead one left
        wait_for((given.folder / "begun").exists, process)
        assert not {*dead} & {*server.names("neonup")}
        living = [name for name in server.names("neonup") if name.endswith("_main")]
        given.pytest("test_quick.py").expect(passed=1)
        assert {*living} <= {*server.names("neonup")}
        (given.folder / "go").touch()
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    assert len(server.names("neonup")) == 1


def test_a_failed_test_is_kept(given: Child, server: postgres.Server) -> None:
    given.write(
        test_it="""
        def test_it(neon_connection):
            neon_connection.execute("INSERT INTO items VALUES ('mine')")
            neon_connection.commit()
            assert False
        """
    )
    given.pytest().expect(1, failed=1)
    (kept,) = [name for name in server.names("neonup") if "_kept_" in name]
    with server.admin(kept) as connection:
        assert connection.execute("SELECT count(*) FROM items").fetchone() == (2,)
    for _ in range(2):
        given.pytest("--neon-keep=none").expect(1, failed=1)
    assert kept in server.names("neonup")


def test_a_role_that_may_not_create_databases(given: Child, server: postgres.Server) -> None:
    with server.admin() as connection:
        connection.execute("ALTER ROLE ci NOCREATEDB")
    given.write(test_it=QUICK)
    run = given.pytest()
    assert run.code != 0
    assert "may not create databases" in run.output and "CREATEDB" in run.output
    assert "of the ci" not in run.output
    assert server.names("neonup") == []


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("not a url", "NEONUP_TEST_SERVER"),
        ("postgresql://127.0.0.1/x", "names no role"),
        ("postgresql://a:hunter2@127.0.0.1:1/x", "Connection refused"),
    ],
)
def test_a_url_that_leads_nowhere(child: Child, url: str, says: str) -> None:
    child.ini("neon_env = DATABASE_URL")
    child.write(test_it=QUICK)
    run = child.pytest(NEONUP_TEST_SERVER=url)
    assert run.code != 0
    assert says in run.output and "hunter2" not in run.output
    assert "neonup_pytest/" not in run.output  # no way through our code


@pytest.mark.parametrize("args", [(), ("-n2",)], ids=["alone", "-n2"])
@pytest.mark.parametrize("ini", ["neon_env = DATABASE_URL", ""])
def test_the_applications_own_database(child: Child, ini: str, args: tuple[str, ...]) -> None:
    child.ini(ini)
    child.write(test_it=QUICK)
    child.file(".env", "DATABASE_URL=postgresql+asyncpg://me:hunter2@localhost/app\n")
    server = "postgresql://ci:hunter2@127.0.0.1:5432/app"
    run = child.pytest(*args, NEONUP_TEST_SERVER=server)
    run.refused("NEONUP_TEST_SERVER is the application's own database")
    assert "hunter2" not in run.output


@pytest.mark.parametrize(
    ("own", "environ"),
    [
        ("postgresql://me@db.example.com/app?hostaddr=127.0.0.1", {}),
        ("postgresql:///app", {"PGHOST": "127.0.0.1"}),
        ("postgresql://me@/app?host=localhost", {}),
        ("postgresql://me@[::1]", {"PGDATABASE": "app"}),
        ("postgresql://?service=dev", {"PGSERVICEFILE": "services"}),
    ],
)
def test_the_applications_own_database_by_another_way(
    child: Child, own: str, environ: dict[str, str]
) -> None:
    """libpq's parameters, variables and services say where a URL leads, not its host alone."""
    child.file("services", "[dev]\nhost=127.0.0.1\ndbname=app\n")
    child.ini("neon_env = DATABASE_URL")
    child.write(test_it=QUICK)
    child.file(".env", f"DATABASE_URL={own}\n")
    server = "postgresql://ci:hunter2@127.0.0.1:5432/app"
    run = child.pytest(NEONUP_TEST_SERVER=server, **environ)
    run.refused("NEONUP_TEST_SERVER is the application's own database")
