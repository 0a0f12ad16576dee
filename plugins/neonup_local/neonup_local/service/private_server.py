"""Servers that neonup starts on a database's data for itself, on a port that nobody knows.

A note beside the data says that there may be one, so that whoever gets the database's lock after a
kill ends it (`LocalDatabases.locked`): a start would take it for the database's own otherwise.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from neonup import EngineError
from neonup_local.engine import cluster, template
from neonup_local.engine.binaries import Engine
from neonup_local.engine.config import ServerOptions
from neonup_local.service import home as homes
from neonup_local.service import notes, ports

_MAKING = ".data-"
_TRIES = 5


@dataclass(frozen=True)
class PrivateServer:
    """A server that only neonup knows of.

    Args:
        engine: its programs.
        port: its port on 127.0.0.1.
        password: the superuser's.
    """

    engine: Engine
    port: int
    password: str


@contextmanager
def allowed(folder: Path) -> Iterator[None]:
    """Private servers may run on a database's data in this block; under the database's lock.

    Raises:
        EngineError: the note of it cannot be written.
    """
    note = folder / notes.PRIVATE
    try:
        note.touch(mode=0o600)
    except OSError as error:
        raise EngineError(
            f"{note} cannot be written: {error.strerror}.",
            remedy="Free some space or allow writing there.",
        ) from None
    try:
        yield
    finally:
        finish(folder)


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """A folder for a data directory that is being made: its ``data/``; gone after the block.

    Raises:
        EngineError: it cannot be made.
    """
    making = folder / f"{_MAKING}{secrets.token_hex(4)}"
    try:
        homes.make_folder(making, exist_ok=False)
    except OSError as error:
        raise EngineError(
            f"{making} cannot be made: {error.strerror}.",
            remedy="Free some space or allow writing there.",
        ) from None
    try:
        yield making
    finally:
        shutil.rmtree(making, ignore_errors=True)


@contextmanager
def running(
    home: Path, folder: Path, engine: Engine, *, disposable: bool = False
) -> Iterator[PrivateServer]:
    """A private server of ``folder/data`` in this block, in one of `allowed`.

    Args:
        home: neonup's own folder.
        folder: the database's folder, or one of `new_folder`.
        engine: the programs.
        disposable: the data is of no use if the machine fails meanwhile, so nothing waits for the
            disk.

    Raises:
        EngineError: it did not start, or does not stop.
    """
    settings = {"fsync": "off", "full_page_writes": "off"} if disposable else {}
    with notes.last_use(folder):
        for last in range(_TRIES, -1, -1):
            options = ServerOptions(ports.free(), settings=settings)
            try:
                server = cluster.start(engine, folder, None, options)
                break
            except cluster.PortTaken:  # between the look and the start
                if not last:
                    raise
        try:
            yield PrivateServer(engine, server.port, template.admin_password(home))
        finally:
            cluster.stop(folder / "data")


def finish(folder: Path) -> None:
    """End what a killed run left running, and remove what it was making; under the lock.

    Raises:
        EngineError: a server does not stop.
    """
    note = folder / notes.PRIVATE
    if not note.exists():
        return
    with notes.last_use(folder):
        cluster.stop(folder / "data")
    for making in folder.glob(f"{_MAKING}*"):
        if (making / "data").is_dir():
            cluster.stop(making / "data", immediately=True)
        shutil.rmtree(making, ignore_errors=True)
    note.unlink(missing_ok=True)
