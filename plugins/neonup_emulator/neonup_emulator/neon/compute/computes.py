"""The computes of branches: started when somebody needs them, suspended when nobody does."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg

from neonup import EngineError
from neonup_emulator.neon import catalogs, contents
from neonup_emulator.neon.compute import refusals, replicas
from neonup_emulator.neon.compute.authority import Authority
from neonup_emulator.neon.compute.front.link import Front
from neonup_emulator.neon.compute.front.messages import Refusal
from neonup_emulator.neon.compute.servers import ComputeServers, failures_logged
from neonup_emulator.neon.data.clusters import Clusters
from neonup_emulator.neon.data.model import Cluster, ClusterOrigin
from neonup_emulator.neon.errors import NotFound, QuotaExceeded, Unprocessable
from neonup_emulator.neon.metering.meter import Meter
from neonup_emulator.neon.model import Branch, Endpoint, Project, Role
from neonup_emulator.neon.state.clock import Clock
from neonup_emulator.neon.state.store import Store, setting
from neonup_local.engine import postmaster

log = logging.getLogger(__name__)


class Computes:
    """The computes of one local Neon: of each branch one that writes, and its standbys.

    Args:
        home: neonup's own folder.
        store: what its branches and endpoints are.
        clusters: their data.
        authority: signs their certificates.
        clock: which time it is.
    """

    def __init__(
        self,
        home: Path,
        store: Store,
        clusters: Clusters,
        authority: Authority,
        clock: Clock,
    ):
        self.front = Front(self.wake)
        self.meter = Meter(store, clock, self.front)
        self._admission_checks: list[Callable[[Branch], None]] = []
        self.servers = ComputeServers(home, clusters, authority)
        self._store = store
        self._clock = clock
        self._clusters = clusters
        self._authority = authority
        self._looked: dict[str, float] = {}

    def add_admission_check(self, check: Callable[[Branch], None]) -> None:
        """Ask a function before a branch's server is started for somebody who connects.

        Args:
            check: raises `QuotaExceeded` where nobody may.
        """
        self._admission_checks.append(check)

    def admit(self, branch: Branch) -> None:
        """Whether a branch's server may be started for somebody who connects.

        Raises:
            QuotaExceeded: one of the checks says that it may not.
        """
        for check in self._admission_checks:
            check(branch)

    def held(self, cluster_id: str) -> AbstractContextManager[None]:
        """Nothing starts or stops the cluster's server in the block but the block."""
        return self.servers.held(cluster_id)

    def is_running(self, cluster_id: str) -> bool:
        """Whether its server was started and not stopped since."""
        return self.servers.is_running(cluster_id)

    def address(self, cluster_id: str, database: str = "postgres") -> dict[str, Any]:
        """How the superuser connects to a running cluster, for psycopg."""
        return self.servers.address(cluster_id, database)

    def wake(self, endpoint_id: str) -> int | Refusal | None:
        """Start an endpoint's server, where it does not run.

        Returns:
            Its port on 127.0.0.1; a refusal where a quota is used up; None where the endpoint is
            gone or disabled.

        Raises:
            EngineError: it did not start.
        """
        endpoint = self._store.get(Endpoint, endpoint_id)
        if endpoint is None or endpoint.disabled:
            return None
        try:
            return self.start_endpoint(endpoint)
        except QuotaExceeded as refused:
            return refusals.of(self._store, self._clusters, self._authority, endpoint, refused)

    def start_endpoint(self, endpoint: Endpoint) -> int:
        """Start an endpoint's server, where it does not run; its port on 127.0.0.1.

        Raises:
            NotFound: its branch is gone.
            QuotaExceeded: the project has used up a quota.
            EngineError: it did not start.
        """
        branch = self._store.get(Branch, endpoint.branch_id)
        if branch is None:
            raise NotFound("branch not found")
        self.admit(branch)
        if endpoint.type == "read_write":
            return self.start(branch)
        return self._start_replica(endpoint, branch)

    def suspend_endpoint(self, endpoint: Endpoint) -> None:
        """Stop an endpoint's server, if it runs.

        Raises:
            EngineError: it does not stop.
        """
        branch = self._store.get(Branch, endpoint.branch_id)
        if endpoint.type == "read_only":
            self.suspend_replica(endpoint)
        elif branch is not None:
            self.suspend(branch)

    def is_active(self, endpoint: Endpoint) -> bool:
        """Whether an endpoint's server runs."""
        if endpoint.type == "read_only":
            return self.is_running(endpoint.replica_id or "")
        branch = self._store.get(Branch, endpoint.branch_id)
        return branch is not None and self.is_running(branch.cluster_id)

    def start(self, branch: Branch, *, known: bool = False) -> int:
        """Start a branch's server, where it does not run; its port on 127.0.0.1.

        Args:
            branch: whose; where it was given other data meanwhile, the server of that is started.
            known: the store does not know the branch, so it must be as it is.

        Raises:
            EngineError: it did not start.
        """
        with self.present(branch, known=known) as current:
            self.servers.use(current.cluster_id)
            port = self.servers.port(current.cluster_id)
            if port is not None:
                return port
            row = self._store.get(Cluster, current.cluster_id)
            if row is None:
                raise Unprocessable("the branch is still being created")
            writing = self.writing(current)
            port = self._launch(row, current, writing, {})
            self._metered(row.id, current, writing)
            if row.lacks_passwords:
                self._settle(row, current)
            self._store.update(Cluster, row.id, setting(state=ClusterOrigin.STARTED))
            self._lead(current)
            return port

    @contextmanager
    def present(self, branch: Branch, *, known: bool = False) -> Iterator[Branch]:
        """A branch as it is now, with its cluster held: it may have been given other data.

        Args:
            known: the store does not know the branch, so it must be as it is.

        Raises:
            NotFound: it is gone.
        """
        while True:
            current = branch if known else self._row(branch)
            with self.held(current.cluster_id):
                if known or self._row(branch).cluster_id == current.cluster_id:
                    yield current
                    return

    def _row(self, branch: Branch) -> Branch:
        row = self._store.get(Branch, branch.id)
        if row is None:
            raise NotFound("branch not found")
        return row

    @contextmanager
    def stopped(self, branch: Branch) -> Iterator[None]:
        """Stop a branch's server and remove its standbys; none of them starts in the block.

        Raises:
            EngineError: one does not stop.
        """
        with ExitStack() as stack:
            # In the order in which a standby's start takes them: its own, then its branch's.
            for endpoint in self._store.all(Endpoint, branch_id=branch.id):
                stack.enter_context(self.held(endpoint.id))
            stack.enter_context(self.held(branch.cluster_id))
            self.drop_replicas(branch)
            self.suspend(branch)
            yield

    @contextmanager
    def admin(
        self, branch: Branch, database: str = "postgres", *, known: bool = False
    ) -> Iterator[catalogs.Connection]:
        """A connection to a branch's server as its superuser, in autocommit mode.

        Args:
            branch: whose.
            database: to connect to.
            known: as of `start`.

        Raises:
            EngineError: the server did not start, or it broke down, e.g. since the disk is full.
        """
        with self.present(branch, known=known) as current:
            self.start(current, known=known)
            try:
                with psycopg.connect(
                    **self.address(current.cluster_id, database), autocommit=True
                ) as connection:
                    yield connection
            except psycopg.OperationalError as error:
                if error.sqlstate is not None:
                    raise  # the server answers, and says what is wrong with the statement
                lines = self.servers.last_lines(current.cluster_id)
                raise EngineError(
                    f"The server of {branch.id} does not answer. Its log ends: {' '.join(lines)}"
                ) from None
            self.servers.use(current.cluster_id)

    def suspend(self, branch: Branch) -> bool:
        """Stop a branch's server, not its standbys; False where it did not run.

        Raises:
            EngineError: it does not stop.
        """
        with self.held(branch.cluster_id):
            for endpoint in self.writing(branch):
                self.front.down(endpoint.id)
            if not self.is_running(branch.cluster_id):
                return False
            remembered = self._remember(branch)
            self.meter.stopped(branch.cluster_id)
            self.servers.stop(branch.cluster_id)
            if remembered and self._store.get(Cluster, branch.cluster_id) is not None:
                self._store.update(Cluster, branch.cluster_id, setting(state=ClusterOrigin.STOPPED))
            return True

    def discard(self, cluster_id: str) -> None:
        """Stop a server whose data is no longer needed."""
        with self.held(cluster_id):
            self.meter.stopped(cluster_id)
            self.servers.stop(cluster_id)

    def measure(self, project_ids: set[str] | None = None, *, idle: bool = True) -> None:
        """Count what the running servers have consumed, without waking or keeping awake any.

        Args:
            project_ids: of these projects only.
            idle: also ask those that nobody has used since they were last asked.
        """
        for cluster_id, server in self.meter.running(project_ids).items():
            with self.held(cluster_id):
                self._look(cluster_id, server.endpoint_id, idle=idle)

    def drop_replicas(self, branch: Branch) -> None:
        """Remove the standbys of a branch; its read-only endpoints get new ones when used."""
        for endpoint in self._store.all(Endpoint, branch_id=branch.id):
            self.drop_replica(endpoint)

    def drop_replica(self, endpoint: Endpoint) -> None:
        """Remove an endpoint's standby, if it has one."""
        with self.held(endpoint.id):
            current = self._store.get(Endpoint, endpoint.id)
            if current is not None and current.replica_id is not None:
                self.suspend_replica(current)
                replicas.drop(self._store, self._clusters, current)

    def refresh(self, branch: Branch) -> None:
        """Make the store know the roles and databases of a branch, also those of SQL.

        A sleeping branch has those that it was stopped with, so it is not woken for that.
        """
        row = self._store.get(Cluster, branch.cluster_id)
        if row is not None and row.may_differ:
            with self.admin(branch) as connection:
                contents.read(self._store, branch, connection, self._clock.now())

    def stop(self) -> None:
        """Suspend everything."""
        for endpoint in self._store.all(Endpoint):
            if endpoint.type == "read_only":
                with failures_logged():
                    self.suspend_replica(endpoint)
        for branch in self._store.all(Branch):
            if self.is_running(branch.cluster_id):
                with failures_logged():
                    self.suspend(branch)

    def _start_replica(self, endpoint: Endpoint, branch: Branch) -> int:
        """Start a read-only endpoint's standby; it is copied first where there is none."""
        with self.held(endpoint.id):
            endpoint, branch = self._present_endpoint(endpoint), self._row(branch)
            if not replicas.is_current(endpoint, branch):
                endpoint = self._clone(endpoint, branch)
            assert endpoint.replica_id is not None  # noqa: S101 - cloned above
            self.servers.use(endpoint.replica_id)
            port = self.servers.port(endpoint.replica_id)
            row = self._store.get(Cluster, endpoint.replica_id)
            if port is not None or row is None:
                return port or 0
            primary = self._primary(branch)
            settings = replicas.settings(self._clusters, endpoint, primary)
            port = self._launch(row, branch, [endpoint], settings)
            self._metered(row.id, branch, [endpoint])
            return port

    def _present_endpoint(self, endpoint: Endpoint) -> Endpoint:
        row = self._store.get(Endpoint, endpoint.id)
        if row is None:
            raise NotFound("endpoint not found")
        return row

    def _clone(self, endpoint: Endpoint, branch: Branch) -> Endpoint:
        endpoint = replicas.drop(self._store, self._clusters, endpoint)
        with self.held(branch.cluster_id):
            row = self._store.get(Cluster, branch.cluster_id)
            if row is not None and row.lacks_passwords:
                self.start(branch)  # its roles and passwords are set by a start
            primary = self._primary(branch)
            if primary is None:
                return replicas.clone(self._store, self._clusters, endpoint, branch, None)
        return replicas.clone(self._store, self._clusters, endpoint, branch, primary)

    def _primary(self, branch: Branch) -> dict[str, Any] | None:
        running = self.is_running(branch.cluster_id)
        return self.address(branch.cluster_id) if running else None

    def suspend_replica(self, endpoint: Endpoint) -> None:
        """Stop a read-only endpoint's standby, if it runs.

        Raises:
            EngineError: it does not stop.
        """
        with self.held(endpoint.id):
            endpoint = self._store.get(Endpoint, endpoint.id) or endpoint
            self.front.down(endpoint.id)
            if endpoint.replica_id is not None and self.is_running(endpoint.replica_id):
                self.meter.stopped(endpoint.replica_id)
                self.servers.stop(endpoint.replica_id)

    def _lead(self, branch: Branch) -> None:
        """Tell the standbys that run where their branch's server is now."""
        for endpoint in self._store.all(Endpoint, branch_id=branch.id):
            if endpoint.replica_id is not None and self.is_running(endpoint.replica_id):
                folder = self._clusters.folder(endpoint.replica_id)
                primary = self.address(branch.cluster_id)
                replicas.follow(self.address(endpoint.replica_id), folder, primary)

    def _launch(
        self, row: Cluster, branch: Branch, endpoints: list[Endpoint], settings: dict[str, str]
    ) -> int:
        project = self._store.get(Project, branch.project_id)
        return self.servers.start(
            row,
            address=endpoints[0].address if endpoints else postmaster.HOST,
            logical_replication=bool(
                project and project.settings.get("enable_logical_replication")
            ),
            settings={**(endpoints[0].pg_settings if endpoints else {}), **settings},
        )

    def _settle(self, row: Cluster, branch: Branch) -> None:
        """Make Postgres know the names and passwords that the store has."""
        roles = self._store.all(Role, branch_id=branch.id)
        with psycopg.connect(**self.address(row.id)) as connection:
            if row.own_names:
                catalogs.rename(connection, *row.own_names)
            catalogs.apply_passwords(connection, roles)
            self.meter.begin_log(row.id, connection)

    def _remember(self, branch: Branch) -> bool:
        """`refresh` before the server is stopped; False where it does not answer any more."""
        try:
            with psycopg.connect(**self.address(branch.cluster_id), autocommit=True) as connection:
                contents.read(self._store, branch, connection, self._clock.now())
                self.meter.look(branch.cluster_id, connection)
        except psycopg.Error as error:
            log.warning("The roles of %s could not be read: %s", branch.id, error)
            return False
        return True

    def _look(self, cluster_id: str, endpoint_id: str | None, *, idle: bool) -> None:
        row, seen = self._store.get(Cluster, cluster_id), self.front.seen(endpoint_id or "")
        used = max(seen.at, self.servers.used(cluster_id)) >= self._looked.get(cluster_id, 0.0)
        # A standby's log is its branch's server's, which has counted it.
        if (
            row is None
            or row.state is not ClusterOrigin.STARTED
            or not (idle or used or seen.connections)
        ):
            self.meter.look(cluster_id)
            return
        self._looked[cluster_id] = time.monotonic()
        try:
            with psycopg.connect(**self.address(cluster_id), autocommit=True) as connection:
                self.meter.look(cluster_id, connection)
        except (psycopg.Error, KeyError):  # it has crashed, or was stopped just now
            self.meter.look(cluster_id)

    def _metered(self, cluster_id: str, branch: Branch, endpoints: list[Endpoint]) -> None:
        server = self._clusters.running(cluster_id)
        endpoint = endpoints[0] if endpoints else None
        self.meter.started(cluster_id, branch, endpoint, server.pid if server else None)

    def writing(self, branch: Branch) -> list[Endpoint]:
        """The endpoint that leads to the branch's own server, if it has one."""
        endpoints = self._store.all(Endpoint, branch_id=branch.id)
        return [endpoint for endpoint in endpoints if endpoint.type == "read_write"]
