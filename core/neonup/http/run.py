"""Running a call: its requests are sent one after the other, and its pauses are kept."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING, TypeVar

from neonup.http.calls import Call, Failure, Pause, Response

if TYPE_CHECKING:
    from neonup.http.transport import Sender

T = TypeVar("T")


def run(call: Call[T], *, timeout: float) -> T:
    """Send a call's requests one after the other, blocking.

    Args:
        timeout: seconds that one request may take as a whole.
    """
    from neonup.http.transport import Sender

    with closing(Sender(timeout)) as sender:
        return drive(call, sender)


def drive(call: Call[T], sender: Sender) -> T:
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
