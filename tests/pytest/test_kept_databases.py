"""Which databases of failed tests are kept, of which test and why, and how one is opened again."""

from __future__ import annotations

import json
import signal
import socket
from datetime import UTC, datetime
from pathlib import Path

import psutil
import psycopg
import pytest

from neonup import Database, NeonupError
from neonup_local.test_server import KeptDatabase, KeptDatabases
from tests.pytest.child import Child
from tests.pytest.test_crashes import wait_for

SHOP = """
    import pytest

    @pytest.mark.parametrize("amount", [1, 2])
    def test_order(neon_connection, amount):
        neon_connection.execute("CREATE TABLE orders AS SELECT %s AS amount" % amount)
        neon_connection.commit()
        assert amount == 1, "too many"

    class TestCustomers:
        def test_one(self, neon_connection):
            neon_connection.execute("SELECT 1 / 0")
"""


@pytest.fixture
def kept(neonup_home: Path) -> KeptDatabases:
    return KeptDatabases(neonup_home)


def only(kept: KeptDatabases, child: Child) -> KeptDatabase:
    (database,) = kept.of_project(child.folder)
    return database


def amount(database: Database) -> int:
    with psycopg.connect(database.url) as connection:
        ((found,),) = connection.execute("SELECT amount FROM orders").fetchall()
        return int(found)


@pytest.mark.parametrize("args", [(), ("-n2",)], ids=["alone", "-n2"])
def test_each_is_told_by_its_test_and_its_error(
    child: Child, kept: KeptDatabases, args: tuple[str, ...]
) -> None:
    child.file("tests/test_shop.py", SHOP)
    begin = datetime.now(UTC)
    child.pytest(*args).expect(1, failed=2, passed=1)
    found = {database.test: database for database in kept.of_project(child.folder)}
    assert set(found) == {
        "tests/test_shop.py::test_order[2]",
        "tests/test_shop.py::TestCustomers::test_one",
    }
    order = found["tests/test_shop.py::test_order[2]"]
    assert order.error == "AssertionError: too many\nassert 2 == 1"
    assert found["tests/test_shop.py::TestCustomers::test_one"].error == (
        "psycopg.errors.DivisionByZero: division by zero"
    )
    assert begin <= order.at <= datetime.now(UTC)
    assert order.running and order.project == child.folder
    assert amount(kept.wake(order)) == 2
    assert order.url.split("@")[0].split(":")[-1] not in repr(order)


def test_the_newest_is_first_and_another_projects_are_its_own(
    child: Child, kept: KeptDatabases, tmp_path: Path
) -> None:
    child.write(test_it="def test_it(neon_db): assert False")
    for _ in range(2):
        child.pytest().expect(1, failed=1)
    first, second = kept.of_project(child.folder)
    assert first.at > second.at and first.run != second.run
    assert kept.find(child.folder, "test_it") == first
    assert kept.find(child.folder, second.name) == second
    assert kept.of_project(tmp_path) == []
    assert kept.all() == [first, second]


@pytest.mark.parametrize(
    "which",
    [
        "tests/test_shop.py::test_order[2]",
        "test_shop.py::test_order[2]",
        "test_order[2]",
        "test_order",
    ],
)
def test_one_is_found_by_its_tests_name(child: Child, kept: KeptDatabases, which: str) -> None:
    child.file("tests/test_shop.py", SHOP)
    child.pytest().expect(1, failed=2, passed=1)
    found = kept.find(child.folder, which)
    assert found.test == "tests/test_shop.py::test_order[2]"


def test_what_is_not_found_says_which_there_are(
    child: Child, kept: KeptDatabases, tmp_path: Path
) -> None:
    child.write(test_a=SHOP, test_b=SHOP)
    child.pytest("-k", "test_order").expect(1, failed=2, passed=2, deselected=2)
    with pytest.raises(
        NeonupError, match="2 tests are kept that are called 'test_order'"
    ) as several:
        kept.find(child.folder, "test_order")
    ids = {"test_a.py::test_order[2]", "test_b.py::test_order[2]"}
    assert {*several.value.checked} == ids
    with pytest.raises(NeonupError, match="called 'test_other' is kept") as none:
        kept.find(child.folder, "test_other")
    assert {*none.value.checked} == ids
    with pytest.raises(NeonupError, match="is kept") as nothing:
        kept.find(tmp_path, "test_order")
    assert "none is kept" in nothing.value.checked[0]


def test_no_password_is_recorded_and_no_more_than_can_be_read(
    child: Child, kept: KeptDatabases
) -> None:
    child.write(
        test_it="""
        import pytest

        @pytest.mark.parametrize("url", ["postgresql://me:hunter2@db/shop"])
        def test_it(neon_db, url):
            raise ValueError(f"{url}: \\x1b[2J" + 5000 * "x")
        """
    )
    child.pytest().expect(1, failed=1)
    database = only(kept, child)
    assert database.test == "test_it.py::test_it[postgresql://me:***@db/shop]"
    assert database.error is not None
    assert database.error.startswith("ValueError: postgresql://me:***@db/shop: ?[2Jxxx")
    assert len(database.error) == 1000 and database.error.endswith("xxx...")
    (path,) = kept.home.glob("tests/runs/*/kept.json")
    assert "hunter2" not in path.read_text()
    whole = "test_it.py::test_it[postgresql://me:hunter2@db/shop]"
    assert kept.find(child.folder, whole) == database


