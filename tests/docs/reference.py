"""The pages that are made from the code: ``python -m tests.docs.reference`` writes them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from neonup.cli import EXTRAS, cli
from neonup_emulator.api.v2.not_here import NOT_HERE
from neonup_emulator.api.v2.operations import OPERATIONS
from neonup_emulator.api.v2.routes import routes

_DOCS = Path(__file__).parents[2] / "docs"
PATH = _DOCS / "commands.md"
OPERATIONS_PATH = _DOCS / "neon-operations.md"
_INTRODUCTION = """\
# Commands

Every command's `--help`; `make reference` writes this page. Commands that answer take `--json`, and
then the answer is all that is on standard output. Errors are a few lines on standard error and
status 1; with `--json` they are JSON, too. Some come with an extra, which the error of a missing
one names: {extras}.
"""

_OPERATIONS = """\
# Neon API v2, operation by operation

What [the local Neon](local-neon.md) does with each of the {all} operations of Neon's API: those of
its OpenAPI document, and those that came after it, which its newest client `@neon/sdk` has. `make
reference` writes this page from the code, and tests compare it with both.

## {here} that it carries out

| operation | | what differs from Neon |
| --- | --- | --- |
{rows}
## {absent} that it does not

They answer 501 with their name.

| operation | |
| --- | --- |
{others}"""


def _extras() -> str:
    """Which commands come with which extra."""
    names = {
        extra: [name for name, its in EXTRAS.items() if its == extra] for extra in EXTRAS.values()
    }
    return "; ".join(
        f"`neonup[{extra}]` brings {', '.join(f'`{name}`' for name in commands)}"
        for extra, commands in names.items()
    )


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
    return _INTRODUCTION.format(extras=_extras()) + "".join(parts)


def operations_page() -> str:
    """The page about Neon's operations as it should be."""
    routes()  # importing them registers the operations
    rows = {
        one.id: (f"{one.method} {one.path}", (one.handler.__doc__ or "").partition("\n\n")[0])
        for one in reversed(OPERATIONS)
    }
    here = "".join(
        f"| `{id_}` | `{address}` | {note} |\n" for id_, (address, note) in sorted(rows.items())
    )
    absent = "".join(f"| `{id_}` | `{address}` |\n" for id_, address in sorted(NOT_HERE.items()))
    counts = {"all": len(rows) + len(NOT_HERE), "here": len(rows), "absent": len(NOT_HERE)}
    return _OPERATIONS.format(**counts, rows=here, others=absent)


if __name__ == "__main__":
    PATH.write_text(commands_page(), "utf-8")
    OPERATIONS_PATH.write_text(operations_page(), "utf-8")
