"""Starting a process that outlives this one and belongs to nobody."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import IO

from neonup import EngineError
from neonup_local.engine.account import SystemAccount

_SCRIPT = 'umask 077; "$@" >&2 & echo $!'
"""The shell ends at once, so init adopts the process: no zombie stays with a parent that lives on,
and nobody warns of a child that was never waited for."""


def spawn(
    command: Sequence[str],
    account: SystemAccount,
    output: IO[bytes] | int,
    environ: Mapping[str, str],
) -> int:
    """Start a program in a session of its own and return its pid.

    Args:
        command: the program and its arguments.
        account: who runs it.
        output: where what it prints goes: an open file, or `subprocess.DEVNULL`.
        environ: its environment.

    Raises:
        EngineError: it cannot be started.
    """
    try:
        if sys.platform == "win32":
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environ,
                creationflags=subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW,
            ).pid
        done = subprocess.run(
            ["/bin/sh", "-c", _SCRIPT, "sh", *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=output,
            env=environ,
            cwd="/",
            start_new_session=True,
            check=True,
            **account.popen(),
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise EngineError(
            f"{command[0]} could not be started as {account.name}: {error}."
        ) from None
    return int(done.stdout)
