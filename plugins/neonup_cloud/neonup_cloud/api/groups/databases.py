"""``client.databases``."""

from __future__ import annotations

from typing import Generic

import msgspec

from neonup.plugin.http import Call
from neonup_cloud.api.answers import BranchDatabase, ChangedDatabase, Operations
from neonup_cloud.api.groups.group import ApiGroup, S, listing, operation
from neonup_cloud.api.requests import Pages, path


class _Databases(msgspec.Struct):
    databases: list[BranchDatabase]


class _Database(msgspec.Struct):
    database: BranchDatabase


class Databases(ApiGroup[S], Generic[S]):
    """Databases of a branch."""

    @listing
    def list(self, project_id: str, branch_id: str) -> Pages[BranchDatabase]:
        """The databases of a branch."""
        return self.api.whole(
            _all(project_id, branch_id), _Databases, lambda answer: answer.databases
        )

    @operation
    def get(self, project_id: str, branch_id: str, name: str) -> Call[BranchDatabase]:
        """One database."""
        answer = yield from self.api.send("GET", _of(project_id, branch_id, name), _Database)
        return answer.database

    @operation
    def create(
        self, project_id: str, branch_id: str, name: str, *, owner_name: str
    ) -> Call[ChangedDatabase]:
        """A new, empty database.

        Args:
            owner_name: the role that owns it.
        """
        return (
            yield from self.api.send(
                "POST",
                _all(project_id, branch_id),
                ChangedDatabase,
                body={"database": {"name": name, "owner_name": owner_name}},
            )
        )

    @operation
    def update(
        self,
        project_id: str,
        branch_id: str,
        name: str,
        *,
        new_name: str | None = None,
        owner_name: str | None = None,
    ) -> Call[ChangedDatabase]:
        """Rename a database or give it to another role; what is None stays.

        It is not repeated: under its old name it is not found again.
        """
        return (
            yield from self.api.send(
                "PATCH",
                _of(project_id, branch_id, name),
                ChangedDatabase,
                body={"database": {"name": new_name, "owner_name": owner_name}},
                repeatable=new_name in (None, name),
            )
        )

    @operation
    def delete(self, project_id: str, branch_id: str, name: str) -> Call[Operations]:
        """Delete a database with its data."""
        return (yield from self.api.delete(_of(project_id, branch_id, name)))


def _all(project_id: str, branch_id: str) -> str:
    return path("/projects/{project}/branches/{id}/databases", project=project_id, id=branch_id)


def _of(project_id: str, branch_id: str, name: str) -> str:
    return _all(project_id, branch_id) + path("/{database_name}", database_name=name)
