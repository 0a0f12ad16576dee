"""``client.snapshots``."""

from __future__ import annotations

from datetime import datetime
from typing import Generic

import msgspec

from neonup.plugin.http import Call
from neonup_cloud.api.answers import CreatedBranch, CreatedSnapshot, Operations, Snapshot
from neonup_cloud.api.groups.group import ApiGroup, S, listing, operation
from neonup_cloud.api.requests import Pages, Values, path


class _Snapshots(msgspec.Struct):
    snapshots: list[Snapshot]


class _Snapshot(msgspec.Struct):
    snapshot: Snapshot


class Snapshots(ApiGroup[S], Generic[S]):
    """Kept copies of a root branch: versions that one can go back to."""

    @listing
    def list(self, project_id: str) -> Pages[Snapshot]:
        """The snapshots of a project."""
        return self.api.whole(
            path("/projects/{id}/snapshots", id=project_id),
            _Snapshots,
            lambda answer: answer.snapshots,
        )

    @operation
    def create(
        self,
        project_id: str,
        branch_id: str,
        *,
        name: str | None = None,
        slug: str | None = None,
        timestamp: datetime | None = None,
        lsn: str | None = None,
        expires_at: datetime | None = None,
    ) -> Call[CreatedSnapshot]:
        """Keep a root branch as it is, or was.

        Args:
            slug: unique in the project, and never changed: a-z, 0-9 and ``-``, 63 at most, from a
                letter on and not to ``-``; Neon makes one up if None (@neon/sdk 6.1.2).
            timestamp: as it was then, within the project's history.
            lsn: as it was at that position of its log; not together with ``timestamp``.
            expires_at: when Neon deletes the snapshot.

        Raises:
            Conflict: another snapshot of the project has that slug.
        """
        query = {
            "name": name,
            "slug": slug,
            "timestamp": timestamp,
            "lsn": lsn,
            "expires_at": expires_at,
        }
        return (
            yield from self.api.send(
                "POST",
                path(
                    "/projects/{project}/branches/{id}/snapshot", project=project_id, id=branch_id
                ),
                CreatedSnapshot,
                query=query,
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
        """Rename a snapshot, or let it expire at another time; what is None stays."""
        changes: Values = {"name": name, "expires_at": expires_at}
        answer = yield from self.api.send(
            "PATCH", _of(project_id, snapshot_id), _Snapshot, body={"snapshot": changes}
        )
        return answer.snapshot

    @operation
    def delete(self, project_id: str, snapshot_id: str) -> Call[Operations]:
        """Delete a snapshot; branches that were restored from it stay."""
        return (yield from self.api.delete(_of(project_id, snapshot_id)))

    @operation
    def restore(
        self,
        project_id: str,
        snapshot_id: str,
        *,
        name: str | None = None,
        target_branch_id: str | None = None,
        finalize_restore: bool | None = None,
    ) -> Call[CreatedBranch]:
        """A new branch with a snapshot's data.

        Until it is finalized, here or with `Branches.finalize_restore`, it is a preview. Then it
        takes the target's name and computes: the connection string stays, the branch's id is
        another, and the replaced branch stays as ``<name> (old)`` until it is deleted. Connect
        when all operations have ended.

        Args:
            name: of the new branch.
            target_branch_id: whose place it takes; the branch that the snapshot was taken of if
                None.
            finalize_restore: whether it takes that place at once.
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
