"""The hooks of this distribution: ``neonup inspect``."""

from __future__ import annotations

from neonup import Command, hookimpl


@hookimpl
def neonup_commands() -> list[Command]:
    """The command."""
    text = "Show what is worth a look in the database."
    return [Command("inspect", "neonup_inspect.cli:inspect", text, "Database")]
