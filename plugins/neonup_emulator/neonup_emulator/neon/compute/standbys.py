"""The standbys of read-only endpoints: copied, started, told where their branch's server is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from neonup_emulator.neon.compute import replicas
from neonup_emulator.neon.compute.front.link import Front
from neonup_emulator.neon.compute.launcher import Launcher
from neonup_emulator.neon.compute.servers import ComputeServers
from neonup_emulator.neon.data.clusters import Clusters
from neonup_emulator.neon.data.model import Cluster
from neonup_emulator.neon.errors import NotFound
from neonup_emulator.neon.model import Branch, Endpoint
from neonup_emulator.neon.state.store import Store


class Standbys:
    """The standbys of one local Neon.

    Args:
        store: what its branches and endpoints are.
        clusters: their data.
        servers: their servers.
        launcher: starts those.
        front: leads clients to them.
        start_primary: starts a branch's own server.
    """

    def __init__(
        self,
        store: Store,
        clusters: Clusters,
        servers: ComputeServers,
        launcher: Launcher,
        front: Front,
        *,
        start_primary: Callable[[Branch], int],
    ):
        self._store = store
        self._clusters = clusters
        self._servers = servers
        self._launcher = launcher
        self._front = front
        self._start_primary = start_primary

    def start(self, endpoint: Endpoint) -> int:
        """Start a read-only endpoint's standby; it is copied first where there is none.

        Returns:
            Its port on 127.0.0.1.

        Raises:
            NotFound: the endpoint or its branch is gone.
            EngineError: it did not start.
        """
        with self._servers.held(endpoint.id):
            endpoint, branch = self._present(endpoint)
            if not replicas.is_current(endpoint, branch):
                endpoint = self._clone(endpoint, branch)
            assert endpoint.replica_id is not None  # noqa: S101 - cloned above
            self._servers.use(endpoint.replica_id)
            port = self._servers.port(endpoint.replica_id)
            row = self._store.get(Cluster, endpoint.replica_id)
            if port is not None or row is None:
                return port or 0
            primary = self._primary(branch)
            settings = replicas.settings(self._clusters, endpoint, primary)
            return self._launcher.start(row, branch, endpoint, settings)

    def suspend(self, endpoint: Endpoint) -> None:
        """Stop a read-only endpoint's standby, if it runs.

        Raises:
            EngineError: it does not stop.
        """
        with self._servers.held(endpoint.id):
            endpoint = self._store.get(Endpoint, endpoint.id) or endpoint
            self._front.down(endpoint.id)
            if endpoint.replica_id and self._servers.is_running(endpoint.replica_id):
                self._launcher.stop(endpoint.replica_id)

    def drop_all(self, branch: Branch) -> None:
        """Remove the standbys of a branch; its read-only endpoints get new ones when used."""
        for endpoint in self._store.all(Endpoint, branch_id=branch.id):
            self.drop(endpoint)

    def drop(self, endpoint: Endpoint) -> None:
        """Remove an endpoint's standby, if it has one."""
        with self._servers.held(endpoint.id):
            current = self._store.get(Endpoint, endpoint.id)
            if current is not None and current.replica_id is not None:
                self.suspend(current)
                replicas.drop(self._store, self._clusters, current)

    def follow(self, branch: Branch) -> None:
        """Tell the standbys that run where their branch's server is now."""
        for endpoint in self._store.all(Endpoint, branch_id=branch.id):
            if endpoint.replica_id is not None and self._servers.is_running(endpoint.replica_id):
                folder = self._clusters.folder(endpoint.replica_id)
                primary = self._servers.address(branch.cluster_id)
                replicas.follow(self._servers.address(endpoint.replica_id), folder, primary)

    def _present(self, endpoint: Endpoint) -> tuple[Endpoint, Branch]:
        row = self._store.get(Endpoint, endpoint.id)
        if row is None:
            raise NotFound("endpoint not found")
        branch = self._store.get(Branch, row.branch_id)
        if branch is None:
            raise NotFound("branch not found")
        return row, branch

    def _clone(self, endpoint: Endpoint, branch: Branch) -> Endpoint:
        endpoint = replicas.drop(self._store, self._clusters, endpoint)
        with self._servers.held(branch.cluster_id):
            row = self._store.get(Cluster, branch.cluster_id)
            if row is not None and row.lacks_passwords:
                self._start_primary(branch)  # its roles and passwords are set by a start
            primary = self._primary(branch)
            if primary is None:
                return replicas.clone(self._store, self._clusters, endpoint, branch, None)
        return replicas.clone(self._store, self._clusters, endpoint, branch, primary)

    def _primary(self, branch: Branch) -> dict[str, Any] | None:
        running = self._servers.is_running(branch.cluster_id)
        return self._servers.address(branch.cluster_id) if running else None
