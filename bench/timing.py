"""Times of whole processes, from start to exit, in turns so that both meet the same machine."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Pair


@dataclass(frozen=True)
class Command:
    """A process to time: its arguments, folder and environment."""

    argv: Sequence[str | Path]
    cwd: Path
    environ: Mapping[str, str]


Prepared = Callable[[], AbstractContextManager[Command]]
"""Makes what one run needs, yields its command, and clears away afterwards; neither is timed."""


def milliseconds(do: Callable[[], object]) -> float:
    """How long something takes."""
    begin = time.perf_counter()
    do()
    return (time.perf_counter() - begin) * 1000


def process_milliseconds(command: Command) -> float:
    """How long a process takes from start to exit.

    Raises:
        RuntimeError: it failed; the message ends with what it printed.
    """
    begin = time.perf_counter()
    done = subprocess.run(
        command.argv,
        cwd=command.cwd,
        env=command.environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    taken = time.perf_counter() - begin
    if done.returncode:
        words = " ".join(map(str, command.argv))
        output = (done.stdout + done.stderr).decode(errors="replace")[-4000:]
        raise RuntimeError(f"{words} ended with status {done.returncode}:\n{output}")
    return taken * 1000


def flush() -> None:
    """Write out what earlier runs left to write, so that no run waits for another's."""
    if hasattr(os, "sync"):
        os.sync()


def in_turns(
    ours: Callable[[], float], theirs: Callable[[], float], repeats: int, *, warm: bool = True
) -> Pair:
    """The medians of what both return, called in turns.

    Args:
        ours: measures one run of this project.
        theirs: measures one of the other.
        repeats: runs of each that count.
        warm: whether one run of each comes before those, and does not count.
    """
    taken: tuple[list[float], list[float]] = ([], [])
    for turn in range(repeats + warm):
        for measure, figures in zip((ours, theirs), taken, strict=True):
            figure = measure()
            if turn or not warm:
                figures.append(figure)
    return statistics.median(taken[0]), statistics.median(taken[1])


def side_by_side(ours: Prepared, theirs: Prepared, repeats: int) -> Pair:
    """The medians in milliseconds of some runs in turns, after one of each that is not counted."""
    return in_turns(lambda: _timed(ours), lambda: _timed(theirs), repeats)


def always(command: Command) -> Prepared:
    """A command that needs nothing prepared."""
    return lambda: nullcontext(command)


def _timed(prepared: Prepared) -> float:
    with prepared() as command:
        flush()
        return process_milliseconds(command)
