"""What the local Neon and its front say to each other."""

from __future__ import annotations

from msgspec import Struct


class Listen(Struct, tag="listen", frozen=True):
    """To the front, with a listening socket: accept connections for this endpoint."""

    endpoint: str


class Close(Struct, tag="close", frozen=True):
    """To the front: the endpoint is gone."""

    endpoint: str


class Up(Struct, tag="up", frozen=True):
    """To the front: the endpoint's server answers on this port of 127.0.0.1."""

    endpoint: str
    port: int


class Refusal(Struct, frozen=True):
    """Why nobody can connect.

    Args:
        message: for the client, and what can be done about it.
        certificate: the file of the server's; "": it speaks no TLS.
        key: the file of its key.
    """

    message: str
    hint: str = ""
    certificate: str = ""
    key: str = ""


class Down(Struct, tag="down", frozen=True):
    """To the front: the endpoint's server is about to stop, or could not be woken.

    Args:
        hold: whether connections that wait go on waiting; else they are closed.
        refusal: what they are told before.
    """

    endpoint: str
    hold: bool = True
    refusal: Refusal | None = None


class Wake(Struct, tag="wake", frozen=True):
    """From the front: somebody connects to the endpoint; answered with `Up` or `Down`."""

    endpoint: str


class Traffic(Struct, tag="traffic", frozen=True):
    """From the front, at most once a second, where something has changed.

    Args:
        connections: that are open.
        received: bytes from clients since the front was started.
        sent: bytes to clients.
    """

    endpoint: str
    connections: int
    received: int
    sent: int


ToFront = Listen | Close | Up | Down
FromFront = Wake | Traffic
