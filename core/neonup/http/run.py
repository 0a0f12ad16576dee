"""Running a call: its requests are sent one after the other, and its pauses are kept."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from neonup.http.calls import Call, Failure, Pause, Request, Response

T = TypeVar("T")


def run(call: Call[T], *, timeout: float) -> T:
    """Send a call's requests one after the other, blocking.

    Args:
        timeout: seconds that one request may take as a whole.
    """
    from neonup.http.transport import Sender

    with Sender(timeout) as sender:
        return _drive(call, sender.send, time.sleep)


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
