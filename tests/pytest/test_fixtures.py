"""Every fixture under every isolation, in every loop; settings that are wrong; missing drivers."""

from __future__ import annotations

import os
import re

import psycopg
import pytest

from tests.hostile_variables import HOSTILE
from tests.local import people
from tests.pytest.child import Child

SYNC = """
    import pytest
    from sqlalchemy import text

    COUNT = "SELECT count(*) FROM items"

    @pytest.mark.parametrize("n", range(2))
    def test_connection(neon_connection, n):
        assert neon_connection.execute(COUNT).fetchone() == (SEEN,)
        neon_connection.execute("INSERT INTO items VALUES (1)")
        COMMIT

    @pytest.mark.parametrize("n", range(2))
    def test_engine(neon_engine, n):
        with neon_engine.begin() as connection:
            assert connection.scalar(text(COUNT)) == SEEN
            connection.execute(text("INSERT INTO items VALUES (1)"))
        with neon_engine.connect() as connection:
            assert connection.scalar(text(COUNT)) == SEEN + 1

    @pytest.mark.parametrize("n", range(2))
    def test_session(neon_session, n):
        assert neon_session.scalar(text(COUNT)) == SEEN
        neon_session.execute(text("INSERT INTO items VALUES (1)"))
        neon_session.commit()
        assert neon_session.scalar(text(COUNT)) == SEEN + 1
        neon_session.rollback()
        assert neon_session.scalar(text(COUNT)) == SEEN + 1
"""

ASYNC = """
    import pytest
    from sqlalchemy import text

    COUNT = "SELECT count(*) FROM items"

    MARK
    @pytest.mark.parametrize("n", range(2))
    async def test_connection(LOOPneon_async_connection, n):
        found = await neon_async_connection.execute(COUNT)
        assert await found.fetchone() == (0,)
        await neon_async_connection.execute("INSERT INTO items VALUES (1)")
        COMMIT

    MARK
    @pytest.mark.parametrize("n", range(2))
    async def test_engine(LOOPneon_async_engine, n):
        async with neon_async_engine.begin() as connection:
            assert await connection.scalar(text(COUNT)) == 0
            await connection.execute(text("INSERT INTO items VALUES (1)"))
        async with neon_async_engine.connect() as connection:
            assert await connection.scalar(text(COUNT)) == 1
"""

ANYIO = """
    @pytest.fixture
    def anyio_backend():
        return "asyncio"
"""

LOOPS = {
    "auto": ("asyncio_mode = auto", "", ""),
    "strict": ("asyncio_mode = strict", "@pytest.mark.asyncio", ""),
    "session loop": ("asyncio_mode = auto\nasyncio_default_test_loop_scope = session", "", ""),
    "marked": ("asyncio_mode = strict", "@pytest.mark.asyncio(loop_scope='module')", ""),
    "anyio": ("asyncio_mode = strict", "@pytest.mark.anyio", "anyio_backend, "),
}


def project(child: Child, ini: str) -> None:
    child.ini(f"neon_env = DATABASE_URL\nneon_schema = schema.sql\nfilterwarnings = error\n{ini}")
    child.file("schema.sql", "CREATE TABLE items (i int)")


@pytest.mark.parametrize("isolation", ["database", "transaction"])
@pytest.mark.parametrize("by", ["ini", "marker"])
def test_synchronous_fixtures(child: Child, isolation: str, by: str) -> None:
    project(child, f"neon_isolation = {isolation}" if by == "ini" else "")
    commit = "neon_connection.commit()" if isolation == "database" else ""
    text = SYNC.replace("SEEN", "0").replace("COMMIT", commit)
    if by == "marker":
        text += f"\n    pytestmark = pytest.mark.neon(isolation='{isolation}')\n"
    child.write(test_it=text)
    child.pytest().expect(passed=6)
    child.assert_nothing_left()


