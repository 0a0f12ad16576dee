"""Commands are registered by name: each is imported when it is called, and none for ``--help``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from neonup.cli import ALIASES, COMMANDS, EXTRAS, cli
from neonup.contributions import SECTIONS, Command
from neonup.plugins import create_plugin_manager
from tests.plugins import install
from tests.project import Project

OFFERED = [
    command for offered in create_plugin_manager().hook.neonup_commands() for command in offered
]
_MODULES = """
import json, sys
from click.testing import CliRunner
from neonup.cli import cli
assert CliRunner().invoke(cli, ["--help"]).exit_code == 0
print(json.dumps(sorted(sys.modules)))
"""


def test_the_help_imports_no_command() -> None:
    child = subprocess.run(
        [sys.executable, "-c", _MODULES], check=True, capture_output=True, text=True
    )
    loaded = set(json.loads(child.stdout))
    assert not loaded & {command.target.partition(":")[0] for command in (*COMMANDS, *OFFERED)}


@pytest.mark.parametrize("command", [*COMMANDS, *OFFERED], ids=lambda command: command.name)
def test_each_command_is_where_it_is_said_to_be(command: Command) -> None:
    loaded = command.load()
    assert isinstance(loaded, click.Command)
    assert (loaded.name or "").rstrip("_") == command.name
    assert command.section in SECTIONS


def test_the_help_has_a_line_for_each_command_under_its_section() -> None:
    """The whole text is in docs/commands.md, which a test compares."""
    shown = CliRunner().invoke(cli, ["--help"], terminal_width=80).output.splitlines()
    assert max(map(len, shown)) < 80
    sections = _sections("\n".join(shown))
    assert list(sections) == list(SECTIONS)
    for section, listed in sections.items():
        here = [command for command in (*COMMANDS, *OFFERED) if command.section == section]
        assert listed == {command.name: command.help for command in here}


def _sections(shown: str) -> dict[str, dict[str, str]]:
    """Of the help: each section's commands, with their lines."""
    parts = [part.splitlines() for part in shown.split("\n\n")]
    return {
        heading.rstrip(":"): dict(line.split(maxsplit=1) for line in lines)
        for heading, *lines in parts
        if heading.rstrip(":") in SECTIONS
    }


_WITHOUT_PLUGINS = """
import sys, importlib.metadata as metadata
every = metadata.entry_points
metadata.entry_points = lambda **wanted: [
    entry for entry in every(**wanted) if entry.value.startswith("neonup.")
]
from neonup.cli import main
main(sys.argv[1:])
"""


def _without_plugins(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _WITHOUT_PLUGINS, *args], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", [*EXTRAS, *ALIASES])
def test_a_command_that_is_not_installed_names_its_extra(name: str) -> None:
    child = _without_plugins(name)
    assert child.returncode == 1
    extra = EXTRAS[ALIASES.get(name, name)]
    assert f"comes with neonup-{extra}" in child.stderr
    assert f'"neonup[{extra}]"' in child.stderr


def test_the_help_has_commands_that_are_not_installed_under_their_sections() -> None:
    shown = _without_plugins("--help").stdout
    assert all(len(line) < 80 for line in shown.splitlines())
    sections = _sections(shown)
    for command in OFFERED:
        line = sections[command.section][command.name]
        assert line == f'Not installed: pip install "neonup[{EXTRAS[command.name]}]"'


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (["statsu"], "'status'"),
        (["pusj"], "'push'"),
        (["versions", "checkpiont"], "'checkpoint'"),
        (["branches", "crate"], "'create'"),
        (["new", "djanog"], "'django'"),
        (["status", "--jsno"], "'--json'"),
        (["branches", "create", "--projct", "x"], "'--project'"),
        (["--provder", "local"], "'--provider'"),
        (["inspect", "lokcs"], "'locks'"),
        (["completion", "fihs"], "'fish'"),
        (["fleet", "usage", "--by", "daly"], "'daily'"),
        (["new", "fastapi", "Shop", "--driver", "asncpg"], "'asyncpg'"),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, list) else "",
)
def test_a_misspelt_command_or_option_names_the_right_one(typed: list[str], meant: str) -> None:
    refused = CliRunner().invoke(cli, typed)
    assert refused.exit_code == 2
    assert f"{meant}?" in refused.output


def test_a_command_that_is_misspelt_and_not_installed_is_named() -> None:
    assert "Did you mean 'push'?" in _without_plugins("psuh").stderr


def test_what_resembles_no_command_is_named_alone() -> None:
    refused = CliRunner().invoke(cli, ["xyzzy"])
    assert "No such command 'xyzzy'.\n" in refused.output


_TEAM = """
import neonup

@neonup.hookimpl
def neonup_commands():
    return [neonup.Command("first", "x:y", "It names none."),
            neonup.Command("second", "x:y", "It names one.", "Platform"),
            neonup.Command("third", "x:y", "It names another.", "Plattform")]
"""


def test_another_partys_command_is_where_it_says_or_under_tools(
    tmp_path: Path, project: Project
) -> None:
    install(tmp_path / "site", "team", _TEAM)
    shown = project.ok("--help", PYTHONPATH=str(tmp_path / "site"))
    sections = _sections(shown)
    assert sections["Platform"]["second"] == "It names one."
    assert (sections["Tools"]["first"], sections["Tools"]["third"]) == (
        "It names none.",
        "It names another.",
    )
