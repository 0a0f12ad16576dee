"""``claim``: let somebody take the database into their account."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from typing import Any

import click

from neonup.cli import options, output
from neonup.database import ClaimOffer, Database
from neonup.errors import ClaimInProgress, NeonupError, ServiceError
from neonup.provider import Provider
from neonup.start import announce
from neonup.start import claim as claims
from neonup.start.flow import Start
from neonup.start.renewal import renew

_INTERVAL = 5.0  # seconds, where a claim is waited for whose code somebody else has asked for


@click.command()
@options.database_options
@click.option("--no-open", is_flag=True, help="Print the link without opening a browser.")
@click.option(
    "--wait/--no-wait",
    default=None,
    help="Whether to wait until a code was used; by itself only at a terminal.",
)
@output.json_option
def claim(no_open: bool, wait: bool | None, **arguments: Any) -> None:
    """Let somebody take the project's database into their Neon account.

    Open the page for that. Where it asks for a code, print one, and wait until the database has
    been claimed; a code that was not used in time is followed by another. In the end .env gets the
    new URL, if their account is signed in here. Ctrl-C ends no more than the waiting.
    """
    start = options.change(**arguments)
    database = options.recorded(start)
    waits = (sys.stdout.isatty() if wait is None else wait) and not output.wants_json()
    try:
        is_claimed = _offer(start, database, opens=not no_open, waits=waits)
    except KeyboardInterrupt:
        announce.tell("It can still be claimed: `neonup status` tells how far that is.")
        raise click.exceptions.Exit(130) from None
    if is_claimed:
        renew(start.settings, database, database.claimed())
        _adopt(start)


def _offer(start: Start, database: Database, *, opens: bool, waits: bool) -> bool:
    """Say how it is claimed; returns whether that was waited for."""
    offer = None
    try:
        offer = claims.offer(start, database)
    except ClaimInProgress as error:
        if not waits:
            raise
        announce.tell(error.message)
    else:
        _say(offer)
        if opens and not output.wants_json():
            _open(offer.url)
        if not waits or offer.interval is None:
            return False
    _wait(start.provider(database), database, offer)
    return True


def _say(offer: ClaimOffer) -> None:
    if output.wants_json():
        until = offer.expires_at.isoformat() if offer.interval and offer.expires_at else None
        shown = {"claim_url": offer.url, "code": offer.code, "expires_at": until}
        shown["effect"] = offer.effect
        output.emit({name: value for name, value in shown.items() if value})
        return
    if offer.effect:
        announce.tell(offer.effect)
    if offer.code:
        until = f", good{_until(offer.expires_at)}" if offer.expires_at else ""
        click.echo(f"code: {offer.code}{until}")
    click.echo(offer.url)


def _until(moment: datetime | None) -> str:
    return f" until {moment:%H:%M} UTC" if moment else ""


def _wait(provider: Provider, database: Database, offer: ClaimOffer | None) -> None:
    """Look until the database is somebody's.

    Args:
        offer: the code that is waited for; None: somebody is claiming the database already.
    """
    told, failed = "", False
    while True:
        if offer and not told:
            told = "pending"
            _waiting('somebody to enter the code and press "Continue"', offer.expires_at)
        time.sleep((offer and offer.interval) or _INTERVAL)
        try:
            seen = provider.inspect(database)
            if claims.is_claimed(seen):
                return
            state = seen.claim.state if seen.claim else told
            if state == "expired":
                announce.tell("The time was over before the claim was finished. Another code:")
                offer, told = provider.begin_claim(seen.database), ""
                _say(offer)
        except ClaimInProgress:  # somebody has used that code at the last moment
            continue
        except ServiceError as error:  # for a moment, perhaps: the claim goes on meanwhile
            if database.expires_at is None or database.expires_at <= datetime.now(UTC):
                raise
            if not failed:
                announce.tell(error.message, "It is asked again until it answers.")
            failed = True
            continue
        failed = False
        if state == "accepted" and state != told:
            told = state
            announce.tell('Somebody has pressed "Continue": the password in .env is dead.')
            _waiting("them to finish the claim", seen.claim.until if seen.claim else None)


def _waiting(what: str, until: datetime | None) -> None:
    announce.tell(f"Waiting{_until(until)} for {what} (Ctrl-C leaves it claimable)")


def _adopt(start: Start) -> None:
    """Have a plugin write the new URL into ``.env``, or say what to do for that."""
    from neonup.plugins import create_plugin_manager

    done = "The database has been claimed, and its old password is dead."
    try:
        hook = create_plugin_manager().hook
        adopted: Database | None = hook.neonup_claimed(settings=start.settings)
    except NeonupError as error:
        announce.tell(*filter(None, [error.message, error.remedy]))
        adopted = None
    if adopted is None:
        click.echo(f"{done} {claims.ADOPT}")
    else:
        click.echo(done)
        output.show_database(adopted, start.remarks)


def _open(link: str) -> None:
    import webbrowser

    if not webbrowser.open(link):
        click.echo("No browser could be opened. Open the link yourself.", err=True)
