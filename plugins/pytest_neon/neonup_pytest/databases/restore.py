"""Used databases made fresh again, byte for byte, where that is quicker than a new copy.

A database is a folder of files, and no process uses it once its connections have ended and
Postgres has written and forgotten its pages. Every file that changed since the database was handed
out, whatever changed it, then gets the content that it has in the template: the same rows in the
same places, the same indexes, the same statistics for the planner.

What the files do not hold is in the catalogs that all databases share: settings, privileges,
comments, the roles that own its objects. Where anything there differs, a new copy is made.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from neonup.plugin.postgres import StatementFailed
from neonup_pytest.databases import statements, watch
from neonup_pytest.databases.watch import Watch
from neonup_pytest.platforms import RESTORED
from neonup_pytest.servers.admin import Admin, literal

_CACHE = "pg_internal.init"
"""What Postgres keeps of the catalogs for new connections; it is made again where it is missing."""

_CHUNK = 1 << 20
_TRIES = 5

# The answer is a truth value in Postgres 17, and a row that begins with one from 18 on.
_EVICT = """
PREPARE neonup_evict (oid[]) AS
SELECT count(*) FROM pg_buffercache AS b, LATERAL pg_buffercache_evict(b.bufferid) AS evicted
WHERE b.reldatabase = ANY ($1) AND ltrim(evicted::text, '(') NOT LIKE 't%'"""

_SHARED = """
PREPARE neonup_shared (oid[]) AS
SELECT d.oid, md5(concat_ws('/', d.datdba, d.datacl, d.datconnlimit, d.datistemplate,
    d.dattablespace,
    (SELECT array_agg(s::text ORDER BY s.setrole) FROM
        (SELECT setrole, setconfig FROM pg_db_role_setting WHERE setdatabase = d.oid) AS s),
    (SELECT array_agg(s::text ORDER BY s::text) FROM
        (SELECT classid, objid, objsubid, refclassid, refobjid, deptype
         FROM pg_shdepend WHERE dbid = d.oid) AS s),
    (SELECT array_agg(description) FROM pg_shdescription
        WHERE classoid = 'pg_database'::regclass AND objoid = d.oid),
    (SELECT array_agg(label ORDER BY provider) FROM pg_shseclabel
        WHERE classoid = 'pg_database'::regclass AND objoid = d.oid),
    (SELECT count(*) FROM pg_subscription WHERE subdbid = d.oid),
    (SELECT count(*) FROM pg_replication_slots WHERE datoid = d.oid)))
