"""One transaction that only reads, and is soon over."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from psycopg import Connection, sql
from psycopg.pq import TransactionStatus

SECONDS = 20
"""That a statement may take."""

_BEGIN = """
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SET LOCAL statement_timeout = {milliseconds};
SET LOCAL lock_timeout = '3s';
SET LOCAL idle_in_transaction_session_timeout = '60s';
SET LOCAL "DateStyle" = 'ISO';
SET LOCAL "IntervalStyle" = 'postgres';
SET LOCAL bytea_output = 'hex';
SET LOCAL extra_float_digits = 1;
SET LOCAL jit = off
"""


@contextmanager
def reading(connection: Connection[Any], *, seconds: float = SECONDS) -> Iterator[None]:
    """A transaction in which nothing can be written, and values have one form.

    Within another one it is that one.

    Args:
        connection: with autocommit.
        seconds: that a statement may take.
    """
    if connection.info.transaction_status != TransactionStatus.IDLE:
        yield
        return
    connection.execute(sql.SQL(_BEGIN).format(milliseconds=sql.Literal(int(seconds * 1000))))
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute("ROLLBACK")
