"""The pages that are made from the code: ``python -m tests.docs.reference`` writes them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from neonup.cli import EXTRAS, cli
from neonup.platforms import NAMES, Capability
from neonup_emulator.api.v2.not_here import NOT_HERE
from neonup_emulator.api.v2.operations import OPERATIONS
from neonup_emulator.api.v2.routes import routes
from tests.docs import answers
from tests.release.building import PACKAGE_FOLDERS

_DOCS = Path(__file__).parents[2] / "docs"
PATH = _DOCS / "commands.md"
OPERATIONS_PATH = _DOCS / "neon-operations.md"
JSON_PATH = _DOCS / "json.md"
SCHEMA_PATH = _DOCS / "json-schema.json"
PLATFORMS_PATH = _DOCS / "operating-systems.md"
_INTRODUCTION = """\
# Commands

Every command's `--help`; `make reference` writes this page. Commands that answer take `--json`, and
then the answer, of a type that is named here, is all that is on standard output. Errors are a few
lines on standard error and status 1; with `--json` they are JSON, too. Some come with an extra,
which the error of a missing one names: {extras}.

`eval "$(neonup completion bash)"` in `~/.bashrc` completes commands, options, versions, engines, a
fleet's tiers, and those Neon branches that this machine has recorded; nothing is started or asked
for that. zsh: the same in `~/.zshrc`, after `compinit`; fish: `neonup completion fish >
~/.config/fish/completions/neonup.fish`.

What takes longer than a second at a terminal (a push or a pull, a copy of a database or of an
engine, a fleet's migration) shows on standard error what is done, how much of it, and the time that
is left, in one line that is gone in the end; where standard error is no terminal a plain line says
so after ten seconds, and then every thirty.
"""

_JSON = """\
# What `--json` prints

The answers of all commands, in TypeScript's notation; [json-schema.json](json-schema.json) has the
same as JSON Schema. `make reference` writes both, and tests compare them with what commands print.
A command prints one document and nothing else on standard output. Moments are ISO 8601 with an
offset, sizes are bytes, and no password is masked. New versions may add fields. What Neon's API
answered is passed on under Neon's own names.

| command | prints |
| --- | --- |
{rows}
A command that fails prints [Failure](#failure), and its status is 1.
{types}"""

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

_PLATFORMS = """\
# Linux, macOS and Windows

neonup does the same on each of them, except for what is named here. `make reference` writes this
page from the tables in the code (`platforms.py` in each package), from which the errors come, too.

## What is tested where

- **Linux**, on x86-64: all of it, by every run of the tests.
- **macOS and Windows**: types are checked for them (`make lint`), and so are the refusals below, by
  tests that tell neonup it is there. Nothing has been run there so far. A workflow for GitHub
  (`.github/workflows`) is ready to run the suite on both. The user of GitHub's Windows machines is
  an administrator: local databases will be refused there.
- The wheels of neonup-postgres for other platforms are checked by their contents.

## What cannot be done

It ends with an error that says so, and what to do instead.

| | {names} | instead |
| --- | {lines} | --- |
{refused}
## What is done in another way

| | {names} | elsewhere |
| --- | {lines} | --- |
{different}"""


def capabilities() -> dict[str, tuple[Capability, ...]]:
    """What each package says of platforms, by its name."""
    return {
        package: import_module(f"{package}.platforms").CAPABILITIES
        for package, folder in PACKAGE_FOLDERS.items()
        if (folder / "platforms.py").is_file()
    }


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
    path = context.command_path
    name = path.removeprefix("neonup").strip()
    prints = f"\n`--json` prints {_linked(name, 'json.md')}.\n" if name in answers.ANSWERS else ""
    yield path, f"```text\n{command.get_help(context).strip()}\n```\n{prints}"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            if (child := command.get_command(context, name)) is not None:
                below = click.Context(child, context, name, terminal_width=88)
                yield from _helps(child, below)


def commands_page() -> str:
    """The page as it should be."""
    helps = _helps(cli, click.Context(cli, info_name="neonup", terminal_width=88))
    parts = [f"\n## {path}\n\n{text}" for path, text in helps]
    return _INTRODUCTION.format(extras=_extras()) + "".join(parts)


def _linked(command: str, page: str = "") -> str:
    """What a command prints, with links to the types."""
    texts = map(_notation, answers.schema()["commands"][command]["anyOf"])
    linked = [
        re.sub(r"^([A-Z]\w*)", lambda name: f"[{name[0]}]({page}#{name[0].lower()})", text)
        if text[0].isupper()
        else f"`{text}`"
        for text in texts
    ]
    return " or ".join(linked)


def _notation(node: dict[str, Any]) -> str:
    """A type of JSON Schema in TypeScript's notation."""
    if "$ref" in node:
        return str(node["$ref"]).rpartition("/")[2]
    if "anyOf" in node:
        return " | ".join(map(_notation, node["anyOf"]))
    if "enum" in node:
        return " | ".join(map(json.dumps, node["enum"]))
    if node.get("type") == "array":
        return f"{_notation(node['items'])}[]"
    if node.get("type") == "object":
        return f"{{[name: string]: {_notation(node.get('additionalProperties') or {})}}}"
    return {"integer": "number", "": "any"}.get(node.get("type", ""), str(node.get("type")))


def _type(name: str, definition: dict[str, Any]) -> str:
    fields = "".join(
        f"  {field}{'' if field in definition.get('required', ()) else '?'}: {_notation(node)};\n"
        for field, node in definition["properties"].items()
    )
    about = definition.get("description", "").partition("\n\n")[0].replace("``", "`")
    return f"\n## {name}\n\n{about}\n\n```text\n{{\n{fields}}}\n```\n"


def json_page() -> str:
    """The page about answers as it should be."""
    rows = "".join(f"| `{name}` | {_linked(name)} |\n" for name in answers.ANSWERS)
    types = "".join(_type(*definition) for definition in answers.schema()["$defs"].items())
    return _JSON.format(rows=rows, types=types)


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


def _platform_rows(table: Iterable[Capability]) -> str:
    rows = []
    for capability in table:
        marks = " | ".join("yes" if platform in capability.on else "no" for platform in NAMES)
        rows.append(f"| {capability.what} | {marks} | {capability.instead} |\n")
    return "".join(rows)


def platforms_page() -> str:
    """The page about platforms as it should be."""
    table = [capability for each in capabilities().values() for capability in each]
    return _PLATFORMS.format(
        names=" | ".join(NAMES.values()),
        lines=" | ".join("---" for _ in NAMES),
        refused=_platform_rows(one for one in table if one.cannot),
        different=_platform_rows(one for one in table if not one.cannot),
    )


if __name__ == "__main__":
    PATH.write_text(commands_page(), "utf-8")
    OPERATIONS_PATH.write_text(operations_page(), "utf-8")
    JSON_PATH.write_text(json_page(), "utf-8")
    PLATFORMS_PATH.write_text(platforms_page(), "utf-8")
    SCHEMA_PATH.write_text(json.dumps(answers.schema(), indent=1) + "\n", "utf-8")
