"""Postgres servers of clusters: one cluster has at most one."""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import pq
from psycopg.conninfo import make_conninfo

from neonup import NeonupError
from neonup_emulator.neon.compute.authority import Authority
from neonup_emulator.neon.data import history
from neonup_emulator.neon.data.clusters import Clusters
from neonup_emulator.neon.data.model import Cluster
from neonup_local.engine import account as accounts
from neonup_local.engine import cluster, postmaster, template
from neonup_local.engine.config import ServerOptions
from neonup_local.service import home as homes
from neonup_local.service import ports

log = logging.getLogger(__name__)

REPLICA = "neonup-replica"
"""The `application_name` of a standby's connection to its branch's server."""
_TRIES = 5
_RECOVERY = 15.0  # seconds that a server which recovers from a crash is waited for
_SETTINGS = {
    "recovery_init_sync_method": "syncfs",  # a copy of a running parent is made durable at once
    **history.SETTINGS,
}


@contextmanager
def failures_logged() -> Iterator[None]:
    """A server that cannot be stopped is a line in the log: others have to be stopped as well."""
    try:
        yield
    except NeonupError as error:
        log.warning("A server could not be stopped: %s", error)


class ComputeServers:
    """The servers of one local Neon's clusters.

    Args:
        home: neonup's own folder.
        clusters: their data.
        authority: signs their certificates.
    """

    def __init__(self, home: Path, clusters: Clusters, authority: Authority):
        self._home = home
        self._clusters = clusters
        self._authority = authority
        self._locks: defaultdict[str, threading.RLock] = defaultdict(threading.RLock)
        self._ports: dict[str, int] = {}
        self._used: dict[str, float] = {}

    @contextmanager
    def held(self, id: str) -> Iterator[None]:  # noqa: A002
        """Nothing starts or stops the cluster's server in the block but the block."""
        with self._locks[id]:
            yield

    def is_running(self, id: str) -> bool:  # noqa: A002
        """Whether the cluster's server was started and not stopped since."""
        return id in self._ports

    def any(self) -> bool:
        """Whether any cluster's server runs."""
        return bool(self._ports)

    def port(self, id: str) -> int | None:  # noqa: A002
        """The port of the cluster's server on 127.0.0.1; None where it does not run, or crashed."""
        port = self._ports.get(id)
        return port if port is not None and self._clusters.running(id) else None

    def use(self, id: str) -> None:  # noqa: A002
        """Remember that somebody uses the cluster's server now."""
        self._used[id] = time.monotonic()

    def used(self, id: str) -> float:  # noqa: A002
        """When somebody last used the cluster's server, in seconds of `time.monotonic`."""
        return self._used.get(id, 0.0)

    def start(
        self, row: Cluster, *, address: str, logical_replication: bool, settings: Mapping[str, str]
    ) -> int:
        """Start a cluster's server; its port on 127.0.0.1. Call it while the cluster is held.

        Args:
            row: the cluster.
            address: what clients reach it by, for its certificate.
            logical_replication: whether ``wal_level`` is ``logical``.
            settings: more of Postgres's.

        Raises:
            EngineError: it did not start.
        """
        folder = self._clusters.folder(row.id)
        self._clusters.provide(row.id)
        engine = self._clusters.engine_of(row)
        account = accounts.of_data(folder / "data")
        tls = self._authority.certificate(address, account) if engine.tls else None
        homes.make_folder(self._home / "run")
        for _ in range(_TRIES):
            options = ServerOptions(
                port=self._free_port(),
                logical_replication=logical_replication,
                durable=True,
                tls=tls,
                settings={**_SETTINGS, **settings},
            )
            try:
                started = cluster.start(engine, folder, self._home / "run" / row.id, options)
            except cluster.PortTaken:
                continue
            self._ports[row.id] = started.port
            return started.port
        raise cluster.PortTaken("No free port was found on 127.0.0.1.")

    def stop(self, id: str) -> None:  # noqa: A002
        """Stop a cluster's server, if it runs. Call it while the cluster is held.

        Raises:
            EngineError: it does not stop.
        """
        self._clusters.stop(id)
        self._ports.pop(id, None)

    def address(self, id: str, database: str = "postgres") -> dict[str, Any]:  # noqa: A002
        """How the superuser connects to a running cluster, for psycopg."""
        server = self._clusters.running(id)
        return {
            "host": (server.socket_dir if server else None) or postmaster.HOST,
            "port": self._ports[id],
            "user": template.ADMIN,
            "password": template.admin_password(self._home),
            "dbname": database,
            "connect_timeout": 10,
        }

    def connect(self, id: str, database: str = "postgres") -> psycopg.Connection:  # noqa: A002
        """The superuser's connection to a running cluster, in autocommit mode.

        A server that recovers from a crash, e.g. since the disk was full, is waited for.

        Raises:
            psycopg.OperationalError: it takes no connection.
        """
        address = self.address(id, database)
        deadline = time.monotonic() + _RECOVERY
        while True:
            try:
                return psycopg.connect(**address, autocommit=True)
            except psycopg.OperationalError:
                if time.monotonic() > deadline or not _recovers(address):
                    raise
            time.sleep(0.05)

    def is_busy(self, id: str) -> bool:  # noqa: A002
        """Whether a statement runs, or somebody reads the log who is no standby of ours."""
        try:
            with psycopg.connect(**self.address(id), autocommit=True) as connection:
                row = connection.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' "
                    "AND backend_type IN ('client backend', 'walsender') "
                    "AND pid <> pg_backend_pid() AND application_name <> %s",
                    [REPLICA],
                ).fetchone()
        except (psycopg.Error, KeyError):
            return False
        return bool(row and row[0])

    def _free_port(self) -> int:
        """A port that nothing has, nor any server of ours that may have crashed."""
        while (port := ports.free()) in self._ports.values():
            pass
        return port


def _recovers(address: Mapping[str, Any]) -> bool:
    """Whether a server is there that takes no connections yet."""
    return pq.PGconn.ping(make_conninfo(**address).encode()) == pq.Ping.REJECT
