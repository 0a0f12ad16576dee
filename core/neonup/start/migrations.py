"""The migration command: for a new database, and where the setting asks for it at each start."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from collections import deque
from pathlib import Path

from neonup.database import Database
from neonup.env import lock
from neonup.errors import NeonupError
from neonup.settings import Settings
from neonup.start import lookup, once
from neonup.start.failures import explain_failure

_LINES = 200
"""So many of the command's last lines are searched for what the server lacks."""

_SHOWN = 5
"""So many of them are shown where the start goes on."""


def migrate(command: str, settings: Settings, database: Database) -> None:
    """Run a migration command in the project's folder, on the direct URL."""
    status, output = _run(command, settings, database, running="1")
    if status:
        known = explain_failure(output, settings, database.provider)
        correct = "The database exists; correct the command, and the next start runs it again."
        raise NeonupError(
            f"The migration command failed ({status}): {command}",
            remedy=" ".join(filter(None, [known, correct])),
        )


def at_start(settings: Settings, database: Database) -> str | None:
    """Run the migration command once for all processes of a start, and for starts that wait for it.

    Returns:
        What failed, with the command's last lines, for the banner; None: nothing.
    """
    if not settings.migrate:
        return None
    began, done = time.time(), settings.home / "migrated" / settings.state_name
    with lock.project(settings):
        if done.exists() and done.stat().st_mtime > began:
            return None
        if not once.first(settings.home, f"migrate-{settings.state_name}"):
            return None
        status, output = _run(settings.migrate, settings, database, running="start")
        if not status:
            done.parent.mkdir(exist_ok=True, mode=0o700)
            done.touch()
            return None
    known = explain_failure(output, settings, database.provider)
    last = output.strip().splitlines()[-_SHOWN:]
    failed = f"The migration command failed ({status}): {settings.migrate}"
    return "\n        ".join(filter(None, [failed, *last, known]))


def _run(
    command: str, settings: Settings, database: Database, *, running: str
) -> tuple[int | str, str]:
    """Run a command whose output goes to stderr; returns its status and the end of what it said."""
    # Last, so that an activated environment goes first: where none is, `alembic` is beside Python.
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), str(Path(sys.executable).parent)])
    direct = lookup.database_variables(
        settings, database.with_(url=database.direct, direct_url=None)
    )
    others = lookup.own_variables(settings, os.environ) if settings.variables else {}
    environ = {
        **os.environ,
        "PATH": path,
        **{name: value for name, value in direct.items() if name not in others},
        once.FINISHING: running,
    }
    output: deque[str] = deque(maxlen=_LINES)
    try:
        with subprocess.Popen(
            shlex.split(command),
            cwd=settings.project,
            env=environ,
            stdout=sys.stderr,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        ) as process:
            for line in process.stderr or ():
                print(line, end="", file=sys.stderr, flush=True)
                output.append(line)
    except (OSError, ValueError) as error:
        return str(error), ""
    return process.returncode, "".join(output)
