"""Long work says what it is and how far; a command shows that, and an application hears nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class HowFar:
    """How far work is.

    Args:
        done: how much is done, in any unit.
        total: how much there is, in the same; 0: it is unknown.
        words: how much that is for a person: ``12,000 of 40,000 rows, 3.4 MB``.
    """

    done: float
    total: float
    words: str


Measure = Callable[[], HowFar | None]
"""Says how far work is, called now and then by another thread; None: that is unknown."""

Display = Callable[[str, Measure], AbstractContextManager[None]]
_displays: list[Display] = []


def show_with(display: Display) -> None:
    """Let a display show the work of this process's main thread from now on."""
    _displays[:] = [display]


@contextmanager
def work(what: str, how_far: Measure = lambda: None) -> Iterator[None]:
    """What is done in the block, for a person who watches it where it takes long.

    It may stand in other work: the innermost is shown.

    Args:
        what: ``Copying the data``.
        how_far: measures it, where it can be measured.
    """
    if not _displays or threading.current_thread() is not threading.main_thread():
        yield  # an application's start, or a request to a server: nobody watches
        return
    with _displays[0](what, how_far):
        yield
