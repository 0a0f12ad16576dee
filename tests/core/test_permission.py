"""Creating needs a positive sign of development; hosting platforms and production forbid it."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from neonup import CreationForbidden, SettingsError
from neonup.settings import resolve
from neonup.start.permission import HOSTING, ask
from tests.project import Project


def permission(tmp_path: Path, environ: dict[str, str], sign: str | None, *argv: str) -> str:
    settings = resolve(tmp_path, environ=environ)
    allowed = ask(settings, sign, environ=environ, argv=list(argv) or ["app.py"])
    return f"{allowed.sign}|{allowed.local_only or 'any'}"


@pytest.mark.parametrize("variable", sorted(HOSTING))
def test_a_hosting_platform_forbids_it_even_for_the_command(tmp_path: Path, variable: str) -> None:
    with pytest.raises(CreationForbidden, match=variable):
        permission(tmp_path, {variable: "x"}, "the neonup command")


@pytest.mark.parametrize("value", ["off", "0", "false", "OFF"])
def test_neonup_off_forbids_it_whatever_else_is_said(tmp_path: Path, value: str) -> None:
    environ = {"NEONUP": value, "NEONUP_ENV": "development"}
    with pytest.raises(CreationForbidden, match="NEONUP=off"):
        permission(tmp_path, environ, "the neonup command")


def test_production_forbids_it_and_the_message_says_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(CreationForbidden) as error:
        permission(tmp_path, {"NEONUP_ENV": "production"}, "runserver")
    assert error.value.remedy is not None and "Set DATABASE_URL" in error.value.remedy


def test_development_said_in_so_many_words_beats_a_platforms_variable(tmp_path: Path) -> None:
    environ = {"NEONUP_ENV": "development", "KUBERNETES_SERVICE_HOST": "10.0.0.1"}
    assert permission(tmp_path, environ, None).startswith("env = development")


@pytest.mark.parametrize(
    "argv",
    [
        ["/venv/bin/fastapi", "dev"],
        ["/venv/lib/fastapi/__main__.py", "dev", "main.py"],
        ["/venv/bin/uvicorn", "app:app", "--reload"],
    ],
)
def test_signs_in_the_arguments(tmp_path: Path, argv: list[str]) -> None:
    assert permission(tmp_path, {}, None, *argv).endswith("|any")


@pytest.mark.parametrize(
    "argv", [["/venv/bin/fastapi", "run"], ["/venv/bin/uvicorn", "app:app"], ["app.py"]]
)
def test_without_a_sign_nothing_is_created(tmp_path: Path, argv: list[str]) -> None:
    with pytest.raises(CreationForbidden, match="nothing here says"):
        permission(tmp_path, {}, None, *argv)


def test_what_an_adapter_knows_against_it_beats_a_sign_but_not_development(tmp_path: Path) -> None:
    settings = resolve(tmp_path, environ={})
    with pytest.raises(CreationForbidden, match="no database was created: DEBUG is off"):
        ask(settings, "--reload", against="DEBUG is off", environ={}, argv=["app.py"])
    environ = {"NEONUP_ENV": "development"}
    settings = resolve(tmp_path, environ=environ)
    assert ask(settings, None, against="DEBUG is off", environ=environ).local_only is None


def test_in_ci_only_the_local_provider_may_create(tmp_path: Path) -> None:
    assert "CI is set" in permission(tmp_path, {"CI": "true"}, "the neonup command")
    assert permission(tmp_path, {"CI": "false"}, "the neonup command").endswith("|any")


def test_tests_take_the_local_provider_only(tmp_path: Path) -> None:
    assert "only the local provider" in permission(tmp_path, {"PYTEST_VERSION": "9"}, None)


ASK = "import neonup; print('development' if neonup.is_development() else 'unclear')"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment within a project that shares this one's packages, and has programs."""
    project = tmp_path_factory.mktemp("shop")
    folder = project / ".venv"
    venv.create(folder, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    places = [path for path in sys.path if Path(path).is_dir()]
    (packages / "shared.pth").write_text("\n".join([*places, str(project)]))
    (packages / "rq").mkdir()
    (packages / "rq" / "__main__.py").write_text(ASK)
    shutil.copytree(packages / "rq", project / "shop")
    (project / "shop" / "__init__.py").touch()
    shutil.copy(packages / "rq" / "__main__.py", project / "worker.py")
    (packages / "shop-1.dist-info").mkdir()
    (packages / "shop-1.dist-info" / "METADATA").write_text("Name: shop\nVersion: 1\n")
    commands = "[console_scripts]\nshop-admin = shop.__main__:main\n"
    (packages / "shop-1.dist-info" / "entry_points.txt").write_text(commands)
    for name in ("waitress-serve", "celery", "gunicorn", "dramatiq", "alembic", "shop-admin"):
        script = folder / "bin" / name
        script.write_text(f"#!{folder}/bin/python\n{ASK}")
        script.chmod(0o755)
    return folder


def at_a_terminal(environment: Path, *command: str) -> str:
    """What a program prints that has a terminal."""
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(
            command,
            cwd=environment.parent,
            env={"PATH": f"{environment}/bin:/usr/bin:/bin", "HOME": str(environment)},
            stdin=theirs,
            stderr=theirs,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        return done.stdout.strip()
    finally:
        os.close(ours)
        os.close(theirs)


@pytest.mark.parametrize(
    "command",
    [
        "waitress-serve app:app",
        "celery -A shop worker",
        "gunicorn app:app",
        "dramatiq shop",
        "python -m rq worker",
        "python EMBEDDED",
    ],
)
def test_an_installed_program_at_a_terminal_may_serve_anybody(
    environment: Path, command: str
) -> None:
    program, *arguments = command.split()
    if arguments == ["EMBEDDED"]:  # uWSGI runs Python within itself, and gives it its own name
        arguments = ["-c", f"import sys; sys.argv = ['uwsgi']; {ASK}"]
    assert at_a_terminal(environment, f"{environment}/bin/{program}", *arguments) == "unclear"


@pytest.mark.parametrize("arguments", [["worker.py"], ["-m", "shop"], ["shop"], ["-c", ASK]])
def test_the_projects_own_program_at_a_terminal_is_development(
    environment: Path, arguments: list[str]
) -> None:
    assert at_a_terminal(environment, f"{environment}/bin/python", *arguments) == "development"


@pytest.mark.parametrize("name", ["alembic", "shop-admin"])
def test_so_are_a_migration_tool_and_a_command_of_the_project(environment: Path, name: str) -> None:
    assert at_a_terminal(environment, f"{environment}/bin/{name}") == "development"


@pytest.mark.parametrize(
    "argv",
    [
        ["/venv/bin/pytest", "--reload"],
        ["/venv/bin/py.test", "--reload"],
        ["/venv/lib/pytest/__main__.py", "--reload"],
    ],
)
def test_tests_take_only_the_local_provider_whichever_pytest_runs_them(
    tmp_path: Path, argv: list[str]
) -> None:
    """Before 8.2 pytest sets no variable while it loads and collects."""
    assert permission(tmp_path, {}, None, *argv).endswith("tests use only the local provider")


@pytest.mark.parametrize("value", ["of", "disabled", "none", "-1"])
def test_what_might_mean_off_does_not_mean_on(tmp_path: Path, value: str) -> None:
    with pytest.raises(SettingsError, match=f"NEONUP={value} is neither on nor off"):
        permission(tmp_path, {"NEONUP": value}, "the neonup command")
    for on in ("", "on", "1", "True"):
        assert permission(tmp_path, {"NEONUP": on}, "the neonup command").endswith("any")


@pytest.mark.parametrize("command", [["reset", "--yes"], ["--force"]])
def test_off_says_that_there_is_a_database_which_stays(
    project: Project, command: list[str]
) -> None:
    project.ok()
    said = project.fails(*command, NEONUP="off")
    assert "There is no DATABASE_URL" not in said
    assert "NEONUP=off forbids it" in said
    assert project.query("SELECT 1") == "1"
