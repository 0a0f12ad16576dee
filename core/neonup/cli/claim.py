"""``claim``: let somebody take the database into their account."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import click

from neonup.cli import options, output
from neonup.database import ClaimOffer, State
from neonup.errors import DatabaseExpired, NeonupError, ServiceError
from neonup.provider import Provider
from neonup.start import claim as claims
from neonup.start.renewal import renew


@click.command()
@options.database_options
@click.option("--no-open", is_flag=True, help="Print the link without opening a browser.")
@click.option("--no-wait", is_flag=True, help="Do not wait until a code was used.")
@output.json_option
def claim(no_open: bool, no_wait: bool, **arguments: Any) -> None:
    """Open the claim link of the project's database.

    Where the page asks for a code, print it and wait until somebody has claimed the database.
    """
    start = options.change(**arguments)
    database = options.recorded(start)
    offer = claims.offer(start, database)
    _say(offer)
    if output.wants_json():
        return
    if not no_open:
        _open(offer.url)
    if offer.interval and not no_wait:
        output.progress("Waiting until somebody has claimed it")
        _wait(start.provider(database), offer, offer.interval)
        renew(start.settings, database, offer.database.claimed())
        click.echo(f"The database has been claimed, and its old password is dead. {claims.ADOPT}")


def _say(offer: ClaimOffer) -> None:
    if output.wants_json():
        shown: dict[str, str] = {"claim_url": offer.url}
        if offer.code:
            shown["code"] = offer.code
        if offer.interval and offer.expires_at:
            shown["expires_at"] = offer.expires_at.isoformat()
        output.emit(shown)
        return
    if offer.code:
        until = f", good until {offer.expires_at:%H:%M} UTC" if offer.expires_at else ""
        click.echo(f"code: {offer.code}{until}")
    click.echo(offer.url)


def _wait(provider: Provider, offer: ClaimOffer, interval: float) -> None:
    """Look until the database is somebody's."""
    failed: ServiceError | None = None
    while True:
        time.sleep(interval)
        over = offer.expires_at is not None and datetime.now(UTC) >= offer.expires_at
        try:
            seen = provider.inspect(offer.database)
        except ServiceError as error:  # for a moment, perhaps: the claim goes on meanwhile
            if over:
                raise
            failed = error
            continue
        if seen.state is State.CLAIMED:
            return
        if seen.state in (State.EXPIRED, State.MISSING):
            raise DatabaseExpired(
                "The database has ended without being claimed.",
                remedy="`neonup --force` creates a new one.",
            )
        so_far = seen.detail.get("claim")
        if so_far != "accepted" and (over or so_far == "expired"):
            raise NeonupError(
                "Nobody has used the code in time, or another one has replaced it.",
                checked=() if failed is None else (failed.message,),
                remedy="`neonup claim` gives a new one.",
            )


def _open(link: str) -> None:
    import webbrowser

    if not webbrowser.open(link):
        click.echo("No browser could be opened. Open the link yourself.", err=True)
