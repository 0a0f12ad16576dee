"""A user's own API key. It reaches the user's project and nothing else, and cannot delete it.

Neon answers a key's secret once, and neonup keeps none, so a key that was lost is replaced: the new
one is created first, then all earlier ones of the project are revoked, also those of processes that
were killed before they could hand theirs over. A key's name cannot be changed and need not be
unique; `project_id` says whose it is, and the name's beginning that a fleet created it.
"""

from __future__ import annotations

import contextlib
import uuid

from neonup.plugin.http import Call
from neonup_cloud.api.access_answers import ApiKey, NewApiKey
from neonup_cloud.api.errors import AnswerLost, NotFound, UnusableAnswer
from neonup_cloud.fleets.errors import KeyReplaced
from neonup_cloud.fleets.register import Register, UserProject

NAME = "neonup fleet"
"""What the names of these keys begin with; a project's other keys are left alone."""


def replaced(register: Register, project: UserProject) -> Call[str]:
    """The secret of a new key of a project; all earlier ones are revoked.

    Where the answer is lost, another key is asked for once, and the lost one revoked.

    Raises:
        KeyReplaced: another process has created a newer one meanwhile; this one is revoked.
        Forbidden: this takes a personal key of an admin of the organization.
        NeonError: call again, which also revokes what this call may have left behind.
    """
    keys = register.neon.organization_keys
    name = f"{NAME} {uuid.uuid4().hex}"

    def create() -> Call[NewApiKey]:
        return keys.create(name, project_id=project.project_id, org_id=project.org_id)

    try:
        created = yield from create()
    except (AnswerLost, UnusableAnswer):
        created = yield from create()
    others = [key for key in (yield from _of(register, project)) if key.id != created.id]
    newer = [key for key in others if key.name != name and _age(key) > _age(created)]
    outdated = [key for key in others if key not in newer] + ([created] if newer else [])
    yield from _revoke(register, project, outdated)
    if newer:
        raise KeyReplaced(
            f"Another process has just created a newer key of the project {project.project_id}.",
            remedy="Use that one, or call again: then it is replaced.",
        )
    return created.key


def revoked(register: Register, project: UserProject) -> Call[int]:
    """Revoke all keys that a fleet created for a project.

    Returns:
        How many there were.
    """
    keys = yield from _of(register, project)
    yield from _revoke(register, project, keys)
    return len(keys)


def _of(register: Register, project: UserProject) -> Call[list[ApiKey]]:
    keys = yield from register.neon.organization_keys.list(org_id=project.org_id)
    return [
        key
        for key in keys
        if key.project_id == project.project_id and key.name.startswith(f"{NAME} ")
    ]


def _revoke(register: Register, project: UserProject, keys: list[ApiKey]) -> Call[None]:
    for key in keys:
        with contextlib.suppress(NotFound):  # another process has revoked it
            yield from register.neon.organization_keys.revoke(key.id, org_id=project.org_id)


def _age(key: ApiKey) -> tuple[object, int]:
    return key.created_at, key.id
