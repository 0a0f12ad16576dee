"""What a start does about the last one, which may have been killed at any moment."""

from __future__ import annotations

import logging

from neonup_local.neon import purging
from neonup_local.neon.claimable import holding
from neonup_local.neon.compute.addresses import Addresses
from neonup_local.neon.data.clusters import Clusters
from neonup_local.neon.model import (
    Branch,
    Cluster,
    Endpoint,
    Operation,
    Project,
    Snapshot,
)
from neonup_local.neon.state.clock import Clock
from neonup_local.neon.state.store import Store, setting

log = logging.getLogger(__name__)


def recover(store: Store, clusters: Clusters, clock: Clock) -> None:
    """Fail what was not finished, remove what was half there, and stop servers that were left.

    A change is made so by one transaction at its end. Where that did not happen, its intent is
    taken back: a branch that was being created goes, with all that belongs to it, and so does
    every cluster that nothing points to.
    """
    with store.transaction():
        for operation in store.all(Operation):
            if operation.status in ("scheduling", "running"):
                message = "the server was stopped before this was finished"
                ended = {"status": "failed", "error": message, "updated_at": clock.now()}
                store.update(Operation, operation.id, setting(**ended))
        for branch in store.all(Branch):
            if branch.state == "init":
                purging.forget_branch(store, branch)
        for project in store.all(Project):
            if not store.all(Branch, project_id=project.id):
                store.delete(project)
        store.delete(*[row for row in store.all(Snapshot) if row.state == "init"])
        pointed_to = {branch.cluster_id for branch in store.all(Branch)}
        pointed_to |= {snapshot.cluster_id for snapshot in store.all(Snapshot)}
        pointed_to |= {one.replica_id for one in store.all(Endpoint) if one.replica_id}
        store.delete(*[row for row in store.all(Cluster) if row.id not in pointed_to])
    holding.forget_unfinished(store, clusters)
    clusters.sweep(store.all(Cluster))


def listen(store: Store, addresses: Addresses) -> None:
    """Take connections for every endpoint of a project that was not deleted."""
    known = store.all(Endpoint)
    for project in store.all(Project):
        if project.deleted_at is not None:
            continue
        for endpoint in store.all(Endpoint, project_id=project.id):
            try:
                address, port = addresses.open_again(endpoint, known)
            except OSError as error:
                log.warning(
                    "%s cannot be reached: its address %s, port %d, cannot be used: %s.",
                    endpoint.id,
                    endpoint.address,
                    endpoint.port,
                    error.strerror or error,
                )
                continue
            if (address, port) != (endpoint.address, endpoint.port):
                store.update(Endpoint, endpoint.id, setting(address=address, port=port))
