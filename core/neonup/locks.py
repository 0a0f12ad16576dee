"""Locks on files: one holder at a time, among processes, threads and forked children.

They are not filelock's, because a project's environment and a tool that pipx installed beside it
hold the same files with the versions that each of them has: 3.21 to 3.29 delete the file at
release, which versions before do not notice, and before 3.30 a forked child that exits releases
what its parent holds.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

POLL = 0.05
"""Seconds between two attempts."""

_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)

_held: set[FileLock] = set()
_of_thread = threading.local()
"""Its attributes: files, and the lock that this thread holds on each by `reentrant`."""
_guard = threading.RLock()
"""Held where a file is open and not in `_held`, and while this process forks."""

if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> bool:
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True

    def _unlock(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(file: int) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return os.fstat(file).st_nlink > 0  # a deleted file keeps nobody out

    def _unlock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)


class LockTimeout(TimeoutError):
    """Somebody else held the lock until the time was up."""


class FileLock:
    """An exclusive lock on a file; it falls with its process, and the file stays.

    Each object is a holder of its own: two of one process exclude each other. In a forked child it
    is not held, and what the child does with it leaves the parent's lock alone.

    Args:
        path: the file; its folder must exist when the lock is acquired.
        timeout: seconds to wait for another holder; 0 does not wait.
        mode: of a file that is made.
    """

    def __init__(self, path: str | os.PathLike[str], timeout: float = 0, mode: int = 0o666):
        self.path = Path(path)
        self.timeout = timeout
        self._mode = mode
        self._file: int | None = None

    @property
    def is_held(self) -> bool:
        """Whether this object holds it, in this process."""
        return self._file is not None

    def acquire(self, timeout: float | None = None, poll: float = POLL) -> None:
        """Wait for the lock and hold it.

        Args:
            timeout: seconds, instead of the lock's own.
            poll: seconds between two attempts.

        Raises:
            LockTimeout: somebody else held it all the time.
            OSError: the file cannot be opened, or its file system has no locks.
        """
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        while not self._attempt():
            left = deadline - time.monotonic()
            if left <= 0:
                raise LockTimeout(f"{self.path} is locked")
            time.sleep(min(poll, left))

    def release(self) -> None:
        """Let it go, if it is held."""
        with _guard:
            if self._file is None:
                return
            file, self._file = self._file, None
            _held.discard(self)
            try:
                _unlock(file)  # a child between fork and exec still has it open
            finally:
                os.close(file)

    def _attempt(self) -> bool:
        with _guard:
            if self._file is not None:
                return False  # another thread holds it by this object
            file = os.open(self.path, _FLAGS, self._mode)
            try:
                locked = _lock(file)
            except BaseException:
                os.close(file)
                raise
            if not locked:
                os.close(file)
                return False
            self._file = file
            _held.add(self)
            return True

    def _forget(self) -> None:
        """Close the file without unlocking it: parent and child share one lock."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, *error: object) -> None:
        self.release()


@contextmanager
def reentrant(path: Path, timeout: float) -> Iterator[None]:
    """Hold a lock that this thread may take again within.

    Args:
        path: the lock's file.
        timeout: seconds to wait for another thread or process.

    Raises:
        LockTimeout: another one held it all the time.
    """
    locks: dict[str, FileLock] = vars(_of_thread)
    outer = locks.get(str(path))
    if outer is not None and outer.is_held:  # in a forked child it is not
        yield
        return
    with FileLock(path, timeout) as lock:
        locks[str(path)] = lock
        try:
            yield
        finally:
            locks.pop(str(path), None)  # a forked child that took it anew has removed it


def _in_child() -> None:
    for lock in _held:
        lock._forget()
    _held.clear()
    _guard.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_guard.acquire, after_in_parent=_guard.release, after_in_child=_in_child
    )
