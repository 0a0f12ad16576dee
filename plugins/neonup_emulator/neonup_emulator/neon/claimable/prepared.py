"""Projects for neon.new that are created beforehand, and given away many at a time.

A database is asked for by the hundred where tests begin. So that each request costs one small write
instead of a project's creation, projects are ready; and so that requests which come together wait
for the disk together, whoever comes first writes for all that have come meanwhile.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from msgspec.structs import replace

from neonup_emulator.neon.claimable import holding
from neonup_emulator.neon.claimable.model import ClaimableDatabase, ClaimableState
from neonup_emulator.neon.model import Project
from neonup_emulator.neon.state.store import Store

_LEAST, _MOST = 8, 256


@dataclass(frozen=True)
class Ready:
    """A project that was created beforehand and was not given away yet."""

    project_id: str
    branch_id: str


@dataclass
class _Order:
    wanted: ClaimableDatabase
    logical_replication: bool
    database: ClaimableDatabase | None = None
    failed: Exception | None = None


class Prepared:
    """The projects that are ready.

    Args:
        store: where they are.
    """

    def __init__(self, store: Store):
        self._store = store
        self._ready: deque[Ready] = deque()
        self._orders: list[_Order] = []
        self._lock = threading.Lock()
        self._leading = threading.Lock()
        self._filling = threading.Lock()
        self._asked = 0
        self._closed = False

    def give(self, wanted: ClaimableDatabase, *, logical_replication: bool) -> ClaimableDatabase:
        """Write a database down, with a project that is ready.

        Returns:
            The database as it is in the store: `wanted` itself, still `creating`, where no project
            is ready, so that the caller has to create one; the earlier database, where there is
            one of that id already.

        Raises:
            ProviderError: it could not be written.
        """
        order = _Order(wanted, logical_replication)
        with self._lock:
            self._orders.append(order)
        with self._leading:
            if order.database is None and order.failed is None:
                with self._lock:
                    orders, self._orders = self._orders, []
                self._carry_out(orders)
        if order.failed is not None:
            raise order.failed
        assert order.database is not None  # noqa: S101 - carried out, by this thread or another
        return order.database

    def fill(self, create: Callable[[], Ready]) -> None:
        """Create as many projects as were asked for since the last call.

        Returns at once where another thread is doing so.
        """
        if not self._filling.acquire(blocking=False):
            return
        try:
            asked, self._asked = self._asked, 0
            if asked == 0:
                return
            wanted = min(_MOST, max(_LEAST, asked))
            while len(self._ready) < wanted and not self._closed:
                self._ready.append(create())
        finally:
            self._filling.release()

    def close(self) -> None:
        """Prepare no more."""
        self._closed = True

    def _carry_out(self, orders: list[_Order]) -> None:
        used: list[Ready] = []
        try:
            with self._store.transaction():
                for order in orders:
                    order.database = self._store.get(ClaimableDatabase, order.wanted.id)
                    if order.database is None:
                        order.database = self._taken(order, used)
                        self._store.insert(order.database)
        except Exception as error:
            self._ready.extendleft(used)
            for order in orders:
                order.failed = error

    def _taken(self, order: _Order, used: list[Ready]) -> ClaimableDatabase:
        self._asked += 1
        try:
            ready = self._ready.popleft()
        except IndexError:
            return order.wanted
        used.append(ready)
        now = order.wanted.created_at

        def hold(project: Project) -> Project:
            settings = dict(project.settings)
            if order.logical_replication:
                settings["enable_logical_replication"] = True
            held = holding.held(project)
            return replace(held, settings=settings, created_at=now, updated_at=now)

        self._store.update(Project, ready.project_id, hold)
        return replace(
            order.wanted,
            project_id=ready.project_id,
            branch_id=ready.branch_id,
            state=ClaimableState.UNCLAIMED,
        )
