"""What an application can be allowed: the scopes of Neon's OAuth, in plain words."""

from __future__ import annotations

OFFLINE = frozenset({"offline", "offline_access"})
"""Either asks for a refresh token."""

SCOPES: dict[str, str] = {
    "openid": "Know who you are: your name and email address",
    "offline": "Keep its access while you are away",
    "offline_access": "Keep its access while you are away",
    "urn:neoncloud:projects:create": "Create projects",
    "urn:neoncloud:projects:read": "See your projects, with their connection strings and passwords",
    "urn:neoncloud:projects:update": "Change your projects: branches, computes, roles, databases",
    "urn:neoncloud:projects:delete": "Delete your projects",
    "urn:neoncloud:projects:permission": "Share your projects and give them to others",
    "urn:neoncloud:orgs:create": "Create organizations",
    "urn:neoncloud:orgs:read": "See your organizations, their members and keys",
    "urn:neoncloud:orgs:update": "Change your organizations",
    "urn:neoncloud:orgs:delete": "Delete your organizations",
    "urn:neoncloud:orgs:permission": "Manage members and API keys of your organizations",
}
"""Every scope there is, and how the consent page says it."""


def in_words(scope: str) -> list[str]:
    """A space-separated list of scopes as sentences, none twice."""
    asked = scope.split()
    return list(dict.fromkeys(words for name, words in SCOPES.items() if name in asked))
