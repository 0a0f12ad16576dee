"""A person takes an agent's project: they enter its code, go on to the console, and claim it there.

Going on opens a window, in which a transfer request leads to the project. Before the console is
shown, all that the agent has is revoked, and stays so where the window ends without a claim.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from neonup_emulator.neon.accounts.model import User
from neonup_emulator.neon.claimable import agent_tokens, claim_codes, holding
from neonup_emulator.neon.claimable.agent_errors import AgentRefused
from neonup_emulator.neon.claimable.claim_codes import Issued, WrongCode
from neonup_emulator.neon.claimable.model import (
    AgentRegistration,
    ClaimCode,
    ClaimCodeState,
    RegistrationState,
)
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.errors import Failed, Locked
from neonup_emulator.neon.model import Operation, Project
from neonup_emulator.neon.state.store import setting
from neonup_emulator.neon.transfer import transfer_requests, transfers

WINDOW = timedelta(minutes=15)
"""How long a person who went on to the console can claim the project there."""
_PATIENCE = 5.0
"""Seconds that a person waits for what the agent has under way."""
_SECONDS_TO_REVOKE = 60


class AgentClaimState(StrEnum):
    """How far a claim is, in the words of the agent identity API."""

    PENDING = "pending"
    """The code was issued, and nobody went on to the console with it."""
    EXPIRED = "expired"
    """The code cannot be entered any more, or the window has ended without a claim. Until the
    project expires the agent can ask for another code."""
    ACCEPTED = "accepted"
    """A person went on to the console, and can claim the project there."""
    RECONCILED = "reconciled"
    """The project was claimed. Only this state is final."""


@dataclass(frozen=True)
class AgentClaim:
    """The claim that an agent has begun for its project.

    Args:
        expires_at: until when the code is good that was issued last, or the window that came of it.
    """

    state: AgentClaimState
    expires_at: datetime


@dataclass(frozen=True)
class Claimable:
    """The project that a valid claim code stands for."""

    code: ClaimCode
    registration: AgentRegistration
    project: Project


@dataclass(frozen=True)
class Continued:
    """A project that a person went on to the console with, and the transfer request for it."""

    project_id: str
    request_id: str


def begin(neon: LocalNeon, registration: AgentRegistration) -> Issued:
    """A new code for the person who is to claim the project.

    Raises:
        AgentRefused: the project is not the agent's any more, or it is being claimed.
    """
    with neon.store.transaction():  # nobody goes on to the console meanwhile
        current = neon.store.get(AgentRegistration, registration.id) or registration
        agent_tokens.require_unclaimed(neon, current)
        return claim_codes.issue(neon, current)


def status(neon: LocalNeon, registration: AgentRegistration) -> AgentClaim:
    """How far the claim is.

    Raises:
        AgentRefused: `not_found` where no code was ever asked for, or the project has ended.
    """
    now, code = neon.clock.now(), claim_codes.latest(neon, registration)
    window = registration.window_ends_at
    if window is not None and registration.state is RegistrationState.RECONCILED:
        return AgentClaim(AgentClaimState.RECONCILED, window)
    if window is not None and registration.is_being_claimed(now):
        return AgentClaim(AgentClaimState.ACCEPTED, window)
    agent_tokens.require_unclaimed(neon, registration)
    if code is None:
        raise AgentRefused("not_found", "nobody has asked for a claim code yet")
    if code.state is ClaimCodeState.PENDING and code.expires_at > now:
        return AgentClaim(AgentClaimState.PENDING, code.expires_at)
    lapsed = window if window is not None and code.state is ClaimCodeState.USED else None
    return AgentClaim(AgentClaimState.EXPIRED, lapsed or code.expires_at)


def look(neon: LocalNeon, text: str, session: str) -> Claimable:
    """The project that a claim code stands for; looking changes nothing.

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


def proceed(neon: LocalNeon, text: str, session: str, user: User) -> Continued:
    """Go on to the console with a code, which is used up: all that the agent has is revoked.

    Raises:
        WrongCode: the code is not valid.
        TooMany: it was wrong too often.
        Locked: the project is being changed, for longer than a moment; nothing was revoked.
        Failed: the database's passwords could not be renewed.
    """
    deadline = time.monotonic() + _PATIENCE
    while True:
        again = continued(neon, text, user)  # the button was pressed twice
        if again is not None:
            return again
        try:
            return _revoke(neon, text, session, user)
        except Locked:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def continued(neon: LocalNeon, text: str, user: User) -> Continued | None:
    """Where a code leads that the same person went on with before, while its window is open."""
    code = claim_codes.used(neon, text)
    registration = neon.store.get(AgentRegistration, code.registration_id) if code else None
    if (
        registration is None
        or registration.continued_by != user.id
        or not registration.is_being_claimed(neon.clock.now())
    ):
        return None
    return _transfer(neon, registration)


def _revoke(neon: LocalNeon, text: str, session: str, user: User) -> Continued:
    claimable = look(neon, text, session)

    def open_window() -> None:
        current = look(neon, text, session)  # it may have been cancelled or deleted meanwhile
        _open_window(neon, current, user)

    _finish(neon, transfers.renew_passwords(neon, claimable.project, also=open_window))
    registration = neon.store.get(AgentRegistration, claimable.registration.id)
    if registration is None:
        raise WrongCode("There is no such project any more.")
    return _transfer(neon, registration)


def _open_window(neon: LocalNeon, claimable: Claimable, user: User) -> None:
    registration = claimable.registration
    if registration.state not in (RegistrationState.UNCLAIMED, RegistrationState.ACCEPTED):
        raise WrongCode("There is no such project any more.")
    neon.store.update(ClaimCode, claimable.code.id, setting(state=ClaimCodeState.USED))
    opened = {
        "state": RegistrationState.ACCEPTED,
        "window_ends_at": neon.clock.now() + WINDOW,
        "windows": registration.windows + 1,
        "continued_by": user.id,
    }
    neon.store.update(AgentRegistration, registration.id, setting(**opened))
    neon.store.update(Project, claimable.project.id, setting(org_id=holding.CLAIMING))


def _transfer(neon: LocalNeon, registration: AgentRegistration) -> Continued:
    """A transfer request for the project, until the window ends."""
    project = neon.store.get(Project, registration.project_id)
    if project is None or not holding.holds(project) or registration.window_ends_at is None:
        raise WrongCode("The project has been claimed already.")
    owner = holding.caller(neon.store, registration.id, org_id=project.org_id)
    ends = registration.window_ends_at
    request_id, _ = transfer_requests.create(neon, owner, project, ends)
    return Continued(project.id, request_id)


def _finish(neon: LocalNeon, operations: list[Operation]) -> None:
    """Wait until the passwords are renewed: the console is not shown before.

    Raises:
        Failed: they were not.
    """
    deadline = time.monotonic() + _SECONDS_TO_REVOKE
    for operation in operations:
        current: Operation | None = operation
        while current is not None and current.is_running:
            if time.monotonic() > deadline:
                raise Failed("the database's passwords are still being renewed")
            time.sleep(0.05)
            current = neon.store.get(Operation, operation.id)
        if current is None or current.error is not None:
            raise Failed("the database's passwords could not be renewed")
