"""Removing a project for good."""

from __future__ import annotations

from neonup_emulator.neon.data.clusters import Clusters
from neonup_emulator.neon.metering.consumption import Consumption
from neonup_emulator.neon.model import (
    Branch,
    Cluster,
    Database,
    Endpoint,
    Operation,
    Permission,
    Project,
    Role,
    Snapshot,
)
from neonup_emulator.neon.state.store import Store
from neonup_emulator.neon.transfer.model import TransferRequest

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
