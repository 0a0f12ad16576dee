"""How long work is shown: a line that is written over at a terminal, a line at times elsewhere."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

import click

from neonup.cli import output
from neonup.progress import HowFar, Measure
from neonup.start import announce

TERMINAL = (1.0, 0.25)
ELSEWHERE = (10.0, 30.0)
"""After how many seconds work is shown, and how often then."""

_works: list[tuple[str, Measure, float]] = []
"""What is done, each within the one before it; the last part is when it began."""


@contextmanager
def show(what: str, how_far: Measure) -> Iterator[None]:
    """Show what is done in the block once it takes long; a `neonup.progress.Display`."""
    _works.append((what, how_far, time.monotonic()))
    over = threading.Event()
    watching = threading.Thread(target=_watch, args=(over,), daemon=True)
    if len(_works) == 1:
        watching.start()
    try:
        yield
    finally:
        over.set()
        if watching.ident:
            watching.join()
        _works.pop()


def _watch(over: threading.Event) -> None:
    """Show the innermost work until all is over; a terminal that is gone is no harm."""
    terminal = announce.is_terminal() and os.environ.get("TERM") != "dumb"
    pause, every = TERMINAL if terminal else ELSEWHERE
    columns, shown = 1000, False
    with suppress(OSError, ValueError):
        while not over.wait(pause):
            pause, shown = every, True
            what, how_far, began = _works[-1]
            if terminal:
                columns = os.get_terminal_size(sys.stderr.fileno()).columns or 80
            text = line(what, how_far(), time.monotonic() - began, columns - 1)
            text = f"\r\x1b[K{output.style(text, dim=True)}" if terminal else text
            click.echo(text, nl=not terminal, err=True)
        if terminal and shown:
            click.echo("\r\x1b[K", nl=False, err=True)


def line(what: str, how_far: HowFar | None, seconds: float, columns: int) -> str:
    """What is done, how much of it, and the time that is left, as far as there is room."""
    ends = [""]
    if how_far is not None:
        ends = [f": {how_far.words}", ""]
        if 0 < how_far.done <= how_far.total:
            share = how_far.done / how_far.total
            left = f"{share * 100:.0f} %, {_span(seconds / share - seconds)} left"
            ends = [f"{ends[0]}, {left}", f": {left}"]
    for end in ends:
        if len(text := f"  … {what}{end}") <= columns:
            return text
    return f"{f'  … {what}'[: max(0, columns - len(ends[-1]) - 1)]}…{ends[-1]}"[:columns]


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else announce.duration(timedelta(seconds=seconds))
