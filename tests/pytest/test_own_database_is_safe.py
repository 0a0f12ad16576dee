"""Tests never reach the application's own database; where that is not sure, none of them runs."""

from __future__ import annotations

import os

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


def test_an_unset_option_is_not_an_empty_one_whatever_pytest_answers(child: Child) -> None:
    """An option without a default is an empty list for pytest 7.4, and None for pytest 8."""
    child.write(
        other_pytest="""
        from _pytest.config import Config

        def getini(self, name, known=Config._getini):
            value = known(self, name)
            return [] if value is None and name.startswith("neon_") else value

        Config._getini = getini
        """,
        test_it="""
        import os

        def test_without_a_fixture():
            print(f"url={os.environ['DATABASE_URL']}")

        def test_with_one(neon_db):
            print(f"url={os.environ['DATABASE_URL']}")
        """,
    )
    child.file(".env", f"DATABASE_URL={OWN}\n# neonup: made by hand\n")
    run = child.pytest("-s", "-p", "other_pytest").expect(passed=2)
    assert all("neonup_test_" in url for url in run.said("url")), run.output

    child.file(".env", f"DATABASE_URL={OWN}\n")
    child.pytest("-p", "other_pytest").refused("neon_env = DATABASE_URL")
    child.assert_nothing_left()


@pytest.mark.parametrize("answer", ["None", "'DATABASE_URL'", "0"])
def test_an_answer_of_pytests_that_nobody_knows_ends_the_run(child: Child, answer: str) -> None:
    child.write(
        other_pytest=f"""
        from _pytest.config import Config

        def getini(self, name, known=Config._getini):
            return {answer} if name == "neon_env" else known(self, name)

        Config._getini = getini
        """,
        test_it=USER,
    )
    child.pytest("-p", "other_pytest").refused("for neon_env, so nobody can tell")
    assert not (child.folder / "ran").exists()


@pytest.mark.parametrize("names", ["DATABASE_URL, OTHER_URL", "$DATABASE_URL", "DATABASE-URL"])
def test_what_is_no_variables_name_ends_the_run(child: Child, names: str) -> None:
    child.ini(f"neon_env = {names}")
    child.write(test_it=USER)
    child.pytest(DATABASE_URL=OWN).refused("which is no variable's name")
    assert not (child.folder / "ran").exists()


@workers
def test_another_variable_was_named(child: Child, args: tuple[str, ...]) -> None:
    """A misspelt name guards nothing: the one that is in sight must be named as well."""
    child.ini("neon_env = DATABSE_URL")
    child.write(test_it=USER)
    run = child.pytest(*args, DATABASE_URL=OWN)
    run.refused("neon_env = DATABSE_URL DATABASE_URL")
    assert not (child.folder / "ran").exists()
    child.ini("neon_env = DATABSE_URL DATABASE_URL")
    child.pytest(*args, DATABASE_URL=OWN).expect(passed=1)
    child.assert_nothing_left()


APPLICATION = """
    import os

    def test_it():
        open("ran", "w").close()
        assert "neonup_test_" in os.environ["DATABASE_URL"]
"""
"""A test of the application that uses no fixture."""


@workers
@pytest.mark.parametrize("how", ["conftest", "removed", "dotenv"])
def test_the_applications_database_is_back_and_no_test_uses_a_fixture(
    child: Child, how: str, args: tuple[str, ...]
) -> None:
    child.file(".env", f"DATABASE_URL={OWN}\n# neonup: made by hand\n")
    child.file(".env.app", f"DATABASE_URL={OWN}\n")
    child.file("conftest.py", OVERRIDES[how] % OWN)
    child.write(test_it=APPLICATION)
    run = child.pytest(*args)
    run.refused("leads to the application's own database again")
    assert "hunter2" not in run.output
    assert not (child.folder / "ran").exists()
    child.assert_nothing_left()


@pytest.mark.parametrize("scope", ["session", "function"])
def test_a_fixture_brings_the_applications_database_back(child: Child, scope: str) -> None:
    child.file(".env", f"DATABASE_URL={OWN}\n# neonup: made by hand\n")
    child.write(
        conftest=f"""
        import os, pytest

        @pytest.fixture(scope="{scope}", autouse=True)
        def settings(request):
            if "neon_db" in request.fixturenames:
                request.getfixturevalue("neon_db")  # which has looked at the variable before
            os.environ["DATABASE_URL"] = {OWN!r}
        """,
        test_it=APPLICATION,
        test_user=USER if scope == "function" else "",
    )
    run = child.pytest()
    assert run.code == 1, run.output
    assert "leads to the application's own database again" in run.output
    assert "passed" not in run.outcomes
    assert not (child.folder / "ran").exists()


def test_a_variable_that_nobody_named_appears_with_a_fixture(child: Child) -> None:
    child.write(
        conftest="""
        import os, pytest

        @pytest.fixture(scope="session", autouse=True)
        def settings():
            os.environ["DATABASE_URL"] = os.environ["TO_BE"]
        """,
        test_it=USER,
    )
    run = child.pytest(TO_BE=OWN).expect(1, errors=1)
    assert "neon_env = DATABASE_URL" in run.output
    assert not (child.folder / "ran").exists()


def test_a_variable_that_leads_to_the_tests_database_need_not_be_named(child: Child) -> None:
    child.write(
        conftest="""
        import os, pytest

        @pytest.fixture(scope="session", autouse=True)
        def settings(neon_url):
            os.environ["DATABASE_URL"] = neon_url
        """,
        test_it="""
        import pytest

        @pytest.mark.parametrize("n", range(2))
        def test_it(neon_db, n): pass
        """,
    )
    child.pytest().expect(passed=2)


def test_a_file_that_a_variable_names_is_a_sign_as_well(child: Child) -> None:
    child.file("config/dev.env", f"DATABASE_URL={OWN}\n# neonup: made by hand\n")
    child.write(test_it=APPLICATION)
    child.pytest(NEONUP_ENV_FILE="config/dev.env", DATABASE_URL=OWN).expect(passed=1)


def test_a_pipe_in_place_of_the_file_keeps_what_is_in_it_for_the_application(child: Child) -> None:
    os.mkfifo(child.folder / ".env")
    child.write(test_it="def test_it(): pass")
    child.pytest().expect(passed=1)
