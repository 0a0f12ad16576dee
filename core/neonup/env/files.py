"""Files that are written whole or not at all: the old one stays, or the new one is there.

The folder may be another user's, and this process root: so content, mode and owner are given to an
open file, never to a name, before it gets its place. On Linux it has no name until then, so that
nothing is left of a process that was killed.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from neonup.errors import EnvFileError

_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG})
_LEFT_AFTER = 60.0  # seconds: no write takes so long


def kind(path: Path) -> str | None:
    """What is at a path and cannot be written to as a file; None: a file, or nothing."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        return "a loop of symbolic links" if error.errno == errno.ELOOP else None
    return None if stat.S_ISREG(mode) else _KINDS.get(stat.S_IFMT(mode), "no regular file")


def target(path: Path) -> Path:
    """The file itself, past its links; it need not exist.

    Raises:
        EnvFileError: what is there is no file; or this is root, and somebody else's link leads to
            a place that is not theirs.
    """
    if (obstacle := kind(path)) is not None:
        raise EnvFileError(
            f"{path} is {obstacle}, and cannot be written to.",
            remedy='Name another file: --env .env.local, or env_file = ".env.local" in '
            "[tool.neonup].",
        )
    place = Path(os.path.realpath(path))
    if sys.platform != "win32" and os.geteuid() == 0 and _leads_astray(path, place):
        raise EnvFileError(
            f"{path} is another user's link to {place}, which is not theirs; root does not write "
            "there.",
            remedy="Name the file itself with --env or env_file, or make the link yours.",
        )
    return place


def _leads_astray(path: Path, place: Path) -> bool:
    try:
        link = path.lstat()
    except OSError:
        return False
    owners = set()
    for part in (place, place.parent):
        with contextlib.suppress(OSError):
            owners.add(part.stat().st_uid)
    return stat.S_ISLNK(link.st_mode) and link.st_uid not in {0, *owners}


def append(path: Path, data: bytes) -> None:
    """Add to the end of a file, in one write."""
    with _writing(path) as place, _opened(place, os.O_WRONLY | os.O_APPEND) as file:
        before = os.fstat(file).st_size
        try:
            if os.write(file, data) != len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError:
            os.ftruncate(file, before)
            raise


