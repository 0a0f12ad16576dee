"""The account at the local Neon that tests use, and its projects."""

from __future__ import annotations

from neonup_emulator.neon.model import Branch, Project
from tests.emulator.serving import NeonServer


def account_environ(server: NeonServer, key: str | None = None) -> dict[str, str]:
    """What a process needs to create databases in an account."""
    return {
        **server.environment,
        "NEON_API_KEY": key or server.key,
        "NEONUP_PROVIDER": "account",
        "NEONUP_ENV_KEYS": "all",
    }


def projects(server: NeonServer, name: str) -> list[Project]:
    """The projects whose name begins so, deleted ones left out."""
    return [
        one
        for one in server.neon.store.all(Project)
        if one.name.startswith(name) and one.deleted_at is None
    ]


def branches(server: NeonServer, project_id: str) -> list[str]:
    """The names of a project's branches."""
    return sorted(one.name for one in server.neon.store.all(Branch, project_id=project_id))
