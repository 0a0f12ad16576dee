"""A limit on how often claim codes can be guessed."""

from __future__ import annotations

import threading
from collections import deque
from datetime import datetime, timedelta

from neonup_emulator.neon.errors import Refused
from neonup_emulator.neon.state.clock import Clock

_WINDOW = timedelta(minutes=15)
_MOST_IN_SESSION = 10
_MOST_TOGETHER = 100


class TooMany(Refused):
    """Too many wrong codes were entered lately."""

    status = 429


class Attempts:
    """Counts the wrong codes of the last quarter of an hour, by session, in memory.

    A session may enter 10 wrong codes in that time, and all sessions together 100: a new session
    for each guess does not help.

    Args:
        clock: which time it is.
    """

    def __init__(self, clock: Clock):
        self._clock = clock
        self._wrong: deque[tuple[datetime, str]] = deque()
        self._lock = threading.Lock()

    def check(self, session: str) -> None:
        """Raise an error where no more guesses are taken.

        Raises:
            TooMany: this session, or all sessions together, had too many wrong guesses.
        """
        since = self._clock.now() - _WINDOW
        with self._lock:
            while self._wrong and self._wrong[0][0] <= since:
                self._wrong.popleft()
            own = sum(1 for _, guesser in self._wrong if guesser == session)
            if own >= _MOST_IN_SESSION or len(self._wrong) >= _MOST_TOGETHER:
                raise TooMany("There were too many wrong codes. Try again in 15 minutes.")

    def wrong(self, session: str) -> None:
        """Count a wrong guess."""
        with self._lock:
            self._wrong.append((self._clock.now(), session))
