"""``client.branches``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Generic

import msgspec

from neonup.plugin.http import Call
from neonup_cloud.api.answers import Branch, CreatedBranch, Operations
from neonup_cloud.api.groups.group import ApiGroup, S, listing, operation
from neonup_cloud.api.requests import Pages, Values, path

WRITING = ({"type": "read_write"},)
"""The endpoints that a new branch gets unless others are named: the one that is written to."""


PAGE = 1000
"""How many are asked for at once; Neon answers 10,000 at most."""


class _Next(msgspec.Struct):
    next: str | None = None


class _Branches(msgspec.Struct):
    branches: list[Branch]
    pagination: _Next | None = None


class _Branch(msgspec.Struct):
    branch: Branch


class Branches(ApiGroup[S], Generic[S]):
    """Branches of a project."""

    @listing
    def list(self, project_id: str, *, search: str | None = None) -> Pages[Branch]:
        """The branches of a project.

        Args:
            search: only those whose name or id contains this.
        """
        return self.api.pages(
            path("/projects/{project_id}/branches", project_id=project_id),
            _Branches,
            lambda answer: answer.branches,
            lambda answer: answer.pagination.next if answer.pagination else None,
            query={"search": search, "limit": PAGE},
        )

    @operation
    def get(self, project_id: str, branch_id: str) -> Call[Branch]:
        """One branch."""
        answer = yield from self.api.send("GET", _of(project_id, branch_id), _Branch)
        return answer.branch

    @operation
    def create(
        self,
        project_id: str,
        *,
        name: str | None = None,
        parent_id: str | None = None,
        parent_timestamp: datetime | None = None,
        parent_lsn: str | None = None,
        protected: bool | None = None,
        expires_at: datetime | None = None,
        init_source: str | None = None,
        endpoints: Sequence[Values] = WRITING,
    ) -> Call[CreatedBranch]:
        """A new branch with its parent's data.

        Args:
            parent_id: the default branch if None.
            parent_timestamp: as the parent was then.
            parent_lsn: as the parent was at that position of its log.
            expires_at: when Neon deletes it.
            init_source: ``schema-only`` for a branch without rows.
            endpoints: what it is reached by.
        """
        branch = {
            "name": name,
            "parent_id": parent_id,
            "parent_timestamp": parent_timestamp,
            "parent_lsn": parent_lsn,
            "protected": protected,
            "expires_at": expires_at,
            "init_source": init_source,
        }
        return (
            yield from self.api.send(
                "POST",
                path("/projects/{project_id}/branches", project_id=project_id),
                CreatedBranch,
                body={"branch": branch, "endpoints": endpoints},
            )
        )

    @operation
    def update(
        self,
        project_id: str,
        branch_id: str,
        *,
        name: str | None = None,
        protected: bool | None = None,
        expires_at: datetime | None = None,
    ) -> Call[CreatedBranch]:
        """Change a branch; what is None stays."""
        branch = {"name": name, "protected": protected, "expires_at": expires_at}
        return (
            yield from self.api.send(
                "PATCH", _of(project_id, branch_id), CreatedBranch, body={"branch": branch}
            )
        )

    @operation
    def keep(self, project_id: str, branch_id: str) -> Call[CreatedBranch]:
        """Let a branch never expire."""
        return (
            yield from self.api.send(
                "PATCH",
                _of(project_id, branch_id),
                CreatedBranch,
                body={"branch": {"expires_at": None}},
                nulls=True,
            )
        )

    @operation
    def delete(self, project_id: str, branch_id: str) -> Call[Operations]:
        """Delete a branch with its data."""
        return (yield from self.api.delete(_of(project_id, branch_id)))

    @operation
    def restore(
        self,
        project_id: str,
        branch_id: str,
        *,
        source_branch_id: str,
        source_timestamp: datetime | None = None,
        source_lsn: str | None = None,
        preserve_under_name: str | None = None,
    ) -> Call[CreatedBranch]:
        """Give a branch another one's data, or its own of an earlier moment.

        Args:
            source_branch_id: whose data; ``branch_id`` itself for an earlier moment.
            source_timestamp: as it was then; now if this and ``source_lsn`` are None.
            source_lsn: as it was at that position of its log.
            preserve_under_name: keep what the branch has now as a branch of this name.
        """
        body = {
            "source_branch_id": source_branch_id,
            "source_timestamp": source_timestamp,
            "source_lsn": source_lsn,
            "preserve_under_name": preserve_under_name,
        }
        return (
            yield from self.api.send(
                "POST", f"{_of(project_id, branch_id)}/restore", CreatedBranch, body=body
            )
        )

    @operation
    def set_as_default(self, project_id: str, branch_id: str) -> Call[CreatedBranch]:
        """Make a branch the project's default one."""
        return (
            yield from self.api.send(
                "POST",
                f"{_of(project_id, branch_id)}/set_as_default",
                CreatedBranch,
                repeatable=True,
            )
        )

    @operation
    def finalize_restore(
        self, project_id: str, branch_id: str, *, name: str | None = None
    ) -> Call[Operations]:
        """Put a branch restored from a snapshot in the place of the one it was taken of.

        Args:
            name: what the replaced branch is called then.
        """
        return (
            yield from self.api.send(
                "POST",
                f"{_of(project_id, branch_id)}/finalize_restore",
                Operations,
                body={"name": name},
            )
        )


def _of(project_id: str, branch_id: str) -> str:
    return path("/projects/{project_id}/branches/{id}", project_id=project_id, id=branch_id)
