"""The command line: ``neonup``, its built-in commands, and those of plugins."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import Any

import click

from neonup import extras
from neonup.cli import output
from neonup.errors import NeonupError

COMMANDS = {
    "up": "neonup.cli.up",
    "status": "neonup.cli.show",
    "url": "neonup.cli.show",
    "env": "neonup.cli.show",
    "claim": "neonup.cli.claim",
    "adopt": "neonup.cli.adopt",
    "run": "neonup.cli.run",
    "psql": "neonup.cli.run",
    "auth": "neonup.cli.auth",
    "new": "neonup.cli.new",
    "push": "neonup.cli.push",
    "pull": "neonup.cli.pull",
    "reset": "neonup.cli.life",
    "destroy": "neonup.cli.life",
    "fork": "neonup.cli.life",
    "projects": "neonup.cli.projects",
    "branches": "neonup.cli.branches",
    "snapshots": "neonup.cli.snapshots",
    "usage": "neonup.cli.usage",
    "fleet": "neonup.cli.fleet",
    "versions": "neonup.cli.versions",
    "undo": "neonup.cli.versions",
    "mcp": "neonup.cli.mcp",
    "doctor": "neonup.cli.doctor",
}
"""Where the core's commands are; each is imported only when it is called."""

_OF_LOCAL = ("down", "list", "logs", "prune", "serve", "stop")


class Group(click.Group):
    """Finds commands lazily, ``up`` where none is named, and prints neonup's errors."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The core's commands in their order, then those of plugins."""
        self._load_plugins()
        return [*COMMANDS, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """A command of the core, or of a plugin."""
        if name in COMMANDS:
            command: click.Command = getattr(importlib.import_module(COMMANDS[name]), name)
            return command
        self._load_plugins()
        found = super().get_command(ctx, name)
        if found is None and name in _OF_LOCAL:
            raise NeonupError(
                f"The command {name!r} comes with neonup-local.",
                remedy=extras.install("local"),
            )
        return found

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments; ``neonup -y`` is ``neonup up -y``."""
        ctx.meta[output.JSON] = (
            "--json" in args[: args.index("--")] if "--" in args else ("--json" in args)
        )
        if not args or (args[0].startswith("-") and args[0] not in ("--help", "--version")):
            args = ["up", *args]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an error of neonup's is printed and ends with status 1."""
        output.prepare()
        try:
            return super().invoke(ctx)
        except NeonupError as error:
            output.fail(error)
            ctx.exit(1)

    def _load_plugins(self) -> None:
        if self.commands:
            return
        from neonup.plugins import create_plugin_manager

        create_plugin_manager().hook.neonup_commands(group=self)


@click.group(cls=Group, context_settings={"help_option_names": ["--help"]})
@click.version_option(package_name="neonup", message="%(prog)s %(version)s")
def cli() -> None:
    """A real Postgres database for this project, the moment it is needed.

    Without a command: find the project's database or create one, and write .env.
    """


def main(args: Sequence[str] | None = None) -> None:
    """The entry point of ``neonup`` and ``python -m neonup``."""
    cli.main(args=list(sys.argv[1:] if args is None else args), prog_name="neonup")
