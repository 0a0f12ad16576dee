"""``client.roles`` and ``client.databases``: what a branch holds."""

from __future__ import annotations

from typing import Generic

import msgspec

from neonup.http.calls import Call
from neonup.neon.answers import ChangedDatabase, ChangedRole, Database, Operations, Role
from neonup.neon.api import Pages, path
from neonup.neon.groups.group import Group, S, listing, operation


class _Roles(msgspec.Struct):
    roles: list[Role]


class _Databases(msgspec.Struct):
    databases: list[Database]


class _Password(msgspec.Struct):
    password: str


class Roles(Group[S], Generic[S]):
    """Roles of a branch."""

    @listing
    def list(self, project_id: str, branch_id: str) -> Pages[Role]:
        """The roles of a branch; Neon answers all of them at once."""
        return self.api.pages(
            f"{_branch(project_id, branch_id)}/roles",
            _Roles,
            lambda found: found.roles,
            lambda found: None,
        )

    @operation
    def create(self, project_id: str, branch_id: str, name: str) -> Call[ChangedRole]:
        """A new role; its password is in the answer."""
        return (
            yield from self.api.send(
                "POST",
                f"{_branch(project_id, branch_id)}/roles",
                ChangedRole,
                body={"role": {"name": name}},
            )
        )

    @operation
    def delete(self, project_id: str, branch_id: str, name: str) -> Call[Operations]:
        """Delete a role."""
        of = f"{_branch(project_id, branch_id)}{path('/roles/{name}', name=name)}"
        return (yield from self.api.send("DELETE", of, Operations))

    @operation
    def reveal_password(self, project_id: str, branch_id: str, name: str) -> Call[str]:
        """A role's password, where the project stores passwords: a secret."""
        of = f"{_branch(project_id, branch_id)}{path('/roles/{name}', name=name)}"
        found = yield from self.api.send("GET", f"{of}/reveal_password", _Password)
        return found.password

    @operation
    def reset_password(self, project_id: str, branch_id: str, name: str) -> Call[ChangedRole]:
        """Give a role a new password, which the answer has; the old one is dead at once."""
        of = f"{_branch(project_id, branch_id)}{path('/roles/{name}', name=name)}"
        return (yield from self.api.send("POST", f"{of}/reset_password", ChangedRole))


class Databases(Group[S], Generic[S]):
    """Databases of a branch."""

    @listing
    def list(self, project_id: str, branch_id: str) -> Pages[Database]:
        """The databases of a branch; Neon answers all of them at once."""
        return self.api.pages(
            f"{_branch(project_id, branch_id)}/databases",
            _Databases,
            lambda found: found.databases,
            lambda found: None,
        )

    @operation
    def create(
        self, project_id: str, branch_id: str, name: str, *, owner_name: str
    ) -> Call[ChangedDatabase]:
        """A new database."""
        return (
            yield from self.api.send(
                "POST",
                f"{_branch(project_id, branch_id)}/databases",
                ChangedDatabase,
                body={"database": {"name": name, "owner_name": owner_name}},
            )
        )

    @operation
    def delete(self, project_id: str, branch_id: str, name: str) -> Call[Operations]:
        """Delete a database with its data."""
        of = f"{_branch(project_id, branch_id)}{path('/databases/{name}', name=name)}"
        return (yield from self.api.send("DELETE", of, Operations))


def _branch(project_id: str, branch_id: str) -> str:
    return path("/projects/{project_id}/branches/{id}", project_id=project_id, id=branch_id)