DRIVERS = """
    import asyncio
    import os
    import subprocess
    import sys

    import asyncpg
    import psycopg
    import pytest

    NAME = "SELECT current_database()"

    def test_drivers_of_the_application(neon_url):
        with psycopg.connect(neon_url) as connection:
            assert connection.execute(NAME).fetchone()[0] in neon_url

        async def ask():
            connection = await asyncpg.connect(neon_url)
            assert await connection.fetchval(NAME) in neon_url
            await connection.close()

        asyncio.run(ask())

    def test_a_child_process(neon_url):
        ask = "import os, psycopg; psycopg.connect(os.environ['DATABASE_URL']).close()"
        subprocess.run([sys.executable, "-c", ask], check=True)
"""


@pytest.mark.parametrize("opt_in", ["neon_env = DATABASE_URL", ""], ids=["opted in", "fixtures"])
def test_libpqs_variables_lead_tests_nowhere_else(child: Child, opt_in: str) -> None:
    child.environ |= HOSTILE
    child.ini(f"{opt_in}\nneon_schema = schema.sql\nasyncio_mode = auto")
    child.file("schema.sql", "CREATE TABLE items (i int)")
    commit = "neon_connection.commit()"
    child.write(
        test_sync=SYNC.replace("SEEN", "0").replace("COMMIT", commit),
        test_async=ASYNC.replace("COMMIT", f"await {commit.replace('neon_', 'neon_async_')}")
        .replace("MARK", "")
        .replace("LOOP", ""),
        **({"test_drivers": DRIVERS} if opt_in else {}),
    )
    child.pytest().expect(passed=12 if opt_in else 10)
    child.assert_nothing_left()


def test_shared(child: Child) -> None:
    project(child, "neon_isolation = shared")
    child.write(
        test_it="""
        import pytest

        @pytest.mark.parametrize("n", range(3))
        def test_it(neon_connection, n):
            found = neon_connection.execute("SELECT count(*) FROM items").fetchone()
            assert found == (n,)
            neon_connection.execute("INSERT INTO items VALUES (1)")
            neon_connection.commit()

        @pytest.mark.neon(isolation="database")
        def test_own(neon_connection):
            assert neon_connection.execute("SELECT count(*) FROM items").fetchone() == (0,)

        def test_shared_again(neon_connection):
            assert neon_connection.execute("SELECT count(*) FROM items").fetchone() == (3,)
        """
    )
    child.pytest().expect(passed=5)


@pytest.mark.parametrize("loop", [*LOOPS])
@pytest.mark.parametrize("isolation", ["database", "transaction"])
def test_asynchronous_fixtures(child: Child, loop: str, isolation: str) -> None:
    ini, mark, argument = LOOPS[loop]
    project(child, f"neon_isolation = {isolation}\n{ini}")
    commit = "await neon_async_connection.commit()" if isolation == "database" else ""
    text = ASYNC.replace("COMMIT", commit).replace("MARK", mark).replace("LOOP", argument)
    child.write(test_it=text + (ANYIO if argument else ""))
    child.pytest().expect(passed=4)
    child.assert_nothing_left()


@pytest.mark.parametrize(
    ("ini", "marker"),
    [
        ("neon_isolation = none", ""),
        ("", "@pytest.mark.neon(isolation='none')"),
        ("", "@pytest.mark.neon('database')"),
        ("", "@pytest.mark.neon(speed=3)"),
    ],
)
def test_a_wrong_isolation_is_a_usage_error(child: Child, ini: str, marker: str) -> None:
    child.ini(ini)
    child.write(test_it=f"    import pytest\n\n    {marker}\n    def test_it(neon_db): pass\n")
    child.pytest().refused()
    child.assert_nothing_left()


@pytest.mark.parametrize(
    ("missing", "fixture", "remedy"),
    [
        ("psycopg", "neon_connection", 'pip install "psycopg[binary]"'),
        ("sqlalchemy", "neon_engine", 'pip install "sqlalchemy"'),
        ("greenlet", "neon_async_engine", 'pip install "sqlalchemy[asyncio]"'),
    ],
)
def test_a_missing_driver_is_named(child: Child, missing: str, fixture: str, remedy: str) -> None:
    child.has_imports = False
    child.write(
        conftest=f"""
        import sys

        class Missing:
            def find_spec(self, name, path=None, target=None):
                if name.split(".")[0] == "{missing}":
                    raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

        sys.meta_path.insert(0, Missing())
        """,
        test_it=f"""
        def test_without_a_driver(neon_db):
            pass

        def test_it({fixture}):
            pass
        """,
    )
    run = child.pytest().expect(1, passed=1, errors=1)
    assert remedy in run.output


