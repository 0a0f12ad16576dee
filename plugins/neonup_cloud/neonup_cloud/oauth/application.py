"""Which application asks, and at which OAuth server."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from neonup import SettingsError
from neonup_cloud.oauth.errors import AGAIN
from neonup_cloud.oauth.scopes import COMMAND_LINE

HOST = "https://oauth2.neon.tech"
CLIENT_ID = "neonctl"
"""The public client of Neon's own command line: the one that is known to be registered."""
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class Application:
    """An application that is registered at Neon.

    Args:
        client_id: its id.
        redirect_uri: where users are sent back to, as registered.
        client_secret: None: a public client, which has none.
        scopes: what users are asked for; see `neonup_cloud.oauth.scopes`.
        host: the OAuth server; Neon's own if None, or what ``NEON_OAUTH_HOST`` names.
    """

    client_id: str
    redirect_uri: str = ""
    client_secret: str | None = field(default=None, repr=False)
    scopes: tuple[str, ...] = COMMAND_LINE
    host: str = ""

    def __post_init__(self) -> None:
        host = self.host or os.environ.get("NEON_OAUTH_HOST") or HOST
        object.__setattr__(self, "host", usable_host(host))

    @property
    def again(self) -> str:
        """What to do when a connection has ended."""
        return AGAIN if self.client_secret is None else "The user has to connect the account again."


def usable_host(host: str) -> str:
    """The address of an OAuth server, without a slash at its end.

    Raises:
        SettingsError: it is not a valid address, or secrets would be sent unencrypted.
    """
    host = host.strip().rstrip("/")
    try:
        parts = urlsplit(host)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.username or parts.password or parts.query or parts.fragment:
        raise SettingsError(
            "The address of Neon's OAuth server cannot be used.",
            checked=("NEON_OAUTH_HOST",),
            remedy=f"Give a URL without user or query, like {HOST}.",
        )
    if not is_safe(host):
        raise SettingsError(
            "Neon's OAuth server has to be asked over https, except on this machine.",
            checked=(f"NEON_OAUTH_HOST names {parts.hostname}",),
        )
    return host


def is_safe(url: str) -> bool:
    """Whether nobody can listen on the way to an address."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)


def command_line(base: str, environ: Mapping[str, str] = os.environ) -> Application:
    """The application that ``neonup auth login`` signs in with.

    Args:
        base: the base URL of the API that is signed in for. One on this machine is a local Neon,
            which has its OAuth server at its root.
        environ: ``NEON_OAUTH_HOST`` and ``NEONUP_OAUTH_CLIENT_ID`` are read.
    """
    host = environ.get("NEON_OAUTH_HOST")
    parts = urlsplit(base)
    if not host and parts.hostname in LOOPBACK:
        host = f"{parts.scheme}://{parts.netloc}"
    client = environ.get("NEONUP_OAUTH_CLIENT_ID") or CLIENT_ID
    return Application(client, host=host or HOST)
