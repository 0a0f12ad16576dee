"""The hooks of this distribution: ``neonup studio``."""

from __future__ import annotations

from neonup import Command, hookimpl


@hookimpl
def neonup_commands() -> list[Command]:
    """The command."""
    return [
        Command(
            "studio", "neonup_studio.cli:studio", "Look into the database in a browser.", "Data"
        )
    ]
