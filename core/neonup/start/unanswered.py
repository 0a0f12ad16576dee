"""A database of the user's own on this machine that nobody serves, e.g. of a copied example."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

from neonup.database import USER, Database
from neonup.errors import NeonupError
from neonup.postgres import destination
from neonup.postgres.destination import ServerAddress
from neonup.settings import Settings

_PATIENCE = 0.3  # seconds; on this machine a refusal comes at once
_SOCKET_FOLDERS = ("/var/run/postgresql", "/tmp")  # noqa: S108 - libpq's default folders


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
    for family, address in _addresses(server):
        try:
            with socket.socket(family) as connection:
                connection.settimeout(_PATIENCE)
                connection.connect(address)
        except OSError:
            continue
        return True
    return False


def _addresses(server: ServerAddress) -> Iterator[tuple[int, str | tuple[str, int]]]:
    """What a driver connects to: one address of the host after the other, or a Unix socket."""
    folders = _SOCKET_FOLDERS if not server.address else (server.address,)
    if not server.address or server.address.startswith(("/", "@")):
        if hasattr(socket, "AF_UNIX"):
            for folder in folders:
                path = os.path.join(folder, f".s.PGSQL.{server.port}")  # noqa: PTH118 - may be "@"
                yield socket.AF_UNIX, f"\0{path[1:]}" if path.startswith("@") else path
        if not server.address:  # a libpq without Unix sockets takes localhost
            yield socket.AF_INET, ("127.0.0.1", server.port)
        return
    try:
        found = socket.getaddrinfo(server.address, server.port, type=socket.SOCK_STREAM)
    except OSError:
        return
    for family, _, _, _, address in found:
        yield family, (str(address[0]), server.port)


def _name(server: ServerAddress) -> str:
    if not server.address:
        return f"the default socket or localhost:{server.port}"
    if server.address.startswith(("/", "@")):
        return f"{server.address}/.s.PGSQL.{server.port}"
    host = f"[{server.address}]" if ":" in server.address else server.address
    return f"{host}:{server.port}"
