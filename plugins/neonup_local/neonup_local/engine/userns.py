"""Programs that insist on a name for their user, where the user database has none.

``initdb`` and ``postgres --single`` do; the server itself does not. Containers run with any uid.
"""

from __future__ import annotations

import sys

from neonup import EngineError
from neonup_local.engine.account import SystemAccount, entry_name

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
"""Runs a program in a user namespace where this user has the name of somebody else."""


def applies(account: SystemAccount) -> bool:
    """Whether the account has no name here."""
    return sys.platform == "linux" and entry_name(account.uid) is None


def with_name(command: list[str]) -> list[str]:
    """The command, run where its user is called ``nobody``.

    Raises:
        EngineError: the user database has no name that could be borrowed.
    """
    if sys.platform == "win32":
        return command
    import pwd

    uids = [entry.pw_uid for entry in pwd.getpwall() if entry.pw_uid != 0]
    if not uids:
        raise EngineError(
            "This machine's user database has only root, and Postgres needs a user name.",
            remedy="Add an entry to /etc/passwd, or run this as a user that has one.",
        )
    inside = _NOBODY if _NOBODY in uids else uids[0]
    return [sys.executable, "-I", "-c", _LAUNCHER, str(inside), *command]


def remedy(account: SystemAccount) -> str:
    """What to do where the kernel does not allow that."""
    entry = f"neonup:x:{account.uid}:{account.gid}::/tmp:/bin/sh"
    return (
        f"{account.name} has no entry in the user database, which Postgres needs: "
        f'echo "{entry}" >> /etc/passwd; or run this as a user that has one.'
    )
