"""The folder of all that neonup keeps on this machine, and the locks between processes.

databases/<id>/   database.json, data/, log, neonup.conf; where there are any: versions/<id>/,
                  git-branches/ (data of those that are not checked out) and git-branch (of which
                  one data/ is), and missed (when the project's folder was first seen to be gone)
engines/          Postgres, copied out of wheels
templates/        initialised data directories, one an engine; spares/ has finished copies
run/              Unix sockets
locks/            one file a database, and one for engines and templates
cloud_admin       the superuser's password
folders/          of the core: which folders use which database
expired/          the ids of neon.new's databases whose time was over
upkeep            when idle servers were last looked for
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from neonup import EngineError
from neonup_local.service import records

ENGINES = ".engines"
UPKEEP = ".upkeep"
SERVE = ".serve"
"""Names of locks that no database's id can be."""

_SPREAD = {"databases", "spares", "templates", "runs"}
"""The folders in which, or in whose folders, data directories come and go."""

_GET_FLAGS, _SET_FLAGS, _TOP_OF_DIRECTORIES = 0x80086601, 0x40086602, 0x00020000
"""``FS_IOC_GETFLAGS``, ``FS_IOC_SETFLAGS`` and ``FS_TOPDIR_FL`` of Linux's <linux/fs.h>."""

PATIENCE = 300.0  # seconds: a crash recovery that another process waits for fits in
_POLL = 0.01  # seconds


def database_folder(home: Path, id: str) -> Path:  # noqa: A002
    """The folder of a database."""
    return home / "databases" / records.check_id(id)


def run_folder(home: Path, id: str) -> Path:  # noqa: A002
    """The folder of a database's Unix socket: short, for a socket's path has 107 bytes."""
    return home / "run" / hashlib.sha256(os.fsencode(home / id)).hexdigest()[:8]


def make_folder(path: Path, *, exist_ok: bool = True) -> None:
    """Make a folder that Postgres's account may pass through, and nobody may list; for root.

    Anybody else runs Postgres as themselves: then nobody else may enter.

    Raises:
        OSError: it cannot be made.
    """
    if exist_ok and path.is_dir():
        return
    if not path.parent.is_dir():
        make_folder(path.parent)  # which gets the same mode, whatever the umask is
    path.mkdir(exist_ok=exist_ok)
    restrict(path)
    if path.name in _SPREAD or path.parent.name in _SPREAD:
        spread(path)


def secret(path: Path, make: Callable[[], str] = secrets.token_urlsafe) -> str:
    """The text in a file that only its owner can read.

    Args:
        path: the file; created where it is missing.
        make: its text then.

    Raises:
        EngineError: the file cannot be used.
    """
    try:
        if not path.exists():
            temporary = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
            temporary.touch(mode=0o600)
            temporary.write_text(make(), encoding="ascii")
            temporary.replace(path)
        return path.read_text(encoding="ascii")
    except OSError as error:
        raise EngineError(f"{path} cannot be used: {error.strerror}.") from None


def restrict(path: Path) -> None:
    """Let nobody list a folder, and only Postgres's account pass through it; for root."""
    if sys.platform == "win32":
        return
    file = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:  # by its descriptor: the folder above may be another user's
        os.fchmod(file, 0o711 if os.geteuid() == 0 else 0o700)
    finally:
        os.close(file)


def spread(folder: Path) -> None:
    """Let ext4 put each folder in this one into another part of the disk; no matter elsewhere.

    Data directories that are copied and deleted again and again in one part of the disk take
    longer each time. It is what ``chattr +T`` sets.
    https://man7.org/linux/man-pages/man2/ioctl_iflags.2.html
    """
    if sys.platform != "linux":
        return
    import fcntl

    with contextlib.suppress(OSError):
        file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            flags = bytearray(8)
            fcntl.ioctl(file, _GET_FLAGS, flags)
            value = int.from_bytes(flags[:4], sys.byteorder) | _TOP_OF_DIRECTORIES
            fcntl.ioctl(file, _SET_FLAGS, value.to_bytes(8, sys.byteorder))
        finally:
            os.close(file)


@contextmanager
def locked(home: Path, name: str, patience: float = PATIENCE) -> Iterator[None]:
    """Hold the lock of that name; makes the home's folders where they are missing.

    Raises:
        EngineError: the home cannot be written to, or another process holds the lock too long.
    """
    from neonup.plugin.locks import FileLock, LockTimeout

    lock = FileLock(home / "locks" / f"{name}.lock")
    try:
        for folder in ("", "locks", "databases", "run"):
            make_folder(home / folder)
        lock.acquire(timeout=patience, poll=_POLL)
    except LockTimeout:
        raise EngineError(
            f"Another process has been busy with {name.lstrip('.')} for {patience:g} s.",
            checked=[str(lock.path)],
            remedy="Wait for that process, or end it.",
        ) from None
    except OSError as error:
        raise EngineError(
            f"neonup's folder {home} cannot be used: {error.strerror}.",
            remedy="Allow writing there, free some space, or set NEONUP_HOME to another folder.",
        ) from None
    try:
        yield
    finally:
        lock.release()


def is_held(home: Path, name: str) -> bool:
    """Whether a process holds the lock of that name now."""
    from neonup.plugin.locks import FileLock, LockTimeout

    path = home / "locks" / f"{name}.lock"
    if not path.exists():
        return False
    try:
        with FileLock(path, timeout=0):
            return False
    except LockTimeout:
        return True
