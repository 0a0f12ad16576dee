"""What a test leaves in its database, or does to it, ends neither the pool nor a later test."""

from __future__ import annotations

import textwrap

import pytest

from tests import postgres
from tests.pytest.child import Child

SUBSCRIPTION = """
own.execute(
    "CREATE SUBSCRIPTION s CONNECTION 'host=127.0.0.1 password=x' PUBLICATION p "
    "WITH (connect = false)"
)
"""

HOLDS = {
    "a subscription": SUBSCRIPTION,
    "an enabled subscription": f"{SUBSCRIPTION}own.execute('ALTER SUBSCRIPTION s ENABLE')",
    "a prepared transaction": """
own.execute("BEGIN")
own.execute("CREATE TABLE t (i int)")
own.execute("PREPARE TRANSACTION 'p'")
""",
    "a session": """
own.execute("BEGIN")
own.execute("LOCK TABLE items")
""",
    "a template": """
own.execute(f'ALTER DATABASE "{name}" IS_TEMPLATE true')
""",
    "another session that has locked it": """
other.execute("BEGIN")
other.execute(f'''COMMENT ON DATABASE "{name}" IS 'x' ''')
""",
    "another session that has changed it": """
other.execute("BEGIN")
other.execute(f'ALTER DATABASE "{name}" CONNECTION LIMIT 3')
""",
}

MOVES = {
    "dropped": """
other.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
""",
    "renamed": """
own.close()
other.execute(f'ALTER DATABASE "{name}" RENAME TO other')
""",
    "replaced": """
other.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
other.execute(f'CREATE DATABASE "{name}"')
""",
    "renamed and replaced": """
own.close()
other.execute(f'ALTER DATABASE "{name}" RENAME TO other')
other.execute(f'CREATE DATABASE "{name}"')
""",
    "closed": """
other.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
""",
    "dropped with those that wait": """
found = other.execute("SELECT datname FROM pg_database WHERE datname LIKE 'neonup_test_%'")
for (each,) in found.fetchall():
    if "_template_" not in each:
        other.execute(f'DROP DATABASE "{each}" WITH (FORCE)')
""",
}

TESTS = """
    import psycopg, pytest
    from leave import leave

    def test_leaves(neon_db):
        leave(neon_db.url)

    @pytest.mark.parametrize("n", range(10))
    def test_own(neon_connection, n):
        assert neon_connection.execute("SELECT * FROM items").fetchall() == [("first",)]
        neon_connection.execute("CREATE TABLE made (i int)")
        neon_connection.commit()

    def test_shared(neon_url):
        with psycopg.connect(neon_url) as connection:
            assert connection.execute("SELECT * FROM items").fetchall() == [("first",)]
"""

SHARED = """
    import psycopg, pytest
    from leave import leave

    def test_leaves(neon_url):
        leave(neon_url)

    @pytest.mark.parametrize("n", range(3))
    def test_shared(neon_url, n):
        with psycopg.connect(neon_url) as connection:
            connection.execute("SELECT 1")

    def test_own(neon_connection):
        assert neon_connection.execute("SELECT * FROM items").fetchall() == [("first",)]

    def test_shared_again(neon_url):
        with psycopg.connect(neon_url) as connection:
            connection.execute("SELECT 1")
"""


def leaves(child: Child, body: str, tests: str) -> Child:
    """A project whose first test does this, with connections to its and to another database."""
    child.ini("neon_env = DATABASE_URL\nneon_schema = schema.sql")
    child.file("schema.sql", "CREATE TABLE items AS SELECT 'first' AS name")
    head = """\
import psycopg

LEFT = []

def leave(url):
    name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
    own = psycopg.connect(url, autocommit=True)
    other = psycopg.connect(url, dbname="postgres", autocommit=True)
    LEFT.extend([own, other])
"""
    child.write(test_it=tests)
    child.file("leave.py", head + textwrap.indent(body, "    "))
    return child


@pytest.mark.parametrize("what", HOLDS)
def test_what_holds_a_database_is_ended(child: Child, what: str) -> None:
    leaves(child, HOLDS[what], TESTS).pytest("-p", "no:randomly").expect(passed=12)
    child.assert_nothing_left()


@pytest.mark.parametrize("what", MOVES)
def test_what_is_gone_is_done(child: Child, what: str) -> None:
    leaves(child, MOVES[what], TESTS).pytest("-p", "no:randomly").expect(passed=12)
    child.assert_nothing_left()


@pytest.mark.parametrize("what", [what for what in MOVES if what != "closed"])
def test_the_shared_database_is_gone(child: Child, what: str) -> None:
    leaves(child, MOVES[what], SHARED).pytest("-p", "no:randomly").expect(passed=6)
    child.assert_nothing_left()


@pytest.mark.parametrize(
    "what", ["a subscription", "a template", "dropped", "renamed and replaced"]
)
def test_on_a_server_that_is_given(given: Child, server: postgres.Server, what: str) -> None:
    with server.admin() as connection:
        connection.execute("GRANT pg_create_subscription TO ci")
    leaves(given, (HOLDS | MOVES)[what], TESTS).pytest("-p", "no:randomly").expect(passed=12)
    (template,) = server.names("neonup")
    assert template.startswith("neonup_test_template_")
    assert server.names("other") == []


def test_one_that_cannot_be_dropped_is_put_aside(given: Child, server: postgres.Server) -> None:
    """A superuser's subscription is not the tests' role's to end."""
    admin = server.url("admin", postgres.ADMIN_PASSWORD, "postgres")
    body = f"own = psycopg.connect({admin!r}, dbname=name, autocommit=True){SUBSCRIPTION}"
    leaves(given, body, TESTS).pytest("-p", "no:randomly").expect(passed=12)
    left, _ = server.names("neonup_test_")
    with server.admin(left) as connection:
        connection.execute("ALTER SUBSCRIPTION s SET (slot_name = NONE)")
        connection.execute("DROP SUBSCRIPTION s")
    leaves(given, "pass", TESTS).pytest().expect(passed=12)  # the next run tries again
    assert left not in server.names("neonup_test_")
