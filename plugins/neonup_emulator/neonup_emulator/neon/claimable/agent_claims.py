"""A person takes an agent's project: accepted at once, carried out a moment later."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec.structs import replace

from neonup_emulator.neon.accounts.model import MemberRole, Organization, User
from neonup_emulator.neon.claimable import agent_tokens, claim_codes
from neonup_emulator.neon.claimable.agent_errors import AgentRefused
from neonup_emulator.neon.claimable.claim_codes import Issued, WrongCode
from neonup_emulator.neon.claimable.model import (
    AgentRegistration,
    ClaimCode,
    ClaimCodeState,
    RegistrationState,
)
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.errors import Forbidden, Gone, Refused
from neonup_emulator.neon.model import Project
from neonup_emulator.neon.state.store import setting
from neonup_emulator.neon.transfer import transfers

log = logging.getLogger(__name__)

_SETTLING = timedelta(seconds=claim_codes.INTERVAL_SECONDS)
"""For so long a claim stays accepted, so that an agent which polls can see it."""
_MAY_OWN: frozenset[MemberRole] = frozenset({"admin", "member", "editor"})


class AgentClaimState(StrEnum):
    """How far a claim is, in the words of the agent identity API."""

    PENDING = "pending"
    """The code was issued, and nobody has entered it."""
    EXPIRED = "expired"
    """The code cannot be entered any more; the agent can ask for another one."""
    ACCEPTED = "accepted"
    """A person has entered it; the project is about to be moved to them."""
    RECONCILED = "reconciled"
    """The project was moved. Only this state is final."""


@dataclass(frozen=True)
class AgentClaim:
    """The claim that an agent has begun for its project.

    Args:
        expires_at: when the code that was issued last expires.
    """

    state: AgentClaimState
    expires_at: datetime


@dataclass(frozen=True)
class Claimable:
    """The project that a valid claim code stands for."""

    code: ClaimCode
    registration: AgentRegistration
    project: Project


def begin(neon: LocalNeon, registration: AgentRegistration) -> Issued:
    """A new code for the person who is to claim the project.

    Raises:
        AgentRefused: the project is not the agent's any more.
    """
    agent_tokens.require_unclaimed(neon, registration)
    return claim_codes.issue(neon, registration)


def status(neon: LocalNeon, registration: AgentRegistration) -> AgentClaim:
    """How far the claim is.

    Raises:
        AgentRefused: `not_found` where no code was ever asked for, or the project has ended.
    """
    code = claim_codes.latest(neon, registration)
    if code is not None and registration.accepted_at is not None:
        is_moved = registration.state is RegistrationState.RECONCILED
        state = AgentClaimState.RECONCILED if is_moved else AgentClaimState.ACCEPTED
        return AgentClaim(state, code.expires_at)
    agent_tokens.require_unclaimed(neon, registration)
    if code is None:
        raise AgentRefused("not_found", "nobody has asked for a claim code yet")
    over = code.state is not ClaimCodeState.PENDING or code.expires_at <= neon.clock.now()
    return AgentClaim(AgentClaimState.EXPIRED if over else AgentClaimState.PENDING, code.expires_at)


def look(neon: LocalNeon, text: str, session: str) -> Claimable:
    """The project that a claim code stands for.

    Args:
        text: the code, as it was typed.
        session: the session in which it was typed; wrong codes are counted for each session.

    Raises:
        WrongCode: the code is not valid.
        TooMany: it was wrong too often.
    """
    code = claim_codes.find(neon, text, session)
    registration = neon.store.get(AgentRegistration, code.registration_id)
    if registration is None:
        raise WrongCode("There is no such project any more.")
    try:
        project = agent_tokens.require_unclaimed(neon, registration)
    except AgentRefused as refused:
        raise WrongCode(f"This cannot be claimed: {refused.message}.") from None
    return Claimable(code, registration, project)


def destinations(neon: LocalNeon, user: User) -> list[Organization]:
    """The organizations that a person may bring a project to, their own first."""
    organizations = []
    for organization in neon.people.organizations_of(user):
        member = neon.people.member(organization.id, user)
        if member is not None and member.role in _MAY_OWN:
            organizations.append(organization)
    return organizations


def accept(neon: LocalNeon, text: str, session: str, user: User, org_id: str) -> AgentRegistration:
    """Claim the project of a code, which is used up: from now on the agent can do nothing with it.

    Raises:
        WrongCode: the code is not valid.
        TooMany: it was wrong too often.
        Forbidden: the person may not bring projects to that organization.
    """
    if org_id not in {destination.id for destination in destinations(neon, user)}:
        raise Forbidden("Choose an organization of yours.")
    with neon.store.transaction():  # one at a time: the second finds the code used
        claimable = look(neon, text, session)
        accepted = {
            "state": RegistrationState.ACCEPTED,
            "accepted_at": neon.clock.now(),
            "claimed_by": user.id,
            "claimed_into": org_id,
        }
        neon.store.update(ClaimCode, claimable.code.id, setting(state=ClaimCodeState.USED))
        return neon.store.update(AgentRegistration, claimable.registration.id, setting(**accepted))


def reconcile(neon: LocalNeon, *, at_once: bool = False) -> None:
    """Carry out the claims that were accepted: move projects and renew their passwords.

    Args:
        at_once: also those that were accepted only a moment ago, e.g. after a start.
    """
    now = neon.clock.now()
    for row in neon.store.dated(AgentRegistration, "accepted_at"):
        if row.state is not RegistrationState.ACCEPTED or row.accepted_at is None:
            continue
        if at_once or row.accepted_at + _SETTLING <= now:
            try:
                _carry_out(neon, row)
            except Refused as refused:  # something else is under way: later
                log.info("The claim of %s waits: %s", row.project_id, refused.message)


def _carry_out(neon: LocalNeon, registration: AgentRegistration) -> None:
    project = neon.store.get(Project, registration.project_id)
    organization = neon.people.organization(registration.claimed_into or "")
    user = neon.people.user(registration.claimed_by or "")
    if project is None or organization is None or user is None:
        log.error("The claim of %s leads nowhere any more.", registration.project_id)
        neon.store.update(AgentRegistration, registration.id, _ended)
        return

    def check() -> None:
        current = neon.store.get(AgentRegistration, registration.id)
        if current is None or current.state is not RegistrationState.ACCEPTED:
            raise Gone("the claim was carried out already")

    transfers.claim(
        neon,
        project,
        organization,
        user,
        check=check,
        also=lambda: neon.store.update(
            AgentRegistration, registration.id, setting(state=RegistrationState.RECONCILED)
        ),
    )


def _ended(registration: AgentRegistration) -> AgentRegistration:
    """A registration whose claim leads nowhere, unless something has become of it meanwhile."""
    return (
        replace(registration, state=RegistrationState.EXPIRED)
        if registration.state is RegistrationState.ACCEPTED
        else registration
    )
