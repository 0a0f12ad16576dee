"""Which account Postgres runs as, and what that account can reach.

Postgres refuses to run as root, so root hands its data directories to an unprivileged account
that exists already; everyone else runs it as themselves. No account is ever made, and no
permission of a folder that is not ours is ever loosened.
"""

from __future__ import annotations

import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neonup import EngineError

_CANDIDATES = ("postgres", "nobody")
"""In this order: Debian's and Red Hat's Postgres account, then the one that is always there."""


@dataclass(frozen=True)
class SystemAccount:
    """The account that a Postgres process runs as.

    Args:
        uid: the numeric user; -1 on Windows, where the current user is meant.
        gid: the numeric group; -1 on Windows.
        switch: whether this process is another account, so that a child must change to it.
    """

    uid: int
    gid: int
    switch: bool

    @property
    def name(self) -> str:
        """Its name for messages, or ``uid 1234`` where there is no entry for it."""
        if sys.platform == "win32":
            return os.environ.get("USERNAME", "the current user")
        return entry_name(self.uid) or f"uid {self.uid}"

    def popen(self) -> dict[str, Any]:
        """The arguments that make `subprocess.Popen` run a child as this account."""
        if not self.switch:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        """Make the account the owner of a file or folder that this process made."""
        if self.switch and sys.platform != "win32":
            os.chown(path, self.uid, self.gid)

    def must_reach(self, path: Path) -> None:
        """Make sure that the account may enter or read ``path`` and every folder on the way.

        Raises:
            EngineError: it may not; names the barrier and the remedy.
        """
        if (barrier := self._barrier(path)) is not None:
            raise EngineError(
                f"Postgres runs as {self.name} here, and that account cannot enter {barrier}.",
                checked=[f"the way to {path}"],
                remedy=f"Permit it: chmod o+x {barrier}; or set NEONUP_HOME to a folder that every "
                "user may enter.",
            )

    def _barrier(self, path: Path) -> Path | None:
        """The first folder or file on the way that the account cannot enter or read, else None."""
        if not self.switch or sys.platform == "win32":
            return None
        path = path.resolve()
        for part in (*reversed(path.parents), path):
            info = part.stat()
            need = 0o1 if stat.S_ISDIR(info.st_mode) else 0o4
            if info.st_uid == self.uid:
                need <<= 6
            elif info.st_gid == self.gid:
                need <<= 3
            if not info.st_mode & need:
                return part
        return None


MYSELF = SystemAccount(-1, -1, switch=False)
"""For programs that run as whoever runs this, e.g. ``psql``."""


def entry_name(uid: int) -> str | None:
    """The account's name in the user database, or None if it has no entry (some containers)."""
    if sys.platform == "win32":
        return None
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return None


def for_new_data() -> SystemAccount:
    """The account that owns a new data directory.

    Raises:
        EngineError: this is root and the machine has no unprivileged account to run as.
    """
    if sys.platform == "win32":
        return _not_administrator()
    if os.geteuid() != 0:
        return SystemAccount(os.geteuid(), os.getegid(), switch=False)
    import pwd

    for name in _CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return SystemAccount(entry.pw_uid, entry.pw_gid, switch=True)
    raise EngineError(
        "Postgres refuses to run as root, and there is no unprivileged account to run it as.",
        checked=[f"the accounts {' and '.join(_CANDIDATES)}"],
        remedy="Create one (useradd --system postgres), or run this as another user.",
    )


def _not_administrator() -> SystemAccount:
    """The current user of Windows, where Postgres takes no administrator's rights.

    https://www.postgresql.org/docs/current/app-postgres.html
    """
    import ctypes

    if sys.platform == "win32" and ctypes.windll.shell32.IsUserAnAdmin():
        from neonup_local.platforms import ADMINISTRATORS

        raise ADMINISTRATORS.refused()
    return SystemAccount(-1, -1, switch=False)


def of_data(data: Path) -> SystemAccount:
    """The account that an existing data directory belongs to: it decides who runs Postgres.

    Raises:
        EngineError: it belongs to root, or to somebody whom this process cannot become.
    """
    if sys.platform == "win32":
        return _not_administrator()
    info = data.stat()
    current = os.geteuid()
    if info.st_uid == current != 0:
        return SystemAccount(current, os.getegid(), switch=False)
    if current == 0 and info.st_uid != 0:
        return SystemAccount(info.st_uid, info.st_gid, switch=True)
    owner = entry_name(info.st_uid) or f"uid {info.st_uid}"
    raise EngineError(
        f"The data directory {data} belongs to {owner}, and Postgres cannot be run as that "
        "user here.",
        remedy="Run this as that user"
        if current != 0
        else f"Give it to another account: chown -R postgres {data}",
    )
