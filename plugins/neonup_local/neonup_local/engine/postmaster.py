"""How a server is, told from its ``postmaster.pid``: read at every start, so nothing heavy here."""

# Without `from __future__ import annotations`, as in `neonup.errors`: for the NamedTuple.

import os
import sys
from pathlib import Path
from typing import NamedTuple

HOST = "127.0.0.1"
_SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
"""The smallest question of the protocol: a server answers ``S`` or ``N`` before any login.

https://www.postgresql.org/docs/current/protocol-message-formats.html
"""


class Postmaster(NamedTuple):
    """What a server wrote about itself into its data directory.

    https://www.postgresql.org/docs/current/storage-file-layout.html (``postmaster.pid``)
    """

    pid: int
    started: int
    port: int
    socket_dir: str
    ready: bool


def read(data: Path | str) -> Postmaster | None:
    """The server's own record; None if there is none or it is not complete yet."""
    try:
        with open(os.path.join(data, "postmaster.pid"), encoding="utf-8", errors="replace") as file:  # noqa: PTH118, PTH123 - pathlib costs a millisecond on the hot path
            lines = file.read().split("\n")
        ready = len(lines) > 7 and lines[7].strip() == "ready"
        return Postmaster(int(lines[0]), int(lines[2]), int(lines[3]), lines[4], ready)
    except (OSError, ValueError, IndexError):
        return None


def alive(pid: int) -> bool:
    """Whether a process of that number runs; one that only waits to be reaped does not."""
    if sys.platform == "win32":
        import psutil

        return bool(psutil.pid_exists(pid))
    if not is_taken(pid):
        return False
    stat = _stat(pid)
    if not stat:
        return not os.path.isdir("/proc/self")  # noqa: PTH112 - no procfs: the signal's answer stands
    return stat[_STATE] not in (b"Z", b"X")


_STATE, _FLAGS, _PENDING = 0, 6, 28
"""https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: the fields 3, 9 and 31."""
_EXITING = 0x4
"""The flag of a process that is about to end (``PF_EXITING`` of Linux's ``sched.h``)."""
_KILLED = 1 << 8
"""The bit of SIGKILL, of which a process that waits for a core knows nothing yet."""


def _stat(pid: int) -> list[bytes]:
    """What Linux has of a process, after its name; empty where it does not say."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 - as above
            return file.read().rpartition(b")")[2].split()
    except OSError:
        return []


def is_taken(pid: int) -> bool:
    """Whether that number belongs to any process, also to one that waits to be reaped."""
    if sys.platform == "win32":
        return alive(pid)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def serves(server: Postmaster, data: str) -> bool:
    """Whether the server of a data directory, which is up, lets in who connects.

    Linux tells it of the process, which only its command line tells from a later one of the same
    number. A question over the port costs more than that: Python's sockets, and a process that
    Postgres starts to answer it. So it is for other systems, and for a server that is stopped or
    that somebody else started.
    """
    return _is_at_work(server.pid, data) or answers(server.port)


def _is_at_work(pid: int, data: str) -> bool:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:  # noqa: PTH123 - as above
            words = file.read().split(b"\0")
    except OSError:
        return False
    stat = _stat(pid)
    if words[1:3] != [b"-D", os.fsencode(data)] or not stat or stat[_STATE] not in (b"R", b"S"):
        return False
    return not (int(stat[_FLAGS]) & _EXITING or int(stat[_PENDING]) & _KILLED)


def answers(port: int, timeout: float = 2.0) -> bool:
    """Whether a Postgres answers on that port of this machine within ``timeout`` seconds."""
    import socket

    try:
        with socket.socket() as connection:  # create_connection would import the idna codec
            connection.settimeout(timeout)
            connection.connect((HOST, port))
            connection.sendall(_SSL_REQUEST)
            return connection.recv(1) in (b"S", b"N")
    except OSError:
        return False


def running(data: Path | str) -> Postmaster | None:
    """The server of a data directory if it is up and ready; None if it is not."""
    server = read(data)
    return server if server and server.ready and alive(server.pid) else None
