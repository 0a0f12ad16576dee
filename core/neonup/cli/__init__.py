"""The command line: ``neonup``, its built-in commands, and those of plugins."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click

from neonup import extras
from neonup.cli import output
from neonup.contributions import Command
from neonup.errors import NeonupError

COMMANDS = (
    Command("up", "neonup.cli.up:up", "Find the project's database, or create one and write .env."),
    Command("init", "neonup_init.cli:init", "Propose settings that fit the project's code."),
    Command("status", "neonup.cli.show:status", "Show the database, its state and its expiry."),
    Command("url", "neonup.cli.show:url", "Print the connection URL, password included."),
    Command("env", "neonup.cli.show:env", "Print the variables for a shell."),
    Command("claim", "neonup.cli.claim:claim", "Take the database into a Neon account."),
    Command("run", "neonup.cli.run:run", "Run a command with the database's variables set."),
    Command("psql", "neonup.cli.run:psql", "Open psql on the project's database."),
    Command("reset", "neonup.cli.life:reset", "Delete the data and start over."),
    Command("fork", "neonup.cli.life:fork", "Give this folder a copy of the database."),
    Command("destroy", "neonup.cli.life:destroy", "Delete the database, and its lines in .env."),
    Command("versions", "neonup.cli.versions:versions", "Keep and restore versions of the data."),
    Command("undo", "neonup.cli.versions:undo", "Bring the database back to its newest version."),
    Command("doctor", "neonup.cli.doctor:doctor", "Show what would be used, and what is wrong."),
)
"""The core's own commands, in the order of ``neonup --help``."""

EXTRAS = {
    **dict.fromkeys(
        (
            *("adopt", "auth", "branches", "claimable", "fleet", "projects", "pull", "push"),
            *("snapshots", "usage"),
        ),
        "cloud",
    ),
    **dict.fromkeys(("down", "engine", "list", "logs", "prune", "stop"), "local"),
    **dict.fromkeys(("mcp",), "mcp"),
    **dict.fromkeys(("new",), "templates"),
    **dict.fromkeys(("serve",), "emulator"),
}
"""Which extra brings a command that is not installed."""


class Group(click.Group):
    """Finds commands by name, ``up`` where none is named, and prints neonup's errors."""

    _offered: dict[str, Command] | None = None

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [command.name for command in (*COMMANDS, *self._plugged_in().values())]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command of the core or of a plugin, imported; None: nobody offers it."""
        for command in COMMANDS:
            if command.name == cmd_name:
                return command.load()
        if (plugged_in := self._plugged_in().get(cmd_name)) is not None:
            return plugged_in.load()
        if (extra := EXTRAS.get(cmd_name)) is not None:
            raise NeonupError(
                f"The command {cmd_name!r} comes with neonup-{extra}.",
                remedy=extras.install_or_use(extra),
            )
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing them."""
        rows = [
            (command.name, command.help) for command in (*COMMANDS, *self._plugged_in().values())
        ]
        missing = [name for name in EXTRAS if name not in dict(rows)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
        if missing:
            with formatter.section("Not installed"):
                formatter.write_dl([(name, extras.install(EXTRAS[name])) for name in missing])

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

    def _plugged_in(self) -> dict[str, Command]:
        """The commands that plugins offer, by name; of two with one name the first counts."""
        if self._offered is None:
            from neonup.plugins import create_plugin_manager

            self._offered = {}
            for commands in create_plugin_manager().hook.neonup_commands():
                for command in commands:
                    self._offered.setdefault(command.name, command)
        return self._offered


@click.group(cls=Group, context_settings={"help_option_names": ["--help"]})
@click.version_option(package_name="neonup", message="%(prog)s %(version)s")
def cli() -> None:
    """A real Postgres database for this project, the moment it is needed.

    Without a command: find the project's database or create one, and write .env.
    """


def main(args: Sequence[str] | None = None) -> None:
    """The entry point of ``neonup`` and ``python -m neonup``."""
    cli.main(args=list(sys.argv[1:] if args is None else args), prog_name="neonup")
