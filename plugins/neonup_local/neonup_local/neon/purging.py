"""Removing projects and branches for good."""

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
)
from neonup_local.neon.state.store import Store
from neonup_local.neon.transfer.model import TransferRequest

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
    """Remove a project with its data; nothing can be started of it, or change it, any more.

    Raises:
        EngineError: a server of its does not stop.
    """
    remove_data(clusters, forget_project(store, project))


def forget_project(store: Store, project: Project) -> list[Cluster]:
    """Delete a project's rows; the clusters of which the data is to be removed then."""
    with store.transaction():
        rows = [row for kind in _KINDS for row in store.all(kind, project_id=project.id)]
        store.delete(project, *rows)
        Consumption(store).forget(project.id)
    return [row for row in rows if isinstance(row, Cluster)]


def remove_data(clusters: Clusters, rows: list[Cluster]) -> None:
    """Remove the data of clusters that the store has forgotten.

    Raises:
        EngineError: a server of theirs does not stop.
    """
    for row in rows:
        clusters.remove(row.id)


def forget_branch(store: Store, branch: Branch) -> None:
    """Delete a branch's rows; its data is not touched."""
    with store.transaction():
        for kind in (Endpoint, Role, Database):
            store.delete(*store.all(kind, branch_id=branch.id))
        cluster = store.get(Cluster, branch.cluster_id)
        store.delete(branch, *([cluster] if cluster else []))
