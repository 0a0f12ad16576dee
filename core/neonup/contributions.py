"""What plugins' hooks return beside providers: commands, and lines of ``doctor``."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import click


SECTIONS = ("Database", "Data", "Versions", "Neon account", "Platform", "This machine", "Tools")
"""The sections of ``neonup --help``, in its order."""


@dataclass(frozen=True)
class Command:
    """A command of ``neonup``: its module is imported when somebody calls it, not for ``--help``.

    Args:
        name: as it is typed.
        target: where its click command is: ``package.module:attribute``.
        help: its line in ``neonup --help``.
        section: under which of `SECTIONS` that line is; under the last one where it is none of
            them.
    """

    name: str
    target: str
    help: str
    section: str = SECTIONS[-1]

    def load(self) -> click.Command:
        """Import it."""
        module, _, attribute = self.target.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Args:
        topic: what was looked at.
        text: what was found.
        remedy: what to do about it; None if nothing is wrong.
    """

    topic: str
    text: str
    remedy: str | None = None
