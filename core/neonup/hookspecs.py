"""The hooks of neonup, in the order in which they are called.

A plugin is a module (or object) named in the entry-point group ``neonup`` that has functions of
these names, each marked with ``@neonup.hookimpl``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pluggy

from neonup.contributions import Command, Finding
from neonup.database import Database
from neonup.provider import Provider
from neonup.settings import Settings

hookspec = pluggy.HookspecMarker("neonup")


@hookspec
def neonup_providers() -> Iterable[type[Provider]]:  # type: ignore[empty-body]
    """Return provider classes. Called once, before a provider is chosen.

    Two providers of one name are an error that names both plugins.
    """


@hookspec(firstresult=True)
def neonup_development(argv: Sequence[str]) -> str | None:
    """Return what says that this process is development, in words; None: nothing.

    Called where a database is to be created and nothing that the core knows says so: not with
    ``NEONUP=off`` or in production, which forbid it. The first answer counts.
    """


@hookspec
def neonup_creating(settings: Settings) -> Iterable[str]:  # type: ignore[empty-body]
    """Return what a person should know before a project's first database is created, in lines."""


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


@hookspec(firstresult=True)
def neonup_claimed(settings: Settings) -> Database | None:
    """Write the new URL of a database that was claimed into ``.env``.

    Called by ``neonup claim`` once it has seen the claim; the record names the database by its
    `neonup.Database.before_claim`. What is raised is said, and what to do. The first answer counts.

    Returns:
        The database as it is recorded now; None: the plugin does not know its owner's account.
    """


@hookspec
def neonup_commands() -> Iterable[Command]:  # type: ignore[empty-body]
    """Return commands of the ``neonup`` command line.

    Called when a command is asked for that the core does not have, and for ``--help``. A command's
    module is imported when the command is called.
    """


@hookspec(firstresult=True)
def neonup_tls_tunnel() -> Sequence[str] | None:
    """Return a command that runs a client program through a tunnel with TLS; None: nothing.

    Called where a psql or a pg_dump that knows no TLS has to reach a server by it. The program and
    its arguments are appended to the command. libpq's variables tell it where to connect and what
    to verify. The first answer counts.
    """


@hookspec(firstresult=True)
def neonup_run_test(settings: Settings, command: Sequence[str]) -> int | None:
    """Run a command with a throwaway database that has the project's schema.

    Called by ``neonup run --test``. The first answer counts.

    Returns:
        The command's exit status, once the database is gone.
    """


@hookspec
def neonup_servers() -> Iterable[type[Any]]:  # type: ignore[empty-body]
    """Return what else runs on this machine, for ``neonup list``, ``stop --all`` and ``prune``.

    Called by these commands, which are ``neonup-local``'s. Each class is one of its
    ``neonup_local.servers.Servers``, and is made with the folder of neonup's state.
    """


@hookspec
def neonup_doctor(settings: Settings, verbose: bool) -> Iterable[Finding]:  # type: ignore[empty-body]
    """Return more lines for ``neonup doctor``; nothing is started or created for them.

    Args:
        settings: the project's.
        verbose: whether all is wanted that is known; an implementation need not have it.
    """


@hookspec
def neonup_mcp_tools(server: Any, database: Callable[[], Database], allow_writes: bool) -> None:
    """Add tools to the MCP server of ``neonup mcp``. Called once, when it starts.

    Args:
        server: the SDK's ``MCPServer``; use its ``add_tool``.
        database: the project's database, woken where need be; it may block.
        allow_writes: whether tools may change or delete something.
    """
