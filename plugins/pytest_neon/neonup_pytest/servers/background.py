"""A server that is started by a thread, while the process does something else."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable


class BackgroundStart:
    """A server that is being started by a thread.

    Args:
        start: starts it.
    """

    def __init__(self, start: Callable[[], None]):
        self._start = start
        self._thread = threading.Thread(target=self._run, name="neonup-start", daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Return once it has been started, or could not be: the next one who starts it is told."""
        self._thread.join()

    def _run(self) -> None:
        with contextlib.suppress(Exception):
            self._start()
