"""Removing a project for good."""

from __future__ import annotations

from neonup_local.neon.data.clusters import Clusters
from neonup_local.neon.metering.consumption import Consumption
from neonup_local.neon.model import (
    Branch,
    Cluster,
    Database,
    Endpoint,
    Operation,
    Permission,
    Project,
    Role,
    Snapshot,
    TransferRequest,
)
from neonup_local.neon.state.store import Store

_KINDS = (
    Branch,
    Cluster,
    Database,
    Endpoint,
    Operation,
    Permission,
    Role,
    Snapshot,
    TransferRequest,
)


def purge(store: Store, clusters: Clusters, project: Project) -> None:
    """Remove a deleted project with its data; nothing can be started of it any more.

    Raises:
        EngineError: a server of its does not stop.
    """
    rows = [row for kind in _KINDS for row in store.all(kind, project_id=project.id)]
    store.delete(project, *rows)
    Consumption(store).forget(project.id)
    for row in rows:
        if isinstance(row, Cluster):
            clusters.remove(row.id)
