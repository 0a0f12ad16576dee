"""HTTP calls to the services: each call is defined once and sent synchronously or asynchronously.

A call is a generator. It yields what is to happen next, a `Request` or a `Pause`, and is handed
what came of it; `run` and `arun` do the one or the other with httpx. So what a call means, its
retries included, is written in one place and does not know how it is sent. (A retry library such
as tenacity wraps a function that sends, which would make two of each call.)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar


@dataclass(frozen=True)
class Request:
    """A request, as yet unsent.

    Args:
        method: ``GET``, ``POST`` ...
        url: an absolute URL without secrets: messages show it.
        body: sent as JSON.
        repeatable: whether sending it twice does no harm. One that is not is sent again only where
            the service has not taken it, or says itself that it failed.
    """

    method: str
    url: str
    body: Mapping[str, object] | None = None
    repeatable: bool = True

    def __str__(self) -> str:
        return f"{self.method} {self.url}"


@dataclass(frozen=True)
class Response:
    """A whole answer; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True)
class Failure:
    """No answer, or none that can be used.

    Args:
        reason: what went wrong, in words.
        sent: whether the service may have acted on the request.
        final: whether trying again is of no use.
    """

    reason: str
    sent: bool = True
    final: bool = False


@dataclass(frozen=True)
class Pause:
    """Wait that many seconds."""

    seconds: float


T = TypeVar("T")
Call = Generator[Request | Pause, Response | Failure | None, T]


def run(call: Call[T], *, timeout: float) -> T:
    """Send a call's requests one after the other, blocking.

    Args:
        timeout: seconds that one request may take as a whole.
    """
    from neonup import transport

    with transport.Blocking(timeout) as send:
        return _drive(call, send.send, time.sleep)


def _drive(
    call: Call[T], send: Callable[[Request], Response | Failure], pause: Callable[[float], None]
) -> T:
    reply: Response | Failure | None = None
    try:
        while True:
            step = call.send(reply)
            if isinstance(step, Pause):
                pause(step.seconds)
                reply = None
            else:
                reply = send(step)
    except StopIteration as stop:
        result: T = stop.value
        return result


async def arun(call: Call[T], *, timeout: float) -> T:
    """Send a call's requests one after the other, on asyncio or trio.

    Args:
        timeout: seconds that one request may take as a whole.
    """
    import anyio

    from neonup import transport

    reply: Response | Failure | None = None
    async with transport.Awaiting(timeout) as sender:
        try:
            while True:
                step = call.send(reply)
                if isinstance(step, Pause):
                    await anyio.sleep(step.seconds)
                    reply = None
                else:
                    reply = await sender.send(step)
        except StopIteration as stop:
            result: T = stop.value
            return result
