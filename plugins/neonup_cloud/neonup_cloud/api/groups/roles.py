"""``client.roles``."""

from __future__ import annotations

from typing import Generic

import msgspec

from neonup.plugin.http import Call
from neonup_cloud.api.answers import ChangedRole, Operations, Role
from neonup_cloud.api.groups.group import ApiGroup, S, listing, operation
from neonup_cloud.api.requests import Pages, path


class _Roles(msgspec.Struct):
    roles: list[Role]


class _Role(msgspec.Struct):
    role: Role


class _Password(msgspec.Struct):
    password: str


class Roles(ApiGroup[S], Generic[S]):
    """Postgres roles of a branch."""

    @listing
    def list(self, project_id: str, branch_id: str) -> Pages[Role]:
        """The roles of a branch, without their passwords."""
        return self.api.whole(_all(project_id, branch_id), _Roles, lambda answer: answer.roles)

    @operation
    def get(self, project_id: str, branch_id: str, name: str) -> Call[Role]:
        """One role, without its password."""
        answer = yield from self.api.send("GET", _of(project_id, branch_id, name), _Role)
        return answer.role

    @operation
    def create(
        self, project_id: str, branch_id: str, name: str, *, no_login: bool | None = None
    ) -> Call[ChangedRole]:
        """A new role with a password.

        Args:
            no_login: it cannot log in, and has no password.
        """
        return (
            yield from self.api.send(
                "POST",
                _all(project_id, branch_id),
                ChangedRole,
                body={"role": {"name": name, "no_login": no_login}},
            )
        )

    @operation
    def delete(self, project_id: str, branch_id: str, name: str) -> Call[Operations]:
        """Delete a role."""
        return (yield from self.api.delete(_of(project_id, branch_id, name)))

    @operation
    def password(self, project_id: str, branch_id: str, name: str) -> Call[str]:
        """A role's password: a secret.

        Raises:
            Invalid: the project stores no passwords.
        """
        answer = yield from self.api.send(
            "GET", f"{_of(project_id, branch_id, name)}/reveal_password", _Password
        )
        return answer.password

    @operation
    def reset_password(self, project_id: str, branch_id: str, name: str) -> Call[ChangedRole]:
        """Give a role a new password. Where an answer is lost, it is reset once more."""
        return (
            yield from self.api.send(
                "POST",
                f"{_of(project_id, branch_id, name)}/reset_password",
                ChangedRole,
                repeatable=True,
            )
        )


def _all(project_id: str, branch_id: str) -> str:
    return path("/projects/{project}/branches/{id}/roles", project=project_id, id=branch_id)


def _of(project_id: str, branch_id: str, name: str) -> str:
    return _all(project_id, branch_id) + path("/{role_name}", role_name=name)
