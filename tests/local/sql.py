"""Asking a database something."""

from __future__ import annotations

from typing import Any

import psycopg


def ask(url: str, statement: str) -> Any:
    """The first value that a statement answers; None where it answers none."""
    with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
        cursor = connection.execute(statement.encode())
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None
