"""What an application can ask users for, by Neon's names (its guide "OAuth integration")."""

from __future__ import annotations

OPENID = "openid"
"""Who the user is: an ID token comes with the access token."""
OFFLINE = ("offline", "offline_access")
"""A refresh token: the application goes on working after the access token's hour."""
PROJECTS_READ = "urn:neoncloud:projects:read"
PROJECTS_CREATE = "urn:neoncloud:projects:create"
PROJECTS_UPDATE = "urn:neoncloud:projects:update"
PROJECTS_DELETE = "urn:neoncloud:projects:delete"
PROJECTS_PERMISSION = "urn:neoncloud:projects:permission"
"""Sharing projects with other users."""
PROJECTS = (
    PROJECTS_READ,
    PROJECTS_CREATE,
    PROJECTS_UPDATE,
    PROJECTS_DELETE,
    PROJECTS_PERMISSION,
)
ORGS_READ = "urn:neoncloud:orgs:read"
COMMAND_LINE = (OPENID, *OFFLINE, *PROJECTS, ORGS_READ)
"""What ``neonup auth login`` asks for: what its commands do, and no more."""
