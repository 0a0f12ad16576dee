"""``claim``: open the link that moves the database into somebody's account."""

from __future__ import annotations

from typing import Any

import click

from neonup.cli import options, output
from neonup.database import State
from neonup.errors import DatabaseClaimed, DatabaseExpired, NeonupError


@click.command()
@options.database_options
@click.option("--no-open", is_flag=True, help="Print the link without opening a browser.")
@output.json_option
def claim(no_open: bool, **arguments: Any) -> None:
    """Open the claim link of the project's database."""
    start = options.start(**arguments)
    database = options.ours(start)
    if start.provider(database).local:
        raise NeonupError(
            "A local database is yours already: it never expires and has no claim link.",
            remedy="`neonup push` moves it to Neon.",
        )
    seen = start.provider(database).inspect(database)
    if seen.state is State.CLAIMED:
        raise DatabaseClaimed(
            "The database has been claimed already.",
            remedy="Its connection string is in its owner's Neon account.",
        )
    if seen.state in (State.EXPIRED, State.MISSING):
        raise DatabaseExpired(
            "The database has expired and can no longer be claimed.",
            remedy="`neonup --force` creates a new one.",
        )
    link = seen.database.claim_url
    if link is None:
        raise NeonupError(f"No claim link is known for the {database.provider} database.")
    if output.wants_json():
        output.emit({"claim_url": link})
    else:
        click.echo(link)
    if not no_open and not output.wants_json():
        _open(link)


def _open(link: str) -> None:
    import webbrowser

    if not webbrowser.open(link):
        click.echo("No browser could be opened. Open the link yourself.", err=True)
