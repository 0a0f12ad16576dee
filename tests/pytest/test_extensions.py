"""The setting ``extensions`` in tests' databases, and a server that has what the project needs."""

from __future__ import annotations

from tests import postgres
from tests.pytest.child import Child

TEST = """
    NAMES = "SELECT string_agg(extname, ' ' ORDER BY extname) FROM pg_extension"

    def test_it(neon_connection):
        print("extensions=" + neon_connection.execute(NAMES).fetchone()[0])
"""

COMMENTED = """
    CREATE EXTENSION IF NOT EXISTS hstore;
    COMMENT ON EXTENSION hstore IS 'as pg_dump writes it';
    CREATE TABLE pairs (h hstore);
"""


def extensions(child: Child, **environ: str) -> str:
    """What a test finds in its database."""
    (names,) = child.pytest("-s", **environ).expect(passed=1).said("extensions")
    return names


def test_each_test_has_the_extensions_also_without_a_schema(child: Child) -> None:
    child.write(test_it=TEST)
    assert extensions(child, NEONUP_EXTENSIONS="earthdistance") == "cube earthdistance plpgsql"
    # Another list is another template, and none is none.
    assert (
        extensions(child, NEONUP_EXTENSIONS="hstore, pageinspect") == "hstore pageinspect plpgsql"
    )
    assert extensions(child) == "plpgsql"
    child.assert_nothing_left()


def test_they_are_there_before_the_schema_and_belong_to_its_owner(child: Child) -> None:
    child.ini("neon_schema = schema.sql")
    child.file("schema.sql", COMMENTED)
    child.write(test_it=TEST)
    for names in ("hstore", "hstore,cube"):
        found = extensions(child, NEONUP_EXTENSIONS=names)
        assert found == " ".join([*sorted(names.split(",")), "plpgsql"])


def test_one_that_no_engine_has_is_told_before_a_server_is_started(child: Child) -> None:
    child.write(test_it=TEST)
    run = child.pytest(NEONUP_EXTENSIONS="hstore,postgis", NEONUP_POSTGRES="18")
    assert run.outcomes == {"errors": 1}, run.output
    assert "without postgis" in run.output
    assert "postgresql-18-postgis-3" in run.output
    child.assert_nothing_left()


def test_a_given_server_has_them_too(given: Child, server: postgres.Server) -> None:
    given.file("schema.sql", "CREATE TABLE items (h hstore)")
    given.write(test_it=TEST)
    assert extensions(given, NEONUP_EXTENSIONS="hstore") == "hstore plpgsql"
    run = given.pytest(NEONUP_EXTENSIONS="hstore,no_such_thing")
    assert run.outcomes == {"errors": 1}, run.output
    assert "The extension 'no_such_thing' cannot be created for the tests" in run.output
    assert not [name for name in server.names("neonup") if "build" in name]


def test_the_server_has_what_the_projects_files_name(child: Child) -> None:
    """With no setting: of the engines here, the one without pgcrypto is not taken."""
    child.ini("neon_schema = db/schema.sql")
    child.file("db/schema.sql", "CREATE EXTENSION pgcrypto; CREATE TABLE items ()")
    child.write(test_it=TEST)
    for args in ((), ("-n2",)):
        child.pytest(*args).expect(passed=1)
    assert extensions(child) == "pgcrypto plpgsql"


def test_a_superuser_without_a_schema_ends_well(child: Child) -> None:
    child.write(
        test_it="""
        def test_it(neon_connection):
            (superuser,) = neon_connection.execute("SHOW is_superuser").fetchone()
            assert superuser == "on"
        """
    )
    for _ in range(2):
        run = child.pytest(NEONUP_LOCAL_SUPERUSER="true")
        run.expect(passed=1)
        assert "KeyError" not in run.output