def test_factory_and_classes(child: Child) -> None:
    project(child, "")
    child.write(
        test_it="""
        import unittest
        import psycopg, pytest

        @pytest.fixture(scope="module")
        def wide(neon_db_factory):
            with neon_db_factory() as one, neon_db_factory() as two:
                assert one.url != two.url
                with psycopg.connect(one.url) as connection:
                    connection.execute("INSERT INTO items VALUES (1)")
                yield one, two

        @pytest.mark.parametrize("n", range(2))
        def test_wide(wide, neon_connection, n):
            counts = []
            for database in wide:
                with psycopg.connect(database.url) as connection:
                    counts += connection.execute("SELECT count(*) FROM items").fetchone()
            assert counts == [1, 0]
            assert neon_connection.execute("SELECT count(*) FROM items").fetchone() == (0,)

        @pytest.mark.usefixtures("neon_db")
        class TestClass(unittest.TestCase):
            def add(self):
                import os
                with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
                    assert connection.execute("SELECT count(*) FROM items").fetchone() == (0,)
                    connection.execute("INSERT INTO items VALUES (1)")

            def test_one(self):
                self.add()

            def test_two(self):
                self.add()
        """
    )
    child.pytest().expect(passed=4)
    child.pytest("-n2", "--dist=loadscope").expect(passed=4)
    child.assert_nothing_left()


SAYS_WHETHER_A_SERVER_WAS_STARTED = """
    import os
    from pathlib import Path

    def pytest_unconfigure():
        runs = Path(os.environ["NEONUP_HOME"], "tests", "runs").glob("*/run.json")
        print(f"started={any('folder' in run.read_text() for run in runs)}")
"""

TESTS = {
    "fixture": "def test_it(neon_db): pass",
    "none": "def test_it(): pass",
    "broken": "import no_such_module",
    "empty": "",
}
RUNS_NO_TEST = {
    "--collect-only": ("fixture", 0),
    "--co -q": ("none", 0),
    "--setup-plan": ("none", 0),
    "--help": ("fixture", 0),
    "--fixtures": ("fixture", 0),
    "--fixtures-per-test": ("none", 0),
    "--markers": ("none", 0),
    "-k nothing": ("none", 5),
    "-m nothing": ("none", 5),
    "--deselect=test_it.py": ("none", 5),
    "--lf": ("empty", 5),
    "": ("broken", 2),
}


@pytest.mark.parametrize("args", [*RUNS_NO_TEST])
def test_what_runs_no_test_starts_nothing(child: Child, args: str) -> None:
    tests, code = RUNS_NO_TEST[args]
    child.ini("neon_env = DATABASE_URL")
    child.write(test_it=TESTS[tests], conftest=SAYS_WHETHER_A_SERVER_WAS_STARTED)
    run = child.pytest("-p", "cacheprovider", *args.split())
    assert run.code == code, run.output
    shown = {"--help": "--neon-keep", "--fixtures": "neon_db", "--markers": "neon(isolation)"}
    assert shown.get(args, "") in run.output
    assert run.said("started") == ["False"], run.output
    child.assert_nothing_left()


def test_without_the_plugin_nothing_of_it_is_there(child: Child) -> None:
    child.ini()
    child.write(test_it=TESTS["none"], conftest=SAYS_WHETHER_A_SERVER_WAS_STARTED)
    assert child.pytest("-p", "no:neonup").expect(passed=1).said("started") == ["False"]


def test_what_runs_one_starts_it(child: Child) -> None:
    """So that the tests above can fail."""
    child.ini("neon_env = DATABASE_URL")
    child.write(test_it=TESTS["none"], conftest=SAYS_WHETHER_A_SERVER_WAS_STARTED)
    assert child.pytest("-k", "test_it").expect(passed=1).said("started") == ["True"]


