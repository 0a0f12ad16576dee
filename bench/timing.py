"""Times of whole processes, from start to exit, in turns so that both meet the same machine."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Command:
    """A process to time: its arguments, folder and environment."""

    argv: Sequence[str | Path]
    cwd: Path
    environ: Mapping[str, str]


Prepared = Callable[[], AbstractContextManager[Command]]
"""Makes what one run needs, yields its command, and clears away afterwards; neither is timed."""


def milliseconds(command: Command) -> float:
    """How long it takes from start to exit.

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


def _flush() -> None:
    """Write out what earlier runs left to write, so that no run waits for another's."""
    if hasattr(os, "sync"):
        os.sync()


def side_by_side(ours: Prepared, theirs: Prepared, repeats: int) -> tuple[float, float]:
    """The medians in milliseconds of some runs in turns, after one of each that is not counted."""
    taken: tuple[list[float], list[float]] = ([], [])
    for turn in range(repeats + 1):
        for prepared, times in zip((ours, theirs), taken, strict=True):
            with prepared() as command:
                _flush()
                time_taken = milliseconds(command)
            if turn:
                times.append(time_taken)
    return statistics.median(taken[0]), statistics.median(taken[1])
