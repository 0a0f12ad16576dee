"""Copying the data directory of a running server, without stopping it.

It is Postgres's own way of backing up (https://www.postgresql.org/docs/current/
continuous-archiving.html#BACKUP-LOWLEVEL-BASE-BACKUP): whatever was committed before the call is
in the copy, and a server started on the copy replays the log from the backup's beginning.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
from pathlib import Path

from neonup import EngineError
from neonup.plugin import progress
from neonup.plugin.postgres import PsqlSession
from neonup_local.engine import account as accounts
from neonup_local.engine import sizes
from neonup_local.engine.account import SystemAccount

_LEFT_OUT = frozenset(
    {
        *("pg_wal", "pg_replslot", "pg_dynshmem", "pg_notify", "pg_serial", "pg_snapshots"),
        *("pg_stat_tmp", "pg_subtrans", "postmaster.pid", "postmaster.opts", "backup_label"),
    }
)
_EMPTY = frozenset(
    {
        *("pg_replslot", "pg_dynshmem", "pg_notify", "pg_serial", "pg_snapshots"),
        *("pg_stat_tmp", "pg_subtrans", "pg_wal/archive_status", "pg_wal/summaries"),
    }
)
"""Folders that a server needs, and whose content is of no use to another one."""
_STOP = """
SELECT lsn, pg_walfile_name(lsn), encode(convert_to(labelfile, 'UTF8'), 'hex'),
    encode(convert_to(spcmapfile, 'UTF8'), 'hex')
FROM pg_backup_stop(wait_for_archive => false)
"""
"""The files have several lines, and the rows of a session one each."""


def backup(
    source: Path, target: Path, session: contextlib.AbstractContextManager[PsqlSession]
) -> str:
    """Copy a running server's data directory.

    Args:
        source: the data directory.
        target: the new one; nothing of it is left where this fails.
        session: a session of the server's superuser: it must not end before the backup does.

    Returns:
        The position in the log up to which the copy has everything, e.g. ``0/1A2B3C8``.

    Raises:
        EngineError: the server or the disk refused.
    """
    try:
        with session as psql:
            begin = psql.value("SELECT pg_walfile_name(pg_backup_start('neonup', fast => true))")
            account = accounts.of_data(source)
            _copy_watched(_content(source), target, account)
            ((lsn, end, label, tablespaces),) = psql.run(_STOP)
        _write(target / "backup_label", bytes.fromhex(label), account)
        if tablespaces:
            _write(target / "tablespace_map", bytes.fromhex(tablespaces), account)
        _copy(_segments(source / "pg_wal", begin, end), target / "pg_wal", account)
        for name in _EMPTY:
            (target / name).mkdir(mode=0o700, exist_ok=True, parents=True)
            account.own(target / name)
    except OSError as error:
        shutil.rmtree(target, ignore_errors=True)
        raise EngineError(f"{source} could not be copied: {error}.") from None
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise
    return lsn


def _content(source: Path) -> list[Path]:
    return [path for path in source.iterdir() if path.name not in _LEFT_OUT]


def _segments(log: Path, begin: str, end: str) -> list[Path]:
    """The log from the backup's beginning to its end: a server writes on in the last segment, so
    they are copied, not linked."""
    segments = [path for path in log.iterdir() if path.is_file()]
    return [path for path in segments if begin <= path.name <= end or path.suffix == ".history"]


def _copy_watched(paths: list[Path], target: Path, account: SystemAccount) -> None:
    how_far = sizes.of_copy(lambda: sum(map(sizes.size, paths)), target)
    with progress.work("Copying the data", how_far):
        _copy(paths, target, account)


def _copy(paths: list[Path], target: Path, account: SystemAccount) -> None:
    target.mkdir(mode=0o700, exist_ok=True)
    account.own(target)
    if sys.platform != "linux" or not shutil.which("cp"):
        _copy_slowly(paths, target, account)
        return
    command = ["cp", "-a", "--reflink=auto", "--", *map(str, paths), str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    errors = [line for line in done.stderr.splitlines() if "No such file" not in line]
    if done.returncode != 0 and errors:  # a file that was just deleted is in the log
        raise EngineError(
            f"{target} could not be written: {errors[0].rpartition(': ')[2]}.",
            remedy="Free some space or allow writing there.",
        )


def _copy_slowly(paths: list[Path], target: Path, account: SystemAccount) -> None:
    """Without ``cp``: a file that vanishes meanwhile is in the log."""
    for path in paths:
        for entry in (path, *path.rglob("*")):
            place = target / entry.relative_to(path.parent)
            with contextlib.suppress(FileNotFoundError):
                if entry.is_dir() and not entry.is_symlink():
                    place.mkdir(mode=0o700, exist_ok=True)
                else:
                    shutil.copy2(entry, place, follow_symlinks=False)
                account.own(place)


def _write(path: Path, content: bytes, account: SystemAccount) -> None:
    path.write_bytes(content)
    path.chmod(0o600)
    account.own(path)
