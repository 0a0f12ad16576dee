"""Where a server's Unix socket goes: its path must fit into 107 bytes."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import tempfile
from pathlib import Path

from neonup_local.engine.account import SystemAccount

_LONGEST = 103
"""Linux takes 107 bytes and a zero, macOS 103 (``sun_path`` in their ``sys/un.h``)."""

_PREFIX = "neonup-"


def folder(preferred: Path, port: int, account: SystemAccount) -> Path | None:
    """A folder of the account's own, mode 0700, for a server that does not run yet.

    Returns:
        ``preferred`` where the path is short enough, else one in the temporary folder; None if
        there can be none, and TCP must do.
    """
    if sys.platform == "win32":
        return None
    choice = preferred
    if len(os.fsencode(preferred / f".s.PGSQL.{port}")) > _LONGEST:
        choice = Path(tempfile.gettempdir(), f"{_PREFIX}{account.uid}-{preferred.name}")
    if '"' in str(choice) or len(os.fsencode(choice / f".s.PGSQL.{port}")) > _LONGEST:
        return None
    try:
        choice.mkdir(mode=0o700, parents=True)
        account.own(choice)
    except FileExistsError:
        info = choice.lstat()  # in a folder that all can write to, it may be somebody else's
        if info.st_uid != account.uid or info.st_mode != stat.S_IFDIR | 0o700:
            return None
    except OSError:
        return None
    for stale in choice.glob(".s.PGSQL.*"):  # of a server that was killed: the folder is its own
        stale.unlink(missing_ok=True)
    return choice


def remove(choice: Path) -> None:
    """Remove a folder made by `folder`, if it is empty."""
    if choice.parent.name == "run" or choice.name.startswith(_PREFIX):
        with contextlib.suppress(OSError):  # not empty, or gone already
            choice.rmdir()
