"""Servers of read-only endpoints: standbys that follow their branch's server.

A standby is a copy of the branch's data. It is copied when somebody first connects, and again
after the branch was given other data. While the branch's server runs it sends its log; what a
standby missed while it slept it reads from the branch's archive.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import psycopg
from msgspec.structs import replace
from psycopg import sql

from neonup_emulator.neon import ids
from neonup_emulator.neon.compute.servers import REPLICA
from neonup_emulator.neon.data.clusters import Clusters
from neonup_emulator.neon.data.model import Cluster, ClusterOrigin
from neonup_emulator.neon.errors import NotFound
from neonup_emulator.neon.model import Branch, Endpoint
from neonup_emulator.neon.state.store import Store, setting
from neonup_local.engine import account as accounts

_PASSWORDS = "pgpass"


def is_current(endpoint: Endpoint, branch: Branch) -> bool:
    """Whether an endpoint has a standby of its branch's present data."""
    return endpoint.replica_id is not None and endpoint.replica_of == branch.cluster_id


def drop(store: Store, clusters: Clusters, endpoint: Endpoint) -> Endpoint:
    """Remove an endpoint's standby, if it has one; the endpoint without it.

    Raises:
        NotFound: the endpoint is gone.
    """
    if endpoint.replica_id is None:
        return endpoint
    row = store.get(Cluster, endpoint.replica_id)
    with store.transaction():
        store.delete(*([row] if row else []))
        none = {"replica_id": None, "replica_of": None}
        without = store.update(Endpoint, endpoint.id, setting(**none))
    clusters.remove(endpoint.replica_id)
    return without


def clone(
    store: Store,
    clusters: Clusters,
    endpoint: Endpoint,
    branch: Branch,
    primary: dict[str, Any] | None,
) -> Endpoint:
    """Copy a branch's data for an endpoint's standby.

    Args:
        primary: how to connect to the branch's server as its superuser; None: it sleeps, and
            cannot be started meanwhile.

    Raises:
        NotFound: the endpoint is gone.
    """
    source = store.get(Cluster, branch.cluster_id)
    assert source is not None  # noqa: S101 - a branch has one
    row = replace(source, id=ids.cluster(), state=ClusterOrigin.STOPPED)
    if primary is None:
        clusters.copy_stopped(source.id, row.id)
    else:
        clusters.copy_running(source, row.id, primary)
    data = clusters.data(row.id)
    (data / "standby.signal").touch()
    accounts.of_data(data).own(data / "standby.signal")
    copied = {"replica_id": row.id, "replica_of": branch.cluster_id}
    try:
        with store.transaction():
            store.insert(row)
            return store.update(Endpoint, endpoint.id, setting(**copied))
    except NotFound:
        clusters.remove(row.id)
        raise


def settings(
    clusters: Clusters, endpoint: Endpoint, primary: dict[str, Any] | None
) -> dict[str, str]:
    """How a standby is started; no password is among it."""
    folder = clusters.folder(endpoint.replica_id or "")
    archive = clusters.folder(endpoint.replica_of or "") / "archive"
    values = {
        "hot_standby": "on",
        "restore_command": f'cp "{archive}/%f" "%p"',
        "recovery_target_timeline": "latest",
        "archive_mode": "off",
    }
    if primary is not None:
        values["primary_conninfo"] = _conninfo(folder, primary)
    return values


def follow(replica: dict[str, Any], folder: Path, primary: dict[str, Any]) -> None:
    """Tell a running standby where its branch's server is, which has just been started."""
    with psycopg.connect(**replica, autocommit=True) as connection:
        connection.execute(
            sql.SQL("ALTER SYSTEM SET primary_conninfo = {}").format(_conninfo(folder, primary))
        )
        connection.execute("SELECT pg_reload_conf()")


def _conninfo(folder: Path, primary: dict[str, Any]) -> str:
    """The address of the branch's server; the password is in a file that only it can read."""
    path = folder / _PASSWORDS
    account = accounts.of_data(folder / "data")
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"*:*:*:*:{primary['password']}\n")
    account.own(path)
    values = {
        "host": primary["host"],
        "port": primary["port"],
        "user": primary["user"],
        "passfile": path,
        "application_name": REPLICA,
        "sslmode": "disable",
    }
    return psycopg.conninfo.make_conninfo("", **values)
