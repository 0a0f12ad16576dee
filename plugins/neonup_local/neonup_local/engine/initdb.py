"""Running ``initdb``, also where the user has no entry in the user database."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from neonup import EngineError
from neonup_local.engine import program
from neonup_local.engine.account import Account, entry_name
from neonup_local.engine.binaries import Engine

_NOBODY = 65534

_LAUNCHER = """\
import ctypes, os, sys
uid, gid, inside = os.geteuid(), os.getegid(), int(sys.argv[1])
if ctypes.CDLL(None, use_errno=True).unshare(0x10000000):  # CLONE_NEWUSER
    sys.exit("unshare: " + os.strerror(ctypes.get_errno()))
for name, text in (("setgroups", "deny"), ("uid_map", f"{inside} {uid} 1"),
                   ("gid_map", f"{inside} {gid} 1")):
    with open(f"/proc/self/{name}", "w") as file:
        file.write(text)
os.execv(sys.argv[2], sys.argv[2:])
"""
"""Runs a program in a user namespace where this user is called ``nobody``."""


def run(engine: Engine, data: Path, account: Account, *, superuser: str) -> None:
    """Make a data directory in the empty folder ``data``.

    Raises:
        EngineError: ``initdb`` failed; shows what it said.
    """
    common = [
        *("-D", str(data), "-U", superuser, "--encoding=UTF8", "--wal-segsize=2"),
        *("--no-sync", "--no-instructions", "-A", "trust"),  # pg_hba.conf is rewritten at once
    ]
    if engine.major >= 17:
        _run(
            engine,
            account,
            [*common, "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"],
        )
        return
    try:
        _run(engine, account, [*common, "--locale=C.UTF-8"])
    except EngineError:  # a system without that locale: initdb leaves the folder empty
        _run(engine, account, [*common, "--locale=C"])


def _run(engine: Engine, account: Account, arguments: list[str]) -> None:
    command = [str(engine.program("initdb")), *arguments]
    if sys.platform != "win32" and entry_name(account.uid) is None:
        command = _as_nobody(command)
        program.run(
            command,
            account,
            what=f"initdb (for {account.name}, which has no entry in the user database)",
            remedy=f'Give the user an entry: echo "neonup:x:{account.uid}:{account.gid}::/tmp:'
            '/bin/sh" >> /etc/passwd; or run this as a user that has one.',
        )
        return
    program.run(command, account, what="initdb")


def _as_nobody(command: list[str]) -> list[str]:
    import pwd

    names = [entry.pw_uid for entry in pwd.getpwall() if entry.pw_uid != 0]
    if not names:
        raise EngineError(
            f"The user database of this machine has no entry for uid {os.geteuid()}, nor any other "
            "but root's, and initdb needs one.",
            remedy="Add one to /etc/passwd, or run this as a user that has one.",
        )
    inside = _NOBODY if _NOBODY in names else names[0]
    return [sys.executable, "-I", "-c", _LAUNCHER, str(inside), *command]
