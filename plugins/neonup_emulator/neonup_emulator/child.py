"""The command of ``neonup serve -- COMMAND``."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable

import click

_NOT_FOUND = 127


class Child:
    """A command that runs while the server does, with the variables that lead to it."""

    def __init__(self, command: tuple[str, ...], variables: dict[str, str]):
        self._command = command
        self._environ = {**os.environ, **variables}
        self._process: subprocess.Popen[bytes] | None = None
        self._status = 1

    def start(self, end: Callable[[], None]) -> None:
        """Start it; `end` is called once it has ended."""
        try:
            self._process = subprocess.Popen(self._command, env=self._environ)
        except OSError as error:
            click.echo(f"{self._command[0]}: {error.strerror}", err=True)
            self._status = _NOT_FOUND
            end()
            return
        threading.Thread(target=self._watch, args=[self._process, end], daemon=True).start()

    def _watch(self, process: subprocess.Popen[bytes], end: Callable[[], None]) -> None:
        process.wait()
        end()

    def wait(self) -> int:
        """Its exit status; where the server was told to end first, so is the command."""
        if self._process is None:
            return self._status
        self._process.terminate()
        status = self._process.wait()
        return status if status >= 0 else 128 - status
