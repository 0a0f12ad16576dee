"""Signing in to Postgres for a client that sends its password as it is, as Neon's proxy does.

@neondatabase/serverless sends its start-up message, its password and its first query at once,
before it knows how it will be asked for a password; inside of the WebSocket there is no TLS
either (https://github.com/neondatabase/serverless/blob/main/CONFIG.md, `pipelineConnect`). So the
client is asked for the password in clear, and Postgres, which takes SCRAM-SHA-256, is answered.
"""

from __future__ import annotations

import asyncio
import struct

from starlette.websockets import WebSocket, WebSocketDisconnect

_STARTUP_VERSION = 3
"""The major version in a start-up message; a larger one asks for TLS or for a cancellation."""
_LONGEST = 10_000
"""Bytes of a packet before a client has signed in, as in Postgres."""
_CLEARTEXT, _SASL, _SASL_CONTINUE, _SASL_FINAL = 3, 10, 11, 12
_MECHANISM = "SCRAM-SHA-256"

Pipe = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class NotPostgres(Exception):
    """The client does not speak Postgres's protocol."""


class UnusablePassword(Exception):
    """A password that SCRAM cannot take, e.g. one with a control character."""


class ClientStream:
    """What a client sends, as one stream of bytes: packets may be split or joined in messages."""

    def __init__(self, socket: WebSocket):
        self._socket = socket
        self._rest = b""

    async def some(self) -> bytes:
        """What has come, at least a byte.

        Raises:
            NotPostgres: a message is text.
            WebSocketDisconnect: there will be no more.
        """
        while not self._rest:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", 1005))
            if message.get("bytes") is None:
                raise NotPostgres
            self._rest = message["bytes"]
        taken, self._rest = self._rest, b""
        return taken

    async def exactly(self, count: int) -> bytes:
        """The next bytes; raises what `some` raises."""
        taken = b""
        while len(taken) < count:
            taken += await self.some()
        taken, self._rest = taken[:count], taken[count:]
        return taken


async def startup(client: ClientStream, seconds: float) -> bytes:
    """The client's first packet.

    Raises:
        TimeoutError: it does not come in time; and what `ClientStream.some` raises.
    """
    async with asyncio.timeout(seconds):
        return await _packet(client)


async def sign_in(
    client: ClientStream, socket: WebSocket, first: bytes, server: Pipe, seconds: float
) -> bytes:
    """Pass the client's first packet on, and answer the server's question for a password.

    Args:
        first: what `startup` has returned.
        seconds: for its password.

    Returns:
        What the server has said that the client has to be told.

    Raises:
        NotPostgres: the client sent something else than a password.
        TimeoutError: it sent none in time.
        UnusablePassword: it is none.
        WebSocketDisconnect: the client left.
        asyncio.IncompleteReadError: the server did.
    """
    reader, writer = server
    writer.write(first)
    if int.from_bytes(first[4:6]) != _STARTUP_VERSION:
        return b""  # TLS or a cancellation: between the two of them alone
    kind, body = await _message(reader)
    if (kind, _number(body)) != (b"R", _SASL):
        return _packed(kind, body)
    await socket.send_bytes(_packed(b"R", struct.pack("!i", _CLEARTEXT)))
    async with asyncio.timeout(seconds):
        if await client.exactly(1) != b"p":
            raise NotPostgres
        packet = await _packet(client)
    return await _answer(packet[4:].rstrip(b"\0").decode("utf-8", "replace"), server)


async def _answer(password: str, server: Pipe) -> bytes:
    """Go through SCRAM with the server; its refusal, where it has one."""
    from scramp import ScramClient, ScramException  # only this driver's sign-in needs it

    reader, writer = server
    try:
        # Postgres takes the user's name from the start-up message, and this one for nothing.
        scram = ScramClient([_MECHANISM], "*", password)
        opening = scram.get_client_first().encode()
        body = _MECHANISM.encode() + b"\0" + struct.pack("!i", len(opening)) + opening
        writer.write(_packed(b"p", body))
        kind, body = await _message(reader)
        if (kind, _number(body)) != (b"R", _SASL_CONTINUE):
            return _packed(kind, body)
        scram.set_server_first(body[4:].decode())
        writer.write(_packed(b"p", scram.get_client_final().encode()))
        kind, body = await _message(reader)
        if (kind, _number(body)) != (b"R", _SASL_FINAL):
            return _packed(kind, body)
        scram.set_server_final(body[4:].decode())
    except ScramException:
        raise UnusablePassword from None
    return b""


async def _packet(client: ClientStream) -> bytes:
    """A length and as many bytes."""
    head = await client.exactly(4)
    length = int.from_bytes(head)
    if not 4 <= length <= _LONGEST:
        raise NotPostgres
    return head + await client.exactly(length - 4)


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """The type and the content of a message of the server."""
    kind, length = struct.unpack("!ci", await reader.readexactly(5))
    return kind, await reader.readexactly(length - 4)


def _packed(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def _number(body: bytes) -> int:
    """Which request for authentication a message is."""
    return int.from_bytes(body[:4])
