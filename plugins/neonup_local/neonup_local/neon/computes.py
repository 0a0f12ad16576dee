"""Servers of clusters: started when somebody needs them, stopped when nobody does."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from msgspec.structs import replace

from neonup import NeonupError
from neonup_local.engine import account as accounts
from neonup_local.engine import cluster, postmaster, template
from neonup_local.engine.config import Options
from neonup_local.neon import catalogs, contents, history
from neonup_local.neon.authority import Authority
from neonup_local.neon.clock import Clock
from neonup_local.neon.clusters import Clusters
from neonup_local.neon.errors import NotFound, Unprocessable
from neonup_local.neon.front.link import Front
from neonup_local.neon.model import Branch, Cluster, Database, Endpoint, Project, Role
from neonup_local.neon.store import Store
from neonup_local.service import home as homes

log = logging.getLogger(__name__)

DEFAULT_SUSPEND_SECONDS = 300
"""What a timeout of 0 stands for (https://neon.com/docs/introduction/scale-to-zero)."""
_WITHOUT_ENDPOINT_SECONDS = 10
"""How long the server of a branch without an endpoint stays after the API has used it."""
_TRIES = 5
_SETTINGS = {
    "recovery_init_sync_method": "syncfs",  # a copy of a running parent is made durable at once
    **history.SETTINGS,
}


class Computes:
    """The servers of one local Neon's clusters.

    Args:
        home: neonup's own folder.
        store: what its branches and endpoints are.
        clusters: their data.
        authority: signs their certificates.
        clock: which time it is.
    """

    def __init__(
        self, home: Path, store: Store, clusters: Clusters, authority: Authority, clock: Clock
    ):
        self.front = Front(self.wake)
        self._home = home
        self._store = store
        self._clock = clock
        self._clusters = clusters
        self._authority = authority
        self._locks: defaultdict[str, threading.RLock] = defaultdict(threading.RLock)
        self._ports: dict[str, int] = {}
        self._used: dict[str, float] = {}

    @contextmanager
    def held(self, cluster_id: str) -> Iterator[None]:
        """Nothing starts or stops the cluster's server in the block but the block."""
        with self._locks[cluster_id]:
            yield

    def is_running(self, cluster_id: str) -> bool:
        """Whether its server was started and not stopped since."""
        return cluster_id in self._ports

    def wake(self, endpoint_id: str) -> int | None:
        """Start the server of an endpoint's branch, where it does not run.

        Returns:
            Its port on 127.0.0.1; None where the endpoint is gone or disabled.

        Raises:
            EngineError: it did not start.
        """
        endpoint = self._store.get(Endpoint, endpoint_id)
        if endpoint is None or endpoint.disabled:
            return None
        branch = self._store.get(Branch, endpoint.branch_id)
        return None if branch is None else self.start(branch)

    def start(self, branch: Branch, *, known: bool = False) -> int:
        """Start a branch's server, where it does not run; its port on 127.0.0.1.

        Args:
            branch: whose; where it was given other data meanwhile, the server of that is started.
            known: the store does not know the branch, so it must be as it is.

        Raises:
            EngineError: it did not start.
        """
        with self.held(branch.cluster_id):
            current = branch if known else self._store.get(Branch, branch.id)
            if current is None:
                raise NotFound("branch not found")
            if current.cluster_id != branch.cluster_id:
                return self.start(current)
            self._used[branch.cluster_id] = time.monotonic()
            port = self._ports.get(branch.cluster_id)
            if port is not None and self._clusters.running(branch.cluster_id):
                return port
            row = self._store.get(Cluster, branch.cluster_id)
            if row is None:
                raise Unprocessable("the branch is still being created")
            port = self._start(row, branch)
            self._ports[row.id] = port
            if row.state in ("new", "copied", "restored"):
                self._settle(row, branch)
            if row.state != "started":
                self._store.put(replace(row, state="started"))
            return port

    @contextmanager
    def admin(self, branch: Branch, database: str = "postgres") -> Iterator[catalogs.Connection]:
        """A connection to a branch's server as its superuser, in autocommit mode.

        Raises:
            EngineError: the server did not start.
        """
        with self.held(branch.cluster_id):
            self.start(branch)
            with psycopg.connect(
                **self.address(branch.cluster_id, database), autocommit=True
            ) as connection:
                yield connection
            self._used[branch.cluster_id] = time.monotonic()

    def address(self, cluster_id: str, database: str = "postgres") -> dict[str, Any]:
        """How the superuser connects to a running cluster, for psycopg."""
        found = self._clusters.running(cluster_id)
        socket_dir = found.socket_dir if found else None
        return {
            "host": socket_dir or postmaster.HOST,
            "port": self._ports[cluster_id],
            "user": template.ADMIN,
            "password": template.admin_password(self._home),
            "dbname": database,
            "connect_timeout": 10,
        }

    def suspend(self, branch: Branch) -> bool:
        """Stop a branch's server; False where it did not run.

        Raises:
            EngineError: it does not stop.
        """
        with self.held(branch.cluster_id):
            for endpoint in self._endpoints(branch):
                self.front.down(endpoint.id)
            if self._ports.get(branch.cluster_id) is None:
                return False
            remembered = self._remember(branch)
            self._clusters.stop(branch.cluster_id)
            self._ports.pop(branch.cluster_id, None)
            row = self._store.get(Cluster, branch.cluster_id)
            if row is not None and remembered:
                self._store.put(replace(row, state="stopped"))
            return True

    def forget(self, branch: Branch) -> None:
        """Stop a server whose data is no longer needed."""
        with self.held(branch.cluster_id):
            self._ports.pop(branch.cluster_id, None)

    def refresh(self, branch: Branch) -> None:
        """Make the store know the roles and databases of a branch, also those of SQL.

        A sleeping branch has those that it was stopped with, so it is not woken for that.
        """
        row = self._store.get(Cluster, branch.cluster_id)
        if row is not None and row.state in ("started", "restored"):
            with self.admin(branch) as connection:
                contents.read(self._store, branch, connection, self._clock.now())

    def stop(self) -> None:
        """Stop every server."""
        for branch in self._store.all(Branch):
            if branch.cluster_id in self._ports:
                try:
                    self.suspend(branch)
                except NeonupError as error:
                    log.warning("A server could not be stopped: %s", error)

    def suspend_idle(self) -> None:
        """Stop the servers that nobody uses."""
        if not self._ports:
            return
        for branch in self._store.all(Branch):
            if branch.cluster_id not in self._ports:
                continue
            limit, seen = float(_WITHOUT_ENDPOINT_SECONDS), 0.0
            endpoints = self._endpoints(branch)
            if endpoints:
                limits = [self.suspend_seconds(endpoint) for endpoint in endpoints]
                limit = float("inf") if min(limits) < 0 else float(max(limits))
                seen = max(self.front.seen(endpoint.id).at for endpoint in endpoints)
            last = max(seen, self._used.get(branch.cluster_id, 0.0))
            if time.monotonic() - last < limit or self._is_busy(branch):
                continue
            try:
                self.suspend(branch)
            except NeonupError as error:
                log.warning("An idle server could not be stopped: %s", error)

    def suspend_seconds(self, endpoint: Endpoint) -> int:
        """After how many idle seconds an endpoint is suspended; -1: never."""
        return endpoint.suspend_timeout_seconds or DEFAULT_SUSPEND_SECONDS

    def _is_busy(self, branch: Branch) -> bool:
        """Whether a statement has been running for so long that no byte was moved meanwhile."""
        try:
            with psycopg.connect(**self.address(branch.cluster_id), autocommit=True) as connection:
                row = connection.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' "
                    "AND backend_type IN ('client backend', 'walsender') "
                    "AND pid <> pg_backend_pid()"
                ).fetchone()
        except (psycopg.Error, KeyError):
            return False
        return bool(row and row[0])

    def _start(self, row: Cluster, branch: Branch) -> int:
        folder = self._clusters.folder(row.id)
        project = self._store.get(Project, branch.project_id)
        logical = bool(project and project.settings.get("enable_logical_replication"))
        run_folder = self._home / "run" / row.id
        engine = self._clusters.engine_of(row)
        account = accounts.of_data(folder / "data")
        endpoints = self._endpoints(branch)
        tls = None
        if engine.tls:
            address = endpoints[0].address if endpoints else postmaster.HOST
            tls = self._authority.certificate(branch.id, address, account)
        for _ in range(_TRIES):
            port = self._free_port()
            options = Options(
                port=port,
                logical_replication=logical,
                durable=True,
                tls=tls,
                settings=_SETTINGS | _postgres_settings(endpoints),
            )
            homes.make_folder(self._home / "run")
            try:
                return cluster.start(engine, folder, run_folder, options).port
            except cluster.PortTaken:
                continue
        raise cluster.PortTaken("No free port was found on 127.0.0.1.")

    def _free_port(self) -> int:
        """A port that nothing has, nor any server of ours that may have crashed."""
        while (port := free_port()) in self._ports.values():
            pass
        return port

    def _settle(self, row: Cluster, branch: Branch) -> None:
        roles = self._store.all(Role, branch_id=branch.id)
        databases = self._store.all(Database, branch_id=branch.id)
        with psycopg.connect(**self.address(row.id)) as connection:
            if row.state == "new":
                catalogs.rename(connection, roles, databases)
            catalogs.apply_passwords(connection, roles)

    def _remember(self, branch: Branch) -> bool:
        """`refresh` before the server is stopped; False where it does not answer any more."""
        try:
            with psycopg.connect(**self.address(branch.cluster_id), autocommit=True) as connection:
                contents.read(self._store, branch, connection, self._clock.now())
        except psycopg.Error as error:
            log.warning("The roles of %s could not be read: %s", branch.id, error)
            return False
        return True

    def _endpoints(self, branch: Branch) -> list[Endpoint]:
        return self._store.all(Endpoint, branch_id=branch.id)


def free_port() -> int:
    """A port of 127.0.0.1 that nothing has now."""
    with socket.socket() as probe:
        probe.bind((postmaster.HOST, 0))
        return int(probe.getsockname()[1])


def _postgres_settings(endpoints: list[Endpoint]) -> dict[str, str]:
    """The settings of Postgres that an endpoint was given through the API."""
    found: dict[str, str] = {}
    for endpoint in endpoints:
        known = endpoint.settings.get("pg_settings")
        if isinstance(known, dict):
            found |= {str(name): str(value) for name, value in known.items()}
    return found
