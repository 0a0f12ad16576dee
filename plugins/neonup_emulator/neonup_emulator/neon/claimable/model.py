"""What the store keeps of projects that wait to be claimed."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from neonup_emulator.neon.state.row import Owner, Row


class RegistrationState(StrEnum):
    """What has become of an agent's project."""

    UNCLAIMED = "unclaimed"
    """It is the agent's."""
    ACCEPTED = "accepted"
    """A person went on to the console with a code: all that the agent had is revoked, for good.
    They have until `window_ends_at` to claim it; then it waits for a new code."""
    RECONCILED = "reconciled"
    """That person has claimed it."""
    EXPIRED = "expired"
    """Nobody claimed it in time; its data is deleted."""
    DELETED = "deleted"
    """The agent has deleted it."""


class ClaimCodeState(StrEnum):
    """Whether a claim code can still be entered; it expires as well, by its `expires_at`."""

    PENDING = "pending"
    CANCELLED = "cancelled"
    USED = "used"


class ClaimableState(StrEnum):
    """What has become of a database of neon.new's API."""

    CREATING = "creating"
    """Its project cannot be used yet."""
    UNCLAIMED = "unclaimed"
    """It can be used, and claimed."""
    CLAIMING = "claiming"
    """Its project is being moved to whoever claimed it."""
    CLAIMED = "claimed"
    """Its project was moved to whoever claimed it."""
    EXPIRED = "expired"
    """Nobody claimed it in time; its data is deleted."""


class AgentRegistration(Row, frozen=True):
    """An agent's identity, and the project that came with it.

    Args:
        role: the name of the role that its connection string has.
        database: the name of the database there.
        digest: the hash of the identity assertion, which is not kept itself.
        source: what the agent calls itself.
        requested: the capabilities that it asked for.
        granted: those that it has.
        expires_at: when the project is deleted unless it is claimed.
        revoked_at: when the assertion was revoked.
        window_ends_at: until when whoever went on to the console can claim it.
        windows: how many such windows there were; each revokes the access tokens before it.
        continued_by: the user who went on to the console last.
    """

    OWNER: ClassVar[Owner] = None

    project_id: str
    branch_id: str
    role: str
    database: str
    digest: str
    source: str
    requested: list[str]
    granted: list[str]
    created_at: datetime
    expires_at: datetime
    state: RegistrationState = RegistrationState.UNCLAIMED
    revoked_at: datetime | None = None
    window_ends_at: datetime | None = None
    windows: int = 0
    continued_by: str | None = None

    def is_being_claimed(self, now: datetime) -> bool:
        """Whether a person can claim it in the console at that moment."""
        ends = self.window_ends_at
        return self.state is RegistrationState.ACCEPTED and ends is not None and ends > now

    def has_expired(self, now: datetime) -> bool:
        """Whether nobody has claimed it in time; a window that was opened in time is waited for."""
        if self.state in (RegistrationState.UNCLAIMED, RegistrationState.ACCEPTED):
            return self.expires_at <= now and not self.is_being_claimed(now)
        return self.state is RegistrationState.EXPIRED


class ClaimCode(Row, frozen=True):
    """A code with which a person claims an agent's project, of which only the hash is kept."""

    OWNER: ClassVar[Owner] = AgentRegistration

    project_id: str
    registration_id: str
    digest: str
    created_at: datetime
    expires_at: datetime
    state: ClaimCodeState = ClaimCodeState.PENDING


class RevokedToken(Row, frozen=True):
    """An access token that was revoked; its id is the token's hash."""

    OWNER: ClassVar[Owner] = None

    expires_at: datetime


class ClaimableDatabase(Row, frozen=True):
    """A database of neon.new's API, which is a project; its id is a UUID.

    Args:
        project_id: known before there is the project.
        branch_id: the branch that its connection string leads to; empty until it is created.
        expires_at: when it is deleted unless it is claimed.
        claimed_by: the user who claimed it.
        claimed_into: the organization that it was claimed for.
    """

    OWNER: ClassVar[Owner] = None

    project_id: str
    created_at: datetime
    updated_at: datetime
    expires_at: datetime
    branch_id: str = ""
    state: ClaimableState = ClaimableState.CREATING
    claimed_by: str | None = None
    claimed_into: str | None = None
