"""What is done after use, in a short process of its own: a spare copy, idle servers, leftovers.

``python -m neonup_local.service.upkeep HOME``; one at a time, at low priority, ends by itself.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from neonup import EngineError
from neonup_local.engine import account as accounts
from neonup_local.engine import choosing, detach, postmaster, template
from neonup_local.engine.account import MYSELF
from neonup_local.service import folders, notes, stock, unused
from neonup_local.service import home as homes
from neonup_local.service.databases import LocalDatabases

IDLE_SECONDS = 900.0
"""A server that nobody was connected to for so long is stopped."""

_PATIENCE = 1.0
"""Seconds to wait for a database that somebody is busy with: it is in use."""

_LEFTOVER_SECONDS = 3600.0
_LOG_LIMIT = 10_000_000
_LOG_KEPT = 1_000_000
_STAMP = "upkeep"
_CLIENT = re.compile(r"127\.0\.0\.1\(|\[local\]|::1\(")
"""In the title of a process that serves a client, but of none of Postgres's own."""


def start(home: Path) -> None:
    """Begin the upkeep in the background; never fails."""
    if "python" not in Path(sys.executable or "").name.lower():
        return  # inside an application server that is no interpreter
    command = [sys.executable, "-P", "-m", "neonup_local.service.upkeep", str(home)]
    try:
        (home / _STAMP).touch(mode=0o600)
        if homes.is_held(home, homes.UPKEEP):
            return  # another one is at it
        detach.spawn(command, MYSELF, subprocess.DEVNULL, os.environ)
    except (EngineError, OSError):
        return


def main(home: Path) -> None:
    """Everything, in the order of its use."""
    try:
        with homes.locked(home, homes.UPKEEP, patience=0):
            make_templates(home)
            make_spares(home)
            stop_idle(home)
            remove_expired(home)
            remove_leftovers(home)
            unused.remove(home)
    except EngineError:
        return  # another one has begun meanwhile, or the disk is full


def make_templates(home: Path) -> None:
    """The template that the first database ever did without; see `service.stock.provide`."""
    for major, recorded in {
        (record.pg_major, record.engine) for record in LocalDatabases(home).all()
    }:
        try:
            engine = choosing.for_data(home, major, recorded)
            if engine.id == recorded:
                stock.prepare(home, engine, accounts.for_new_data())
        except EngineError:
            continue  # its programs are gone, or the disk is full


def make_spares(home: Path) -> None:
    """One finished copy of each template, so that the next project need not wait for it."""
    for source in (home / "templates").glob("*"):
        if source.name.startswith(".") or not (source / "PG_VERSION").is_file():
            continue
        folder = home / "spares" / source.name
        homes.make_folder(folder.parent)
        homes.make_folder(folder)
        if any(folder.glob("spare-*")):
            continue
        temporary = folder / f".making-{secrets.token_hex(4)}"
        try:
            template.copy(source, temporary, accounts.of_data(source))
            temporary.rename(folder / f"spare-{secrets.token_hex(4)}")
        except EngineError:
            return  # the disk is full: no spare, then
    if hasattr(os, "sync"):
        os.sync()  # copies are made without: the spare, and the database that was just made


def stop_idle(
    home: Path, idle_seconds: float = IDLE_SECONDS, *, patience: float = _PATIENCE
) -> list[str]:
    """Stop the servers that nobody used for so long; returns their ids.

    Where the project's folder is gone nobody will: such a server is stopped at once.

    A server's log is written to at every disconnect, and touched by every start of its project.
    """
    stopped = []
    databases = LocalDatabases(home)
    for record in databases.all():
        folder = databases.folder(record.id)
        project = folders.project(home, record)
        seconds = idle_seconds
        if project is not None and folders.is_gone(project):
            folders.missed_since(folder)
            seconds = 0.0
        if not _is_idle(folder, seconds):
            continue
        with (
            suppress(EngineError),
            databases.locked(record.id, patience),
        ):
            if _is_idle(folder, seconds):
                databases.stop_locked(record.id)
                stopped.append(record.id)
    return stopped


def remove_expired(home: Path) -> list[str]:
    """Delete the branches whose time is over; returns their ids."""
    databases = LocalDatabases(home)
    now = datetime.now(UTC)
    over = [
        record.id
        for record in databases.all()
        if record.expires_at and datetime.fromisoformat(record.expires_at) <= now
    ]
    for id_ in over:
        databases.delete(id_)
    return over


def _is_idle(folder: Path, seconds: float) -> bool:
    server = postmaster.running(folder / "data")
    if server is None:
        return False
    log = folder / "log"
    try:
        if log.stat().st_size > _LOG_LIMIT:
            _shorten(log)
        if time.time() - log.stat().st_mtime < seconds:
            return False
    except OSError:
        return False
    return clients(server.pid) == 0


def clients(pid: int) -> int:
    """How many clients a server has, told from its processes' titles; 1 where it cannot be told."""
    import psutil

    try:
        titles = [" ".join(child.cmdline()) for child in psutil.Process(pid).children()]
    except psutil.NoSuchProcess:
        return 0
    except psutil.Error:
        return 1
    return sum(1 for title in titles if _CLIENT.search(title))


def _shorten(log: Path) -> None:
    """Keep the end of a log that grew while its server ran: it appends, wherever the end is."""
    with notes.last_use(log.parent), log.open("r+b") as file:
        file.seek(-_LOG_KEPT, os.SEEK_END)
        tail = file.read()
        file.seek(0)
        file.write(tail)
        file.truncate()


def remove_leftovers(home: Path, older_than: float = _LEFTOVER_SECONDS) -> None:
    """Remove what processes that were killed left half-made, once it is surely nobody's."""
    patterns = (
        *("engines/.copy-*", "templates/.making-*", "spares/*/.making-*"),
        *("databases/.trash-*", "databases/*/.data-*", "databases/*/.record-*"),
        *("databases/.making-*", "databases/*/versions/.making-*", "databases/*/next"),
    )
    for pattern in patterns:
        for path in home.glob(pattern):
            if notes.is_being_exchanged(path.parent) or (path.parent / notes.PRIVATE).exists():
                continue  # whoever wakes that database needs it, or a server runs on it
            try:
                old = time.time() - path.lstat().st_ctime >= older_than
            except OSError:
                continue
            if old and path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            elif old:
                path.unlink(missing_ok=True)


if __name__ == "__main__":
    if hasattr(os, "nice"):
        os.nice(10)
    main(Path(sys.argv[1]))
