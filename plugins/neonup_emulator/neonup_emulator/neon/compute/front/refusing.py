"""Telling a client of Postgres why it cannot connect, in the protocol that it speaks.

An error that comes before TLS is shown by no recent libpq, so TLS is spoken where the client asks
for it (https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-SSL).
"""

from __future__ import annotations

import socket
import ssl
import struct
from contextlib import suppress

from neonup_emulator.neon.compute.front.messages import Refusal

_PATIENCE = 10.0
_SSL_REQUEST, _GSS_REQUEST, _CANCEL = 80877103, 80877104, 80877102
_HANDSHAKE = b"\x16"
"""The first byte of TLS, from a client that does not ask before."""
_LONGEST = 10_000
_CODE = "XX000"
"""What Neon's proxy answers with (https://neon.com/docs/connect/connection-errors)."""


def refuse(client: socket.socket, refusal: Refusal) -> None:
    """Tell a client why, and close its connection."""
    with client, suppress(OSError, ValueError, struct.error):
        client.settimeout(_PATIENCE)
        with _listened(client, refusal) as ready:
            ready.sendall(error_response(refusal))
            with suppress(OSError):
                ready.shutdown(socket.SHUT_WR)
                while ready.recv(1024):  # closing at once could take the answer away
                    pass


def _listened(client: socket.socket, refusal: Refusal) -> socket.socket:
    """The connection, or TLS over it, on which the client has said whom it wants."""
    if client.recv(1, socket.MSG_PEEK) == _HANDSHAKE:
        client = _encrypted(client, refusal)
    while True:
        request = _request(client)
        if request == _GSS_REQUEST or (request == _SSL_REQUEST and not refusal.certificate):
            client.sendall(b"N")
        elif request == _SSL_REQUEST:
            client.sendall(b"S")
            client = _encrypted(client, refusal)
        elif request == _CANCEL:
            raise ValueError("it is nobody's to cancel")
        else:
            return client


def _request(client: socket.socket) -> int:
    """The number of the first packet's protocol; the packet is read."""
    length, number = struct.unpack("!ii", _read(client, 8))
    if not 8 <= length <= _LONGEST:
        raise ValueError("that is no packet of Postgres")
    _read(client, length - 8)
    return int(number)


def _read(client: socket.socket, count: int) -> bytes:
    content = b""
    while len(content) < count:
        piece = client.recv(count - len(content))
        if not piece:
            raise ValueError("the client has gone")
        content += piece
    return content


def _encrypted(client: socket.socket, refusal: Refusal) -> socket.socket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["postgresql"])
    context.load_cert_chain(refusal.certificate, refusal.key)
    return context.wrap_socket(client, server_side=True)


def error_response(refusal: Refusal) -> bytes:
    """The message of Postgres's protocol that ends a connection and says why."""
    fields = {"S": "FATAL", "V": "FATAL", "C": _CODE, "M": refusal.message}
    if refusal.hint:
        fields["H"] = refusal.hint
    body = b"".join(f"{name}{text}".encode() + b"\0" for name, text in fields.items()) + b"\0"
    return b"E" + struct.pack("!i", len(body) + 4) + body
