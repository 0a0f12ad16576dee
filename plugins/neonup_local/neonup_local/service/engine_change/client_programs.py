"""pg_dump, pg_dumpall and psql between two private servers."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from neonup import EngineError
from neonup_local.engine import admin, program
from neonup_local.engine.account import MYSELF
from neonup_local.engine.binaries import Engine, version_key
from neonup_local.service.engine_change import statements
from neonup_local.service.private_server import PrivateServer

_DAY = 24 * 3600.0
"""Seconds that a program may take: as long as the data is large."""
_CHUNK = 1 << 16
_START = 2048
"""Bytes in which pg_dump has set all that it sets."""
_BYTES = "surrogateescape"
"""A database in SQL_ASCII may have bytes that are no UTF-8, which stay as they are."""


@dataclass(frozen=True)
class ClientPrograms:
    """The client programs of the newer of both engines, which know the older one as well.

    Args:
        source: the server that is read.
        target: the server that is written to.
        folder: where scripts are written, which have roles' passwords, hashed; it is removed also
            where this process is killed.
    """

    source: PrivateServer
    target: PrivateServer
    folder: Path

    @property
    def engine(self) -> Engine:
        """Whose programs are run."""
        return max(self.source.engine, self.target.engine, key=version_key)

    def dump(self, name: str, database: str, *options: str) -> str:
        """What ``pg_dump`` or ``pg_dumpall`` writes of the source.

        Args:
            name: the program.
            database: to which it connects.
            options: its own.

        Raises:
            EngineError: it failed.
        """
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            path = Path(folder, "dump.sql")  # its standard output would have the warnings as well
            program.run(
                [self.engine.program(name), "--no-password", f"--file={path}", *options],
                MYSELF,
                what=f"{name} of the database {database}",
                environ=_connection(self.source, database),
                timeout=_DAY,
            )
            return path.read_bytes().decode(errors=_BYTES)

    def run(self, database: str, script: str) -> None:
        """Run statements, as `dump` returned them, in a database of the target.

        Raises:
            EngineError: one was refused.
        """
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            path = Path(folder, "script.sql")
            path.write_bytes(script.encode(errors=_BYTES))
            program.run(
                [*self._psql(), f"--file={path}"],
                MYSELF,
                what=f"psql in the database {database} of the new engine",
                environ=_connection(self.target, database),
                timeout=_DAY,
            )

    def copy_rows(self, database: str) -> None:
        """The rows of a database's tables, its sequences' values and large objects.

        Raises:
            EngineError: a program failed.
        """
        with tempfile.TemporaryFile() as dump_errors, tempfile.TemporaryFile() as psql_errors:
            dump = subprocess.Popen(
                [self.engine.program("pg_dump"), "--no-password", "--section=data"],
                env=program.environment(_connection(self.source, database)),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=dump_errors,
            )
            psql = subprocess.Popen(
                [*self._psql(), "--file=-"],
                env=program.environment(_connection(self.target, database)),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=psql_errors,
            )
            try:
                _pump(dump, psql, self.target.engine.major)
            finally:
                statuses = [psql.wait(), dump.wait()]
            for status, name, errors in zip(
                statuses, ("psql", "pg_dump"), (psql_errors, dump_errors), strict=True
            ):
                _check(status, f"{name} of the rows of the database {database}", errors)

    def _psql(self) -> list[str]:
        psql = str(self.engine.program("psql"))
        return [psql, "--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1"]


def _connection(server: PrivateServer, database: str) -> dict[str, str]:
    # The user's settings of a database or of all must not be in the way.
    options = "-c client_min_messages=warning -c default_transaction_read_only=off"
    return {
        **admin.connection(server.port, server.password, database=database),
        "PGCLIENTENCODING": "UTF8",
        "PGOPTIONS": options,
    }


def _pump(dump: subprocess.Popen[bytes], psql: subprocess.Popen[bytes], major: int) -> None:
    """Move what pg_dump writes to psql; both have ended or are ending then."""
    assert psql.stdin is not None  # noqa: S101
    assert dump.stdout is not None  # noqa: S101
    try:
        for chunk in _adapted(dump.stdout, major):
            psql.stdin.write(chunk)
        psql.stdin.close()
    except BrokenPipeError:
        pass  # psql has ended, and its output says why
    except BaseException:
        dump.terminate()
        psql.terminate()
        raise
    finally:
        dump.stdout.close()


def _adapted(rows: IO[bytes], major: int) -> Iterator[bytes]:
    yield statements.rows_for(rows.read(_START), major)
    while chunk := rows.read(_CHUNK):
        yield chunk


def _check(status: int, what: str, errors: IO[bytes]) -> None:
    if status:
        errors.seek(0)
        text = errors.read().decode(errors="replace")
        raise EngineError(f"{what} failed.", checked=program.last_lines(text))
