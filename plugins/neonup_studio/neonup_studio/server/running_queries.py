"""The queries that run right now, so that they can be cancelled."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from neonup_pages.query_box import CancelSwitch

RunKey = tuple[str, str]
"""Whose query it is, and the id that its page has given it."""


class RunningQueries:
    """The queries of one studio that are under way."""

    def __init__(self) -> None:
        self._running: list[tuple[RunKey, CancelSwitch]] = []
        self._ended = False
        self._lock = threading.Lock()

    @contextmanager
    def running(self, key: RunKey) -> Iterator[CancelSwitch]:
        """A query that runs within the block, and what cancels it.

        Args:
            key: of the query; one page may send it twice.
        """
        switch = CancelSwitch()
        entry = (key, switch)
        with self._lock:
            self._running.append(entry)
            switch.cancelled = self._ended
        try:
            yield switch
        finally:
            with self._lock:
                self._running = [each for each in self._running if each is not entry]

    def cancel(self, key: RunKey) -> bool:
        """Cancel a query; whether there was one."""
        with self._lock:
            found = [switch for each, switch in self._running if each == key]
        for switch in found:
            switch.cancel()
        return bool(found)

    def end(self) -> None:
        """Cancel all, and whatever comes after: the studio ends."""
        with self._lock:
            self._ended = True
            found = [switch for _, switch in self._running]
        for switch in found:
            switch.cancel()
