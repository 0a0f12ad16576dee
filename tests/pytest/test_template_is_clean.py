"""What others write while a template is built is not in it, nor in any later run."""

from __future__ import annotations

import pytest

from tests.pytest.child import Child

APP = """
    import os, threading, time, psycopg

    stop = threading.Event()
    tried = threading.Event()

    def connect(url=None):
        return psycopg.connect(url or os.environ["DATABASE_URL"])

    def create():
        with connect() as connection:
            connection.execute("CREATE TABLE beat (i int)")
        wait()

    def create_in(url):
        with connect(url) as connection:
            connection.execute("CREATE TABLE beat (i int)")
        wait()

    async def create_async():
        create()

    def wait():
        # Long enough for many beats; in a process of its own there are none to wait for.
        before = time.monotonic()
        while time.monotonic() - before < 0.3:
            tried.wait(0.01)

    def beat():
        while not stop.is_set():
            try:
                with connect() as connection:
                    connection.execute("INSERT INTO beat VALUES (1)")
            except psycopg.Error:
                pass
            tried.set()
"""

CONFTEST = """
    import os, threading, app, pytest
    {override}

    @pytest.fixture(scope="session", autouse=True)
    def service():
        thread = threading.Thread(target=app.beat, name="heartbeat")
        if os.environ.get("BEATS"):
            thread.start()
        yield thread
        app.stop.set()

    @pytest.fixture(scope="session", autouse=True)
    def stopped(service, neon_url):
        app.stop.set()  # only the template has been built by now, and its first copy
        if service.ident is not None:
            service.join()  # or a beat that is on its way reaches the first test's own database
"""

TESTS = """
    import app, pytest

    @pytest.mark.parametrize("n", range(3))
    def test_it(neon_db, n):
        with app.connect() as connection:
            assert connection.execute("SELECT count(*) FROM beat").fetchone() == (0,)
"""

NAMED = {
    "a SQL file": "neon_schema = schema.sql",
    "a command": "neon_migrate = python -c 'import app; app.create()'",
    "a function": "neon_migrate = app:create",
    "a function with a URL": "neon_migrate = app:create_in",
    "a coroutine": "neon_migrate = app:create_async",
}


@pytest.mark.parametrize("what", NAMED)
def test_only_the_builder_reaches_it(child: Child, what: str) -> None:
    child.ini(f"neon_env = DATABASE_URL\n{NAMED[what]}")
    child.file("schema.sql", "CREATE TABLE beat (i int); SELECT pg_sleep(0.3);")
    child.write(app=APP, conftest=CONFTEST.format(override=""), test_it=TESTS)
    for environ in ({"BEATS": "1"}, {}):
        run = child.pytest("-p", "no:randomly", **environ).expect(passed=3)
        assert "built again in each run" not in run.output
    child.assert_nothing_left()


OVERRIDE = """
    @pytest.fixture(scope="session")
    def neon_template():
        return app.create
"""


def test_a_function_of_this_process_beside_others(child: Child) -> None:
    """It cannot be told from them: what it made goes with the run, and that is said."""
    child.ini("neon_env = DATABASE_URL")
    child.write(app=APP, conftest=CONFTEST.format(override=OVERRIDE), test_it=TESTS)
    run = child.pytest("-p", "no:randomly", "--neon-keep=none", BEATS="1")
    assert "thread heartbeat" in run.output
    for _ in range(2):
        run = child.pytest("-p", "no:randomly").expect(passed=3)
        assert "built again in each run" not in run.output
    child.assert_nothing_left()


def test_a_function_of_this_process_beside_another_process(child: Child) -> None:
    child.ini("neon_env = DATABASE_URL")
    child.write(
        app=APP,
        conftest=f"""
    import subprocess, sys, app, pytest
    {OVERRIDE}
    @pytest.fixture(scope="session", autouse=True)
    def server():
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=-1) as process:
            yield
            process.communicate(b"\\n")
    """,
        test_it="""
        def test_it(server, neon_db): pass
        """,
    )
    for _ in range(2):
        assert "built again in each run" in child.pytest().expect(passed=1).output
    child.assert_nothing_left()


def test_xdist_alone_is_no_bystander(child: Child) -> None:
    child.ini("neon_env = DATABASE_URL")
    child.write(app=APP, conftest=f"    import app, pytest\n{OVERRIDE}", test_it=TESTS)
    assert "built again in each run" not in child.pytest("-n2").expect(passed=3).output
    child.assert_nothing_left()
