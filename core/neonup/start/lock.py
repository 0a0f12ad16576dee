"""One start at a time provisions, wakes or rewrites for one key of one project.

That holds between processes and between the threads of one: a thread owns the lock. It may take it
again within; another thread waits, and so does a forked child.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from neonup.errors import NeonupError
from neonup.settings import Settings

_PATIENCE = 300.0  # seconds: a first Postgres on a slow disk and a long migration fit in


def name(settings: Settings) -> str:
    """A file name for this key of this project's ``.env``."""
    place = f"{os.path.realpath(settings.env_file)}\n{settings.key}"
    return f"{settings.project.name[:20]}-{zlib.crc32(os.fsencode(place)):08x}"


def make_home(home: Path) -> None:
    """Make the folder of neonup's state.

    Raises:
        NeonupError: it cannot be made.
    """
    from neonup import folders  # a database that is running needs none

    try:
        folders.make_home(home)
    except OSError as error:
        raise NeonupError(
            f"The folder for neonup's state cannot be created: {home}: {error.strerror}.",
            remedy="Set NEONUP_HOME to a folder that you can write to.",
        ) from None


@contextmanager
def project(settings: Settings) -> Iterator[None]:
    """Hold the project's lock; it falls with its process. Its thread may take it again within.

    What was read before is not true inside: another start may have been at it meanwhile.

    Raises:
        NeonupError: another start has held it for five minutes, or its file cannot be locked.
    """
    from neonup import locks  # only the path that makes or wakes something needs it

    folder = settings.home / "locks"
    path = folder / f"{name(settings)}.lock"
    make_home(settings.home)
    folder.mkdir(exist_ok=True, mode=0o700)
    with ExitStack() as stack:
        try:
            stack.enter_context(locks.reentrant(path, _PATIENCE))
        except locks.LockTimeout:
            raise NeonupError(
                f"Another start of neonup has been busy with {settings.project} for "
                f"{_PATIENCE / 60:.0f} minutes.",
                checked=[f"its lock is {path}"],
                remedy="Find its process with `ps`, end it, and try again.",
            ) from None
        except OSError as error:
            raise NeonupError(
                f"{path} cannot be locked: {error.strerror}.",
                remedy="Set NEONUP_HOME to a folder on a disk of this machine.",
            ) from None
        yield
