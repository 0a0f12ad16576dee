"""What belongs to one start of a program: a reloader's children, a server's workers.

Such a child cannot tell the others anything in its environment, so it leaves a marker in neonup's
home, named after the process above it: the start.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from neonup.process import IMPORTED_BY

FINISHING = "NEONUP_FINISHING"
"""Set for the child processes of what is due, which must not wait for its end: ``1`` where the
database is new, ``start`` for what runs at each start."""

_ASKED = "NEONUP_ANNOUNCED"
"""What this process or one above it was the first to ask about."""

_RELOADERS = ("RUN_MAIN", "WERKZEUG_RUN_MAIN")
"""What Django's and Werkzeug's reloaders set to ``true`` for their child."""


def first(home: Path, what: str) -> bool:
    """Whether this process is the first of its start that asks, and no process above it has.

    What is asked about is a part of a file's name in the folder of neonup's state.
    """
    before = os.environ.get(_ASKED, "").split()
    if what in before:
        return False
    os.environ[_ASKED] = " ".join([*before, what])
    return _is_first(home, what)


def _is_first(home: Path, what: str) -> bool:
    start = _start()
    if start is None:
        return True
    folder = home / "announced"
    marker = folder / f"{start}-{_born(start)}-{what}"
    try:
        os.close(os.open(marker, os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return False
    except FileNotFoundError:
        from neonup import folders  # most starts find the folder

        try:
            folders.make_private(folder)
        except OSError:
            return True
        return _is_first(home, what)
    except OSError:  # a home that cannot be written to: told twice rather than not at all
        return True
    _prune(folder, marker)
    return True


def _start() -> int | None:
    """The process id of the start that this process is a part of; None if it is all of it."""
    if any(os.environ.get(name) == "true" for name in _RELOADERS):
        return os.getppid()
    processes = sys.modules.get("multiprocessing.process")  # a child of it has it imported
    parent = None if processes is None else processes.parent_process()
    if parent is not None and parent.pid is not None:
        return int(parent.pid)
    if os.getpid() != IMPORTED_BY:  # forked since: a worker of Celery's, of uWSGI's, ...
        return IMPORTED_BY
    if os.environ.get("SERVER_SOFTWARE", "").startswith("gunicorn/"):  # of its workers alone
        return os.getppid()
    return None


def _born(pid: int) -> str:
    """Tells a process from an earlier one of the same id, where the system says it cheaply."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 - no pathlib on this path
            # https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: field 22, starttime
            return file.read().rpartition(b")")[2].split()[19].decode()
    except (OSError, IndexError):
        return "0"


def _prune(folder: Path, own: Path) -> None:
    for marker in folder.iterdir():
        pid, born, _ = marker.name.split("-", 2)
        if marker != own and not (_is_alive(int(pid)) and _born(int(pid)) == born):
            marker.unlink(missing_ok=True)


def _is_alive(pid: int) -> bool:
    if sys.platform == "win32":  # kill would end it
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
