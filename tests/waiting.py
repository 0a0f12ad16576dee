"""Wait for what another process or thread does, and fail with words where it does not come."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")

PATIENCE = 120.0
"""Seconds after which something will not come any more, also on a slow and busy machine."""


def wait_until(
    condition: Callable[[], Found], what: str | Callable[[], str], *, seconds: float = PATIENCE
) -> Found:
    """Return the condition's first true value.

    Args:
        condition: asked again and again; exceptions pass through.
        what: what is awaited, for the failure's message; a function is called when it fails.
        seconds: how long.

    Raises:
        AssertionError: the condition stayed false.
    """
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > deadline:
            words = what if isinstance(what, str) else what()
            raise AssertionError(f"not within {seconds} s: {words}")
        time.sleep(0.02)
    return found
