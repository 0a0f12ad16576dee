"""Our HTTP servers send the parts of an answer at once, also with asyncio's own event loop.

uvloop, which these tests have and few users do, does so for every socket; asyncio only where the
socket names its protocol. Otherwise each answer on a connection that stays open takes 40 ms more.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from functools import partial

import pytest

from neonup_mcp import http
from neonup_pages import http_server


@pytest.mark.parametrize(
    "listen",
    [partial(http_server.listen, "127.0.0.1", what="A test"), http.listen],
    ids=["serve", "mcp"],
)
def test_a_connection_that_asyncio_accepts_waits_for_nothing(
    listen: Callable[[int], socket.socket],
) -> None:
    async def option() -> int:
        accepted: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            own: socket.socket = writer.get_extra_info("socket")
            accepted.set_result(own.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        listener = listen(0)
        async with await asyncio.start_server(connected, sock=listener):
            _, writer = await asyncio.open_connection(*listener.getsockname())
            found = await accepted
            writer.close()
            return found

    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        assert runner.run(option()) != 0
