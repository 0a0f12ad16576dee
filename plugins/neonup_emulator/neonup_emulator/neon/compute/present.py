"""A branch as it is now: its data may be still on its way, and may be exchanged at any time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from neonup_emulator.neon.compute.servers import ComputeServers
from neonup_emulator.neon.errors import NotFound, Unprocessable
from neonup_emulator.neon.model import Branch
from neonup_emulator.neon.state.store import Store

_COPYING = 60.0  # seconds that a client's connection waits for the data of a new branch


class PresentBranches:
    """The branches of a local Neon as they are at the moment.

    Args:
        store: what is known of them.
        servers: the servers of their clusters.
    """

    def __init__(self, store: Store, servers: ComputeServers):
        self._store = store
        self._servers = servers

    @contextmanager
    def held(self, branch: Branch, *, known: bool = False) -> Iterator[Branch]:
        """A branch as it is now, with its cluster held: it may have been given other data.

        One whose data is still being copied is waited for: an answer that took too long has named
        its endpoints before.

        Args:
            branch: as it was.
            known: the store does not know the branch, so it must be as it is.

        Raises:
            NotFound: it is gone.
            Unprocessable: it is still being copied.
        """
        while True:
            current = branch if known else self._finished(branch)
            with self._servers.held(current.cluster_id):
                if known or self._row(branch).cluster_id == current.cluster_id:
                    yield current
                    return

    def _finished(self, branch: Branch) -> Branch:
        deadline = time.monotonic() + _COPYING
        while (row := self._row(branch)).is_unfinished:
            if time.monotonic() > deadline:
                raise Unprocessable("the branch is still being created")
            time.sleep(0.05)
        return row

    def _row(self, branch: Branch) -> Branch:
        row = self._store.get(Branch, branch.id)
        if row is None:
            raise NotFound("branch not found")
        return row
