"""Asking a database something."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import conninfo


def ask(url: str, statement: str, host: str | None = None) -> Any:
    """The first value that a statement answers; None where it answers none."""
    where = conninfo.make_conninfo(url, connect_timeout=60, **({"host": host} if host else {}))
    with psycopg.connect(where, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None
