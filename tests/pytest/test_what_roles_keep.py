"""What a test does to roles, their settings and memberships, and to slots, ends with the test."""

from __future__ import annotations

import pytest

from tests import postgres
from tests.pytest.child import Child

CHANGES = {
    "a setting of its own role": "ALTER ROLE {me} SET search_path = nowhere",
    "a setting for its database": "ALTER ROLE {me} IN DATABASE {db} SET search_path = nowhere",
    "a setting of its database": "ALTER DATABASE {db} SET search_path = nowhere",
    "its own password": "ALTER ROLE {me} PASSWORD 'another'",
    "attributes": "ALTER ROLE of_session LOGIN CONNECTION LIMIT 7",
    "a role": "CREATE ROLE made LOGIN",
    "a role that has objects": "CREATE ROLE made; GRANT ALL ON items TO made; "
    "GRANT made TO {me}; GRANT CREATE ON SCHEMA public TO made; SET ROLE made; "
    "CREATE TABLE theirs (i int)",
    "a membership": "CREATE ROLE made; GRANT of_session TO made",
    "a dropped role": "DROP ROLE of_session",
    "a comment on a role": "COMMENT ON ROLE of_session IS 'changed'",
    "a renamed role": "ALTER ROLE of_session RENAME TO made",
    "who may use its database": "REVOKE ALL ON DATABASE {db} FROM public",
    "its database's connections": "ALTER DATABASE {db} CONNECTION LIMIT 0",
}

CONFTEST = """
    import psycopg, pytest

    @pytest.fixture(scope="session")
    def of_session(neon_url):
        with psycopg.connect(neon_url) as connection:
            connection.execute("DROP ROLE IF EXISTS of_session")
            connection.execute("CREATE ROLE of_session")
"""

STATE = """
    import psycopg, pytest

    STATE = '''
        SELECT (SELECT array_agg(r::text ORDER BY rolname) FROM pg_roles AS r
                WHERE rolname !~ '^(pg|neonup_gone)_'),
            (SELECT array_agg(m.roleid::regrole::text || m.member::regrole || m.admin_option)
                FROM pg_auth_members AS m),
            (SELECT array_agg(setrole || setconfig::text) FROM pg_db_role_setting
                WHERE setdatabase = 0),
            (SELECT array_agg(objoid::regrole::text || ' ' || description)
                FROM pg_shdescription WHERE classoid = 'pg_authid'::regclass),
            (SELECT concat_ws(' ', datacl, datconnlimit) FROM pg_database
                WHERE datname = current_database()),
            current_setting('search_path')
    '''
    seen = []
"""

TESTS = """
    def test_changes(of_session, neon_db):
        with psycopg.connect(neon_db.url, autocommit=True) as connection:
            seen.append(connection.execute(STATE).fetchone())
            names = connection.execute(
                "SELECT quote_ident(current_user), quote_ident(current_database())"
            ).fetchone()
            for statement in {change!r}.split("; "):
                connection.execute(statement.format(me=names[0], db=names[1]))

    @pytest.mark.parametrize("n", range(4))
    def test_later(of_session, neon_connection, n):
        assert neon_connection.execute(STATE).fetchone() == seen[0]
        neon_connection.execute("CREATE ROLE made LOGIN")  # and that goes as well
        neon_connection.commit()
"""


def project(child: Child, change: str) -> Child:
    child.ini("neon_env = DATABASE_URL\nneon_schema = schema.sql")
    child.file("schema.sql", "CREATE TABLE items AS SELECT 'first' AS name")
    child.write(conftest=CONFTEST, test_it=STATE + TESTS.format(change=change))
    return child


@pytest.mark.parametrize("what", CHANGES)
def test_later_tests_find_it_as_it_was(child: Child, what: str) -> None:
    run = project(child, CHANGES[what]).pytest("-p", "no:randomly")
    run.expect(passed=5)
    assert "warning" not in run.output
    child.assert_nothing_left()


def test_a_role_that_a_kept_template_would_bring_is_gone(child: Child) -> None:
    project(child, CHANGES["a role that has objects"]).pytest("-p", "no:randomly").expect(passed=5)
    child.write(
        test_it="""
        def test_no_trace(neon_connection):
            roles = neon_connection.execute(
                "SELECT rolname FROM pg_roles WHERE rolname ~ '^(made|neonup_gone|of_session)'"
            ).fetchall()
            assert roles == []
        """
    )
    child.pytest().expect(passed=1)


LEAKS = """
    import psycopg

    leaked = []

    def test_changes(of_session, neon_db):
        with psycopg.connect(neon_db.url, autocommit=True) as connection:
            connection.execute("CREATE ROLE made")
            connection.execute("ALTER ROLE of_session CONNECTION LIMIT 3")
        leaked.append(psycopg.connect(neon_db.url))
        leaked[0].execute("ALTER ROLE of_session CONNECTION LIMIT 4")
        leaked[0].execute("ALTER ROLE made CONNECTION LIMIT 4")

    def test_later(of_session, neon_connection):
        roles = neon_connection.execute(
            "SELECT rolname, rolconnlimit FROM pg_roles WHERE rolname IN ('made', 'of_session')"
        ).fetchall()
        assert roles == [("of_session", -1)]
"""


def test_an_open_transaction_holds_no_role(child: Child) -> None:
    """What the transaction has locked is what is to be put back."""
    child.ini("neon_env = DATABASE_URL")
    child.write(conftest=CONFTEST, test_it=LEAKS)
    run = child.pytest("-p", "no:randomly").expect(passed=2)
    assert "could not be undone" not in run.output
    child.assert_nothing_left()


@pytest.mark.parametrize(
    "create",
    [
        "pg_create_logical_replication_slot('s', 'test_decoding')",
        "pg_create_physical_replication_slot('s')",
    ],
)
def test_a_slot_goes_with_the_test(child: Child, create: str) -> None:
    (child.folder / "pyproject.toml").write_text("[tool.neonup]\nlogical_replication = true\n")
    child.ini("neon_env = DATABASE_URL")
    child.write(
        test_it=f"""
        import psycopg, pytest

        @pytest.mark.parametrize("n", range(4))
        def test_slot(neon_db, n):
            with psycopg.connect(neon_db.url, autocommit=True) as connection:
                connection.execute("SELECT {create}")
        """
    )
    child.pytest("-p", "no:randomly").expect(passed=4)
    child.assert_nothing_left()


CREATES = """
    import psycopg, os

    def test_creates(neon_db):
        with psycopg.connect(neon_db.url, autocommit=True) as connection:
            connection.execute(f"CREATE ROLE made_by_{os.getpid()}")
            connection.execute(f"DROP ROLE IF EXISTS nobody")
"""


def test_where_other_workers_use_the_server_it_is_said(child: Child) -> None:
    child.ini("neon_env = DATABASE_URL")
    child.write(test_it=CREATES)
    run = child.pytest("-n", "2")
    run.expect(passed=1)
    assert "test_it.py::test_creates: while it ran, roles of the tests' server" in run.output
    assert "other workers use the server, too; it may have been them" in run.output


def test_on_a_server_that_is_given_it_is_said(given: Child, server: postgres.Server) -> None:
    with server.admin() as connection:
        connection.execute("ALTER ROLE ci CREATEROLE")
    given.ini("neon_env = DATABASE_URL")
    given.write(test_it=CREATES)
    run = given.pytest()
    run.expect(passed=1)
    assert "test_it.py::test_creates: while it ran, roles of the tests' server" in run.output
    assert "others may use the server, too; it may have been them" in run.output
