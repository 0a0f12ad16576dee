"""A ``.env`` that is a named pipe, as password managers make them: read once, and not for ever.

What is read from a pipe is gone from it, so each process reads it once and remembers. Processes
that start together read it one after the other, so that none gets a part.
https://man7.org/linux/man-pages/man7/fifo.7.html
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from neonup.errors import EnvFileError

PATIENCE = 10.0
"""Seconds for a writer to come and to finish: a person may have to unlock a password manager."""

_POLL = 0.01  # seconds
_CHUNK = 65536
_contents: dict[str, bytes] = {}
_reading = threading.Lock()


def read(path: Path, limit: int, *, patience: float = PATIENCE) -> bytes:
    """What a writer puts into the pipe; read at the first call, remembered from then on.

    Args:
        limit: how many bytes are read; one more says that there are more.
        patience: how many seconds are waited in all.

    Raises:
        EnvFileError: nobody wrote to it, or somebody does not end; or this is Windows.
        OSError: it cannot be opened.
    """
    deadline = time.monotonic() + patience
    place = os.path.realpath(path)
    if not _reading.acquire(timeout=patience):
        raise _silent(path, patience, begun=False)
    try:
        if place not in _contents:
            with _turn(Path(place).parent, deadline):
                _contents[place] = _drain(path, limit, deadline, patience)
        return _contents[place]
    finally:
        _reading.release()


def read_before(path: Path) -> bytes | None:
    """What this process has read from the pipe; None: nothing yet."""
    return _contents.get(os.path.realpath(path))


@contextmanager
def _turn(folder: Path, deadline: float) -> Iterator[None]:
    """Wait until no other process of neonup's reads in the folder, as long as there is time."""
    if sys.platform == "win32":
        yield
        return
    import fcntl

    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # a folder that cannot be listed: without a turn
            file = os.open(folder, os.O_RDONLY)
            stack.callback(os.close, file)
            while time.monotonic() < deadline:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # falls when it is closed
                    break
                except BlockingIOError:
                    time.sleep(_POLL)
        yield


def _drain(path: Path, limit: int, deadline: float, patience: float) -> bytes:
    if sys.platform == "win32":
        from neonup.platforms import PIPES

        raise PIPES.refused()
    import select

    content = bytearray()
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # else it would wait for a writer
    try:
        poller = select.poll()
        poller.register(file, select.POLLIN)
        while poller.poll(max(0.0, deadline - time.monotonic()) * 1000):
            try:
                chunk = os.read(file, _CHUNK)
            except BlockingIOError:  # another reader was faster
                continue
            content += chunk
            if not chunk or len(content) > limit:
                return bytes(content)
    finally:
        os.close(file)
    raise _silent(path, patience, begun=bool(content))


def _silent(path: Path, patience: float, *, begun: bool) -> EnvFileError:
    what = "whoever writes to it did not end" if begun else "nobody wrote to it"
    return EnvFileError(
        f"{path} is a named pipe, and {what} within {patience:g} s.",
        remedy="Start the program that writes to it, such as a password manager, and unlock it; "
        "or set the variable in the environment, which needs no file.",
    )
