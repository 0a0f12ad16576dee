"""``client.project_members``."""

from __future__ import annotations

from typing import Generic

import msgspec

from neonup.plugin.http import Call
from neonup_cloud.api.access_answers import ChangedProjectMember, ProjectMember
from neonup_cloud.api.answers import ProjectRole
from neonup_cloud.api.groups.group import ApiGroup, S, listing, operation
from neonup_cloud.api.requests import Pages, path

_PAGE = 500
"""The most members that Neon answers at once (OpenAPI document, ``listProjectMembers``)."""


class _Next(msgspec.Struct):
    next: str | None = None


class _Members(msgspec.Struct):
    project_members: list[ProjectMember]
    pagination: _Next | None = None


class ProjectMembers(ApiGroup[S], Generic[S]):
    """The members of a project's organization, and what each may do with the project.

    The higher counts of what their role in the organization gives them, and what they are given
    here (https://neon.com/docs/manage/user-permissions).
    """

    @listing
    def list(self, project_id: str, *, page: int = _PAGE) -> Pages[ProjectMember]:
        """Who may use a project; its admins see the organization's other members as well.

        Args:
            page: how many are asked for at once.

        Raises:
            NotFound: there is no such project for the key, or its organization has no permissions
                for single projects.
        """
        return self.api.pages(
            path("/projects/{project}/members", project=project_id),
            _Members,
            lambda answer: answer.project_members,
            lambda answer: answer.pagination.next if answer.pagination else None,
            query={"limit": page},
        )

    @operation
    def set_role(
        self,
        project_id: str,
        member_id: str,
        role: ProjectRole,
        *,
        confirm_self_demotion: bool | None = None,
    ) -> Call[ChangedProjectMember]:
        """Give a member of the organization a role in a project; repeatable.

        Args:
            member_id: the membership's id, not the user's.
            role: ``viewer`` reads, ``editor`` connects and changes, ``admin`` manages and deletes.
            confirm_self_demotion: must be true where it lowers one's own permission.

        Raises:
            Forbidden: the key is none of the project's admins'.
        """
        return (
            yield from self.api.send(
                "PUT",
                _role(project_id, member_id),
                ChangedProjectMember,
                query={"confirm_self_demotion": confirm_self_demotion},
                body={"role": role},
            )
        )

    @operation
    def remove_role(
        self, project_id: str, member_id: str, *, confirm_self_lockout: bool | None = None
    ) -> Call[ChangedProjectMember]:
        """Take a member's role in a project back; repeatable, also where there is none.

        What their role in the organization gives them stays.

        Args:
            member_id: the membership's id, not the user's.
            confirm_self_lockout: must be true where one could not manage the project any more.

        Raises:
            Forbidden: the key is none of the project's admins'.
        """
        return (
            yield from self.api.send(
                "DELETE",
                _role(project_id, member_id),
                ChangedProjectMember,
                query={"confirm_self_lockout": confirm_self_lockout},
            )
        )


def _role(project_id: str, member_id: str) -> str:
    return path("/projects/{project}/members/{member}/role", project=project_id, member=member_id)
