"""What Neon's API answers about those who have access: API keys, and members of a project.

As in `neonup_cloud.api.answers`, names and meanings are those of Neon's OpenAPI document.
"""

from __future__ import annotations

from datetime import datetime

from neonup_cloud.api.answers import ApiObject, ProjectPermission, ProjectRole


class ApiKey(ApiObject, frozen=True, kw_only=True):
    """An API key, without its secret.

    Args:
        id: its number.
        project_id: the only project that it reaches; None: all of its organization's.
    """

    id: int
    name: str
    created_at: datetime
    project_id: str | None = None
    last_used_at: datetime | None = None


class NewApiKey(ApiKey, frozen=True, kw_only=True):
    """A new API key; ``key`` is its secret, which is answered this once."""

    key: str


class ProjectMember(ApiObject, frozen=True, kw_only=True):
    """A member of an organization, and what they may do with a project of it.

    Args:
        member_id: of the membership; the roles of projects are given to it.
        org_role: ``admin``, ``editor`` (once called ``member``), ``viewer`` or ``collaborator``.
        project_role: what counts; None: they do not see the project.
        org_default_project_permission: what their role in the organization gives them.
        explicit_project_permission: what they were given for the project.
        grant_source: ``explicit``, ``org_role_default``, ``org_admin_override``, ``unassigned``.
    """

    member_id: str
    user_id: str
    org_role: str
    email: str = ""
    name: str = ""
    project_role: ProjectRole | None = None
    org_default_project_permission: ProjectPermission | None = None
    explicit_project_permission: ProjectPermission | None = None
    effective_project_permission: ProjectPermission | None = None
    grant_source: str = ""


class ChangedProjectMember(ProjectMember, frozen=True, kw_only=True):
    """A member whose role in a project was changed.

    Args:
        credential_rotation_recommended: whether they may still know passwords of the project.
        org_api_key_rotation_recommended: whether they have created keys of the project.
    """

    project_id: str = ""
    credential_rotation_recommended: bool = False
    org_api_key_rotation_recommended: bool = False
