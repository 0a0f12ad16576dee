"""The creation of one snapshot, which may take several attempts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from neonup.plugin.http import Call
from neonup_cloud.agents import project_state
from neonup_cloud.api.answers import Branch, Snapshot
from neonup_cloud.api.client import Groups
from neonup_cloud.api.errors import QuotaExceeded


@dataclass(frozen=True)
class SnapshotRequest:
    """A snapshot to be created.

    Args:
        branch: of which branch.
        name: its name, which no other snapshot has.
        expires_at: when Neon deletes it; never if None.
    """

    branch: Branch
    name: str
    expires_at: datetime | None


class CheckpointCreation:
    """The attempts to create one snapshot, for `create_once`.

    Args:
        neon: gives calls.
        project_id: the project's id.
        request: what is to be created.
    """

    def __init__(self, neon: Groups[None], project_id: str, request: SnapshotRequest):
        self.attempts = 0
        self._neon = neon
        self._project = project_id
        self._request = request

    def attempt(self) -> Call[Snapshot]:
        """Request the snapshot, and wait until it is complete."""
        self.attempts += 1
        request = self._request
        try:
            created = yield from self._neon.snapshots.create(
                self._project,
                request.branch.id,
                name=request.name,
                expires_at=request.expires_at,
            )
        except QuotaExceeded:
            # An earlier attempt may have taken the last place.
            if self.attempts > 1 and (snapshot := (yield from self.look())):
                return snapshot
            raise
        yield from self._neon.operations.wait(created.operations)
        return created.snapshot

    def look(self) -> Call[Snapshot | None]:
        """The snapshot that an attempt has created; None if there is none."""
        yield from self._neon.operations.settle(self._project)
        return next(iter((yield from self.snapshots())), None)

    def snapshots(self) -> Call[list[Snapshot]]:
        """All snapshots of the name, newest first."""
        snapshots = yield from project_state.snapshots(self._neon, self._project)
        return [snapshot for snapshot in snapshots if snapshot.name == self._request.name]
