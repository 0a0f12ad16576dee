"""Locks in neonup's home, each held by one thread at a time, which may take it again within.

Another thread waits, and so do another process and a forked child. A lock falls with its process.
What was read before is not true inside: another holder may have changed it meanwhile.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from neonup import folders, locks
from neonup.errors import EnvFileError, NeonupError
from neonup.settings import Settings

_WRITING = 60.0  # seconds: a file is read and written in milliseconds
_START = 300.0  # seconds: a first Postgres on a slow disk and a long migration fit in


@contextmanager
def project(settings: Settings) -> Iterator[None]:
    """One start at a time provisions, wakes or rewrites for one key of one project.

    Raises:
        NeonupError: another start has held it for five minutes, or its file cannot be locked.
    """
    place = settings.home / "locks" / f"{settings.state_name}.lock"
    busy = f"Another start of neonup has been busy with {settings.project}"
    with _held(place, _START, NeonupError, busy, f"{place} cannot be locked"):
        yield


@contextmanager
def writing(path: Path, home: Path) -> Iterator[None]:
    """One writer at a time for a ``.env`` file, whichever of its keys is written.

    Args:
        path: the file, which need not exist.
        home: has the locks.

    Raises:
        EnvFileError: another process has held it for a minute, or there is no place for locks.
    """
    name = f"env-{zlib.crc32(os.fsencode(os.path.realpath(path))):08x}.lock"
    busy = f"Another process has been writing {path}"
    unusable = f"{path} cannot be written: there is no lock for it in {home}"
    with _held(home / "locks" / name, _WRITING, EnvFileError, busy, unusable):
        yield


@contextmanager
def _held(
    place: Path, patience: float, kind: type[NeonupError], busy: str, unusable: str
) -> Iterator[None]:
    with ExitStack() as stack:
        try:
            folders.make_private(place.parent)
            stack.enter_context(locks.reentrant(place, patience))
        except locks.LockTimeout:
            raise kind(
                f"{busy} for {patience / 60:.0f} min.",
                checked=[f"its lock is {place}"],
                remedy="Find its process, end it, and try again.",
            ) from None
        except OSError as error:
            raise kind(
                f"{unusable}: {error.strerror}.",
                remedy="Set NEONUP_HOME to a folder on a disk of this machine that you can write "
                "to.",
            ) from None
        yield
