"""The hooks of this distribution: ``neonup new``."""

from __future__ import annotations

from neonup import Command, hookimpl


@hookimpl
def neonup_commands() -> list[Command]:
    """The one command."""
    return [Command("new", "neonup_templates.cli:new", "Create a new project from a template.")]
