"""Whether endpoints are active, and whether they may become so."""

from __future__ import annotations

from datetime import timedelta

from neonup_emulator.neon.compute import idle
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.errors import QuotaExceeded
from neonup_emulator.neon.model import Branch, Endpoint


def is_active(neon: LocalNeon, endpoint: Endpoint) -> bool:
    """Whether it is started: its server runs, or whoever connects first launches it at once.

    At Neon an endpoint that is created or started runs until nobody has used it for its timeout,
    and clients wait for that before they connect. Here it is told to be active for as long, but
    has no process before it is used: a hundred new projects take no memory.
    """
    return neon.computes.is_active(endpoint) or _awaits_its_first_use(neon, endpoint)


def _awaits_its_first_use(neon: LocalNeon, endpoint: Endpoint) -> bool:
    started, suspended = endpoint.started_at, endpoint.suspended_at
    if endpoint.disabled or started is None or (suspended is not None and suspended >= started):
        return False
    timeout = endpoint.suspend_timeout_seconds or idle.DEFAULT_SUSPEND_SECONDS
    if timeout >= 0 and neon.clock.now() - started >= timedelta(seconds=timeout):
        return False
    try:
        admit(neon, endpoint)
    except QuotaExceeded:
        return False
    return True


def admit(neon: LocalNeon, endpoint: Endpoint) -> None:
    """Refuse to start an endpoint whose project has used up a quota.

    Raises:
        QuotaExceeded: it has.
    """
    branch = neon.store.get(Branch, endpoint.branch_id)
    if branch is not None:
        neon.computes.admit(branch)
