"""The reference pages say what the program says."""

from __future__ import annotations

import json
import re
from dataclasses import MISSING, fields
from pathlib import Path

import pytest

import neonup
import neonup_pytest
from neonup import hookspecs
from neonup.postgres.drivers import DRIVERS
from neonup.settings import Settings
from neonup.start.permission import HOSTING
from tests.docs import answers
from tests.docs.reference import (
    JSON_PATH,
    OPERATIONS_PATH,
    PATH,
    PLATFORMS_PATH,
    SCHEMA_PATH,
    commands_page,
    json_page,
    operations_page,
    platforms_page,
)

DOCS = Path(__file__).parents[2] / "docs"
NOT_SET_BY_NAME = {"variables", "project", "home", "enabled", "sources", "tables"}


def _rows(page: str) -> list[list[str]]:
    """The cells of all tables of a page, without their code quotes."""
    lines = (DOCS / page).read_text("utf-8").splitlines()
    rows = [line.strip("|").split("|") for line in lines if line.startswith("|")]
    return [[cell.strip().strip("`") for cell in row] for row in rows]


def test_the_commands_page_is_what_the_commands_say() -> None:
    assert PATH.read_text("utf-8") == commands_page(), "make reference"


def test_what_each_command_prints_as_json_is_declared_and_documented() -> None:
    """`tests.project.Project.json` compares it with what commands print."""
    assert sorted(answers.ANSWERS) == sorted(answers.commands_with("--json"))
    others = {*answers.commands_with("--help")} - {*answers.ANSWERS}
    assert others == {"run", "psql", "completion"}, "they print what another program does"
    assert answers.commands_with("--yes") == answers.commands_with("-y")
    assert JSON_PATH.read_text("utf-8") == json_page(), "make reference"
    assert json.loads(SCHEMA_PATH.read_text("utf-8")) == answers.schema(), "make reference"


def test_the_operations_page_is_what_the_local_neon_does() -> None:
    assert OPERATIONS_PATH.read_text("utf-8") == operations_page(), "make reference"


def test_the_page_about_operating_systems_is_what_the_tables_say() -> None:
    assert PLATFORMS_PATH.read_text("utf-8") == platforms_page(), "make reference"


def test_every_setting_is_documented_with_its_variable_and_default() -> None:
    documented = {row[0]: row[1:3] for row in _rows("configuration.md")}
    for setting in fields(Settings):
        if setting.name in NOT_SET_BY_NAME:
            continue
        variable, default = documented[setting.name]
        assert variable == f"NEONUP_{setting.name.upper()}"
        assert setting.default is not MISSING
        shown = {None: "unset", "": "unset", (): "unset", False: "false", True: "true"}
        assert default == shown.get(setting.default, str(setting.default))


def test_every_hook_is_documented_in_the_order_of_its_call() -> None:
    source = Path(hookspecs.__file__).read_text("utf-8")
    specified = re.findall(r"^@hookspec(?:\(.*\))?\ndef (\w+)", source, re.M)
    documented = [
        row[0].partition("(")[0] for row in _rows("plugins.md") if row[0].startswith("neonup_")
    ]
    assert documented == specified


def test_every_public_name_is_documented() -> None:
    pages = "".join(page.read_text("utf-8") for page in DOCS.glob("*.md"))
    prose = re.sub(r"^```.*?^```", "", pages, flags=re.M | re.S)
    names = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]+)`", prose))))
    assert set(neonup.__all__) - names == set()


def test_every_fixture_and_option_of_pytest_is_documented() -> None:
    page = (DOCS / "testing.md").read_text("utf-8")
    package = Path(neonup_pytest.__file__).parent
    source = "".join(file.read_text("utf-8") for file in package.rglob("*.py"))
    fixtures = re.findall(
        r"^@pytest(?:_asyncio)?\.fixture.*\n(?:async )?def (neon_\w+)", source, re.M
    )
    settings = re.findall(r"addini\(\s*\"(\w+)\"", source)
    options = re.findall(r"addoption\(\s*\"(--[\w-]+)\"", source)
    assert min(len(fixtures), len(settings), len(options)) > 1
    assert {name for name in (*fixtures, *settings, *options) if name not in page} == set()


def test_every_member_of_a_provider_is_documented() -> None:
    documented = {row[0].partition("(")[0] for row in _rows("plugins.md")}
    members = {name for name in vars(neonup.Provider) if not name.startswith("_")}
    annotated = set(neonup.Provider.__annotations__)
    assert members | annotated <= documented


def test_every_hosting_platform_is_on_the_security_page() -> None:
    page = (DOCS / "security.md").read_text("utf-8")
    assert {name for name in HOSTING.values() if name.split()[0] not in page} == set()


def test_every_driver_is_documented() -> None:
    page = (DOCS / "drivers.md").read_text("utf-8")
    documented = set(
        re.findall(r"`([\w-]+)`", page.partition("| --- | --- |")[2].partition("##")[0])
    )
    assert set(DRIVERS) <= documented


@pytest.mark.parametrize("error", ["NeonupError", "CreationForbidden", "DatabaseExpired"])
def test_errors_that_the_pages_name_are_public(error: str) -> None:
    assert error in neonup.__all__
