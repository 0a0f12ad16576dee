"""Two changes at once, without luck: one waits to write while another connection writes."""

from __future__ import annotations

import json
import sqlite3
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from types import FrameType
from typing import Any

from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.state.row import Row
from neonup_emulator.neon.state.store import Store
from tests.waiting import wait_until

Elsewhere = Callable[[sqlite3.Connection], object]


def meanwhile(
    neon: LocalNeon, change: Callable[[], object], elsewhere: Elsewhere
) -> BaseException | None:
    """Begin a change, and do something else in the moment before it writes for the first time.

    Another connection has the file, so that the change waits for it, with all that it has read
    before it took a lock.

    Args:
        neon: where.
        change: runs in a thread.
        elsewhere: is given the other connection, and writes with it.

    Returns:
        What the change raised.
    """
    raised: list[BaseException] = []

    def run() -> None:
        try:
            change()
        except BaseException as error:  # whatever it is, the test looks at it
            raised.append(error)

    thread = threading.Thread(target=run)
    with closing(sqlite3.connect(neon.store._path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        thread.start()
        wait_until(
            lambda: is_written_to(neon.store) or not thread.is_alive(), "the change to write"
        )
        assert thread.is_alive(), f"it writes nothing: {raised}"
        elsewhere(other)
        other.execute("COMMIT")
    thread.join(60)
    assert not thread.is_alive()
    return raised[0] if raised else None


def is_written_to(store: Store) -> bool:
    """Whether a thread has begun a transaction of the store, or waits to."""
    for frame in list(sys._current_frames().values()):
        current: FrameType | None = frame
        while current is not None:
            code = current.f_code
            if code.co_name == "transaction" and current.f_locals.get("self") is store:
                return True
            current = current.f_back
    return False


def setting(row: Row, field: str, value: Any) -> Elsewhere:
    """Give a field of a row another value."""
    return lambda other: other.execute(
        f"UPDATE {type(row).__name__} SET body = json_set(body, ?, json(?)) WHERE id = ?",
        (f"$.{field}", json.dumps(value), row.id),
    )


def deleting(row: Row) -> Elsewhere:
    """Delete a row."""
    return lambda other: other.execute(
        f"DELETE FROM {type(row).__name__} WHERE id = ?",
        (row.id,),
    )
