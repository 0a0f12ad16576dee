"""Scale to zero: servers that nobody uses are suspended."""

from __future__ import annotations

import time

from neonup_emulator.neon.compute.computes import Computes
from neonup_emulator.neon.compute.servers import failures_logged
from neonup_emulator.neon.model import Branch, Endpoint
from neonup_emulator.neon.state.store import Store

DEFAULT_SUSPEND_SECONDS = 300
"""What a timeout of 0 stands for (https://neon.com/docs/introduction/scale-to-zero)."""
_WITHOUT_ENDPOINT_SECONDS = 10
"""How long the server of a branch without an endpoint stays after the API has used it."""


def suspend(store: Store, computes: Computes) -> None:
    """Suspend the servers that were idle for their endpoint's `suspend_timeout_seconds`."""
    if not computes.servers.any():
        return
    for endpoint in store.all(Endpoint):
        running = endpoint.replica_id
        if running and computes.is_running(running) and _is_idle(computes, running, [endpoint]):
            with failures_logged():
                computes.standbys.suspend(endpoint)
    for branch in store.all(Branch):
        running = branch.cluster_id
        if computes.is_running(running) and _is_idle(computes, running, computes.writing(branch)):
            with failures_logged():
                computes.suspend(branch)


def _is_idle(computes: Computes, cluster_id: str, endpoints: list[Endpoint]) -> bool:
    limit, seen = float(_WITHOUT_ENDPOINT_SECONDS), 0.0
    if endpoints:
        limits = [
            endpoint.suspend_timeout_seconds or DEFAULT_SUSPEND_SECONDS for endpoint in endpoints
        ]
        limit = float("inf") if min(limits) < 0 else float(max(limits))
        seen = max(computes.front.seen(endpoint.id).at for endpoint in endpoints)
    last = max(seen, computes.servers.used(cluster_id))
    return time.monotonic() - last >= limit and not computes.servers.is_busy(cluster_id)
