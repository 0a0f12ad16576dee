"""A local Neon for tests: ``neonup serve``, in a home of its own that goes with the run."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from neonup import EngineError
from neonup_emulator import temporary_home
from neonup_local.engine import program
from neonup_local.service import home as homes
from neonup_local.test_server.runs import SERVED, Run, end_served


@contextmanager
def serving(home: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Serve until the end of the block; its databases are gone then.

    Args:
        home: neonup's own folder, whose engines and templates it uses.

    Yields:
        Its root URL, and the variables that lead neonup there.

    Raises:
        EngineError: it did not start; shows what it said.
        ProviderError: it cannot be run on this platform.
    """
    if sys.platform == "win32":
        from neonup_emulator.platforms import LOCAL_NEON

        raise LOCAL_NEON.refused()
    run = Run(home, secrets.token_hex(4))
    run.join()
    try:
        own = _make_home(home, run.control)
        with homes.locked(home, homes.ENGINES):  # it may make a template, which all homes share
            process, ready = _start(own, run.control / "serve.log")
        try:
            yield ready["url"], ready["env"]
        finally:
            end_served(run.control)
            process.wait()
            if process.stdout:
                process.stdout.close()
    finally:
        run.leave(lambda: None)


def _make_home(home: Path, control: Path) -> Path:
    """A home without databases, in which no engine is copied and no template is made again."""
    own = control / SERVED
    temporary_home.furnish(own, home)
    return own


def _start(own: Path, log: Path) -> tuple[subprocess.Popen[str], dict[str, Any]]:
    arguments = ["serve", "--json", "--port", "0", "--home", str(own)]
    with log.open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "neonup", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,  # Ctrl-C is pytest's, which then ends it
        )
    line = process.stdout.readline() if process.stdout else ""
    try:
        ready = json.loads(line)
    except ValueError:
        process.kill()
        process.communicate()
        output = [line, log.read_text(encoding="utf-8", errors="replace")]
        raise EngineError(
            "The local Neon for tests did not start.",
            checked=program.last_lines("\n".join(output)),
        ) from None
    return process, ready
