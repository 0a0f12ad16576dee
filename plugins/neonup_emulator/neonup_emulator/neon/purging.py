"""Removing projects and branches for good."""

from __future__ import annotations

from neonup_emulator.neon.data.clusters import Clusters
from neonup_emulator.neon.data.model import Cluster
from neonup_emulator.neon.metering.consumption import ConsumptionStore
from neonup_emulator.neon.model import Branch, Project
from neonup_emulator.neon.state import ownership
from neonup_emulator.neon.state.store import Store


def purge(store: Store, clusters: Clusters, project: Project) -> None:
    """Remove a project with its data; nothing can be started of it, or change it, any more.

    Raises:
        EngineError: a server of its does not stop.
    """
    remove_data(clusters, forget_project(store, project))


def forget_project(store: Store, project: Project) -> list[Cluster]:
    """Delete a project's rows; the clusters of which the data is to be removed then."""
    with store.transaction():
        rows = ownership.owned_by(store, project)
        store.delete(project, *rows)
        ConsumptionStore(store).forget(project.id)
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
        store.delete(*ownership.owned_by(store, branch))
        cluster = store.get(Cluster, branch.cluster_id)
        store.delete(branch, *([cluster] if cluster else []))
