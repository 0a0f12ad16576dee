"""The computes of branches: started when somebody needs them, suspended when nobody does."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg

from neonup_emulator.neon import catalogs, contents
from neonup_emulator.neon.compute import refusals
from neonup_emulator.neon.compute.authority import Authority
from neonup_emulator.neon.compute.front.link import Front
from neonup_emulator.neon.compute.front.messages import Refusal
from neonup_emulator.neon.compute.launcher import Launcher
from neonup_emulator.neon.compute.observer import ServerObserver
from neonup_emulator.neon.compute.present import PresentBranches
from neonup_emulator.neon.compute.servers import ComputeServers, failures_logged
from neonup_emulator.neon.compute.standbys import Standbys
from neonup_emulator.neon.data.clusters import Clusters
from neonup_emulator.neon.data.model import Cluster, ClusterOrigin
from neonup_emulator.neon.errors import NotFound, QuotaExceeded, Unprocessable
from neonup_emulator.neon.metering.meter import Meter
from neonup_emulator.neon.model import Branch, Endpoint, Role
from neonup_emulator.neon.state.clock import Clock
from neonup_emulator.neon.state.store import Store, setting

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
        self._present = PresentBranches(store, self.servers)
        self._store = store
        self._clock = clock
        self._clusters = clusters
        self._authority = authority
        self._launcher = Launcher(store, clusters, self.servers, self.meter)
        self.observer = ServerObserver(store, clock, self.servers, self.meter, self.front)
        self.standbys = Standbys(
            store, clusters, self.servers, self._launcher, self.front, start_primary=self.start
        )

    def add_admission_check(self, check: Callable[[Branch], None]) -> None:
        """Add a check that is called before a branch's server is started for a client.

        Args:
            check: raises `QuotaExceeded` where the server must not be started.
        """
        self._admission_checks.append(check)

    def admit(self, branch: Branch) -> None:
        """Check whether a branch's server may be started for a client.

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
        return self.standbys.start(endpoint)

    def suspend_endpoint(self, endpoint: Endpoint) -> None:
        """Stop an endpoint's server, if it runs.

        Raises:
            EngineError: it does not stop.
        """
        branch = self._store.get(Branch, endpoint.branch_id)
        if endpoint.type == "read_only":
            self.standbys.suspend(endpoint)
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
            port = self._launcher.start(row, current, next(iter(self.writing(current)), None))
            if row.lacks_passwords:
                self._settle(row, current)
            self._store.update(Cluster, row.id, setting(state=ClusterOrigin.STARTED))
            self.standbys.follow(current)
            return port

    def present(self, branch: Branch, *, known: bool = False) -> AbstractContextManager[Branch]:
        """A branch as it is now, with its cluster held; see `PresentBranches.held`."""
        return self._present.held(branch, known=known)

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
            self.standbys.drop_all(branch)
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
                with self.servers.connect(current.cluster_id, database) as connection:
                    yield connection
            except psycopg.OperationalError as error:
                # A server that answers says what is wrong with the statement.
                if error.sqlstate is not None and not isinstance(
                    error, psycopg.errors.CrashShutdown
                ):
                    raise
                raise self._clusters.breakdown(current.cluster_id) from None
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
            remembered = self.observer.remember(branch)
            self._launcher.stop(branch.cluster_id)
            if remembered and self._store.get(Cluster, branch.cluster_id) is not None:
                self._store.update(Cluster, branch.cluster_id, setting(state=ClusterOrigin.STOPPED))
            return True

    def discard(self, cluster_id: str) -> None:
        """Stop a server whose data is no longer needed."""
        with self.held(cluster_id):
            self._launcher.stop(cluster_id)

    def refresh(self, branch: Branch) -> None:
        """Read a branch's roles and databases into the store, those created by SQL included.

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
                    self.standbys.suspend(endpoint)
        for branch in self._store.all(Branch):
            if self.is_running(branch.cluster_id):
                with failures_logged():
                    self.suspend(branch)

    def _settle(self, row: Cluster, branch: Branch) -> None:
        """Set the names and passwords of the store in Postgres."""
        roles = self._store.all(Role, branch_id=branch.id)
        with psycopg.connect(**self.address(row.id)) as connection:
            if row.own_names:
                catalogs.rename(connection, *row.own_names)
            catalogs.apply_passwords(connection, roles)
            self.meter.begin_log(row.id, connection)

    def writing(self, branch: Branch) -> list[Endpoint]:
        """The endpoint that leads to the branch's own server, if it has one."""
        endpoints = self._store.all(Endpoint, branch_id=branch.id)
        return [endpoint for endpoint in endpoints if endpoint.type == "read_write"]
