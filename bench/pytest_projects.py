"""The test projects whose runs are timed: the same tests for both plugins."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import world

SCHEMA = "\n".join(
    f"CREATE TABLE t{i} (id serial PRIMARY KEY, name text UNIQUE, number int);\n"
    f"INSERT INTO t{i} (name, number) SELECT 'n' || g, g FROM generate_series(1, 50) AS g;"
    for i in range(40)
)
"""40 tables of 50 rows."""

_TESTS = """\
import time
import pytest

def work(cpu, wait):
    end = time.process_time() + cpu
    while time.process_time() < end:
        pass
    time.sleep(wait)

@pytest.mark.parametrize("number", range({count}))
def test_writes({fixture}, number):
    with {fixture}.cursor() as cursor:
        cursor.execute("INSERT INTO t1 (name, number) VALUES ('new', %s)", (number,))
        {fixture}.commit()
        cursor.execute("SELECT count(*) FROM t1")
        assert cursor.fetchone() == (51,)
    work({cpu}, {wait})
"""

_THEIRS = """\
from pathlib import Path
from pytest_postgresql import factories

postgresql_proc = factories.postgresql_proc(load=[Path(__file__).with_name("schema.sql")])
postgresql = factories.postgresql("postgresql_proc")
"""

_OURS = """\
import json, os, time
from pathlib import Path
import pytest

waits, first = [], []

@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef):
    begin = time.perf_counter()
    result = yield
    if fixturedef.argname == "neon_db":
        waits.append((time.perf_counter() - begin) * 1000)
    return result

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call():
    first.append(time.time())

def pytest_sessionfinish():
    if "BENCH_OUT" in os.environ:
        Path(os.environ["BENCH_OUT"]).write_text(json.dumps({"waits": waits, "first": first[:1]}))
"""


@contextmanager
def ours(count: int, *, cpu: float = 0, wait: float = 0) -> Iterator[Path]:
    """A project whose tests use `neon_connection`; ``cpu`` and ``wait`` in seconds for each."""
    with _project("neon_connection", count, cpu, wait) as folder:
        (folder / "conftest.py").write_text(_OURS, encoding="utf-8")
        (folder / "pytest.ini").write_text("[pytest]\nneon_schema = schema.sql\n", encoding="utf-8")
        yield folder


@contextmanager
def theirs(count: int) -> Iterator[Path]:
    """A project whose tests use pytest-postgresql's `postgresql`, with its defaults."""
    with _project("postgresql", count, 0, 0) as folder:
        (folder / "conftest.py").write_text(_THEIRS, encoding="utf-8")
        yield folder


@contextmanager
def plain() -> Iterator[Path]:
    """A project with one test that needs nothing."""
    with world.folder("shop-") as folder:
        (folder / "test_nothing.py").write_text("def test_nothing(): pass\n", encoding="utf-8")
        (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        yield folder


@contextmanager
def _project(fixture: str, count: int, cpu: float, wait: float) -> Iterator[Path]:
    with world.folder("shop-") as folder:
        folder.chmod(0o777)  # where this is root, pytest-postgresql runs as somebody else
        (folder / "schema.sql").write_text(SCHEMA, encoding="utf-8")
        text = _TESTS.format(fixture=fixture, count=count, cpu=cpu, wait=wait)
        (folder / "test_writes.py").write_text(text, encoding="utf-8")
        yield folder
