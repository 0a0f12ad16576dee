"""Other versions of pytest and of its plugins: supported, or refused at load."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.environments import asks_an_index
from tests.pytest.child import Child

OWN = "postgresql://me:hunter2@127.0.0.1:1/app"

OLD = {
    "pytest": ("pytest", "7.3.2", "7.4"),
    "pytest-xdist": ("xdist", "2.5.0", "3.0"),
    "pytest-django": ("pytest_django", "4.4.0", "4.5"),
    "Django": ("django", "4.1.13", "4.2"),
}


@pytest.mark.parametrize("what", [*OLD])
def test_a_version_that_is_too_old_is_refused_at_load(child: Child, what: str) -> None:
    module, version, least = OLD[what]
    child.ini("neon_env = DATABASE_URL")
    child.write(
        old=f"import {module}\n{module}.__version__ = {version!r}\n",
        test_it="def test_it(): open('ran', 'w').close()",
    )
    run = child.pytest("-p", "old", DATABASE_URL=OWN)
    run.refused(f"neonup-pytest does not work with {what} {version}: it needs {least} or newer")
    assert not (child.folder / "ran").exists()
    child.assert_nothing_left()


TESTS = """
    import os
    import pytest

    def test_without_a_fixture():
        assert "neonup_test_" in os.environ["DATABASE_URL"]

    @pytest.mark.parametrize("n", range(3))
    def test_with_one(neon_connection, n):
        assert "neonup_test_" in os.environ["DATABASE_URL"]
        assert neon_connection.execute("SELECT count(*) FROM items").fetchone() == (0,)
        neon_connection.execute("INSERT INTO items VALUES (1)")
        neon_connection.commit()

    async def test_async(neon_async_connection):
        assert await neon_async_connection.execute("SELECT 1")
"""

VERSIONS = {
    "7.4": [
        *("pytest==7.4.0", "pytest-asyncio==0.21.2", "pytest-xdist==3.0.2"),
        *("pytest-django==4.5.2", "Django==4.2.30", "pytest-rerunfailures==12.0"),
        "pytest-timeout==2.2.0",
    ],
    "8.0": [
        *("pytest==8.0.2", "pytest-asyncio==0.23.8", "pytest-xdist==3.5.0"),
        *("pytest-django==4.8.0", "Django==5.0.14", "pytest-rerunfailures==14.0"),
    ],
    "8.4": ["pytest==8.4.2", "pytest-asyncio==1.2.0", "pytest-django==4.11.1", "Django==5.1.15"],
    "9.0": ["pytest==9.0.3"],
}
"""Packages of the time of a pytest; what is not named is as the tests' own environment has it."""


@pytest.mark.thorough
@asks_an_index
@pytest.mark.parametrize("version", [*VERSIONS])
def test_a_pytest_that_is_supported(child: Child, tmp_path: Path, version: str) -> None:
    child.install(tmp_path / "env", VERSIONS[version])
    child.ini("asyncio_mode = auto\nneon_schema = schema.sql")
    child.file("schema.sql", "CREATE TABLE items (i int)")
    child.file(".env", f"DATABASE_URL={OWN}\n# neonup: made by hand\n")
    child.write(test_it=TESTS)
    for args in ((), ("-n2",)):
        run = child.pytest("--neon-keep=none", *args)
        if version in ("7.4", "8.0"):
            run.expect(1, passed=4, errors=1)
            assert "does not work with pytest-asyncio 0.2" in run.output
        else:
            run.expect(passed=5)
        assert "hunter2" not in run.output
        child.assert_nothing_left()

    child.file(".env", f"DATABASE_URL={OWN}\n")
    for args in ((), ("-n2",)):
        child.pytest(*args).refused("neon_env = DATABASE_URL")
        child.assert_nothing_left()


@pytest.mark.thorough
@asks_an_index
def test_a_pytest_that_is_refused(child: Child, tmp_path: Path) -> None:
    packages = ["pytest==7.3.2", "pytest-asyncio==0.21.2", "pytest-xdist==3.0.2"]
    child.install(tmp_path / "env", packages)
    child.write(test_it="def test_it(): open('ran', 'w').close()")
    run = child.pytest()
    assert run.code == pytest.ExitCode.USAGE_ERROR, run.output
    assert "neonup-pytest does not work with pytest 7.3.2: it needs 7.4 or newer" in run.output
    assert "Traceback" not in run.output
    assert not (child.folder / "ran").exists()
