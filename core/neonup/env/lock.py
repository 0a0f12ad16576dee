"""One writer at a time for a ``.env`` file, whichever of its keys is written."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from neonup import folders
from neonup.errors import EnvFileError

_TIMEOUT = 60.0  # seconds: a file is read and written in milliseconds


@contextmanager
def writing(path: Path, home: Path) -> Iterator[None]:
    """Hold a file's lock while it is read and rewritten; the lock falls with its process.

    Args:
        path: the file, which need not exist.
        home: has the locks.

    Raises:
        EnvFileError: another process has held it for a minute, or there is no place for locks.
    """
    from neonup import locks  # which most starts don't need

    name = f"env-{zlib.crc32(os.fsencode(os.path.realpath(path))):08x}.lock"
    with ExitStack() as stack:
        try:
            folders.make_private(home / "locks")
            stack.enter_context(locks.reentrant(home / "locks" / name, _TIMEOUT))
        except locks.LockTimeout:
            raise EnvFileError(
                f"{path} is being written by another process since {_TIMEOUT:.0f} seconds.",
                checked=[f"its lock is {home / 'locks' / name}"],
                remedy="Find that process with `ps`, end it, and try again.",
            ) from None
        except OSError as error:
            raise EnvFileError(
                f"{path} cannot be written: there is no lock for it in {home}: {error.strerror}.",
                remedy="Set NEONUP_HOME to a folder that you can write to.",
            ) from None
        yield
