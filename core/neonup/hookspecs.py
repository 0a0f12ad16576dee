"""The hooks of neonup, in the order in which they are called.

A plugin is a module (or object) named in the entry-point group ``neonup`` that has functions of
these names, each marked with ``@neonup.hookimpl``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import pluggy

from neonup.database import Database
from neonup.provider import Provider

if TYPE_CHECKING:
    import click

hookspec = pluggy.HookspecMarker("neonup")


@hookspec
def neonup_providers() -> Iterable[type[Provider]]:  # type: ignore[empty-body]
    """Return provider classes. Called once, before a provider is chosen.

    Two providers of one name are an error that names both plugins.
    """


@hookspec
def neonup_env(database: Database) -> Mapping[str, str]:  # type: ignore[empty-body]
    """Return more variables to write beside the URL.

    Called after a database was created and recorded in ``.env``, so that a failure here loses no
    URL; never for one that was found. An exception is reported and stops the start, and the next
    start calls it again.

    Args:
        database: the new database; it answers.
    """


@hookspec
def neonup_ready(database: Database, created: bool) -> None:
    """Migrate, notify, warm up: the database answers and ``os.environ`` has its URL.

    Called after a database was created or woken; not for one that was found running, since that
    path runs at every start and loads no plugin. It is called again at the next start when the
    process was killed before it returned. An exception is reported and stops the start.

    What it calls may ask for the database itself: in its thread, awaited, or in a process that it
    starts. Another thread waits until it has returned.

    Args:
        database: the database.
        created: True where it is new (also where it replaces one that expired or was lost).
    """


@hookspec
def neonup_commands(group: click.Group) -> None:
    """Add commands to the ``neonup`` command line.

    Called when a command is asked for that the core does not have, and for ``--help``.

    Args:
        group: the root group; use ``group.add_command``.
    """
