"""Postgres's protocol in a WebSocket, for `Pool` and `Client` of @neondatabase/serverless.

With ``neonConfig.wsProxy = "localhost:5540/v2"`` the driver opens ``/v2?address=HOST:PORT`` of this
server, and without it ``/v2`` of the endpoint's own host
(https://github.com/neondatabase/serverless/blob/main/CONFIG.md). Only endpoints of this
server are connected to, whatever address is asked for, and at the address where all their clients
connect: so they wake, and what goes through is measured.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from urllib.parse import urlsplit

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from neonup_emulator.api.ws_login import (
    ClientStream,
    NotPostgres,
    UnusablePassword,
    sign_in,
    startup,
)
from neonup_emulator.neon.compute.addresses import POSTGRES
from neonup_emulator.neon.compute.front.messages import Refusal
from neonup_emulator.neon.compute.front.refusing import error_response
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.model import Endpoint

LARGEST_MESSAGE = 64 * 1024 * 1024
"""Bytes of a message of a WebSocket: the driver sends a statement and its values in one."""

_CHUNK = 65_536
SIGN_IN_SECONDS = 60.0
"""For each of the two packets with which a client signs in: Postgres's authentication_timeout."""
_WRONG_PROTOCOL, _TOO_LATE, _SERVER_LEFT = 1002, 1008, 1011


def routes() -> list[WebSocketRoute]:
    """The route of the proxy."""
    return [WebSocketRoute("/v2", _proxy)]


async def _proxy(socket: WebSocket) -> None:
    await socket.accept()
    client = ClientStream(socket)
    try:
        first = await startup(client, socket.app.state.sign_in_seconds)
        endpoint = _endpoint(socket)
        if endpoint is None:
            await socket.send_bytes(error_response(_UNKNOWN))
            await socket.close()
            return
        await _connect(client, socket, first, endpoint)
    except WebSocketDisconnect:
        return
    except NotPostgres:
        await _close(socket, _WRONG_PROTOCOL)
    except TimeoutError:
        await _close(socket, _TOO_LATE)
    except UnusablePassword:
        await socket.send_bytes(error_response(_WRONG_PASSWORD))
        await socket.close()
    except (OSError, asyncio.IncompleteReadError):
        await _close(socket, _SERVER_LEFT)


_UNKNOWN = Refusal(
    "This server has no endpoint at that address.",
    'Set neonConfig.wsProxy to "HOST:PORT/v2" of neonup serve, which the driver completes.',
)
_WRONG_PASSWORD = Refusal("That password cannot be used to sign in.")


def _endpoint(socket: WebSocket) -> Endpoint | None:
    """The endpoint whose address the client asks for, or by whose name it has come."""
    asked = socket.query_params.get("address", socket.headers.get("host", ""))
    try:
        parts = urlsplit(f"//{asked}")
        address, port = parts.hostname or "", parts.port or POSTGRES
    except ValueError:
        return None
    neon: LocalNeon = socket.app.state.neon
    return neon.endpoint_at(address, port)


async def _connect(
    client: ClientStream, socket: WebSocket, first: bytes, endpoint: Endpoint
) -> None:
    neon: LocalNeon = socket.app.state.neon
    address = neon.addresses.from_here(endpoint)
    reader, writer = await asyncio.open_connection(address, endpoint.port)
    try:
        limit = socket.app.state.sign_in_seconds
        said = await sign_in(client, socket, first, (reader, writer), limit)
        if said:
            await socket.send_bytes(said)
        await _relay(client, socket, reader, writer)
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def _relay(
    client: ClientStream,
    socket: WebSocket,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    """Move bytes both ways until one end leaves; each way waits for an end that is slower."""

    async def to_server() -> None:
        while True:
            writer.write(await client.some())
            await writer.drain()

    async def to_client() -> None:
        while content := await reader.read(_CHUNK):
            await socket.send_bytes(content)
        await socket.close()

    ways = [asyncio.create_task(to_server()), asyncio.create_task(to_client())]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        results = await asyncio.gather(*ways, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result


async def _close(socket: WebSocket, code: int) -> None:
    with suppress(RuntimeError, WebSocketDisconnect):  # the client may have been first
        await socket.close(code)
