"""Fresh databases, made in the background while tests run."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from neonup_pytest import databases, recycle
from neonup_pytest.admin import Admin
from neonup_pytest.recycle import Recycler, Span

_TIDY_AFTER = 32
"""Each swap leaves dead rows in the list of databases, which every connection reads."""

LARGEST = 8
"""How many databases wait at most; more would only take room."""


@dataclass(frozen=True)
class Copy:
    """A fresh database, and how often it was used and restored."""

    name: str
    times: int = 0


@dataclass(frozen=True)
class Used:
    """A closed database that was used.

    ``times`` is its copy's; ``span`` is where the log has what changed, if that is known.
    """

    name: str
    times: int
    span: Span | None


class Pool:
    """A thread that makes copies of a template before they are asked for.

    Used ones are restored where that is quicker and can be proven (`neonup_pytest.recycle`), and
    dropped otherwise.

    Args:
        connect: makes a connection of the thread's own.
        prefix: what the databases' names begin with.
        template: what they are copies of.
        owner: whose they are.
        wanted: how many more will be asked for at most, as far as is known.
        allowance: how many may wait to be dropped while there is something better to do.
        recycles: whether the server's log can be read.
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
        recycles: bool,
    ):
        self.recycles = recycles
        self._connect = connect
        self._prefix, self._template, self._owner = prefix, template, owner
        self._wanted, self._allowance = wanted, allowance
        self._fresh: deque[Copy] = deque()
        self._used: deque[Used] = deque()
        self._doomed: deque[str] = deque()
        self._held: list[Copy] = []
        """Restored, but the recycler is still in there."""
        self._recycler: Recycler | None = None
        self._names = 0
        self._reused = 0
        self._waiting = 0
        self._error: Exception | None = None
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
            self._changed.notify_all()
            try:
                while not self._fresh and self._error is None:
                    self._changed.wait()
            finally:
                self._waiting -= 1
            if not self._fresh and self._error is not None:
                raise self._error
            copy = self._fresh.popleft()
            self._changed.notify_all()
            return copy

    def new_name(self) -> str:
        """A name that no other database of this pool has had."""
        with self._changed:
            self._names += 1
            return f"{self._prefix}_{self._names}"

    def retire(self, used: Used) -> None:
        """Restore or drop a closed database, some time."""
        with self._changed:
            self._used.append(used)
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
                databases.copy_quickly(admin)
                while (step := self._next()) is not None:
                    step(admin)
            finally:
                if self._recycler is not None:
                    self._recycler.close()
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
                lacking = len(self._fresh) < wanted
                if self._held and self._waiting and not self._fresh:
                    return self._release
                if self._doomed and self._fresh and len(self._doomed) > self._allowance:
                    return self._drop
                if self._used and (lacking or len(self._used) > LARGEST):
                    return self._reuse
                if self._held:
                    return self._release
                if lacking:
                    return self._make
                if self._doomed:
                    return self._drop
                self._changed.wait()
            return None

    def _make(self, admin: Admin) -> None:
        name = self.new_name()
        databases.create(admin, name, self._template, self._owner)
        self._add(Copy(name))

    def _reuse(self, admin: Admin) -> None:
        self._reused += 1
        if self._reused % _TIDY_AFTER == 0:
            databases.tidy(admin)
        with self._changed:
            used = self._used.popleft()
        if self._restored(admin, used):
            self._held.append(Copy(used.name, used.times + 1))
        else:
            self._doomed.append(used.name)
        self._hand_on()

    def _release(self, admin: Admin) -> None:
        """Let go of the database that was restored last; the next restoring would do it, too."""
        if self._recycler is not None:
            self._recycler.release()
        self._hand_on()

    def _hand_on(self) -> None:
        inside = self._recycler.inside if self._recycler is not None else None
        held, self._held = self._held, []
        for copy in held:
            if copy.name == inside:
                self._held.append(copy)
            else:
                self._add(copy)

    def _restored(self, admin: Admin, used: Used) -> bool:
        if used.span is None or used.times >= recycle.MOST_TIMES or len(self._fresh) >= LARGEST:
            return False
        if self._recycler is None:
            reference = self.new_name()
            databases.create(admin, reference, self._template, self._owner)
            self._recycler = Recycler(admin, reference)
        return self._recycler.restore(used.name, used.span)

    def _drop(self, admin: Admin) -> None:
        databases.drop_closed(admin, self._doomed.popleft())

    def _add(self, copy: Copy) -> None:
        with self._changed:
            self._fresh.append(copy)
            self._changed.notify_all()
