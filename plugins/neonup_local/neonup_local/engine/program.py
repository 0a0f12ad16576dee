"""Running one of Postgres's programs to its end; a failure shows its own last lines."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from neonup import EngineError
from neonup_local.engine import userns as nameless
from neonup_local.engine.account import SystemAccount

_LAST = 12
_MAKE_ROOM = "Free some space, or set NEONUP_HOME to a folder on another disk."
_KEPT = ("PATH", "LD_LIBRARY_PATH", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "COMSPEC")
"""What a Postgres program gets of our environment: the rest would change what it does, or has
secrets that the account which runs it has no business to know."""


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of Postgres's programs."""
    inherited = {name: os.environ[name] for name in _KEPT if name in os.environ}
    # Messages are read by this code, so they are in English; macOS needs LC_ALL to start at all.
    return {**inherited, "LC_ALL": "C", **(extra or {})}


def last_lines(text: str, count: int = _LAST) -> list[str]:
    """The last lines that say something, for an error's ``checked``."""
    return [line.rstrip() for line in text.splitlines() if line.strip()][-count:]


def run(
    command: Sequence[str | Path],
    account: SystemAccount,
    *,
    what: str,
    stdin: str = "",
    environ: Mapping[str, str] | None = None,
    timeout: float = 120,
    remedy: str | None = None,
) -> str:
    """Run a program as ``account`` and return what it printed.

    Args:
        command: the program and its arguments; no secret in them, everyone can read those.
        account: who runs it.
        what: what it is for, for the error: ``initdb``.
        stdin: its input.
        environ: variables to add.
        timeout: after so many seconds it is killed.
        remedy: what to do where it fails.

    Raises:
        EngineError: it cannot be started, fails, or takes too long.
    """
    try:
        done: subprocess.CompletedProcess[str] = subprocess.run(
            [str(part) for part in command],
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=environment(environ),
            cwd=None if sys.platform == "win32" else "/",
            timeout=timeout,
            umask=0o077,
            check=False,
            **account.popen(),
        )
    except subprocess.TimeoutExpired:
        raise EngineError(f"{what} took longer than {timeout:g} s and was stopped.") from None
    except OSError as error:
        raise EngineError(
            f"{what} could not be run: {error.strerror}.",
            checked=[f"{command[0]} as {account.name}"],
            remedy=remedy,
        ) from None
    if done.returncode != 0:
        raise _failed(done, what, remedy)
    return done.stdout


def _failed(done: subprocess.CompletedProcess[str], what: str, remedy: str | None) -> EngineError:
    return EngineError(
        f"{what} failed ({_status(done.returncode)}).",
        checked=last_lines(done.stdout),
        remedy=remedy or (_MAKE_ROOM if "No space left on device" in done.stdout else None),
    )


def reason(error: OSError) -> str:
    """Why, in the system's words; `shutil.copytree` has a list of reasons."""
    if isinstance(error, shutil.Error) and error.args and error.args[0]:
        return str(error.args[0][0][-1])
    return error.strerror or str(error)


def run_named(command: list[str], account: SystemAccount, *, what: str, stdin: str = "") -> str:
    """As `run`, for programs that insist on a name for their user.

    Raises:
        EngineError: as `run`; also where the user has no name and cannot borrow one.
    """
    if not nameless.applies(account):
        return run(command, account, what=what, stdin=stdin)
    return run(
        nameless.with_name(command),
        account,
        what=what,
        stdin=stdin,
        remedy=nameless.remedy(account),
    )


def _status(code: int) -> str:
    return f"exit status {code}" if code >= 0 else f"killed by signal {-code}"
