"""A psql that stays connected and is asked over pipes: one session of a database's."""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import tempfile
from collections.abc import Generator, Iterator
from contextlib import suppress
from types import TracebackType
from typing import IO, Any

from neonup import libpq
from neonup.plugin.postgres import SqlFailure, first_failure, missing_feature
from neonup_cloud.move.errors import MoveError

CHUNK = 1 << 18  # bytes

_OPTIONS = (
    *("--no-psqlrc", "--quiet", "--no-align", "--tuples-only"),
    "--no-password",  # never ask on a terminal
    "--variable=ON_ERROR_STOP=1",
    "--variable=VERBOSITY=verbose",  # with the SQLSTATE, which no language changes
    "--file=-",
)

_PATIENCE = """
SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_min_messages = warning;
SET row_security = off;
"""
"""Neon's own limit for idle transactions is five minutes; rows hidden by a policy are an error."""

_END = b"\\.\n"
"""What ends the rows of a COPY; as a row's value the backslash would be doubled."""

_SECONDS = 30.0

_ADDRESS = re.compile(r'^connection to server at "[^"]*"(?: \([^)]*\))?, port \d+ failed: ')
"""Said of a tunnel's end, it would mislead."""

_REMEDIES = {
    "42501": "Connect as the owner of the database.",
    "53100": "Make room there.",
    "55P03": "Somebody else uses it: end what is connected to it, then run it again.",
}
"""By SQLSTATE: insufficient privilege, disk full (Neon's limit of a project too), locked."""


class Session:
    """A connection to a database, for SQL and for rows in COPY's text form. A context manager.

    Args:
        command: the start of psql's command line, which says where to connect, and its
            environment.
        name: what errors call the database.
        where: its host and name, for the error that it cannot be reached.
    """

    def __init__(self, command: tuple[list[str], dict[str, str]], name: str, where: str = ""):
        self.name = name
        self._where = where
        argv, environ = command
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `close`
        try:
            self._psql = subprocess.Popen(
                [*argv, *_OPTIONS],
                env=libpq.for_reading(environ),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                bufsize=CHUNK,
            )
        except OSError as error:
            self._errors.close()
            raise MoveError(f"{argv[0]} cannot be started: {error.strerror}.") from None
        assert self._psql.stdin is not None and self._psql.stdout is not None  # noqa: S101
        self._input: IO[bytes] = self._psql.stdin
        self._output: IO[bytes] = self._psql.stdout

    def __enter__(self) -> Session:
        try:
            self.run(_PATIENCE)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is not None:  # it may be in the middle of something long
            self._psql.terminate()
        self.close()

    def run(self, sql: str) -> None:
        """Run statements, whatever they answer, and wait for their end.

        Raises:
            MoveError: one failed, or the connection is lost.
        """
        self.write(f"\\o {os.devnull}\n{sql}\n\\o\n".encode())
        self.wait()

    def wait(self) -> None:
        """Wait until what was written has been done.

        Raises:
            MoveError: it failed, or the connection is lost.
        """
        for _ in self._answer():
            pass

    def rows(self, query: str) -> list[dict[str, Any]]:
        """A query's rows, by the names of their columns, as JSON has them.

        Raises:
            MoveError: it failed, or the connection is lost.
        """
        self.write(
            b"SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.to_jsonb(q)), '[]') FROM (\n"
            + query.encode()
            + b"\n) q;\n"
        )
        rows: list[dict[str, Any]] = json.loads(b"".join(self._answer()))
        return rows

    def value(self, expression: str) -> Any:
        """One value, as JSON has it.

        Raises:
            MoveError: as `rows`.
        """
        return self.rows(f"SELECT {expression} AS value")[0]["value"]

    def lines(self, sql: str) -> Iterator[str]:
        """What statements print, a line each; for many queries of one value each.

        Raises:
            MoveError: as `rows`.
        """
        self.write(sql.encode() + b"\n")
        for line in self._answer():
            yield line.decode().rstrip("\n")

    def write(self, data: bytes) -> None:
        """Send statements, or a COPY's rows; what they print must be sent to nowhere.

        Raises:
            MoveError: what was sent before has failed.
        """
        try:
            self._input.write(data)
        except OSError:
            raise self._failed() from None

    def copy_out(self, query: str) -> Generator[bytes, None, None]:
        r"""A query's rows in COPY's text form, with the ``\.`` that ends them.

        Raises:
            MoveError: it failed, or the connection is lost.
        """
        self.write(f"COPY (\n{query}\n) TO STDOUT;\n\\echo '\\\\.'\n".encode())
        self._flush()
        tail = b"\n"
        while not tail.endswith(b"\n" + _END):
            chunk = self._output.read1(CHUNK)  # type: ignore[attr-defined]
            if not chunk:
                raise self._failed()
            tail = (tail + chunk)[-4:]
            yield chunk

    def close(self) -> None:
        """End it; a transaction that was not committed is rolled back."""
        with suppress(OSError):
            self._input.close()
        self._output.close()
        try:
            self._psql.wait(_SECONDS)
        except subprocess.TimeoutExpired:
            self._psql.terminate()
            self._psql.wait()
        self._errors.close()

    def _answer(self) -> Iterator[bytes]:
        """The lines up to a mark that is sent after what was sent before."""
        mark = secrets.token_hex(8)
        self.write(f"\\echo {mark}\n".encode())
        self._flush()
        end = f"{mark}\n".encode()
        for line in self._output:
            if line == end:
                return
            yield line
        raise self._failed()

    def _flush(self) -> None:
        try:
            self._input.flush()
        except OSError:
            raise self._failed() from None

    def _failed(self) -> MoveError:
        """What psql said before it ended."""
        with suppress(OSError):
            self._input.close()
        with suppress(subprocess.TimeoutExpired):
            self._psql.wait(_SECONDS)
        self._errors.seek(0)
        failure = first_failure(self._errors.read().decode(errors="replace"))
        if self._psql.returncode == 2 and not failure.state:
            where = [f"it is at {self._where}"] if self._where else []
            return MoveError(
                f"{self.name} cannot be reached: {_ADDRESS.sub('', failure.message)}",
                checked=[*where, *failure.details],
                remedy="Check the URL, its password and the network, then run it again.",
            )
        return as_error(self.name, failure)


def as_error(name: str, failure: SqlFailure) -> MoveError:
    """What a server refused, as an error of ours."""
    text = "\n".join((failure.message, *failure.details))
    return MoveError(
        f"{name}: {failure.message}",
        checked=failure.details,
        remedy=_REMEDIES.get(failure.state),
        missing=missing_feature(text),
    )
