"""Commands are registered by name: each is imported when it is called, and none for ``--help``."""

from __future__ import annotations

import json
import subprocess
import sys

import click
import pytest

from neonup.cli import COMMANDS, EXTRAS
from neonup.contributions import Command
from neonup.plugins import create_plugin_manager

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
    assert len(command.help) <= 65, "it would be wrapped in 80 columns"


def test_the_extra_of_each_plugins_command_is_known() -> None:
    assert {command.name for command in OFFERED} == set(EXTRAS)


_WITHOUT_PLUGINS = """
import sys, importlib.metadata as metadata
every = metadata.entry_points
metadata.entry_points = lambda **wanted: [
    entry for entry in every(**wanted) if entry.value.startswith("neonup.")
]
from neonup.cli import main
main(sys.argv[1:])
"""


@pytest.mark.parametrize("name", EXTRAS)
def test_a_command_that_is_not_installed_names_its_extra(name: str) -> None:
    child = subprocess.run(
        [sys.executable, "-c", _WITHOUT_PLUGINS, name], capture_output=True, text=True, check=False
    )
    assert child.returncode == 1
    assert f"comes with neonup-{EXTRAS[name]}" in child.stderr
    assert f'"neonup[{EXTRAS[name]}]"' in child.stderr
