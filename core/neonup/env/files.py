"""Files that are written whole or not at all: the old one stays, or the new one is there."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from neonup.errors import EnvFileError


def append(path: Path, data: bytes) -> None:
    """Add to the end of a file, in one write.

    Raises:
        EnvFileError: it could not be written, and is as it was.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
    except OSError as error:
        raise _failed(path, error) from None
    try:
        before = os.fstat(descriptor).st_size
        try:
            if os.write(descriptor, data) != len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            os.ftruncate(descriptor, before)
            raise _failed(path, error) from None
    finally:
        os.close(descriptor)


def create(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Make a file that is not there, and its folder; it appears complete.

    Raises:
        EnvFileError: it could not be written, or somebody has made one meanwhile.
    """
    target = path.resolve()  # a dangling link's target is what gets made
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _failed(path, error) from None
    beside = _write_beside(target, data, mode=mode)
    try:
        os.link(beside, target)  # unlike a rename it never replaces what somebody just made
    except FileExistsError as error:
        raise _failed(path, error) from None
    except OSError:  # a file system without hard links
        try:
            beside.replace(target)
        except OSError as error:
            raise _failed(path, error) from None
    finally:
        beside.unlink(missing_ok=True)


def replace(path: Path, data: bytes) -> None:
    """Put other content into a file; its mode and owner stay, and a link stays one.

    Raises:
        EnvFileError: it could not be written, and is as it was.
    """
    target = path.resolve()
    try:
        status = target.stat()
        if not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        beside = _write_beside(target, data, mode=status.st_mode & 0o7777)
    except OSError as error:
        raise _failed(path, error) from None
    try:
        if os.name == "posix" and (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
            os.chown(beside, status.st_uid, status.st_gid)
        beside.replace(target)
    except OSError:  # mounted into a container (EBUSY), or somebody else's: only in place
        _overwrite(path, target, data)
    finally:
        beside.unlink(missing_ok=True)


def _overwrite(path: Path, target: Path, data: bytes) -> None:
    before = target.read_bytes()
    try:
        with target.open("r+b") as stream:
            try:
                stream.write(data)
                stream.flush()
                stream.truncate(len(data))
            except OSError:
                stream.seek(0)
                stream.write(before)
                stream.truncate(len(before))
                raise
    except OSError as error:
        raise _failed(path, error) from None


def _write_beside(target: Path, data: bytes, *, mode: int) -> Path:
    # One name, since the flow's lock allows one writer: what a killed one left is overwritten.
    beside = target.with_name(f"{target.name}.neonup")
    try:
        beside.unlink(missing_ok=True)
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(descriptor)
        beside.chmod(mode)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise _failed(target, error) from None
    return beside


def _failed(path: Path, error: OSError) -> EnvFileError:
    return EnvFileError(
        f"{path} could not be written: {error.strerror}.", remedy="The file is unchanged."
    )