def create(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Make a file that is not there, and its folder; it appears complete.

    Raises:
        EnvFileError: it could not be written, or somebody has made one meanwhile.
    """
    with _writing(path) as place:  # a dangling link's target is what gets made
        place.parent.mkdir(parents=True, exist_ok=True)
        with _draft(place, data, mode) as draft:
            draft.become_new()


def replace(path: Path, data: bytes) -> None:
    """Put other content into a file; its mode and owner stay, and a link stays one.

    Raises:
        EnvFileError: it could not be written, and is as it was.
    """
    with _writing(path) as place:
        status = place.stat()
        if not os.access(place, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        try:
            with _draft(place, data, stat.S_IMODE(status.st_mode), status) as draft:
                draft.replace()
        except OSError as error:
            if error.errno in _NO_ROOM:
                raise
            # mounted into a container (EBUSY), or somebody else's: only in place
            _overwrite(place, data)


def write_private(path: Path, data: bytes) -> None:
    """Put content into a file of neonup's own, new or not, that nobody else can read.

    Raises:
        OSError: it could not be written, and is as it was.
    """
    with _draft(path, data, 0o600) as draft:
        draft.replace()


def remove(path: Path) -> None:
    """Delete a file; a link to it stays."""
    with _writing(path) as place:
        place.unlink(missing_ok=True)


@contextmanager
def _writing(path: Path) -> Iterator[Path]:
    """The file itself, past its links; what the system then refuses is an EnvFileError."""
    place = target(path)
    try:
        yield place
    except OSError as error:
        raise EnvFileError(
            f"{path} could not be written: {error.strerror}.", remedy="The file is unchanged."
        ) from None


@dataclass
class _Draft:
    """A complete file that does not have its place yet.

    Args:
        file: its descriptor.
        place: where it is to be.
        name: where it is now; None: it has no name.
    """

    file: int
    place: Path
    name: Path | None

    def become_new(self) -> None:
        """Take the place, unless somebody has it."""
        if self.name is None:
            _link(self.file, self.place)
            return
        try:
            os.link(self.name, self.place)  # unlike a rename it replaces nothing
        except FileExistsError:
            raise
        except OSError:  # a file system without hard links
            self.replace()

    def replace(self) -> None:
        """Take the place of the file that is there."""
        if self.name is None:
            self.name = _hidden_name(self.place)
            _link(self.file, self.name)
        self.name.replace(self.place)
        self.name = None


@contextmanager
def _draft(
    place: Path, data: bytes, mode: int, owner: os.stat_result | None = None
) -> Iterator[_Draft]:
    _sweep(place)
    draft = _begin(place)
    try:
        with os.fdopen(draft.file, "wb") as stream:
            stream.write(data)
            stream.flush()
            if sys.platform != "win32":
                if owner and (owner.st_uid, owner.st_gid) != (os.geteuid(), os.getegid()):
                    os.fchown(draft.file, owner.st_uid, owner.st_gid)
                os.fchmod(draft.file, mode)
            os.fsync(draft.file)
            yield draft
    finally:
        if draft.name is not None:
            draft.name.unlink(missing_ok=True)


def _begin(place: Path) -> _Draft:
    if sys.platform == "linux" and Path("/proc/self/fd").is_dir():
        with contextlib.suppress(OSError):  # a file system without it
            file = os.open(place.parent, os.O_WRONLY | os.O_TMPFILE | os.O_CLOEXEC, 0o600)
            return _Draft(file, place, None)
    name = _hidden_name(place)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    return _Draft(os.open(name, flags, 0o600), place, name)


def _link(file: int, place: Path) -> None:
    """Give an open file a name: https://man7.org/linux/man-pages/man2/open.2.html, O_TMPFILE."""
    folder = os.open(place.parent, getattr(os, "O_PATH", os.O_RDONLY))
    try:  # with a folder's descriptor Python calls linkat, which follows the link in /proc
        os.link(f"/proc/self/fd/{file}", place.name, dst_dir_fd=folder, follow_symlinks=True)
    finally:
        os.close(folder)


def _hidden_name(place: Path) -> Path:
    """A name that nobody can guess, and that git leaves out: every Python .gitignore has it."""
    return place.with_name(f"{place.name}.{secrets.token_hex(8)}.pyc")


def _sweep(place: Path) -> None:
    """Delete what processes left here that were killed in the moment before the rename."""
    ours = re.compile(re.escape(place.name) + r"\.[0-9a-f]{16}\.pyc")
    with contextlib.suppress(OSError):
        for path in place.parent.iterdir():
            if ours.fullmatch(path.name) and time.time() - path.lstat().st_mtime > _LEFT_AFTER:
                path.unlink(missing_ok=True)


@contextmanager
def _opened(place: Path, flags: int) -> Iterator[int]:
    """A regular file's descriptor, not that of what has taken its place meanwhile."""
    more = ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY")
    for name in more:
        flags |= getattr(os, name, 0)
    file = os.open(place, flags)
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise OSError(errno.EINVAL, "it is no regular file any more")
        yield file
    finally:
        os.close(file)


def _overwrite(place: Path, data: bytes) -> None:
    with _opened(place, os.O_RDWR) as file, os.fdopen(file, "r+b", closefd=False) as stream:
        before = stream.read()
        try:
            _put(stream.fileno(), data)
        except OSError:
            _put(stream.fileno(), before)
            raise


def _put(file: int, data: bytes) -> None:
    os.lseek(file, 0, os.SEEK_SET)
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]
    os.ftruncate(file, len(data))
