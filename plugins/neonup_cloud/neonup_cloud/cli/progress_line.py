"""How far a move is, in one line of a terminal that is written over again and again."""

from __future__ import annotations

import shutil
import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

import click

from neonup.plugin import commands

if TYPE_CHECKING:
    from neonup_cloud.move.transfer import TransferProgress

_EVERY = 0.1  # seconds


class ProgressLine:
    """Shows steps on stderr, where that is a terminal; a context manager, which tidies up."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()
        self._what = ""
        self._last = 0.0

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._write("")

    def show(self, step: TransferProgress) -> None:
        """Show a step, at most ten a second of the same."""
        now = time.monotonic()
        if step.what == self._what and now - self._last < _EVERY:
            return
        self._what, self._last = step.what, now
        self._write(f"  … {text(step)}")

    def _write(self, line: str) -> None:
        if self._shown:
            width = shutil.get_terminal_size().columns - 1
            click.echo("\r\x1b[K" + commands.style(line[:width], dim=True), nl=False, err=True)


def text(step: TransferProgress) -> str:
    """A step in words: ``public.orders: 12,000 of 40,000 rows, 3.4 MB``."""
    if not step.size:
        return step.what
    return f"{step.what}: {step.rows:,} of {step.total:,} rows, {step.size / 1e6:.1f} MB"
