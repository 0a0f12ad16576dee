"""The hooks of this distribution: the provider ``local`` and its commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neonup import Provider, hookimpl

if TYPE_CHECKING:
    import click


@hookimpl
def neonup_providers() -> list[type[Provider]]:
    """Local."""
    from neonup_local.provider import LocalProvider

    return [LocalProvider]


@hookimpl
def neonup_commands(group: click.Group) -> None:
    """The commands about the databases of this machine, and ``serve``."""
    from neonup_emulator.serve import serve
    from neonup_local import cli

    for command in (*cli.COMMANDS, serve):
        group.add_command(command)
