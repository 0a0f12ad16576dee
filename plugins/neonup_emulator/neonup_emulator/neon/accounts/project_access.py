"""What members of an organization may do with a project of it.

Two layers add up, and the higher one counts: the role in the organization, which is the same for
all of its projects, and a permission for one project. Sources: Neon's OpenAPI document
(`ProjectMember`, `ProjectPermissionLevel`), and https://neon.com/docs/manage/user-permissions as of
July and August 2026 (in the repository neondatabase/website also as `user-permissions-preview.md`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

from neonup_emulator.neon.accounts.model import MemberRole

GrantSource = Literal["explicit", "org_role_default", "org_admin_override", "unassigned"]


class Level(IntEnum):
    """A permission for a project; each allows what the ones before it allow."""

    VIEWER = 1
    """Read what a project consists of; neither connection strings nor SQL."""
    EDITOR = 2
    """Connect, query, and change what the project consists of."""
    ADMIN = 3
    """Say who may use it, and delete it."""


DEFAULTS: dict[MemberRole, Level | None] = {
    "admin": Level.ADMIN,
    "editor": Level.EDITOR,
    "member": Level.EDITOR,  # the name that editors had before July 2026
    "viewer": Level.VIEWER,
    "collaborator": None,
}
"""The permission that a role gives for each project of the organization."""

CREATORS: frozenset[MemberRole] = frozenset({"admin", "editor", "member", "viewer"})
"""Roles whose holders may create projects in an organization, and bring some in."""

MANAGERS: frozenset[MemberRole] = frozenset({"admin"})
"""Roles whose holders may take projects out of an organization: an admin of one project may not."""


@dataclass(frozen=True)
class ProjectAccess:
    """Why somebody may use a project, and what for.

    Args:
        role: in the project's organization; None: not a member of it.
        explicit: the permission that they were given for this project.
        creator: whether they created it as a person, not with an organization's key: creators are
            its admins.
        shared: whether it was shared with their address, as before there were permissions: Neon
            made editors of those.
    """

    role: MemberRole | None
    explicit: Level | None = None
    creator: bool = False
    shared: bool = False

    @property
    def default(self) -> Level | None:
        """What the role gives."""
        return DEFAULTS[self.role] if self.role else None

    @property
    def effective(self) -> Level | None:
        """What counts; None: the project is hidden, as if it did not exist."""
        levels = [Level.EDITOR] if self.shared else []
        if self.role is not None:
            levels += [level for level in (self.default, self.explicit) if level is not None]
            levels += [Level.ADMIN] if self.creator else []
        return max(levels, default=None)

    @property
    def source(self) -> GrantSource:
        """Where it comes from, in the words of the API.

        The API has none for creators. Their permission is for this project alone, hence
        ``explicit``; that is the local Neon's reading.
        """
        if self.role == "admin":
            return "org_admin_override"
        if self.effective is None:
            return "unassigned"
        is_default = self.effective == self.default and self.explicit != self.default
        return "org_role_default" if is_default else "explicit"
