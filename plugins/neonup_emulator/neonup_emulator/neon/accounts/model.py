"""What the store keeps of people."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from neonup_emulator.neon.state.row import Owner, Row

MemberRole = Literal["admin", "member", "editor", "viewer", "collaborator"]
Plan = Literal["free", "agent_free", "launch", "scale", "agent", "business", "enterprise"]


class User(Row, frozen=True):
    """A person who signs in."""

    OWNER: ClassVar[Owner] = None

    email: str
    name: str
    created_at: datetime


class Organization(Row, frozen=True):
    """Owner of projects; every user has one of their own.

    Args:
        spending_limit_cents: what a month may cost; None: no limit.
    """

    OWNER: ClassVar[Owner] = None

    name: str
    handle: str
    created_at: datetime
    plan: Plan = "scale"
    spending_limit_cents: int | None = None


class Member(Row, frozen=True):
    """A user who is in an organization."""

    OWNER: ClassVar[Owner] = Organization

    org_id: str
    user_id: str
    role: MemberRole
    joined_at: datetime


class Invitation(Row, frozen=True):
    """Somebody who was asked to join an organization.

    Args:
        accepted_at: when they joined: at once, or when they got an account.
    """

    OWNER: ClassVar[Owner] = Organization

    org_id: str
    email: str
    role: MemberRole
    invited_by: str
    invited_at: datetime
    accepted_at: datetime | None = None


class ApiKey(Row, frozen=True):
    """A key of the API, of which only the hash is kept.

    Args:
        number: the id that the API shows.
        user_id: who created it.
        org_id: None for a personal key.
        project_id: the only project that a key of an organization reaches; None: all of them.
    """

    OWNER: ClassVar[Owner] = User

    number: int
    name: str
    digest: str
    user_id: str
    created_at: datetime
    org_id: str | None = None
    project_id: str | None = None
    last_used_at: datetime | None = None


class WebSession(Row, frozen=True):
    """Somebody who is signed in to the pages; its id is the digest of the secret in the cookie."""

    OWNER: ClassVar[Owner] = User

    user_id: str
    expires_at: datetime
