"""The hooks of this distribution: ``neonup mcp``."""

from __future__ import annotations

from neonup import Command, hookimpl


@hookimpl
def neonup_commands() -> list[Command]:
    """The server, and its installation in editors."""
    return [Command("mcp", "neonup_mcp.cli:mcp", "Give a coding agent the project's database.")]
