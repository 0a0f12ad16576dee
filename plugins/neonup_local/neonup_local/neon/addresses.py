"""Which address of this machine an endpoint has."""

from __future__ import annotations

import secrets
import socket
import sys

from neonup_local.neon.front.link import Front
from neonup_local.neon.model import Endpoint
from neonup_local.service import ports

POSTGRES = 5432
_TRIES = 20


def open_for(front: Front, endpoint_id: str, taken: list[Endpoint]) -> tuple[str, int]:
    """Give a new endpoint an address of its own, and take connections there.

    It is an address of loopback with Postgres's own port, so that a URL which names no port
    connects. Where the machine has only one such address, it is a port of that one.

    Args:
        front: takes the connections.
        endpoint_id: whose.
        taken: all other endpoints.

    Raises:
        OSError: nothing is free.
    """
    used = {(one.address, one.port) for one in taken}
    for address, port in (*_own(), *_shared(endpoint_id)):
        if (address, port) in used:
            continue
        try:
            front.listen(endpoint_id, address, port)
        except OSError:
            continue
        return address, port
    raise OSError("no address of this machine is free for another endpoint")


def host(endpoint: Endpoint) -> str:
    """What the API calls the endpoint's host: with its port, where that is not Postgres's own."""
    plain = endpoint.port == POSTGRES
    return endpoint.address if plain else f"{endpoint.address}:{endpoint.port}"


def _own() -> list[tuple[str, int]]:
    if sys.platform != "linux":  # elsewhere only 127.0.0.1 is this machine
        return []
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((_random(), POSTGRES))
    except OSError:  # somebody has this port of every address
        return []
    return [(_random(), POSTGRES) for _ in range(_TRIES)]


def _random() -> str:
    """An address of 127.0.0.0/8, away from the few that other programs use."""
    second, third, fourth = (1 + secrets.randbelow(254) for _ in range(3))
    return f"127.{second}.{third}.{fourth}"


def _shared(endpoint_id: str) -> list[tuple[str, int]]:
    return [("127.0.0.1", port) for port in ports.from_port(ports.preferred(endpoint_id))]
