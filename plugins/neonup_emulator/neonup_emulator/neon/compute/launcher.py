"""Starting the servers of branches and standbys, which are metered from then on."""

from __future__ import annotations

from neonup_emulator.neon.compute.servers import ComputeServers
from neonup_emulator.neon.data.clusters import Clusters
from neonup_emulator.neon.data.model import Cluster
from neonup_emulator.neon.metering.meter import Meter
from neonup_emulator.neon.model import Branch, Endpoint, Project
from neonup_emulator.neon.state.store import Store
from neonup_local.engine import postmaster


class Launcher:
    """Starts and stops servers, and tells the meter.

    Args:
        store: has the projects' settings.
        clusters: the servers' data.
        servers: the servers.
        meter: counts what they consume.
    """

    def __init__(self, store: Store, clusters: Clusters, servers: ComputeServers, meter: Meter):
        self._store = store
        self._clusters = clusters
        self._servers = servers
        self._meter = meter

    def start(
        self,
        row: Cluster,
        branch: Branch,
        endpoint: Endpoint | None,
        settings: dict[str, str] | None = None,
    ) -> int:
        """Start a cluster's server; its port on 127.0.0.1.

        Args:
            row: the cluster, which is held.
            branch: whose.
            endpoint: leads to the server, and has settings for it.
            settings: more settings, which win.

        Raises:
            EngineError: it did not start.
        """
        project = self._store.get(Project, branch.project_id)
        port = self._servers.start(
            row,
            address=endpoint.address if endpoint else postmaster.HOST,
            logical_replication=bool(
                project and project.settings.get("enable_logical_replication")
            ),
            settings={**(endpoint.pg_settings if endpoint else {}), **(settings or {})},
        )
        server = self._clusters.running(row.id)
        self._meter.started(row.id, branch, endpoint, server.pid if server else None)
        return port

    def stop(self, cluster_id: str) -> None:
        """Stop a cluster's server, if it runs; the cluster is held.

        Raises:
            EngineError: it does not stop.
        """
        self._meter.stopped(cluster_id)
        self._servers.stop(cluster_id)
