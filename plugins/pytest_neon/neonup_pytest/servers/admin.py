"""The administrator's connection: a psql that is kept open, so that no driver is needed."""

from __future__ import annotations

import contextlib
import secrets
import subprocess
import threading
from collections.abc import Iterable, Mapping, Sequence

from neonup import EngineError

_OPTIONS = (
    *("--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--no-password"),
    *("--field-separator=\t", "--file=-"),
)
_SETTINGS = (
    "-c client_min_messages=error -c statement_timeout=300s -c lock_timeout=5s"
    " -c synchronous_commit=on"  # what was committed before a commit of ours is in the log then
)


class ServerLost(EngineError):
    """The connection to the tests' server is gone: the server died, or was stopped."""


class StatementFailed(EngineError):
    """Postgres refused a statement.

    Args:
        message: what it said.
        sqlstate: its code, see https://www.postgresql.org/docs/current/errcodes-appendix.html
    """

    def __init__(self, message: str, sqlstate: str):
        super().__init__(f"The tests' Postgres refused: {message}")
        self.sqlstate = sqlstate


class Admin:
    """Runs statements one after another; safe to use from several threads.

    Args:
        command: psql, with the options that it needs to connect.
        environ: its environment, with the place and the password.
        database: the database to connect to, instead of the one that ``environ`` names.
    """

    def __init__(
        self, command: Sequence[str], environ: Mapping[str, str], database: str | None = None
    ):
        self._command, self._environ = list(command), dict(environ)
        chosen = {"PGDATABASE": database} if database else {}
        # In the environment, not as an argument: everyone can read those.
        self._psql = subprocess.Popen(
            [*command, *_OPTIONS],
            env={
                **environ,
                **chosen,
                "PGOPTIONS": f"{environ.get('PGOPTIONS', '')} {_SETTINGS}".strip(),
                "PGAPPNAME": "neonup tests",
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
            start_new_session=True,  # Ctrl-C is pytest's, which still has to clean up
        )
        self._mark = f"neonup-{secrets.token_hex(8)}"
        self._lock = threading.Lock()
        self._done: set[str] = set()

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

    def once(self, statement: str) -> None:
        """Run what makes something that lasts as long as the session, at its first call only."""
        if statement not in self._done:
            self.run(statement)
            self._done.add(statement)

    def value(self, statement: str) -> str:
        """The one value that a statement answers; empty where there is no row."""
        rows = self.run(statement)
        return rows[0][0] if rows else ""

    @property
    def program(self) -> str:
        """The psql that it uses."""
        return self._command[0]

    def inside(self, database: str, options: str = "") -> Admin:
        """Another connection, to another database of the same server.

        Args:
            database: its name.
            options: settings of the sessions, as ``-c name=value``.
        """
        more = f"{self._environ.get('PGOPTIONS', '')} {options}"
        return Admin(self._command, {**self._environ, "PGOPTIONS": more}, database)

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
        said = [line for line in lines if line.strip()]
        raise ServerLost("The connection to the tests' Postgres was lost.", checked=said[-3:])

    def _answer(self, lines: list[str]) -> list[list[str]]:
        at = next(i for i, line in enumerate(lines) if line.startswith(self._mark))
        _, failed, sqlstate, message = f"{lines[at]} ".split(" ", 3)
        if failed == "true":
            more = lines[at + 1 :]  # a message may have several lines
            raise StatementFailed("\n".join([message.strip(), *more]), sqlstate)
        return [line.split("\t") for line in lines[:at] if line]


def literal(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def together(statements: Iterable[str]) -> str:
    """Statements as one that is done as a whole or not at all.

    https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-MULTI-STATEMENT
    """
    return "\\; ".join(statements)