BY_ITSELF = """
    import pytest

    @pytest.fixture
    def late():
        yield
        raise RuntimeError("at its end")

    def test_passes(neon_db): pass
    def test_late(neon_db, late): pass
    def test_late_too(late, neon_db): pass
    def test_fails(neon_db): pytest.fail("on purpose", pytrace=False)

    @pytest.fixture
    def broken(neon_db): raise LookupError("of the fixture")
    def test_broken(broken): pass
"""


def test_where_all_are_kept_those_of_passed_tests_have_no_error(
    child: Child, kept: KeptDatabases
) -> None:
    child.write(test_it=BY_ITSELF)
    child.pytest("--neon-keep=all").expect(1, passed=3, failed=1, errors=3)
    errors = {str(it.test).split("::")[1]: it.error for it in kept.of_project(child.folder)}
    assert errors == {
        "test_passes": None,
        "test_late": "RuntimeError: at its end",
        "test_late_too": "RuntimeError: at its end",
        "test_fails": "Failed: on purpose",
        "test_broken": "LookupError: of the fixture",
    }


def test_a_file_of_an_older_version(child: Child, kept: KeptDatabases) -> None:
    child.write(test_it="def test_it(neon_db): assert False")
    child.pytest().expect(1, failed=1)
    before = only(kept, child)
    (path,) = kept.home.glob("tests/runs/*/kept.json")
    values = json.loads(path.read_text())
    path.write_text(json.dumps({name: values[name] for name in ("databases", "at")}))
    (database,) = kept.all()
    assert (database.name, database.url) == (before.name, before.url)
    assert (database.test, database.error, database.project) == (None, None, None)
    assert kept.of_project(child.folder) == []
    with psycopg.connect(kept.wake(database).url) as connection:
        assert connection.info.dbname == before.name
    path.write_text("{")  # cut off
    assert kept.all() == []


def test_a_server_that_has_ended_is_started_again(child: Child, kept: KeptDatabases) -> None:
    """Also where its port is another program's by now; its data is on the disk here."""
    folder = child.home / "of-tests"
    folder.mkdir(mode=0o711)
    child.file("pyproject.toml", "[tool.neonup]\nlogical_replication = true\n")
    child.write(
        test_it="""
        def test_it(neon_connection):
            neon_connection.execute("CREATE TABLE orders AS SELECT 7 AS amount")
            neon_connection.commit()
            assert False
        """
    )
    child.pytest(NEONUP_TEST_FOLDER=str(folder)).expect(1, failed=1)
    database = only(kept, child)
    port = psycopg.conninfo.conninfo_to_dict(database.url)["port"]

    def end() -> None:
        (data,) = folder.glob("*/data")
        pid = int((data / "postmaster.pid").read_text().splitlines()[0])
        server = psutil.Process(pid)
        server.send_signal(signal.SIGINT)
        server.wait(60)

    end()
    assert not only(kept, child).running
    woken = kept.wake(database)
    assert woken.url == database.url and amount(woken) == 7
    assert kept.wake(database).url == woken.url
    end()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", int(str(port))))
        other.listen()
        woken = kept.wake(database)
        assert woken.url != database.url and amount(woken) == 7
    assert only(kept, child).url == woken.url


def test_one_that_is_gone_says_so(child: Child, kept: KeptDatabases) -> None:
    child.write(test_it="def test_it(neon_db): assert False")
    child.pytest().expect(1, failed=1)
    database = only(kept, child)
    child.ok("stop", "--all")
    assert kept.of_project(child.folder) == []
    with pytest.raises(NeonupError, match=r"test_it.py::test_it is gone"):
        kept.wake(database)
    child.assert_nothing_left()


KILLED = """
    from pathlib import Path
    import time

    def test_fails(neon_connection):
        neon_connection.execute("CREATE TABLE orders AS SELECT 3 AS amount")
        neon_connection.commit()
        assert False

    def test_sleeps(neon_db):
        Path("begun").touch()
        time.sleep(600)
"""


def test_a_run_that_goes_on_and_one_that_was_killed(child: Child, kept: KeptDatabases) -> None:
    child.write(test_it=KILLED)
    child.ini("neon_env =")
    with child.started("-p", "no:randomly") as process:
        wait_for((child.folder / "begun").exists, process)
        assert amount(kept.wake(only(kept, child))) == 3
        child.write(test_other="def test_it(neon_db): assert False")
        child.pytest("test_other.py").expect(1, failed=1)  # beside it
        assert len(kept.of_project(child.folder)) == 2
        process.kill()
    child.pytest("test_other.py").expect(1, failed=1)  # which looks at what the dead one left
    found = kept.find(child.folder, "test_fails")
    assert amount(kept.wake(found)) == 3


def test_what_died_with_its_server_is_not_listed(child: Child, kept: KeptDatabases) -> None:
    """The run gets another server then, without the databases of the first one."""
    child.ini("neon_env =")
    child.write(
        test_it="""
        import os, signal, psutil
        from neonup_pytest import state

        def test_fails(neon_db):
            assert False

        def test_kills(neon_db, pytestconfig):
            server = state.of(pytestconfig).worker.server
            pid = int((server.data / "postmaster.pid").read_text().splitlines()[0])
            process = psutil.Process(pid)
            process.send_signal(signal.SIGQUIT)
            process.wait(60)

        def test_passes(neon_db):
            pass
        """
    )
    run = child.pytest("-p", "no:randomly")
    assert run.code == 1, run.output
    assert kept.of_project(child.folder) == []
    child.assert_nothing_left()
