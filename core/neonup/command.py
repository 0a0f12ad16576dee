"""What a command of ``neonup`` is before it is imported."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import click


@dataclass(frozen=True)
class Command:
    """A command of ``neonup``: its module is imported when somebody calls it, not for ``--help``.

    Args:
        name: as it is typed.
        target: where its click command is: ``package.module:attribute``.
        help: its line in ``neonup --help``.
    """

    name: str
    target: str
    help: str

    def load(self) -> click.Command:
        """Import it."""
        module, _, attribute = self.target.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command
