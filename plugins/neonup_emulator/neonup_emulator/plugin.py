"""The hooks of this distribution: ``neonup serve``, and its servers on this machine."""

from __future__ import annotations

from neonup import Command, hookimpl
from neonup_local.servers import Servers


@hookimpl
def neonup_commands() -> list[Command]:
    """The local Neon's server."""
    return [
        Command(
            "serve", "neonup_emulator.serve:serve", "Run a Neon on this machine.", "This machine"
        )
    ]


@hookimpl
def neonup_servers() -> list[type[Servers]]:
    """The servers of its branches."""
    from neonup_emulator.neon.overview import NeonServers

    return [NeonServers]
