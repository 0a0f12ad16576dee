"""Projects that belong to nobody until somebody claims them: their limits, beginning and end."""

from __future__ import annotations

import time
from datetime import timedelta

from neonup_emulator.neon import projects, purging
from neonup_emulator.neon.changes import project_creation
from neonup_emulator.neon.changes.project_creation import ProjectWithDefaults
from neonup_emulator.neon.claimable import holding
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.errors import Failed
from neonup_emulator.neon.model import Branch, Project
from neonup_emulator.neon.requests.projects import NewProject, ProjectSettings, QuotaSettings

LIFETIME = timedelta(hours=72)
"""How long one lives that nobody claims
(https://neon.com/docs/reference/claimable-postgres#limits)."""
REMEMBERED = timedelta(days=30)
"""How long it is known after the end what became of it."""
_QUOTA = QuotaSettings(logical_size_bytes=100 * 1024 * 1024, data_transfer_bytes=1024 * 1024 * 1024)
_SECONDS_TO_CREATE = 60


def create(
    neon: LocalNeon,
    credential_id: str,
    *,
    id: str | None = None,  # noqa: A002
    name: str | None = None,
    password: str | None = None,
    logical_replication: bool = False,
    prepares: bool = False,
) -> ProjectWithDefaults:
    """Create a project that belongs to the service, and wait until it can be used.

    Args:
        credential_id: names who asked for it.
        id: as of `project_creation.create`, and so is `password`.
        name: the project's; None: a random one.
        logical_replication: whether `wal_level` is `logical`.
        prepares: whether it is created beforehand, for nobody yet.

    Raises:
        Refused: it cannot be created.
    """
    with neon.store.transaction():
        if not holding.exists(neon.store):
            neon.identity.default()  # the default user is the first of all
            holding.create(neon.store, neon.clock)
    settings = ProjectSettings(quota=_QUOTA)
    if logical_replication:
        settings.enable_logical_replication = True
    org_id = holding.PREPARED if prepares else holding.UNCLAIMED
    owner = holding.caller(neon.store, credential_id, org_id=org_id)
    wanted = NewProject(name=name, settings=settings)
    created = project_creation.create(neon, owner, wanted, id=id, password=password)
    _wait_for(neon, created.branch)
    return created


def end(neon: LocalNeon, project: Project) -> None:
    """Delete a project for good: it cannot be recovered, since nobody owns it.

    Where that takes long it goes on in the background; calling this again removes the rest.

    Raises:
        Locked: it is being changed.
        NotFound: it was claimed meanwhile.
    """
    if project.deleted_at is None:
        projects.delete(neon, project)
    current = neon.store.get(Project, project.id)
    if current is not None and current.deleted_at is not None:
        with neon.journal.alone(current, deleted=True):
            removed = purging.forget_project(neon.store, current)
        purging.remove_data(neon.clusters, removed)


def _wait_for(neon: LocalNeon, branch: Branch) -> None:
    """Wait until a new project can be used: its user is told nothing of operations.

    Raises:
        Failed: it could not be created.
    """
    if not branch.is_unfinished:
        return
    deadline = time.monotonic() + _SECONDS_TO_CREATE
    while time.monotonic() < deadline:
        current = neon.store.get(Branch, branch.id)
        if current is None:
            break
        if not current.is_unfinished:
            return
        time.sleep(0.05)
    raise Failed("the project could not be created")
