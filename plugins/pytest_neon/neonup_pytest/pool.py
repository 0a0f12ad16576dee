"""Fresh databases, made in the background while tests run."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from neonup_pytest import databases
from neonup_pytest.admin import Admin

LARGEST = 8
"""How many databases wait at most; more would only take room."""


class Pool:
    """A thread that makes copies of a template before they are asked for, and drops used ones.

    Args:
        connect: makes a connection of the thread's own.
        prefix: what the databases' names begin with.
        template: what they are copies of.
        owner: whose they are.
        wanted: how many more will be asked for at most, as far as is known.
        allowance: how many used ones may wait to be dropped while there is something better to do.
        largest: how many fresh ones wait at most.
    """

    def __init__(
        self,
        connect: Callable[[], Admin],
        *,
        prefix: str,
        template: str,
        owner: str,
        wanted: Callable[[], int],
        allowance: int,
        largest: int = LARGEST,
    ):
        self._connect = connect
        self._prefix, self._template, self._owner = prefix, template, owner
        self._wanted, self._allowance, self._largest = wanted, allowance, largest
        self._fresh: deque[str] = deque()
        self._used: deque[str] = deque()
        self._made = 0
        self._waiting = 0
        self._error: Exception | None = None
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="neonup-pool", daemon=True)
        self._thread.start()

    def take(self) -> str:
        """The name of a fresh database; waits until there is one.

        Raises:
            EngineError: none can be made, e.g. there is no room, or the server is gone.
        """
        with self._changed:
            self._waiting += 1
            self._changed.notify_all()
            try:
                while not self._fresh and self._error is None:
                    self._changed.wait()
            finally:
                self._waiting -= 1
            if not self._fresh and self._error is not None:
                raise self._error
            name = self._fresh.popleft()
            self._changed.notify_all()
            return name

    def new_name(self) -> str:
        """A name that no other database of this pool has had."""
        with self._changed:
            self._made += 1
            return f"{self._prefix}_{self._made}"

    def retire(self, name: str) -> None:
        """Drop a closed database, some time."""
        with self._changed:
            self._used.append(name)
            self._changed.notify_all()

    def close(self) -> None:
        """End the thread; databases are left as they are."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()

    def _work(self) -> None:
        try:
            admin = self._connect()
            try:
                while (step := self._next()) is not None:
                    step(admin)
            finally:
                admin.close()
        except Exception as error:
            with self._changed:
                self._error = error
                self._changed.notify_all()

    def _next(self) -> Callable[[Admin], None] | None:
        """What to do now; waits until there is something. None: the end."""
        with self._changed:
            while not self._closed:
                wanted = max(min(self._largest, self._wanted()), self._waiting)
                if len(self._used) > self._allowance and self._fresh:
                    return self._drop
                if len(self._fresh) < wanted:
                    return self._make
                if self._used:
                    return self._drop
                self._changed.wait()
            return None

    def _make(self, admin: Admin) -> None:
        name = self.new_name()
        databases.create(admin, name, self._template, self._owner)
        with self._changed:
            self._fresh.append(name)
            self._changed.notify_all()

    def _drop(self, admin: Admin) -> None:
        with self._changed:
            name = self._used.popleft()
        databases.drop(admin, name)
