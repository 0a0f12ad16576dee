"""How often somebody may guess."""

from __future__ import annotations

import threading
from collections import deque
from datetime import datetime, timedelta

from neonup_emulator.neon.errors import Refused
from neonup_emulator.neon.state.clock import Clock

_WINDOW = timedelta(minutes=15)
_OF_ONE = 10
_OF_ALL = 100


class TooMany(Refused):
    """There were too many wrong guesses."""

    status = 429


class Attempts:
    """The wrong guesses of the last quarter of an hour, by who guessed, in memory.

    One session may be wrong 10 times in it and the whole server 100 times: whoever throws their
    session away guesses on at the cost of all.

    Args:
        clock: which time it is.
    """

    def __init__(self, clock: Clock):
        self._clock = clock
        self._wrong: deque[tuple[datetime, str]] = deque()
        self._lock = threading.Lock()

    def check(self, who: str) -> None:
        """Raise an error where no more guesses are taken.

        Raises:
            TooMany: from this session, or from anybody.
        """
        since = self._clock.now() - _WINDOW
        with self._lock:
            while self._wrong and self._wrong[0][0] <= since:
                self._wrong.popleft()
            own = sum(1 for _, whose in self._wrong if whose == who)
            if own >= _OF_ONE or len(self._wrong) >= _OF_ALL:
                raise TooMany("There were too many wrong codes. Try again in 15 minutes.")

    def wrong(self, who: str) -> None:
        """Count a wrong guess."""
        with self._lock:
            self._wrong.append((self._clock.now(), who))