FROM pg_database AS d WHERE d.oid = ANY ($1)"""


class Restorer:
    """Restores databases that are copies of one template.

    Args:
        admin: connected as a superuser to the database with the extension, see `prepare`.
        data: the server's data directory, which this process can write to.
        template: the name of the template, which nobody can connect to.

    Raises:
        OSError: the kernel's limit of watches is reached.
    """

    def __init__(self, admin: Admin, data: Path, template: str):
        self._admin = admin
        self._data = data
        self._template = statements.oid(admin, template)
        self._watch = Watch()
        self._shared: dict[str, str] = {}
        """What the shared catalogs said of each database when it was new, by its oid."""

    def adopt(self, oid: str) -> None:
        """Remember what a new copy looks like, before anybody connects to it."""
        with contextlib.suppress(OSError):
            self._watch.add(self._path(oid))
            self._shared |= self._look([oid])

    def restore(self, oids: Sequence[str]) -> set[str]:
        """Make closed databases the same as new copies; several at once cost little more than one.

        Returns:
            Those for which it could be done and proven; the others are of no use any more.
        """
        try:
            # Recovery after a crash begins here, and so repeats nothing that was done before; the
            # files of dropped tables, which Postgres removes late, go now.
            self._admin.run("CHECKPOINT")
            now = self._look(oids)
            same = [oid for oid in oids if self._is_same(oid, now)]
            if not self._evict(same):
                return set()
        except StatementFailed:
            return set()
        return {oid for oid in same if self._put_back(oid)}

    def close(self) -> None:
        """Let go of the kernel's watches."""
        self._watch.close()

    def _look(self, oids: Sequence[str]) -> dict[str, str]:
        self._admin.once(_SHARED)
        rows = self._admin.run(f"EXECUTE neonup_shared ({_array(oids)})")
        return {row[0]: row[1] for row in rows}

    def _is_same(self, oid: str, now: Mapping[str, str]) -> bool:
        """Whether nothing changed outside the database's folder."""
        elsewhere = any(self._data.glob(f"pg_tblspc/*/*/{oid}"))
        return oid in self._shared and self._shared[oid] == now.get(oid) and not elsewhere

    def _evict(self, oids: Sequence[str]) -> bool:
        """Make Postgres forget the databases' pages; returns whether it has forgotten all."""
        self._admin.once(_EVICT)
        evict = f"EXECUTE neonup_evict ({_array(oids)})"
        return any(self._admin.value(evict) == "0" for _ in range(_TRIES))

    def _put_back(self, oid: str) -> bool:
        """Give every file that changed the template's content; returns whether that was possible.

        A relation that has other files now (after ``TRUNCATE``, ``VACUUM FULL``) is not handled: a
        backend of another database could still have its old file open, and write there.
        """
        path = self._path(oid)
        changed = self._watch.changed(path)
        if changed is None:
            return False
        try:
            complete = self._copy_back(oid, changed)
        except OSError:
            return False
        self._watch.forget(path)
        return complete

    def _copy_back(self, oid: str, changed: set[str]) -> bool:
        with self._folder(self._template) as source, self._folder(oid) as target:
            for name in changed:
                wanted, present = _is_file(name, source), _is_file(name, target)
                if wanted and (present or name == _CACHE):
                    _copy(name, source, target)
                elif wanted:
                    return False
                elif present:
                    _remove(name, target)
        return True

    def _path(self, oid: str) -> Path:
        return self._data / "base" / oid

    @contextlib.contextmanager
    def _folder(self, oid: str) -> Iterator[int]:
        """A database's folder, opened step by step: root follows nobody's links."""
        if sys.platform != "linux":  # where `prepare` says no
            raise RESTORED.refused()
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
        opened = [os.open(self._data, flags)]
        try:
            for part in ("base", oid):
                opened.append(os.open(part, flags, dir_fd=opened[-1]))
            yield opened[-1]
        finally:
            for folder in opened:
                os.close(folder)


def _array(oids: Sequence[str]) -> str:
    return literal(f"{{{','.join(oids)}}}")


def _is_file(name: str, folder: int) -> bool:
    try:
        return stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return False


def _remove(name: str, folder: int) -> None:
    """Remove a file; one of a relation, which may still be open, is emptied: that is the same."""
    if sys.platform != "linux":
        raise RESTORED.refused()
    if name[0].isdigit():
        os.close(os.open(name, os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW, dir_fd=folder))
    else:
        os.unlink(name, dir_fd=folder)


def _copy(name: str, source: int, target: int) -> None:
    """Write a file's content over, not a new file: the server may still have the old one open."""
    if sys.platform != "linux":
        raise RESTORED.refused()
    reading = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=source)
    try:
        info = os.fstat(reading)
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW
        writing = os.open(name, flags, info.st_mode & 0o777, dir_fd=target)
        try:
            while chunk := os.read(reading, _CHUNK):
                _write(writing, chunk)
            os.ftruncate(writing, info.st_size)
            if os.geteuid() != info.st_uid:
                os.fchown(writing, info.st_uid, info.st_gid)
        finally:
            os.close(writing)
    finally:
        os.close(reading)


def _write(file: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(file, rest) :]


def prepare(admin: Admin, data: Path | None) -> bool:
    """Whether a server's databases can be restored; installs the extension for it.

    https://www.postgresql.org/docs/current/pgbuffercache.html

    Args:
        admin: the administrator's connection.
        data: the server's data directory, where it is on this machine and ours to write to.
    """
    if data is None or not watch.IS_POSSIBLE:
        return False
    try:
        admin.run(
            "CREATE EXTENSION IF NOT EXISTS pg_buffercache",
            "SELECT 'pg_buffercache_evict(int)'::regprocedure",  # from 17 on
        )
    except StatementFailed:  # there is no such extension
        return False
    return True
