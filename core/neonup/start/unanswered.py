"""A database of the user's own on this machine that nobody serves, e.g. of a copied example."""

from __future__ import annotations

import contextlib
import os
import socket
import sys

from neonup.database import USER, Database
from neonup.errors import NeonupError
from neonup.postgres import destination
from neonup.postgres.destination import ServerAddress
from neonup.settings import Settings

_PATIENCE = 0.3  # seconds; on this machine a refusal comes at once
_SOCKET_FOLDERS = ["/var/run/postgresql", "/tmp"]  # noqa: S108 - libpq's default folders


def unanswered(database: Database) -> str | None:
    """Where nothing listens, in words; None: something does, or it cannot be told.

    Only a database of the user's own is looked at whose every server is on this machine. Nothing is
    sent, so that no server logs a failed start of a session.
    """
    return nobody_at(database.url) if database.provider == USER else None


def nobody_at(url: str) -> str | None:
    """As `unanswered`, for any URL."""
    try:
        if destination.elsewhere(url) is not None:
            return None
        servers = destination.servers(url)
    except NeonupError:
        return None
    if any(_listens(server) for server in servers):
        return None
    return f"nothing listens at {', '.join(dict.fromkeys(map(_name, servers)))}"


def remedy(settings: Settings) -> str:
    """What to do about it, as far as a database may be created at all."""
    if not settings.enabled or settings.env == "production":
        return "start that server"
    return "start that server, or `neonup --force` creates a database in its place"


def remarks(database: Database, settings: Settings) -> list[str]:
    """What a banner adds about a database that nobody serves."""
    where = unanswered(database)
    return [] if where is None else [f"{where}: {remedy(settings)}"]


def _listens(server: ServerAddress) -> bool:
    """Whether a driver's connection would be answered: by a Unix socket, or at a port."""
    by_path = server.address.startswith(("/", "@"))
    folders = [server.address] if by_path else [] if server.address else _SOCKET_FOLDERS
    for folder in folders:
        if sys.platform == "win32":
            break  # Python has no such sockets there
        path = os.path.join(folder, f".s.PGSQL.{server.port}")  # noqa: PTH118 - may be "@"
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_PATIENCE)
            connection.connect(f"\0{path[1:]}" if path.startswith("@") else path)
            return True
    if by_path:
        return False
    address = (server.address or "127.0.0.1", server.port)  # a libpq without sockets takes it
    with contextlib.suppress(OSError), socket.create_connection(address, _PATIENCE):
        return True
    return False


def _name(server: ServerAddress) -> str:
    if not server.address:
        return f"the default socket or localhost:{server.port}"
    if server.address.startswith(("/", "@")):
        return f"{server.address}/.s.PGSQL.{server.port}"
    host = f"[{server.address}]" if ":" in server.address else server.address
    return f"{host}:{server.port}"
