"""Whom a project is shared with."""

from __future__ import annotations

import uuid

from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.errors import NotFound
from neonup_emulator.neon.model import Permission, Project


def grant(neon: LocalNeon, project: Project, email: str) -> Permission:
    """Share a project; a user of that address reaches it from now on.

    Raises:
        NotFound: the project was deleted meanwhile, or is somebody else's now.
    """
    with neon.store.transaction():
        neon.journal.check(project)
        for known in neon.store.all(Permission, project_id=project.id):
            if known.granted_to_email.casefold() == email.casefold():
                return known
        permission = Permission(
            id=str(uuid.uuid4()),
            project_id=project.id,
            granted_to_email=email,
            granted_at=neon.clock.now(),
        )
        neon.store.insert(permission)
    return permission


def revoke(neon: LocalNeon, project: Project, id: str) -> Permission:  # noqa: A002
    """Share a project with somebody no more.

    Raises:
        NotFound: it is not shared so, or is somebody else's now.
    """
    with neon.store.transaction():
        neon.journal.check(project)
        permission = neon.store.get(Permission, id)
        if permission is None or permission.project_id != project.id:
            raise NotFound("permission not found")
        neon.store.delete(permission)
    return permission