FAILS = """
    import pytest

    @pytest.mark.parametrize("n", range(3))
    def test_it(neon_connection, n):
        neon_connection.execute("CREATE TABLE mine (i int)")
        neon_connection.commit()
        assert n != 1
"""


def test_a_failed_test_can_be_looked_into(child: Child) -> None:
    child.write(test_it=FAILS)
    run = child.pytest().expect(1, failed=1, passed=2)
    (line,) = [line for line in run.output.splitlines() if "psql" in line and "_kept_" in line]
    done = child.command(["sh", "-c", f"{line} -XAtc 'SELECT count(*) FROM mine'"])
    assert done.stdout.strip() == "0", done.stderr
    (row,) = [row for row in child.json("list") if row["kind"] == "tests"]
    assert row["state"] == "ready"
    assert "tests-" in child.ok("list")
    assert child.json("prune", "--yes")["deleted"] == []  # it is not old yet
    for _ in range(4):
        child.pytest().expect(1, failed=1, passed=2)
    assert len(child.data) <= 4
    child.ok("stop", "--all")
    child.assert_nothing_left()


def test_it_can_where_another_template_was_made_after_the_first_one(child: Child) -> None:
    """Such a run keeps its templates at the end, when its other databases are dropped."""
    for folder in ("a", "b"):
        child.file(
            f"{folder}/conftest.py",
            f"""
            import pytest
            from pathlib import Path

            @pytest.fixture(scope="session")
            def neon_template():
                return Path("{folder}.sql")
            """,
        )
        child.file(f"{folder}.sql", f"CREATE TABLE clue (of_{folder} int)")
        child.file(f"{folder}/test_{folder}.py", "def test_it(neon_db): assert False")
    run = child.pytest().expect(1, failed=2)
    urls = re.findall(r"postgresql://\S+_kept_\w+", run.output)
    for url in urls:
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT to_regclass('clue')").fetchone() == ("clue",)
    assert len(urls) == 2
    child.ok("stop", "--all")
    child.assert_nothing_left()


@pytest.mark.parametrize(("keep", "count"), [("all", 3), ("none", 0)])
def test_which_are_kept(child: Child, keep: str, count: int) -> None:
    child.write(test_it=FAILS)
    run = child.pytest(f"--neon-keep={keep}").expect(1, failed=1, passed=2)
    assert len(child.servers) == min(count, 1)
    assert ("has been kept" in run.output) == bool(count)
    child.ok("stop", "--all")
    child.assert_nothing_left()


def test_x_cleans_up(child: Child) -> None:
    child.write(test_it=FAILS)
    child.pytest("-x", "--neon-keep=none").expect(1, failed=1, passed=1)
    child.assert_nothing_left()


@people.needs_root
def test_somebody_without_a_home(child: Child) -> None:
    """A user of a container: without a name, and HOME cannot be written."""
    own = child.home / "stranger"
    home = own / "neonup"
    home.mkdir(parents=True)
    child.folder = own
    child.ini()
    child.write(test_it=FAILS.replace("n != 1", "True"))
    for path in (own, *own.rglob("*")):
        os.chown(path, people.STRANGER, people.STRANGER)
    child.environ |= {"HOME": "/", "NEONUP_HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
    child.before = people.as_user(people.STRANGER, people.STRANGER)
    child.pytest().expect(passed=3)
    child.assert_nothing_left()


def test_a_folder_of_ones_own_and_one_without_room(child: Child) -> None:
    child.write(test_it=FAILS.replace("n != 1", "True"))
    place = child.home / "place"
    place.mkdir(mode=0o711)
    child.pytest(NEONUP_TEST_FOLDER=str(place)).expect(passed=3)
    assert [*place.iterdir()] == []
    run = child.pytest(NEONUP_TEST_FOLDER="/proc")
    assert run.code == 1 and "/proc" in run.output, run.output
    child.assert_nothing_left()
