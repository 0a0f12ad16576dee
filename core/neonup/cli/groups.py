"""Commands and choices, which name the right one where a word is misspelt."""

from __future__ import annotations

from typing import Any

import click

from neonup.options import closest


class Choice(click.Choice):  # type: ignore[type-arg]  # which click below 8.2 has not
    """As click's, but what is none of the choices is answered with the one that it resembles."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The choice that an argument names."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter as error:
            if close := closest(str(value), map(str, self.choices)):
                self.fail(f"{error.message} Did you mean {close!r}?", param, ctx)
            raise


class CommandGroup(click.Group):
    """As click's, but a misspelt command is answered with the one that it resembles.

    Click does so since 8.4, for commands that are known without being loaded.
    """

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the first argument names."""
        name = args[0]
        if (
            not (ctx.resilient_parsing or name.startswith("-"))
            and self.get_command(ctx, name) is None
        ):
            close = closest(name, self.known(ctx))
            ctx.fail(f"No such command {name!r}.{f' Did you mean {close!r}?' if close else ''}")
        return super().resolve_command(ctx, args)

    def known(self, ctx: click.Context) -> list[str]:
        """The names that may have been meant."""
        return self.list_commands(ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, each with its whole first sentence."""
        loaded = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [
            (name, command.get_short_help_str(limit=1000))
            for name, command in loaded
            if command is not None
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
