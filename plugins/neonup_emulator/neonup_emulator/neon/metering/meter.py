"""Measures what running servers consume, and what goes through the front.

Figures are collected in memory and written down once a minute, and when a server stops: what is
killed loses at most the last minute.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from neonup import NeonupError
from neonup_emulator.neon.catalogs import Connection
from neonup_emulator.neon.compute.front.link import Front
from neonup_emulator.neon.metering.consumption import (
    DAILY,
    HOURLY,
    ConsumptionStore,
    HourlyConsumption,
    Sizes,
    Tallies,
    Tally,
)
from neonup_emulator.neon.metering.processor import seconds as processor_seconds
from neonup_emulator.neon.model import Branch, Endpoint
from neonup_emulator.neon.state.clock import Clock
from neonup_emulator.neon.state.store import Store

log = logging.getLogger(__name__)

_FOLD = timedelta(hours=6)
_SMALLEST = 0.25
"""Compute units of a server without an endpoint."""


@dataclass
class Running:
    """A server that runs, as it was when it was last looked at."""

    branch_id: str
    project_id: str
    endpoint_id: str | None
    pid: int | None
    since: datetime
    cpu: float
    log: int | None


class Meter:
    """The meter of one local Neon.

    Args:
        store: where the figures go.
        clock: which time it is: seconds are those of this clock, so that moving it ages a server.
        front: counts bytes.
    """

    def __init__(self, store: Store, clock: Clock, front: Front):
        self.stored = ConsumptionStore(store)
        self._store = store
        self._clock = clock
        self._front = front
        self._lock = threading.RLock()
        self._running: dict[str, Running] = {}
        self._pending: dict[tuple[str, int], HourlyConsumption] = {}
        self._logs: dict[str, int] = {}
        self._sent: dict[str, int] = {}
        self._folded: datetime | None = None

    def started(
        self, cluster_id: str, branch: Branch, endpoint: Endpoint | None, pid: int | None
    ) -> None:
        """A server runs from now on. Call it while the cluster is held."""
        with self._lock:
            self._running[cluster_id] = Running(
                branch.id,
                branch.project_id,
                endpoint.id if endpoint else None,
                pid,
                self._clock.now(),
                0.0,
                self._logs.get(cluster_id, self.stored.written_log(cluster_id)),
            )

    def begin_log(self, cluster_id: str, connection: Connection) -> None:
        """What a cluster's log has so far was written by another one, which it was copied from."""
        with self._lock:
            if cluster_id in self._running:
                self._running[cluster_id].log = self._logs[cluster_id] = _log(connection)

    def running(self, project_ids: set[str] | None = None) -> dict[str, Running]:
        """The servers that run, of some projects or all, by the ids of their clusters."""
        with self._lock:
            return {
                id: server
                for id, server in self._running.items()  # noqa: A001
                if project_ids is None or server.project_id in project_ids
            }

    def look(self, cluster_id: str, connection: Connection | None = None) -> None:
        """Count what a server has consumed since it was last looked at. Call it while the cluster
        is held.

        Args:
            connection: to it as the superuser; None: its log and size are not looked at.
        """
        size = counted = None
        if connection is not None and cluster_id in self._running:
            size, counted = _size(connection), _log(connection)
        with self._lock:
            running = self._running.get(cluster_id)
            if running is None:
                return
            now, before = self._clock.now(), replace(running)
            running.since = now
            running.cpu = max(before.cpu, processor_seconds(running.pid) if running.pid else 0.0)
            written = 0
            if counted is not None:
                if before.log is not None:  # a server that has crashed begins at 0
                    written = counted - before.log if counted >= before.log else counted
                running.log = self._logs[cluster_id] = counted
            units = self._units(running.endpoint_id)
            for at, seconds in _spread(before.since, now):
                self._add(
                    running.branch_id, running.project_id, at, Tally(seconds, seconds * units)
                )
            rest = Tally(cpu=running.cpu - before.cpu, written=written)
            self._add(running.branch_id, running.project_id, _hour(now), rest, size)

    def stopped(self, cluster_id: str) -> None:
        """A server has stopped, or is about to; what it consumed is written down."""
        with self._lock:
            self.look(cluster_id)
            if self._running.pop(cluster_id, None) is not None:
                self.write()

    def size(self, branch_id: str) -> int:
        """Bytes of a branch's databases when its server was last looked at; 0: unknown."""
        with self._lock:
            pending = [row for key, row in self._pending.items() if key[0] == branch_id]
            sizes = [row.size for row in pending if row.size is not None]
        return sizes[-1] if sizes else self.stored.size(branch_id)

    def begin(self, branch: Branch, size: int) -> None:
        """A branch is new, with so many bytes."""
        with self._lock:
            self._add(branch.id, branch.project_id, _hour(self._clock.now()), Tally(), size)

    def end(self, branch: Branch) -> None:
        """A branch is gone: what it consumed stays, and it has no bytes any more."""
        self.begin(branch, 0)

    def write(self) -> None:
        """Write down what was counted; nothing where nothing was."""
        with self._lock:
            self._count_sent()
            if not self._pending:
                return
            now = self._clock.now()
            try:
                self.stored.add(self._pending.values(), self._logs)
                self._pending.clear()
                running = self._running.keys()
                self._logs = {id: n for id, n in self._logs.items() if id in running}  # noqa: A001
                if self._folded is None or not timedelta() <= now - self._folded < _FOLD:
                    self._folded = now
                    self.stored.fold(now)
            except NeonupError as error:  # the disk is full: it is kept and written later
                log.warning("What was consumed could not be written down: %s", error)

    def figures(self, begin: datetime, project_ids: Sequence[str]) -> tuple[Tallies, Sizes]:
        """What was consumed since the begin of this month, and the sizes of branches.

        Both are by project and branch. No server is asked.
        """
        wanted = set(project_ids)
        with self._lock:
            self._count_sent()
            tallies = self.stored.totals(begin, project_ids)
            sizes = self.stored.sizes(project_ids)
            for row in self._pending.values():
                if row.project_id in wanted:
                    if row.at >= begin.timestamp():
                        _of(tallies, row.project_id, row.branch_id).add(row.tally)
                    if row.size is not None:
                        sizes.setdefault(row.project_id, {})[row.branch_id] = row.size
            now = self._clock.now()
            for server in self._running.values():
                if server.project_id in wanted:
                    seconds = max(0.0, (now - max(server.since, begin)).total_seconds())
                    tally = Tally(seconds, seconds * self._units(server.endpoint_id))
                    _of(tallies, server.project_id, server.branch_id).add(tally)
        return tallies, sizes

    def rows(self, project_id: str) -> list[HourlyConsumption]:
        """All that was consumed of a project, up to now, oldest first."""
        with self._lock:
            self._count_sent()
            rows = self.stored.rows(project_id)
            rows += [replace(row, tally=replace(row.tally)) for row in self._pending.values()]
            now = self._clock.now()
            for server in self._running.values():
                units = self._units(server.endpoint_id)
                for at, seconds in _spread(server.since, now):
                    tally = Tally(seconds, seconds * units)
                    rows.append(
                        HourlyConsumption(server.branch_id, server.project_id, at, tally, None)
                    )
        return sorted((row for row in rows if row.project_id == project_id), key=_at)

    def _count_sent(self) -> None:
        """Count what the front has sent to clients since it was last asked."""
        for endpoint_id, seen in self._front.all_seen().items():
            before = self._sent.get(endpoint_id, 0)
            if seen.sent < before:
                before = 0  # it was closed and opened again
            if seen.sent > before:
                endpoint = self._store.get(Endpoint, endpoint_id)
                self._sent[endpoint_id] = seen.sent
                if endpoint is not None:
                    tally = Tally(sent=seen.sent - before)
                    at = _hour(self._clock.now())
                    self._add(endpoint.branch_id, endpoint.project_id, at, tally)

    def _units(self, endpoint_id: str | None) -> float:
        endpoint = self._store.get(Endpoint, endpoint_id) if endpoint_id else None
        return endpoint.autoscaling_limit_min_cu if endpoint else _SMALLEST

    def _add(
        self, branch_id: str, project_id: str, at: int, tally: Tally, size: int | None = None
    ) -> None:
        row = self._pending.setdefault(
            (branch_id, at), HourlyConsumption(branch_id, project_id, at, Tally(), None)
        )
        row.tally.add(tally)
        if size is not None:
            self._pending[branch_id, at] = replace(row, size=size)


