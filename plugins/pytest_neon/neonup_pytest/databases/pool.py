"""Fresh databases, made in the background while tests run."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from neonup.plugin.postgres import StatementFailed
from neonup_pytest.databases import statements
from neonup_pytest.databases.restore import Restorer
from neonup_pytest.servers.admin import Admin

_TIDY_AFTER = 32
"""Each swap leaves dead rows in the list of databases, which every connection reads."""

LARGEST = 8
"""How many databases wait at most; more would only take room."""


_TOGETHER = 3
"""How many used databases are worth waiting for, where that many fresh ones are left."""


@dataclass(frozen=True)
class Copy:
    """A copy of the template: its name, which changes, and its oid, which stays."""

    name: str
    oid: str


class DatabasePool:
    """A thread that makes copies of a template before they are asked for.

    Used ones are restored where that is possible, see `neonup_pytest.databases.restore`, and
    dropped otherwise.

    Args:
        connect: makes a connection of the thread's own.
        prefix: what the databases' names begin with.
        template: what they are copies of.
        owner: whose they are.
        wanted: how many more will be asked for at most, as far as is known.
        allowance: how many may wait to be dropped while there is something better to do.
        data: the server's data directory, where databases can be restored; None if they cannot.
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
        data: Path | None,
    ):
        self._connect = connect
        self._prefix, self._template, self._owner = prefix, template, owner
        self._wanted, self._allowance = wanted, allowance
        self._data = data
        self._fresh: deque[Copy] = deque()
        self._used: deque[Copy] = deque()
        self._doomed: deque[Copy] = deque()
        self._restorer: Restorer | None = None
        self._names = 0
        self._reused = 0
        self._waiting = 0
        self._refused: StatementFailed | None = None
        """Why the last copy could not be made; the next one who asks lets it be tried again."""
        self._error: Exception | None = None
        """What has ended the thread."""
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="neonup-pool", daemon=True)
        self._thread.start()

    def take(self) -> Copy:
        """A fresh database; waits until there is one.

        Raises:
            EngineError: none can be made, e.g. there is no room, or the server is gone.
        """
        with self._changed:
            self._waiting += 1
            self._refused = None
            self._changed.notify_all()
            try:
                while not self._fresh and (error := self._error or self._refused) is None:
                    self._changed.wait()
            finally:
                self._waiting -= 1
            if not self._fresh and error is not None:
                raise error
            copy = self._fresh.popleft()
            self._changed.notify_all()
            return copy

    def new_name(self) -> str:
        """A name that no other database of this pool has had."""
        with self._changed:
            self._names += 1
            return f"{self._prefix}_{self._names}"

    def retire(self, copy: Copy, *, reusable: bool = True) -> None:
        """Restore or drop a closed database, some time; it may have been renamed, or be gone.

        Args:
            copy: the database.
            reusable: whether putting its files back makes it a fresh one.
        """
        with self._changed:
            (self._used if reusable else self._doomed).append(copy)
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
                statements.copy_quickly(admin)
                if self._data is not None and sys.platform == "linux":
                    with contextlib.suppress(OSError):  # then every test gets a new copy
                        self._restorer = Restorer(admin, self._data, self._template)
                while (step := self._next()) is not None:
                    step(admin)
            finally:
                if self._restorer is not None:
                    self._restorer.close()
                admin.close()
        except Exception as error:  # whatever it is, the one who waits must hear it
            with self._changed:
                self._error = error
                self._changed.notify_all()

    def _next(self) -> Callable[[Admin], None] | None:
        """What to do now; waits until there is something. None: the end."""
        with self._changed:
            while not self._closed:
                wanted = max(min(LARGEST, self._wanted()), self._waiting)
                many = min(len(self._used), len(self._fresh)) >= _TOGETHER
                if self._doomed and self._fresh and len(self._doomed) > self._allowance:
                    return self._drop
                if self._used and (many or len(self._fresh) < min(wanted, _TOGETHER)):
                    return self._reuse
                if len(self._fresh) + len(self._used) < wanted and self._refused is None:
                    return self._make
                if self._doomed:
                    return self._drop
                self._changed.wait()
            return None

    def _make(self, admin: Admin) -> None:
        name = self.new_name()
        try:
            statements.create(admin, name, self._template, self._owner)
            copy = Copy(name, statements.oid(admin, name))
            if self._restorer is not None:
                self._restorer.adopt(copy.oid)
        except StatementFailed as error:
            if self._doomed:  # there may be room once they are gone
                while self._doomed:
                    self._drop(admin)
                return
            with self._changed:
                self._refused = error
                self._changed.notify_all()
        else:
            self._add(copy)

    def _reuse(self, admin: Admin) -> None:
        with self._changed:
            used = [self._used.popleft() for _ in range(len(self._used))]
        names = statements.by_oid(admin, [copy.oid for copy in used])
        same = [copy.oid for copy in used if names.get(copy.oid) == copy.name]
        restored = self._restorer.restore(same) if self._restorer and same else set()
        fresh = [copy for copy in used if copy.oid in restored]
        try:
            if fresh:
                statements.open_(admin, *(copy.name for copy in fresh))
        except StatementFailed:  # somebody has dropped one
            fresh = []
        self._doomed += (copy for copy in used if copy not in fresh)
        self._add(*fresh)
        self._reused += len(used)
        if self._reused >= _TIDY_AFTER:
            statements.tidy(admin)
            self._reused = 0

    def _drop(self, admin: Admin) -> None:
        """Drop a used database, under whatever name it has; one that cannot be is put aside."""
        copy = self._doomed.popleft()
        with contextlib.suppress(StatementFailed):
            statements.drop_closed(admin, copy.name)
            for renamed in statements.by_oid(admin, [copy.oid]).values():
                statements.drop(admin, renamed)

    def _add(self, *copies: Copy) -> None:
        with self._changed:
            self._fresh += copies
            self._changed.notify_all()
