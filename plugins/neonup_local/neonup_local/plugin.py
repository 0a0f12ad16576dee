"""The hooks of this distribution: the provider ``local`` and its commands."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from neonup import Command, Provider, Settings, hookimpl
from neonup.plugin.hooks import Finding


@hookimpl
def neonup_providers() -> list[type[Provider]]:
    """Local."""
    from neonup_local.provider import LocalProvider

    return [LocalProvider]


@hookimpl
def neonup_commands() -> list[Command]:
    """The commands about the databases of this machine."""
    return [
        Command(name, f"neonup_local.{target}", text, "This machine")
        for name, target, text in (
            ("list", "cli:list_", "Show every database on this machine."),
            ("logs", "cli:logs", "Print what the project's Postgres logged."),
            ("stop", "cli:stop", "Stop the project's Postgres; its data is kept."),
            ("engine", "engine_commands:engine", "Which Postgres, and another one."),
            ("prune", "cli:prune", "Delete databases that nobody can miss."),
        )
    ]


@hookimpl
def neonup_doctor(settings: Settings, verbose: bool) -> Iterator[Finding]:
    """What the project needs of its Postgres, beside what its engine has."""
    from neonup_local.doctor import extensions, findings

    yield from findings(settings)
    if verbose:
        yield extensions(settings)


@hookimpl
def neonup_run_test(settings: Settings, command: Sequence[str]) -> int:
    """On a server of its own."""
    from neonup_local import throwaway

    return throwaway.run(settings, command)


@hookimpl
def neonup_tls_tunnel() -> list[str]:
    """For the client programs of the default engine, which know no TLS."""
    return [sys.executable, "-m", "neonup_local.tunnel"]
