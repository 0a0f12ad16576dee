"""The hooks of this distribution: ``neonup serve``."""

from __future__ import annotations

from neonup import Command, hookimpl


@hookimpl
def neonup_commands() -> list[Command]:
    """The local Neon's server."""
    return [Command("serve", "neonup_emulator.serve:serve", "Run a Neon on this machine.")]
