"""Programs that the pictures are taken of, in an environment of their own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BIN = Path(sys.executable).parent
"""Where the commands are."""


@contextmanager
def running(
    command: list[str], folder: Path, environ: dict[str, str]
) -> Iterator[subprocess.Popen[str]]:
    """A program that runs until the end of the block.

    Args:
        command: its name and arguments.
        folder: where it runs.
        environ: its environment.
    """
    with subprocess.Popen(
        [str(BIN / command[0]), *command[1:]],
        cwd=folder,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def neonup(folder: Path, environ: dict[str, str], *arguments: str) -> str:
    """What a command of neonup's prints.

    Args:
        folder: of the project.
        environ: its environment.
        arguments: of the command.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    command = [str(BIN / "neonup"), *arguments]
    done = subprocess.run(
        command, cwd=folder, env=environ, check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout
