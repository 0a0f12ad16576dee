"""Running a call: its requests are sent one after the other, and its pauses are kept."""

from __future__ import annotations

import time
from typing import Protocol, TypeVar

from neonup.http.calls import Call, Failure, Pause, Request, Response

T = TypeVar("T")


class BlockingSender(Protocol):
    """What `drive` sends requests with."""

    def send(self, request: Request) -> Response | Failure:
        """The whole answer, or why there is none."""


def run(call: Call[T], *, timeout: float) -> T:
    """Send a call's requests one after the other, blocking.

    Args:
        timeout: seconds that one request may take as a whole.
    """
    from neonup.http.transport import Sender

    return drive(call, Sender(timeout))


def drive(call: Call[T], sender: BlockingSender) -> T:
    """The same with a sender that is there already."""
    reply: Response | Failure | None = None
    try:
        while True:
            step = call.send(reply)
            if isinstance(step, Pause):
                time.sleep(step.seconds)
                reply = None
            else:
                reply = sender.send(step)
    except StopIteration as stop:
        result: T = stop.value
        return result
