"""``auth``: signing in at Neon, and out."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, Any

import click

from neonup import NeonupError, home
from neonup.plugin import commands

if TYPE_CHECKING:
    from neonup_cloud.oauth.account import AccountStore, SignedIn


@click.group(cls=commands.CommandGroup)
def auth() -> None:
    """Sign in at Neon, so that no API key is needed."""


@auth.command()
@click.option("--no-open", is_flag=True, help="Print the address without opening a browser.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    help="Where the browser comes back to on this machine; a free port if not given.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=1),
    default=300.0,
    show_default=True,
    help="Seconds to wait for it.",
)
@commands.json_option
def login(no_open: bool, port: int, timeout: float) -> None:
    """Sign in at Neon in the browser."""
    from neonup_cloud.oauth import application
    from neonup_cloud.oauth.login import log_in

    if not no_open and not sys.stdin.isatty():
        raise NeonupError(
            "Signing in takes a person with a browser, and there is no terminal here.",
            checked=("standard input is no terminal",),
            remedy="Set NEON_API_KEY; or print the address to open: neonup auth login --no-open",
        )
    base = _base()
    asked = application.command_line(base)
    tokens = log_in(asked, lambda url: _show(url, no_open=no_open), port=port, timeout=timeout)
    email = _email(base, tokens.access_token)
    store = _store(base)
    with store.lock():
        before = _tokens_before(base)
        store.remember(email, asked, tokens)
    if before is not None:
        _revoke_quietly(*before)
    _report(store, store.signed_in(), {"signed_in": True})


@auth.command()
@commands.json_option
def status() -> None:
    """Show who is signed in at Neon; ends with status 1 if nobody is."""
    from neonup_cloud import NeonClient

    base = _base()
    store = _store(base)
    signed_in = store.signed_in()
    if os.environ.get("NEON_API_KEY"):
        click.echo("NEON_API_KEY is set: commands use that instead of a sign-in.", err=True)
    if signed_in is None:
        if not commands.wants_json():
            raise NeonupError("Nobody is signed in at Neon.", remedy="neonup auth login")
        commands.emit({"signed_in": False, "api": base})
        click.get_current_context().exit(1)
    from neonup_cloud.oauth.session import connected

    with NeonClient(base_url=base, auth=connected(signed_in.application, store)) as neon:
        neon.request("GET", "/users/me")
    _report(store, signed_in, {"signed_in": True})


@auth.command()
@commands.json_option
def logout() -> None:
    """Sign out: what was allowed is revoked at Neon, and forgotten here."""
    from neonup_cloud.api.errors import NeonError
    from neonup_cloud.oauth import connect

    base = _base()
    store = _store(base, strict=False)
    revoked, trouble, signed_in = False, None, None
    try:
        if (signed_in := store.signed_in()) is not None:
            revoked = connect.disconnect(signed_in.application, store)
    except NeonupError as error:
        trouble = error
        store.delete()
    if commands.wants_json():
        commands.emit({"signed_in": False, "revoked": revoked})
    elif signed_in is None and trouble is None:
        click.echo("Nobody was signed in at Neon.")
    else:
        click.echo(f"Signed out{f': {signed_in.email}' if signed_in else ''}.")
    if trouble is not None:
        why = "Neon was not told" if isinstance(trouble, NeonError) else "it was unusable"
        click.echo(
            f"What was kept here is deleted, but not revoked, since {why}: {trouble.message}\n"
            "Revoke it in Neon's console, in your account's settings.",
            err=True,
        )


def _base() -> str:
    from neonup_cloud.api.access import base_url

    return base_url()


def _store(base: str, *, strict: bool = True) -> AccountStore:
    from neonup_cloud.oauth.account import AccountStore

    return AccountStore(home(), base, strict=strict)


def _show(url: str, *, no_open: bool) -> None:
    click.echo("Sign in at Neon in your browser:", err=True)
    click.echo(f"  {url}", err=True)
    if not no_open:
        import webbrowser

        if not webbrowser.open(url):
            click.echo("No browser could be opened. Open the address yourself.", err=True)


def _email(base: str, access_token: str) -> str:
    from neonup_cloud import NeonClient

    with NeonClient(access_token, base_url=base) as neon:
        answer = neon.request("GET", "/users/me")
    return str(answer.get("email") or answer.get("id")) if isinstance(answer, dict) else ""


def _tokens_before(base: str) -> tuple[Any, Any] | None:
    """What an earlier sign-in has left, which is of no use any more."""
    store = _store(base, strict=False)
    with contextlib.suppress(NeonupError):
        signed_in, tokens = store.signed_in(), store.load()
        if signed_in is not None and tokens is not None:
            return signed_in.application, tokens
    return None


def _revoke_quietly(application: Any, tokens: Any) -> None:
    from neonup_cloud.oauth.protocol import OAuthProtocol

    with contextlib.suppress(NeonupError), OAuthProtocol(application) as protocol:
        protocol.revoke(tokens)


def _report(store: AccountStore, signed_in: SignedIn | None, data: dict[str, Any]) -> None:
    assert signed_in  # noqa: S101 - for types
    place = signed_in.keyring or str(store.path)
    if commands.wants_json():
        commands.emit(
            {
                **data,
                "email": signed_in.email,
                "oauth_host": signed_in.application.host,
                "client_id": signed_in.application.client_id,
                "kept_in": place,
            }
        )
        return
    commands.table(
        {
            "signed in as": signed_in.email,
            "at": signed_in.application.host,
            "kept in": place,
        }
    )
