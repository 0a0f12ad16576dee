"""docs/commands.md, made from the commands themselves: ``python -m tests.docs.reference``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from neonup.cli import cli

PATH = Path(__file__).parents[2] / "docs" / "commands.md"
_INTRODUCTION = """\
# Commands

Every command's `--help`; `make reference` writes this page. Commands that answer take `--json`, and
then the answer is all that is on standard output. Errors are a few lines on standard error and
status 1; with `--json` they are JSON, too. `down`, `list`, `logs`, `prune`, `serve` and `stop` come
with `neonup[local]`.
"""


def _helps(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            if (child := command.get_command(context, name)) is not None:
                below = click.Context(child, context, name, terminal_width=88)
                yield from _helps(child, below)


def commands_page() -> str:
    """The page as it should be."""
    helps = _helps(cli, click.Context(cli, info_name="neonup", terminal_width=88))
    parts = [f"\n## {path}\n\n```text\n{text.strip()}\n```\n" for path, text in helps]
    return _INTRODUCTION + "".join(parts)


if __name__ == "__main__":
    PATH.write_text(commands_page(), "utf-8")
