"""Users, organizations, and who is in which."""

from __future__ import annotations

import uuid

from neonup_emulator.neon import ids
from neonup_emulator.neon.accounts.model import (
    Invitation,
    Member,
    MemberRole,
    Organization,
    Plan,
    User,
)
from neonup_emulator.neon.errors import Forbidden, NotFound, Unprocessable
from neonup_emulator.neon.model import ProjectGrant
from neonup_emulator.neon.state.clock import Clock
from neonup_emulator.neon.state.store import Store, setting

_LIMITED: frozenset[Plan] = frozenset({"launch", "scale"})
"""Plans with a spending limit."""


class People:
    """The users and organizations of one local Neon.

    Args:
        store: where they are kept.
        clock: which time it is.
    """

    def __init__(self, store: Store, clock: Clock):
        self._store = store
        self._clock = clock

    def users(self) -> list[User]:
        """All users, the default one first."""
        return self._store.all(User)

    def user(self, id: str) -> User | None:  # noqa: A002
        """The user of that id."""
        return self._store.get(User, id)

    def by_email(self, email: str) -> User | None:
        """The user who signs in with that address."""
        wanted = email.strip().casefold()
        return next((user for user in self.users() if user.email.casefold() == wanted), None)

    def create_user(
        self, email: str, name: str | None = None, *, organization: str | None = None
    ) -> tuple[User, Organization]:
        """A new user, with an organization of their own; open invitations are accepted.

        Args:
            email: with which the user signs in.
            name: shown to others; derived from the address where it is None.
            organization: the name of the user's organization; theirs where it is None.

        Raises:
            Unprocessable: the address belongs to somebody, or is malformed.
        """
        email = email.strip()
        local, _, domain = email.partition("@")
        if not local or not domain or len(email) > 256 or any(map(str.isspace, email)):
            raise Unprocessable("that is not an email address")
        with self._store.transaction():
            if self.by_email(email) is not None:
                raise Unprocessable("an account with that email address already exists")
            user = User(
                id=str(uuid.uuid4()),
                email=email,
                name=(name or local).strip(),
                created_at=self._clock.now(),
            )
            self._store.insert(user)
            own = self.create_organization(organization or user.name, admin=user)
            for invitation in self._store.all(Invitation):
                if invitation.email.casefold() == email.casefold():
                    self._accept(invitation, user)
        return user, own

    def create_organization(self, name: str, *, admin: User, plan: Plan = "scale") -> Organization:
        """A new organization with one member."""
        organization = Organization(
            id=ids.organization(),
            name=name,
            handle=_handle(name),
            created_at=self._clock.now(),
            plan=plan,
        )
        with self._store.transaction():
            self._store.insert(organization)
            self.join(organization.id, admin, "admin")
        return organization

    def organization(self, id: str) -> Organization | None:  # noqa: A002
        """The organization of that id."""
        return self._store.get(Organization, id)

    def set_spending_limit(self, org_id: str, cents: int | None) -> Organization:
        """Say what a month may cost an organization at most.

        Args:
            org_id: the organization's id.
            cents: of US dollars; None: no limit.

        Raises:
            NotFound: there is no such organization.
            Forbidden: its plan has no such limit.
        """
        with self._store.transaction():
            self.spending_limit(org_id)
            return self._store.update(Organization, org_id, setting(spending_limit_cents=cents))

    def spending_limit(self, org_id: str) -> int | None:
        """What a month may cost an organization at most, in cents; None: no limit.

        Raises:
            NotFound: there is no such organization.
            Forbidden: its plan has no such limit.
        """
        organization = self.organization(org_id)
        if organization is None:
            raise NotFound("organization not found")
        if organization.plan not in _LIMITED:
            raise Forbidden("spending limits are part of the plans Launch and Scale")
        return organization.spending_limit_cents

    def organizations_of(self, user: User) -> list[Organization]:
        """The organizations that a user is in, their own first."""
        # By the order of joining: one who was invited may be in older organizations than their own.
        joined = [member.org_id for member in self.memberships(user)]
        organizations = {
            organization.id: organization for organization in self._store.all(Organization)
        }
        return [organizations[id_] for id_ in joined if id_ in organizations]

    def memberships(self, user: User) -> list[Member]:
        """A user's memberships of organizations, in the order of joining."""
        return [member for member in self._store.all(Member) if member.user_id == user.id]

    def members(self, org_id: str) -> list[Member]:
        """Who is in an organization, in the order of joining."""
        return [member for member in self._store.all(Member) if member.org_id == org_id]

    def member(self, org_id: str, user: User) -> Member | None:
        """A user's membership of an organization."""
        return self._store.get(Member, _member_id(org_id, user.id))

    def join(self, org_id: str, user: User, role: MemberRole) -> Member:
        """Make a user a member; one who is a member already stays as they are."""
        with self._store.transaction():
            known = self.member(org_id, user)
            if known is not None:
                return known
            member = Member(
                id=_member_id(org_id, user.id),
                org_id=org_id,
                user_id=user.id,
                role=role,
                joined_at=self._clock.now(),
            )
            self._store.insert(member)
        return member

    def invitations(self, org_id: str) -> list[Invitation]:
        """Who was asked to join an organization, those who did included."""
        return [
            invitation for invitation in self._store.all(Invitation) if invitation.org_id == org_id
        ]

    def invite(self, org_id: str, email: str, role: MemberRole, by: User) -> Invitation:
        """Ask somebody to join: with an account they do at once, else when they create one.

        A new invitation takes the place of an earlier one to the same address.

        Raises:
            Unprocessable: they are a member already.
        """
        email = email.strip()
        invitation = Invitation(
            id=str(uuid.uuid4()),
            org_id=org_id,
            email=email,
            role=role,
            invited_by=by.id,
            invited_at=self._clock.now(),
        )
        with self._store.transaction():
            user = self.by_email(email)
            if user is not None and self.member(org_id, user) is not None:
                raise Unprocessable("a member of the organization has that email address")
            for earlier in self.invitations(org_id):
                if earlier.email.casefold() == email.casefold():
                    self._store.delete(earlier)
            self._store.insert(invitation)
            return self._accept(invitation, user) if user is not None else invitation

    def change_role(self, member: Member, role: MemberRole) -> Member:
        """Give a member another role.

        Raises:
            NotFound: they were removed meanwhile.
            Unprocessable: the organization would have no administrator.
        """
        with self._store.transaction():
            if role != "admin":
                self._keep_an_admin(self.find_member(member.org_id, member.id))
            return self._store.update(Member, member.id, setting(role=role))

    def remove(self, member: Member) -> None:
        """Remove a member from an organization; their keys reach nothing of it from now on.

        Raises:
            NotFound: they were removed meanwhile.
            Unprocessable: the organization would have no administrator.
        """
        with self._store.transaction():
            member = self.find_member(member.org_id, member.id)
            self._keep_an_admin(member)
            grants = self._store.all(ProjectGrant)
            self._store.delete(member, *[row for row in grants if row.member_id == member.id])

    def find_member(self, org_id: str, id: str) -> Member:  # noqa: A002
        """A member of an organization.

        Raises:
            NotFound: the organization has no member with that id.
        """
        member = self._store.get(Member, id)
        if member is None or member.org_id != org_id:
            raise NotFound("member not found")
        return member

    def _accept(self, invitation: Invitation, user: User) -> Invitation:
        if invitation.accepted_at is not None:
            return invitation
        accepted_at = self._clock.now()
        self.join(invitation.org_id, user, invitation.role)
        return self._store.update(Invitation, invitation.id, setting(accepted_at=accepted_at))

    def _keep_an_admin(self, member: Member) -> None:
        others = [other for other in self.members(member.org_id) if other.id != member.id]
        if member.role == "admin" and not any(other.role == "admin" for other in others):
            raise Unprocessable("the last admin of an organization cannot be removed")


def _member_id(org_id: str, user_id: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{org_id}/{user_id}"))


def _handle(name: str) -> str:
    words = "".join(
        letter if letter.isalnum() and letter.isascii() else " " for letter in name.lower()
    )
    return "-".join(words.split()) or "organization"
