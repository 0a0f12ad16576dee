"""``client.snapshots``."""

from __future__ import annotations

from datetime import datetime
from typing import Generic

import msgspec

from neonup.http.calls import Call
from neonup.neon.answers import CreatedBranch, CreatedSnapshot, Operations, Snapshot
from neonup.neon.api import Pages, path
from neonup.neon.groups.group import Group, S, listing, operation


class _Snapshots(msgspec.Struct):
    snapshots: list[Snapshot]


class _Snapshot(msgspec.Struct):
    snapshot: Snapshot


class Snapshots(Group[S], Generic[S]):
    """Kept copies of a project's root branches."""

    @listing
    def list(self, project_id: str) -> Pages[Snapshot]:
        """The snapshots of a project; Neon answers all of them at once."""
        return self.api.pages(
            path("/projects/{project_id}/snapshots", project_id=project_id),
            _Snapshots,
            lambda found: found.snapshots,
            lambda found: None,
        )

    @operation
    def create(
        self,
        project_id: str,
        branch_id: str,
        *,
        name: str | None = None,
        timestamp: datetime | None = None,
        lsn: str | None = None,
        expires_at: datetime | None = None,
    ) -> Call[CreatedSnapshot]:
        """Keep a root branch as it is now, or as it was.

        Args:
            timestamp: as the branch was then.
            lsn: as the branch was at that position of its log.
            expires_at: when Neon deletes the snapshot; never if None.
        """
        return (
            yield from self.api.send(
                "POST",
                path(
                    "/projects/{project_id}/branches/{branch_id}/snapshot",
                    project_id=project_id,
                    branch_id=branch_id,
                ),
                CreatedSnapshot,
                query={
                    "name": name,
                    "timestamp": timestamp,
                    "lsn": lsn,
                    "expires_at": expires_at,
                },
            )
        )

    @operation
    def update(
        self,
        project_id: str,
        snapshot_id: str,
        *,
        name: str | None = None,
        expires_at: datetime | None = None,
    ) -> Call[Snapshot]:
        """Change a snapshot; what is None stays."""
        body = {"snapshot": {"name": name, "expires_at": expires_at}}
        found = yield from self.api.send(
            "PATCH", _of(project_id, snapshot_id), _Snapshot, body=body
        )
        return found.snapshot

    @operation
    def delete(self, project_id: str, snapshot_id: str) -> Call[Operations]:
        """Delete a snapshot; branches that were created from it stay."""
        return (yield from self.api.send("DELETE", _of(project_id, snapshot_id), Operations))

    @operation
    def restore(
        self,
        project_id: str,
        snapshot_id: str,
        *,
        name: str | None = None,
        target_branch_id: str | None = None,
        finalize_restore: bool = False,
    ) -> Call[CreatedBranch]:
        """A branch with a snapshot's data.

        Args:
            name: of the new branch.
            target_branch_id: the branch that it is for; the one that the snapshot is of if None.
            finalize_restore: put it in that branch's place at once: connection strings stay, the
                branch id changes, and the old branch stays as ``<name> (old)``. Without it, it is a
                preview; see `Branches.finalize_restore`.
        """
        body = {
            "name": name,
            "target_branch_id": target_branch_id,
            "finalize_restore": finalize_restore,
        }
        return (
            yield from self.api.send(
                "POST", f"{_of(project_id, snapshot_id)}/restore", CreatedBranch, body=body
            )
        )


def _of(project_id: str, snapshot_id: str) -> str:
    return path("/projects/{project_id}/snapshots/{id}", project_id=project_id, id=snapshot_id)
