"""Tokens in files that only their owner can read."""

from __future__ import annotations

import contextlib
import json
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from neonup.plugin.files import make_private
from neonup_cloud.oauth.errors import AGAIN, SignInError
from neonup_cloud.oauth.tokens import Tokens

PATIENCE = 90.0
"""Seconds that a lock is waited for; a refresh takes two requests."""


class FileTokens:
    """A `TokenStore` in a file of its own.

    Args:
        path: the file; its folder is made if need be.
    """

    def __init__(self, path: Path | str):
        self._path = Path(path)

    def load(self) -> Tokens | None:
        """As `TokenStore.load`.

        Raises:
            SignInError: others can read the file, or it is damaged.
        """
        data = read(self._path)
        return None if data is None else Tokens.from_dict(data)

    def save(self, tokens: Tokens) -> None:
        """As `TokenStore.save`."""
        write(self._path, tokens.as_dict())

    def delete(self) -> None:
        """As `TokenStore.delete`."""
        self._path.unlink(missing_ok=True)

    def lock(self) -> contextlib.AbstractContextManager[object]:
        """As `TokenStore.lock`."""
        return locked(self._path.with_suffix(".lock"))


def read(path: Path, *, strict: bool = True) -> Any:
    """What the JSON file holds; None if there is no file.

    Args:
        strict: False: though others can read it, too.

    Raises:
        SignInError: others can read it, or it cannot be read.
    """
    try:
        with path.open("rb") as file:
            if strict:
                _refuse_if_open_to_others(path, os.fstat(file.fileno()))
            return json.loads(file.read())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SignInError(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError:
        raise SignInError(
            "What was kept of the sign-in at Neon is damaged.",
            checked=(str(path),),
            remedy=AGAIN,
        ) from None


def write(path: Path, data: object) -> None:
    """Write a JSON file with mode 0600, whole or not at all.

    Raises:
        SignInError: it cannot be written; it is as it was.
    """
    try:
        make_private(path.parent)
        descriptor, name = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=path.parent)
        try:
            with os.fdopen(descriptor, "w") as file:  # of mode 0600
                json.dump(data, file)
                file.flush()
                os.fsync(descriptor)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise SignInError(f"{path} cannot be written: {error.strerror}.") from None


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock between processes and threads; it falls with its process.

    Raises:
        SignInError: somebody else does not let it go.
    """
    from neonup.plugin.locks import FileLock, LockTimeout

    try:
        make_private(path.parent)
        lock = FileLock(path, timeout=PATIENCE, mode=0o600)
        lock.acquire()
    except LockTimeout:
        raise SignInError(
            f"Another process has been renewing the sign-in at Neon for {PATIENCE:.0f} seconds.",
            checked=(f"its lock is {path}",),
            remedy="Find it, end it, and try again.",
        ) from None
    except OSError as error:
        raise SignInError(f"{path} cannot be locked: {error.strerror}.") from None
    try:
        yield
    finally:
        lock.release()


def _refuse_if_open_to_others(path: Path, status: os.stat_result) -> None:
    if sys.platform == "win32":
        return
    if status.st_uid != os.geteuid():
        raise SignInError(
            f"The sign-in at Neon was not used: {path} belongs to another user.",
            remedy=f"Delete it, or make it yours, then: chmod 600 {path}",
        )
    if status.st_mode & 0o077:
        raise SignInError(
            f"The sign-in at Neon was not used: others than you can read {path}.",
            checked=(f"its mode is {stat.S_IMODE(status.st_mode):04o}",),
            remedy=f"chmod 600 {path}; if somebody may have read it: neonup auth logout",
        )
