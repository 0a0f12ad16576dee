"""Which address of this machine an endpoint has, and taking connections there."""

from __future__ import annotations

import errno
import ipaddress
import secrets
import socket
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from neonup_emulator.neon.compute.front.link import Front
from neonup_emulator.neon.model import Endpoint
from neonup_local.service import ports

POSTGRES = 5432
_TRIES = 20


@dataclass(frozen=True)
class Exposed:
    """How other machines connect to endpoints.

    Args:
        bind: the address to listen on.
        name: what clients call this machine.
        below: whether each endpoint has a name of its own below that, as at Neon.
    """

    bind: str
    name: str
    below: bool = False

    def address(self, endpoint_id: str) -> str:
        """What clients call an endpoint."""
        return f"{endpoint_id}.{self.name}" if self.below else self.name


class Addresses:
    """Opens endpoints to their clients.

    An endpoint has an address of loopback for itself with Postgres's own port, so that a URL which
    names no port connects. Where the machine has only one such address, or other machines are to
    connect, it is a port of the one address.

    Args:
        front: takes the connections.
        exposed: how other machines reach endpoints; None where they do not.
    """

    def __init__(self, front: Front, exposed: Exposed | None):
        self._front = front
        self._exposed = exposed

    def open_new(self, endpoint_id: str, taken: Iterable[Endpoint]) -> tuple[str, int]:
        """Take connections for a new endpoint; its address and port.

        Args:
            endpoint_id: whose.
            taken: all other endpoints.

        Raises:
            OSError: nothing is free.
        """
        used = {(self._bind(endpoint.address), endpoint.port) for endpoint in taken}
        for address, port in self._choices(endpoint_id):
            if (self._bind(address), port) in used:
                continue
            try:
                self._front.listen(endpoint_id, self._bind(address), port)
            except OSError:
                continue
            return address, port
        raise OSError("no address of this machine is free for another endpoint")

    def open_again(
        self, endpoint: Endpoint, taken: Iterable[Endpoint], *, patience: float = 0.0
    ) -> tuple[str, int]:
        """Take connections for an endpoint that had an address; the same one, where it still fits.

        Args:
            endpoint: which.
            taken: all endpoints.
            patience: seconds to wait for an address that the front is still letting go.

        Raises:
            OSError: its address cannot be used.
        """
        fits = _is_loopback(endpoint.address)
        if self._exposed is not None:
            fits = endpoint.address == self._exposed.address(endpoint.id)
        if not fits:  # the server was exposed the last time and is not now, or the other way round
            return self.open_new(endpoint.id, taken)
        deadline = time.monotonic() + patience
        while True:
            try:
                self._front.listen(endpoint.id, self._bind(endpoint.address), endpoint.port)
            except OSError as error:
                if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            else:
                return endpoint.address, endpoint.port

    def find(self, endpoints: Iterable[Endpoint], address: str, port: int) -> Endpoint | None:
        """Which of the endpoints has that address, without asking DNS; None: none of them.

        An exposed server goes by several names, and a port of it belongs to one endpoint. Where
        endpoints have names of their own, these say it alone: Neon's drivers leave out the port.
        Official clients put ``-pooler`` after the id.
        """
        if self._exposed is None:
            return _first(endpoints, lambda it: (it.address, it.port) == (address, port))
        known = list(endpoints)
        if self._exposed.below:
            id = address.partition(".")[0].removesuffix("-pooler")  # noqa: A001
            if named := _first(known, lambda it: it.id == id):
                return named
        return _first(known, lambda it: it.port == port)

    def from_here(self, endpoint: Endpoint) -> str:
        """The IP address at which this machine itself reaches an endpoint."""
        bound = self._bind(endpoint.address)
        return {"0.0.0.0": "127.0.0.1", "::": "::1", "localhost": "127.0.0.1"}.get(bound, bound)  # noqa: S104 - where it listens is told, not chosen

    def _bind(self, address: str) -> str:
        return self._exposed.bind if self._exposed is not None else address

    def _choices(self, endpoint_id: str) -> Iterator[tuple[str, int]]:
        address = "127.0.0.1"
        if self._exposed is not None:
            address = self._exposed.address(endpoint_id)
        else:
            yield from _own()
        for port in ports.from_port(ports.preferred(endpoint_id)):
            yield address, port


def _first(endpoints: Iterable[Endpoint], fits: Callable[[Endpoint], bool]) -> Endpoint | None:
    return next(filter(fits, endpoints), None)


def host(endpoint: Endpoint) -> str:
    """What the API calls the endpoint's host: with its port, where that is not Postgres's own."""
    plain = f"[{endpoint.address}]" if ":" in endpoint.address else endpoint.address
    return plain if endpoint.port == POSTGRES else f"{plain}:{endpoint.port}"


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:  # a name
        return False


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
