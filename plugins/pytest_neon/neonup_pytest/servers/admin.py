"""The administrator's connection: a psql that is kept open, so that no driver is needed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from neonup.plugin.postgres import PsqlSession

_SETTINGS = (
    "-c statement_timeout=300s -c lock_timeout=5s"
    " -c synchronous_commit=on"  # what was committed before a commit of ours is in the log then
)


class Admin(PsqlSession):
    """Runs statements one after another; safe to use from several threads.

    Args:
        command: psql, with the options that it needs to connect.
        environ: its environment, with the place and the password.
        database: the database to connect to, instead of the one that ``environ`` names.
    """

    def __init__(
        self, command: Sequence[str], environ: Mapping[str, str], database: str | None = None
    ):
        super().__init__(
            command,
            environ,
            database,
            settings=_SETTINGS,
            name="neonup tests",
            server="the tests' Postgres",
        )
        self._command, self._environ = list(command), dict(environ)
        self._done: set[str] = set()

    def once(self, statement: str) -> None:
        """Run what makes something that lasts as long as the session, at its first call only."""
        if statement not in self._done:
            self.run(statement)
            self._done.add(statement)

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
