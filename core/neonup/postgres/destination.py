"""Where a URL leads: the servers that a driver tries for it, with libpq's variables.

The host in a URL alone does not say it: ``hostaddr`` and a service go before it, and variables
take the place of what is missing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from neonup.errors import SettingsError
from neonup.postgres import libpq, urls
from neonup.postgres.urls import PostgresUrl

UNKNOWN = "an unknown machine"
"""What `elsewhere` calls a machine that cannot be told."""


@dataclass(frozen=True)
class ServerAddress:
    """One of the servers that are tried in turn.

    Args:
        host: its name, its address, or a folder with a Unix socket; ``""`` is the default folder.
        hostaddr: the address that libpq connects to whatever ``host`` says; ``""``: none is set.
        port: its port.
    """

    host: str
    hostaddr: str
    port: int

    @property
    def address(self) -> str:
        """What libpq connects to."""
        return self.hostaddr or self.host


def servers(
    url: str | PostgresUrl, environ: Mapping[str, str] | None = None
) -> tuple[ServerAddress, ...]:
    """The servers that libpq tries for a URL, in their order; nothing is resolved or connected.

    Args:
        url: a Postgres URL in any form.
        environ: the variables that the driver sees; those of this process if None. For a server
            of neonup's own, which is reached without them: ``{}``.

    Raises:
        SettingsError: it is not a Postgres URL, or a service file that it needs is not known.
    """
    place = urls.parse(url) if isinstance(url, str) else url
    given = libpq.parameters(place, os.environ if environ is None else environ)
    hosts, addresses = _items(given.get("host")), _items(given.get("hostaddr"))
    count = max(len(addresses) or len(hosts), 1)
    ports = _items(given.get("port")) or [""]
    ports = ports * count if len(ports) == 1 else ports
    hosts, addresses = hosts or [""] * count, addresses or [""] * count
    if not len(hosts) == len(addresses) == len(ports):
        raise SettingsError(
            "The database URL cannot be used: with libpq's variables it names "
            f"{len(hosts)} hosts, {len(addresses)} addresses and {len(ports)} ports."
        )
    return tuple(
        ServerAddress(host, address, urls.port_number(port) or 5432)
        for host, address, port in zip(hosts, addresses, ports, strict=True)
    )


def elsewhere(url: str | PostgresUrl, environ: Mapping[str, str] | None = None) -> str | None:
    """The first machine that a driver may reach by a URL and that is not this one; None: no such.

    Where it cannot be known, the answer is `UNKNOWN`. Drivers differ: asyncpg connects to the host
    whatever ``hostaddr`` says; it and psycopg prefer ``PGHOST`` to a service's host. So each way
    has to lead here.

    Args:
        url: a Postgres URL in any form.
        environ: as in `servers`.

    Raises:
        SettingsError: it is not a Postgres URL.
    """
    place = urls.parse(url) if isinstance(url, str) else url
    environ = os.environ if environ is None else environ
    unnamed = {name: value for name, value in place.parameters.items() if name != "service"}
    variables = {name: value for name, value in environ.items() if name != "PGSERVICE"}
    try:
        tried = [*servers(place, environ), *servers(place.with_parameters(unnamed), variables)]
    except SettingsError:
        return UNKNOWN
    for server in tried:
        for name in (server.hostaddr, server.host):
            if name and not urls.is_loopback(name):
                return name
    return None


def _items(text: str | None) -> list[str]:
    return text.split(",") if text else []
