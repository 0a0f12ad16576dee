"""What a start does about the last one, which may have been killed at any moment."""

from __future__ import annotations

import logging

from neonup_emulator.neon import purging
from neonup_emulator.neon.claimable import holding
from neonup_emulator.neon.compute.addresses import Addresses
from neonup_emulator.neon.data.clusters import Clusters
from neonup_emulator.neon.data.model import Cluster
from neonup_emulator.neon.model import Branch, Endpoint, Operation, OperationStatus, Project
from neonup_emulator.neon.state import ownership
from neonup_emulator.neon.state.clock import Clock
from neonup_emulator.neon.state.store import Store, setting

log = logging.getLogger(__name__)


def recover(store: Store, clusters: Clusters, clock: Clock) -> None:
    """Fail what was not finished, remove what was half there, and stop servers that were left.

    A change is made so by one transaction at its end. Where that did not happen, its intent is
    taken back: a branch that was being created goes, with all that belongs to it, and so does
    every cluster that nothing points to.
    """
    with store.transaction():
        for operation in store.all(Operation):
            if operation.is_running:
                message = "the server was stopped before this was finished"
                failed = setting(
                    status=OperationStatus.FAILED, error=message, updated_at=clock.now()
                )
                store.update(Operation, operation.id, failed)
        for row in ownership.unfinished(store):
            if isinstance(row, Branch):
                purging.forget_branch(store, row)
            store.delete(row)
        for project in store.all(Project):
            if not store.all(Branch, project_id=project.id):
                store.delete(project)
        store.delete(*ownership.unused_clusters(store))
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
