"""A cluster's past: what it archives, and data directories of any moment in it.

Each cluster has an archive of its own, which is complete: it has every segment of the log since
the cluster's oldest base, of its ancestors too. So a branch needs nobody else for its past, and
goes on having it when its parent is deleted. Segments are hard links; they are never written
again once they are complete.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from neonup import EngineError
from neonup_emulator.neon.data.model import Base
from neonup_local.engine import account as accounts
from neonup_local.engine import cluster, sizes, template
from neonup_local.engine.account import SystemAccount
from neonup_local.engine.binaries import Engine
from neonup_local.engine.config import ServerOptions
from neonup_local.service import ports

SETTINGS = {
    "archive_mode": "on",
    # Run in the data directory; a segment that was archived before a crash is the same file.
    "archive_command": "test ../archive/%f -ef %p || ln %p ../archive/%f",
    "wal_init_zero": "off",  # a stop ends a segment: it takes only what was written to it
}
_SEGMENT = re.compile(r"[0-9A-F]{24}|[0-9A-F]{8}\.history")
_ENDED_EARLY = "recovery ended before configured recovery target was reached"


@dataclass(frozen=True)
class RecoveryTarget:
    """A moment, or a position in the log."""

    time: datetime | None = None
    lsn: str | None = None

    @property
    def settings(self) -> dict[str, str]:
        """What Postgres is told."""
        if self.lsn is not None:
            return {"recovery_target_lsn": self.lsn}
        assert self.time is not None  # noqa: S101 - one of them is given
        return {"recovery_target_time": self.time.isoformat(sep=" ")}

    def reachable(self, bases: list[Base]) -> list[Base]:
        """The bases that lie before it: the later ones lead to what was not yet so.

        Which ones lie before a position is not known but of the oldest.
        """
        time = self.time
        return [base for base in bases if time is not None and base.at <= time] or bases[:1]


def create_archive(folder: Path, account: SystemAccount) -> Path:
    """The archive of a new cluster, empty."""
    archive = folder / "archive"
    archive.mkdir(mode=0o700, exist_ok=True)
    account.own(archive)
    return archive


def inherit(source: Path, target: Path, *, complete: bool) -> None:
    """Give a copy of a cluster the past that it had when it was copied.

    Args:
        source: the folder of the cluster that was copied.
        target: the folder of the copy, with its data; it goes on with the segments that it has.
        complete: whether those are complete, as a backup ends them. Postgres does not archive
            what it has only read at its first start.
    """
    archive = create_archive(target, accounts.of_data(target / "data"))
    log = target / "data" / "pg_wal"
    own = {name for name in _segments(log) if not _is_archived(log, name)}
    first = min((name for name in own if not name.endswith(".history")), default="G")
    for folder in (source / "data" / "pg_wal", source / "archive"):
        for name in _segments(folder):
            if name not in own and (name < first or name.endswith(".history")):
                _link(folder / name, archive / name)
    if complete:
        for name in own:
            _link(log / name, archive / name)


def replay(engine: Engine, base: Path, source: Path, target: Path, moment: RecoveryTarget) -> None:
    """Build a cluster's data as it was at a moment, from a base and the log since.

    Where nothing was committed after the moment, the log ends before it: then all of the log is
    what was there at that moment.

    Args:
        engine: the programs.
        base: a data directory from before the moment; it is copied.
        source: the folder of the cluster whose past it is.
        target: the folder of the new cluster; exists, and is empty.
        moment: not in the future.

    Raises:
        EngineError: the log does not lead there.
    """
    data = target / "data"
    account = accounts.of_data(base)
    template.copy(base, data, account)
    archive = create_archive(target, account)
    log = data / "pg_wal"
    for name in _segments(log):
        (log / name).unlink()
    for path in (log / "archive_status").glob("*"):
        path.unlink()
    _gather(source, log, archive, account)
    (data / "recovery.signal").touch()
    account.own(data / "recovery.signal")
    try:
        _recover(engine, target, moment.settings)
    except EngineError as error:
        if moment.time is None or not any(_ENDED_EARLY in line for line in error.checked):
            raise
        _recover(engine, target, {})
    for path in log.glob("*.history"):
        _link(path, archive / path.name)


def _recover(engine: Engine, folder: Path, settings: dict[str, str]) -> None:
    """Let the server read the log up to the target, begin a new timeline, and stop."""
    while True:
        options = ServerOptions(
            port=ports.free(),
            durable=True,
            settings={
                "restore_command": "false",  # all there is lies in pg_wal
                "recovery_target_action": "promote",
                "hot_standby": "off",
                "archive_mode": "off",
                "recovery_init_sync_method": "syncfs",
                **settings,
            },
        )
        try:
            cluster.start(engine, folder, None, options)
        except cluster.PortTaken:
            continue
        cluster.stop(folder / "data")
        return


def _gather(source: Path, log: Path, archive: Path, account: SystemAccount) -> None:
    """Put all segments of a cluster, which may be running, where a recovery finds them."""
    live = source / "data" / "pg_wal"
    # The log is listed first: what is archived and removed meanwhile is in the archive then.
    names = list(_segments(live))
    for name in _segments(source / "archive"):
        _link(source / "archive" / name, log / name)
        _link(source / "archive" / name, archive / name)
    for name in names:
        if (log / name).exists():
            continue
        with contextlib.suppress(FileNotFoundError):
            shutil.copyfile(live / name, log / name)
            account.own(log / name)
            _link(log / name, archive / name)


def _segments(folder: Path) -> Iterator[str]:
    for path in folder.iterdir():
        if _SEGMENT.fullmatch(path.name):
            yield path.name


def _is_archived(log: Path, name: str) -> bool:
    return (log / "archive_status" / f"{name}.done").exists()


def _link(source: Path, target: Path) -> None:
    with contextlib.suppress(FileExistsError, FileNotFoundError):
        os.link(source, target)


def size(folder: Path, begin: str) -> int:
    """Bytes on the disk of a cluster's archive from a segment on."""
    archive = folder / "archive"
    return sum(sizes.of_file(archive / name) for name in _segments(archive) if name >= begin)


def forget(folder: Path, begin: str) -> None:
    """Remove segments before the one with which the oldest base that is needed begins."""
    for name in list(_segments(folder / "archive")):
        if name < begin and not name.endswith(".history"):
            (folder / "archive" / name).unlink(missing_ok=True)


def first_segment(data: Path) -> str:
    """The name of the oldest segment that a data directory which was stopped has."""
    return min(name for name in _segments(data / "pg_wal") if not name.endswith(".history"))


def position(lsn: str) -> int:
    """A position in the log as a number, e.g. of ``0/1A2B3C8``."""
    high, _, low = lsn.partition("/")
    return (int(high, 16) << 32) + int(low, 16)


def begin_of(segment: Path) -> int:
    """The position with which a segment begins: its name has no more than its number."""
    name = segment.name
    return (int(name[8:16], 16) << 32) + int(name[16:24], 16) * segment.stat().st_size
