"""What the store and the meter learn of servers that run."""

from __future__ import annotations

import logging
import time

import psycopg

from neonup_emulator.neon import contents
from neonup_emulator.neon.compute.front.link import Front
from neonup_emulator.neon.compute.servers import ComputeServers
from neonup_emulator.neon.data.model import Cluster, ClusterOrigin
from neonup_emulator.neon.metering.meter import Meter
from neonup_emulator.neon.model import Branch
from neonup_emulator.neon.state.clock import Clock
from neonup_emulator.neon.state.store import Store

log = logging.getLogger(__name__)


class ServerObserver:
    """Reads from running servers, and neither wakes one nor keeps one awake.

    Args:
        store: has their roles and databases.
        clock: which time it is.
        servers: the servers.
        meter: counts what they consume.
        front: knows who is connected.
    """

    def __init__(
        self, store: Store, clock: Clock, servers: ComputeServers, meter: Meter, front: Front
    ):
        self._store = store
        self._clock = clock
        self._servers = servers
        self._meter = meter
        self._front = front
        self._looked: dict[str, float] = {}

    def remember(self, branch: Branch) -> bool:
        """Store a branch's roles and databases before its server stops.

        Returns:
            False where the server does not answer any more.
        """
        address = self._servers.address(branch.cluster_id)
        try:
            with psycopg.connect(**address, autocommit=True) as connection:
                contents.read(self._store, branch, connection, self._clock.now())
                self._meter.look(branch.cluster_id, connection)
        except psycopg.Error as error:
            log.warning("The roles of %s could not be read: %s", branch.id, error)
            return False
        return True

    def measure(self, project_ids: set[str] | None = None, *, idle: bool = True) -> None:
        """Count what the running servers have consumed.

        Args:
            project_ids: of these projects only.
            idle: also ask those that nobody has used since they were last asked.
        """
        for cluster_id, server in self._meter.running(project_ids).items():
            with self._servers.held(cluster_id):
                self._look(cluster_id, server.endpoint_id, idle=idle)

    def _look(self, cluster_id: str, endpoint_id: str | None, *, idle: bool) -> None:
        row, seen = self._store.get(Cluster, cluster_id), self._front.seen(endpoint_id or "")
        used = max(seen.at, self._servers.used(cluster_id)) >= self._looked.get(cluster_id, 0.0)
        # A standby's log is its branch's server's, which has counted it.
        if (
            row is None
            or row.state is not ClusterOrigin.STARTED
            or not (idle or used or seen.connections)
        ):
            self._meter.look(cluster_id)
            return
        self._looked[cluster_id] = time.monotonic()
        try:
            address = self._servers.address(cluster_id)
            with psycopg.connect(**address, autocommit=True) as connection:
                self._meter.look(cluster_id, connection)
        except (psycopg.Error, KeyError):  # it has crashed, or was stopped just now
            self._meter.look(cluster_id)
