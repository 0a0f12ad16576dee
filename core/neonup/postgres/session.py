"""A psql that stays connected and runs statements one after another: no driver is needed."""

from __future__ import annotations

import contextlib
import secrets
import subprocess
import threading
from collections.abc import Mapping, Sequence

from neonup.errors import EngineError

_OPTIONS = (
    *("--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--no-password"),
    *("--field-separator=\t", "--file=-"),
)


class ServerLost(EngineError):
    """The connection is gone: the server died, or was stopped."""


class StatementFailed(EngineError):
    """Postgres refused a statement.

    Args:
        message: what it said.
        sqlstate: its code, see https://www.postgresql.org/docs/current/errcodes-appendix.html
    """

    def __init__(self, message: str, sqlstate: str):
        super().__init__(message)
        self.sqlstate = sqlstate


class PsqlSession:
    """A session of a database; safe to use from several threads.

    Args:
        command: psql, with the options that it needs to connect.
        environ: its environment, with the place and the password.
        database: the database to connect to, instead of the one that ``environ`` names.
        settings: of the session, as ``-c name=value``.
        name: what ``pg_stat_activity`` calls it.
        server: what errors call the server.
    """

    def __init__(
        self,
        command: Sequence[str],
        environ: Mapping[str, str],
        database: str | None = None,
        *,
        settings: str = "",
        name: str = "neonup",
        server: str = "Postgres",
    ):
        chosen = {"PGDATABASE": database} if database else {}
        options = f"{environ.get('PGOPTIONS', '')} -c client_min_messages=error {settings}"
        # In the environment, not as an argument: everyone can read those.
        self._psql = subprocess.Popen(
            [*command, *_OPTIONS],
            env={
                **environ,
                **chosen,
                "PGOPTIONS": options.strip(),
                "PGAPPNAME": name,
                "PGCLIENTENCODING": "UTF8",
                "PGCONNECT_TIMEOUT": "10",
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            bufsize=1,
            start_new_session=True,  # Ctrl-C is its owner's, who still has to clean up
        )
        self._server = server
        self._mark = f"neonup-{secrets.token_hex(8)}"
        self._lock = threading.Lock()

    def run(self, *statements: str) -> list[list[str]]:
        """Run statements in their order; returns the rows of the last one.

        Raises:
            StatementFailed: one was refused; the ones before it stay done.
            ServerLost: the connection is gone.
        """
        rows: list[list[str]] = []
        with self._lock:
            for statement in statements:
                rows = self._run(statement)
        return rows

    def value(self, statement: str) -> str:
        """The one value that a statement answers; empty where there is no row."""
        rows = self.run(statement)
        return rows[0][0] if rows else ""

    def close(self) -> None:
        """End psql."""
        if self._psql.stdin and self._psql.stdout:
            with contextlib.suppress(OSError):  # it died with something unsent
                self._psql.stdin.close()
            try:
                self._psql.wait(10)
            except subprocess.TimeoutExpired:  # in the middle of a statement
                self._psql.kill()
                self._psql.wait()
            self._psql.stdout.close()

    def _run(self, statement: str) -> list[list[str]]:
        send, receive = self._psql.stdin, self._psql.stdout
        if send is None or receive is None:
            raise ServerLost("psql was not started.")
        state = f"\\echo {self._mark} :ERROR :SQLSTATE :LAST_ERROR_MESSAGE"
        lines: list[str] = []
        answered = False
        try:
            send.write(f"{statement}\n;\n{state}\n\\echo {self._mark}\n")
            send.flush()
            while not answered and (line := receive.readline()):
                answered = line.rstrip("\n") == self._mark
                lines.append(line.rstrip("\n"))
        except (OSError, ValueError):  # the pipe is broken, or closed by another thread
            with contextlib.suppress(OSError, ValueError):
                lines += receive.read().splitlines()  # why psql has ended
        except BaseException:  # pytest-timeout's or Ctrl-C: the answer is still to come, and would
            self._psql.kill()  # be taken for the next statement's
            raise
        if answered:
            return self._answer(lines[:-1])
        last = [line for line in lines if line.strip()][-3:]
        raise ServerLost(f"The connection to {self._server} was lost.", checked=last)

    def _answer(self, lines: list[str]) -> list[list[str]]:
        at = next(i for i, line in enumerate(lines) if line.startswith(self._mark))
        _, failed, sqlstate, message = f"{lines[at]} ".split(" ", 3)
        if failed == "true":
            text = "\n".join([message.strip(), *lines[at + 1 :]])  # it may have several lines
            server = f"{self._server[0].upper()}{self._server[1:]}"
            raise StatementFailed(f"{server} refused: {text}", sqlstate)
        return [line.split("\t") for line in lines[:at] if line]
