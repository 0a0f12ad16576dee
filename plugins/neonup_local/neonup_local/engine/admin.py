"""Asking a running server something as its superuser, through the engine's own ``psql``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from neonup import EngineError
from neonup.plugin.postgres import PsqlSession
from neonup_local.engine import postmaster, program, template
from neonup_local.engine.account import MYSELF
from neonup_local.engine.binaries import Engine


def run(
    engine: Engine,
    port: int,
    password: str,
    sql: str,
    *,
    role: str = template.ADMIN,
    database: str = template.DATABASE,
) -> str:
    """Run SQL and return the rows, one a line, columns parted by tabs.

    Args:
        engine: whose ``psql`` to use.
        port: the server's port on 127.0.0.1.
        password: the role's.
        sql: the statements; they go through standard input, where nobody can read them.
        role: as whom.
        database: the database to run them in.

    Raises:
        EngineError: ``psql`` or a statement failed.
    """
    command: list[str | Path] = [
        *(engine.program("psql"), "--no-psqlrc", "--quiet", "--no-align", "--tuples-only"),
        *("--field-separator=\t", "--set=ON_ERROR_STOP=1", "--file=-"),
    ]
    variables = {
        **connection(port, password, role, database),
        "PGCONNECT_TIMEOUT": "10",
        "PGOPTIONS": "-c default_transaction_read_only=off",  # whatever the user's database has
    }
    return program.run(command, MYSELF, what="psql", stdin=sql, environ=variables)


def connection(
    port: int,
    password: str,
    role: str = template.ADMIN,
    database: str = "postgres",
    *,
    host: str = postmaster.HOST,
) -> dict[str, str]:
    """The variables by which libpq's programs connect to a server of this machine.

    Args:
        port: the server's.
        password: the role's.
        role: as whom.
        database: to which database; ``postgres`` is not the user's, who may drop the others.
        host: the server's address, or the folder of its socket.
    """
    return {
        "PGHOST": host,
        "PGPORT": str(port),
        "PGUSER": role,
        "PGPASSWORD": password,
        "PGDATABASE": database,
        "PGSSLMODE": "disable",
        "PGGSSENCMODE": "disable",
        "PGPASSFILE": os.devnull,
    }


@contextmanager
def session(
    engine: Engine, port: int, password: str, *, host: str = postmaster.HOST
) -> Iterator[PsqlSession]:
    """A session of the superuser's that lasts as long as the block.

    Args:
        engine: whose ``psql`` to use.
        port: the server's port.
        password: the superuser's.
        host: the server's address, or the folder of its socket.

    Raises:
        EngineError: ``psql`` cannot be started.
    """
    command = [str(engine.program("psql"))]
    environ = program.environment(connection(port, password, host=host))
    try:
        psql = PsqlSession(command, environ)
    except OSError as error:
        raise EngineError(f"{command[0]} could not be run: {error.strerror}.") from None
    try:
        yield psql
    finally:
        psql.close()


def was_refused(error: EngineError) -> bool:
    """Whether an error of `run` says that the password is wrong."""
    return any("password authentication failed" in line for line in error.checked)


def lets_in(engine: Engine, port: int, password: str) -> bool:
    """Whether the server on that port knows ``neondb_owner`` with that password."""
    try:
        run(engine, port, password, "SELECT 1", role=template.OWNER)
    except EngineError:
        return False
    return True
