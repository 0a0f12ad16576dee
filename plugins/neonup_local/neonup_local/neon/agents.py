"""Agents without an account: each registers for a project of its own, which a person may claim."""

from __future__ import annotations

import logging
import time
import uuid
from dataclasses import dataclass
from datetime import timedelta

from msgspec.structs import replace

from neonup import NeonupError
from neonup_local.neon import (
    agent_tokens,
    capabilities,
    claim_codes,
    holding,
    projects,
    purging,
)
from neonup_local.neon.capabilities import Decision
from neonup_local.neon.context import Neon
from neonup_local.neon.errors import Failed, Refused
from neonup_local.neon.model import AgentRegistration, Branch, Project, RevokedToken
from neonup_local.neon.requests import NewProject, ProjectSettings, Quota

log = logging.getLogger(__name__)

LIFETIME = timedelta(hours=72)
"""How long a project lives that nobody claims."""
_LOGICAL_SIZE_BYTES = 100 * 1024 * 1024
_DATA_TRANSFER_BYTES = 1024 * 1024 * 1024
_REMEMBERED = timedelta(days=30)
"""How long an agent is told after the end what became of its project."""
_SECONDS_TO_CREATE = 60


@dataclass(frozen=True)
class Registered:
    """A new agent, and its secret, which is not kept."""

    registration: AgentRegistration
    assertion: str
    decisions: list[Decision]


def register(neon: Neon, requested: list[str], source: str, origin: str) -> Registered:
    """A new agent with a new project, which belongs to nobody and lives for 72 hours.

    Args:
        requested: capabilities; Postgres comes with every project.
        source: what the agent calls itself.
        origin: of this server, as the agent reached it.

    Raises:
        Refused: the project cannot be created.
    """
    if not holding.exists(neon.store):
        neon.identity.default()  # the default user is the first of all
        holding.create(neon.store, neon.clock)
    id = f"reg_{uuid.uuid4()}"  # noqa: A001
    quota = Quota(logical_size_bytes=_LOGICAL_SIZE_BYTES, data_transfer_bytes=_DATA_TRANSFER_BYTES)
    wanted = NewProject(settings=ProjectSettings(quota=quota))
    created = projects.create(neon, holding.caller(neon.store, id), wanted)
    _wait_for(neon, created.branch)
    now = neon.clock.now()
    decisions = capabilities.decide(requested)
    assertion = agent_tokens.new_assertion(neon, id, now + LIFETIME, origin)
    registration = AgentRegistration(
        id=id,
        project_id=created.project.id,
        branch_id=created.branch.id,
        role=created.role.name,
        database=created.database.name,
        digest=agent_tokens.digest(assertion),
        source=source,
        requested=requested,
        granted=[one.capability for one in decisions if one.granted],
        created_at=now,
        expires_at=now + LIFETIME,
    )
    neon.store.put(registration)
    return Registered(registration, assertion, decisions)


def delete(neon: Neon, registration: AgentRegistration) -> None:
    """Delete an agent's project with its data, and all that the agent has of it.

    Raises:
        AgentRefused: it is not the agent's any more.
        Locked: it is being changed.
    """
    with neon.store.transaction():  # either this or a claim
        current = neon.store.get(AgentRegistration, registration.id) or registration
        project = agent_tokens.require_unclaimed(neon, current)
        neon.store.put(replace(current, state="deleted"))
    try:
        _end(neon, project)
    except Refused:
        neon.store.put(current)
        raise
    claim_codes.cancel(neon, current)


def expire(neon: Neon) -> None:
    """Delete the projects whose time is over, and in the end what is known of them."""
    now = neon.clock.now()
    with neon.store.transaction():
        for registration in neon.store.all(AgentRegistration):
            if registration.state == "unclaimed" and registration.expires_at <= now:
                neon.store.put(replace(registration, state="expired"))
    for registration in neon.store.all(AgentRegistration):
        project = neon.store.get(Project, registration.project_id)
        ended = registration.state in ("expired", "deleted")
        if ended and project is not None and holding.holds(project):
            try:
                _end(neon, project)
            except (Refused, NeonupError) as error:  # e.g. it is being changed: later
                log.info("%s, which is over, is not deleted yet: %s", project.id, error)
        elif registration.state != "accepted" and registration.expires_at + _REMEMBERED < now:
            neon.store.delete(registration)
    claim_codes.forget(neon, now - _REMEMBERED)
    tokens = neon.store.all(RevokedToken)
    neon.store.delete(*[token for token in tokens if token.expires_at <= now])


def _end(neon: Neon, project: Project) -> None:
    """Delete a project for good: nobody is there who could want it back.

    Where that takes long, it goes on afterwards, and `expire` removes the rest.
    """
    if project.deleted_at is None:
        projects.delete(neon, project)
    current = neon.store.get(Project, project.id)
    if current is not None and current.deleted_at is not None:
        purging.purge(neon.store, neon.clusters, current)


def _wait_for(neon: Neon, branch: Branch) -> None:
    """Wait until a new project can be used: an agent is told nothing of operations.

    Raises:
        Failed: it could not be created.
    """
    deadline = time.monotonic() + _SECONDS_TO_CREATE
    while time.monotonic() < deadline:
        current = neon.store.get(Branch, branch.id)
        if current is None:
            break
        if current.state == "ready":
            return
        time.sleep(0.05)
    raise Failed("the project could not be created")
