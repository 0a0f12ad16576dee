"""The command line: ``neonup``, its built-in commands, and those of plugins."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from neonup import extras, progress
from neonup.cli import output, progress_line
from neonup.cli.groups import CommandGroup
from neonup.contributions import SECTIONS, Command
from neonup.errors import NeonupError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMANDS = tuple(
    Command(name, target, text, section)
    for section, name, target, text in (
        ("Database", "up", "neonup.cli.up:up",
         "Find the project's database, or create one and write .env."),
        ("Database", "status", "neonup.cli.show:status",
         "Show the database, its state and its expiry."),
        ("Database", "url", "neonup.cli.show:url", "Print the connection URL, password included."),
        ("Database", "env", "neonup.cli.show:env", "Print the variables for a shell."),
        ("Database", "run", "neonup.cli.run:run",
         "Run a command with the database's variables set."),
        ("Database", "psql", "neonup.cli.run:psql", "Open psql on the project's database."),
        ("Database", "destroy", "neonup.cli.life:destroy",
         "Delete the database, and its lines in .env."),
        ("Data", "reset", "neonup.cli.life:reset", "Delete the data and start over."),
        ("Data", "fork", "neonup.cli.life:fork", "Give this folder a copy of the database."),
        ("Versions", "versions", "neonup.cli.versions:versions",
         "Keep and restore versions of the data."),
        ("Versions", "undo", "neonup.cli.versions:undo",
         "Bring the database back to its newest version."),
        ("Neon account", "claim", "neonup.cli.claim:claim",
         "Take the database into a Neon account."),
        ("Tools", "init", "neonup_init.cli:init", "Propose settings that fit the project's code."),
        ("Tools", "completion", "neonup.cli.completion:completion",
         "Print what completes commands in bash, zsh or fish."),
        ("Tools", "doctor", "neonup.cli.doctor:doctor",
         "Show what is wrong, and what would be used."),
    )
)  # fmt: skip
"""The core's own commands, in the order of their sections in ``neonup --help``."""

_BROUGHT = {
    ("cloud", "Data"): ("push", "pull"),
    ("cloud", "Neon account"): ("adopt", "auth", "branches", "projects", "snapshots", "usage"),
    ("cloud", "Platform"): ("claimable", "fleet"),
    ("emulator", "This machine"): ("serve",),
    ("inspect", "Database"): ("inspect",),
    ("local", "This machine"): ("engine", "list", "logs", "prune", "stop"),
    ("mcp", "Tools"): ("mcp",),
    ("studio", "Data"): ("studio",),
    ("templates", "Tools"): ("new",),
}
EXTRAS = {name: extra for (extra, _), names in _BROUGHT.items() for name in names}
"""Which extra brings a command that is not installed."""

ALIASES = {"down": "stop"}
"""Names that do not show in the help: who types ``up`` tries ``down``."""


class Neonup(CommandGroup):
    """Finds commands by name, ``up`` where none is named, and prints neonup's errors."""

    _offered: dict[str, Command] | None = None

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [command.name for command in self._installed()]

    def known(self, ctx: click.Context) -> list[str]:
        return [*self.list_commands(ctx), *EXTRAS, *ALIASES]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command of the core or of a plugin, imported; None: nobody offers it."""
        for command in COMMANDS:
            if command.name == cmd_name:
                return command.load()
        name = cmd_name if cmd_name in self._plugged_in() else ALIASES.get(cmd_name, cmd_name)
        if (plugged_in := self._plugged_in().get(name)) is not None:
            return plugged_in.load()
        if (extra := EXTRAS.get(name)) is not None and not ctx.resilient_parsing:
            raise NeonupError(
                f"The command {cmd_name!r} comes with neonup-{extra}.",
                remedy=extras.install_or_use(extra),
            )
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands by section, without importing them, and those that an extra brings."""
        installed = self._installed()
        names = [command.name for command in installed]
        missing = [
            Command(name, "", f"Not installed: {extras.install(extra)}", section)
            for (extra, section), brought in _BROUGHT.items()
            for name in brought
            if name not in names
        ]
        width = max(map(len, [*names, *EXTRAS]))
        for section in SECTIONS:
            rows = [
                (command.name.ljust(width), command.help)
                for command in (*installed, *missing)
                if _section(command) == section
            ]
            with formatter.section(section):
                formatter.write_dl(rows)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments; ``neonup -y`` is ``neonup up -y``."""
        ctx.meta[output.JSON] = (
            "--json" in args[: args.index("--")] if "--" in args else ("--json" in args)
        )
        if args:
            named = not args[0].startswith("-") or args[0] in ("--help", "--version")
        else:
            named = ctx.resilient_parsing  # the shell completes the command itself
        if not named:
            args = ["up", *args]
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        """The commands, not imported, and the group's own options."""
        from click.shell_completion import CompletionItem

        own = click.Command.shell_complete(self, ctx, incomplete)
        return own + [
            CompletionItem(command.name, help=command.help)
            for command in self._installed()
            if command.name.startswith(incomplete)
        ]

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an error of neonup's is printed and ends with status 1."""
        output.prepare()
        progress.show_with(progress_line.show)
        try:
            return super().invoke(ctx)
        except NeonupError as error:
            output.fail(error)
            ctx.exit(1)

    def _installed(self) -> list[Command]:
        """All commands, in the order of their sections."""
        every = (*COMMANDS, *self._plugged_in().values())
        return sorted(every, key=lambda command: SECTIONS.index(_section(command)))

    def _plugged_in(self) -> dict[str, Command]:
        """The commands that plugins offer, by name; of two with one name the first counts."""
        if self._offered is None:
            from neonup.plugins import create_plugin_manager

            self._offered = {}
            for commands in create_plugin_manager().hook.neonup_commands():
                for command in commands:
                    self._offered.setdefault(command.name, command)
        return self._offered


def _section(command: Command) -> str:
    return command.section if command.section in SECTIONS else SECTIONS[-1]


@click.group(cls=Neonup, context_settings={"help_option_names": ["--help"]})
@click.version_option(package_name="neonup", message="%(prog)s %(version)s")
def cli() -> None:
    """A real Postgres database for this project, the moment it is needed.

    Without a command: find the project's database or create one, and write .env.
    """


def main(args: Sequence[str] | None = None) -> None:
    """The entry point of ``neonup`` and ``python -m neonup``."""
    cli.main(args=list(sys.argv[1:] if args is None else args), prog_name="neonup")
