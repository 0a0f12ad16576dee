"""Tests never reach the application's own database; where that is not sure, none of them runs."""

from __future__ import annotations

import pytest

from tests.pytest.child import Child

OWN = "postgresql://me:hunter2@127.0.0.1:1/app"

USER = """
    from pathlib import Path

    def test_it(neon_db):
        Path("ran").touch()
"""

OVERRIDES = {
    "conftest": "import os\nos.environ['DATABASE_URL'] = %r\n",
    "removed": "import os\ndel os.environ['DATABASE_URL']  # %r\n",
    "dotenv": "from dotenv import load_dotenv\nload_dotenv('.env.app', override=True)  # %r\n",
    "direct": "import os\nos.environ['DATABASE_URL_DIRECT'] = %r\n",
    "test module": "",
}

workers = pytest.mark.parametrize("args", [(), ("-n2",)], ids=["alone", "-n2"])


@workers
@pytest.mark.parametrize("how", [*OVERRIDES])
def test_something_changes_the_variable_afterwards(
    child: Child, how: str, args: tuple[str, ...]
) -> None:
    child.ini("neon_env = DATABASE_URL")
    child.file(".env.app", f"DATABASE_URL={OWN}\n")
    child.write(test_it=USER)
    if how == "test module":
        child.file("test_it.py", f"import os\nos.environ['DATABASE_URL'] = {OWN!r}\n")
        with (child.folder / "test_it.py").open("a") as file:
            file.write("def test_it(neon_db): open('ran', 'w').close()\n")
    else:
        child.file("conftest.py", OVERRIDES[how] % OWN)
    run = child.pytest(*args)
    run.refused("no longer leads to the tests' database")
    assert "hunter2" not in run.output
    assert not (child.folder / "ran").exists()
    child.assert_nothing_left()


@workers
@pytest.mark.parametrize("where", ["environment", ".env"])
def test_nobody_said_where_the_application_looks(
    child: Child, args: tuple[str, ...], where: str
) -> None:
    child.write(test_it=USER)
    environ = {}
    if where == ".env":
        child.file(".env", f"DATABASE_URL={OWN}\n")
    else:
        environ["DATABASE_URL"] = OWN
    run = child.pytest(*args, **environ)
    run.refused("neon_env = DATABASE_URL")
    assert "hunter2" not in run.output
    assert not (child.folder / "ran").exists()
    child.assert_nothing_left()

    child.ini("neon_env =")  # it reads another variable, or takes the URL from the fixture
    child.pytest(*args, **environ).expect(passed=1)
    child.assert_nothing_left()


@workers
@pytest.mark.parametrize(
    "change",
    [
        "os.environ['DATABASE_URL'] = %r",
        "__import__('dotenv').load_dotenv('.env.app', override=True)  # %r",
    ],
)
def test_a_session_fixture_changes_it_before_the_first_database(
    child: Child, args: tuple[str, ...], change: str
) -> None:
    """Collecting cannot see that; the fixture does, and every test that needs it fails."""
    child.ini("neon_env = DATABASE_URL")
    child.file(".env.app", f"DATABASE_URL={OWN}\n")
    child.write(
        conftest=f"""
        import os, pytest

        @pytest.fixture(scope="session", autouse=True)
        def settings():
            {change % OWN}
        """,
        test_it=USER,
    )
    run = child.pytest(*args)
    run.expect(1, errors=1)
    assert "no longer leads to the tests' database" in run.output
    assert "hunter2" not in run.output
    assert not (child.folder / "ran").exists()
    child.assert_nothing_left()
