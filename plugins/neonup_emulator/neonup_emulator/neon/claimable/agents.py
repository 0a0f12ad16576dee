"""Agents without an account: each registers for a project of its own, which a person may claim."""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass

from msgspec.structs import replace

from neonup import NeonupError
from neonup_emulator.neon.claimable import (
    agent_tokens,
    capabilities,
    claim_codes,
    holding,
    unclaimed,
)
from neonup_emulator.neon.claimable.capabilities import Decision
from neonup_emulator.neon.claimable.model import AgentRegistration, RegistrationState, RevokedToken
from neonup_emulator.neon.claimable.unclaimed import LIFETIME, REMEMBERED
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.errors import Refused
from neonup_emulator.neon.model import Project
from neonup_emulator.neon.state.store import setting

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RegisteredAgent:
    """A new agent, and its identity assertion, which is not stored."""

    registration: AgentRegistration
    assertion: str
    decisions: list[Decision]


def register(neon: LocalNeon, requested: list[str], source: str, origin: str) -> RegisteredAgent:
    """A new agent with a new project, which belongs to nobody and lives for 72 hours.

    Args:
        requested: capabilities; Postgres comes with every project.
        source: what the agent calls itself.
        origin: of this server, as the agent reached it.

    Raises:
        Refused: the project cannot be created.
    """
    id = f"reg_{uuid.uuid4()}"  # noqa: A001
    created = unclaimed.create(neon, id)
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
        granted=[decision.capability for decision in decisions if decision.granted],
        created_at=now,
        expires_at=now + LIFETIME,
    )
    neon.store.insert(registration)
    return RegisteredAgent(registration, assertion, decisions)


def delete(neon: LocalNeon, registration: AgentRegistration) -> None:
    """Delete an agent's project with its data, and all that the agent has of it.

    Raises:
        AgentRefused: it is not the agent's any more.
        Locked: it is being changed.
    """
    with neon.store.transaction():  # either this or a claim
        before = neon.store.get(AgentRegistration, registration.id) or registration
        project = agent_tokens.require_unclaimed(neon, before)
        current = neon.store.update(
            AgentRegistration, before.id, setting(state=RegistrationState.DELETED)
        )

    def not_deleted(row: AgentRegistration) -> AgentRegistration:
        return replace(row, state=before.state) if row.state is current.state else row

    try:
        unclaimed.end(neon, project)
    except Refused:
        neon.store.update(AgentRegistration, current.id, not_deleted)
        raise
    claim_codes.cancel(neon, current)


def expire(neon: LocalNeon) -> None:
    """Delete the projects that have expired, and later their registrations."""
    now = neon.clock.now()
    with neon.store.transaction():
        for registration in neon.store.all(AgentRegistration):
            if registration.has_expired(now):
                neon.store.update(
                    AgentRegistration, registration.id, setting(state=RegistrationState.EXPIRED)
                )
    for registration in neon.store.all(AgentRegistration):
        project = neon.store.get(Project, registration.project_id)
        ended = registration.state in (RegistrationState.EXPIRED, RegistrationState.DELETED)
        if ended and project is not None and holding.holds(project):
            try:
                unclaimed.end(neon, project)
            except (Refused, NeonupError) as error:  # e.g. it is being changed: later
                log.info("%s, which is over, is not deleted yet: %s", project.id, error)
        elif registration.expires_at + REMEMBERED < now:
            neon.store.delete(registration)  # nothing changes it any more: it has ended
    claim_codes.forget(neon, now - REMEMBERED)
    tokens = neon.store.all(RevokedToken)
    neon.store.delete(*[token for token in tokens if token.expires_at <= now])
