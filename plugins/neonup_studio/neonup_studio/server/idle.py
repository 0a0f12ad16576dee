"""Ends the studio when nobody has used it for a while."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta

from neonup_pages import wording


class Idle:
    """Knows when the last request was.

    Args:
        limit: how long nobody may ask anything.
    """

    def __init__(self, limit: timedelta):
        self._limit = limit.total_seconds()
        self._last = time.monotonic()
        self._under_way = 0
        self._end: Callable[[], None] | None = None

    @property
    def words(self) -> str:
        """The limit in words."""
        return wording.span(self._limit)

    def begin(self, end: Callable[[], None]) -> None:
        """From now on it ends when it is idle.

        Args:
            end: ends the server.
        """
        self._end = end
        self._last = time.monotonic()

    def enter(self) -> None:
        """A request has come."""
        self._under_way += 1

    def leave(self) -> None:
        """It is answered."""
        self._under_way -= 1
        self._last = time.monotonic()

    async def watch(self) -> None:
        """Wait until it is idle, and end it. What is under way is not idle."""
        while True:
            left = self._last + self._limit - time.monotonic()
            if left <= 0 and not self._under_way and self._end is not None:
                self._end()
                return
            await asyncio.sleep(min(max(left, 0.05), 60))