def _at(row: HourlyConsumption) -> int:
    return row.at


def _of(tallies: Tallies, project_id: str, branch_id: str) -> Tally:
    return tallies.setdefault(project_id, {}).setdefault(branch_id, Tally())


def _hour(moment: datetime) -> int:
    seconds = int(moment.timestamp())
    return seconds - seconds % 3600


def _spread(begin: datetime, end: datetime) -> Iterator[tuple[int, float]]:
    """The hours of a time and its seconds in each; days or months where it is long."""
    while begin < end:
        if end - begin > DAILY:
            first = begin.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
            until = (first + timedelta(days=32)).replace(day=1)
        elif end - begin > HOURLY:
            first = begin.replace(hour=0, minute=0, second=0, microsecond=0)
            until = first + timedelta(days=1)
        else:
            first = begin.replace(minute=0, second=0, microsecond=0)
            until = first + timedelta(hours=1)
        until = min(until, end)
        yield int(first.astimezone(UTC).timestamp()), (until - begin).total_seconds()
        begin = until


def _log(connection: Connection) -> int:
    """Bytes of log that the server has written; changes of segment do not count."""
    row = connection.execute("SELECT wal_bytes::bigint FROM pg_stat_wal").fetchone()
    return int(row[0]) if row else 0


def _size(connection: Connection) -> int:
    row = connection.execute(
        "SELECT sum(pg_database_size(oid))::bigint FROM pg_database"
    ).fetchone()
    return int(row[0]) if row else 0
