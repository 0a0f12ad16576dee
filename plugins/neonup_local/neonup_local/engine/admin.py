"""Asking a running server something as its superuser, through the engine's own ``psql``."""

from __future__ import annotations

import os
from pathlib import Path

from neonup import EngineError
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
    connection = {
        "PGHOST": postmaster.HOST,
        "PGPORT": str(port),
        "PGUSER": role,
        "PGPASSWORD": password,
        "PGDATABASE": database,
        "PGSSLMODE": "disable",
        "PGGSSENCMODE": "disable",
        "PGCONNECT_TIMEOUT": "10",
        "PGPASSFILE": os.devnull,
    }
    return program.run(command, MYSELF, what="psql", stdin=sql, environ=connection)


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
