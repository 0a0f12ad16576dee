"""Creating needs a positive sign of development; hosting platforms and production forbid it."""

from __future__ import annotations

from pathlib import Path

import pytest

from neonup import CreationForbidden
from neonup.settings import resolve
from neonup.start.permission import HOSTING, ask


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
