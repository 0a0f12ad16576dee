"""Callers of the API: keys and other credentials, and the projects that they reach."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from msgspec.structs import replace

from neonup_emulator.neon import ids
from neonup_emulator.neon.accounts.model import ApiKey, MemberRole, Organization, User
from neonup_emulator.neon.accounts.people import People
from neonup_emulator.neon.accounts.project_access import Level, ProjectAccess
from neonup_emulator.neon.errors import Forbidden, NotFound, Unauthorized
from neonup_emulator.neon.model import Permission, Project, ProjectGrant
from neonup_emulator.neon.state.clock import Clock
from neonup_emulator.neon.state.store import Store

Method = Literal["api_key_user", "api_key_org", "oauth", "session_cookie"]

_SEEN_SECONDS = 60
"""A key's last use is written down at most this often."""


@dataclass(frozen=True)
class Caller:
    """The user or organization behind a request, and what their credential reaches.

    Args:
        user: the person whose credential it is, or who created the organization's key.
        method: what kind of credential it is.
        credential_id: which one; the API shows it.
        organizations: ids of those that it is good for, with the role that it has in each.
        org_id: of an organization's key: whose it is.
        project_id: the only project that it reaches; None: all of its organizations'.
        shared: ids of projects that were shared with the user.
        granted: permissions that the user was given for projects, by their ids.
        scopes: of an OAuth token; None: everything.
    """

    user: User
    method: Method
    credential_id: str
    organizations: Mapping[str, MemberRole]
    org_id: str | None = None
    project_id: str | None = None
    shared: frozenset[str] = frozenset()
    granted: Mapping[str, Level] = field(default_factory=dict)
    scopes: frozenset[str] | None = None

    @property
    def is_organization(self) -> bool:
        """Whether it is an organization's key, which is no person's."""
        return self.method == "api_key_org"

    def level(self, project: Project) -> Level | None:
        """What the credential may do with a project; None: it does not reach it.

        An organization's key is an admin. A key of one project has a member's access, which is
        called an editor's now, and stops working where the project is another organization's
        (https://neon.com/docs/manage/api-keys).
        """
        if self.project_id not in (None, project.id):
            return None
        access = ProjectAccess(
            self.organizations.get(project.org_id),
            self.granted.get(project.id),
            creator=not self.is_organization and project.creator_id == self.user.id,
            shared=project.id in self.shared,
        )
        level = access.effective
        return min(level, Level.EDITOR) if self.project_id and level else level

    def reaches(self, project: Project) -> bool:
        """Whether the credential may use a project."""
        return self.level(project) is not None


class Identities:
    """The credentials of one local Neon.

    Args:
        store: where they are kept.
        clock: which time it is.
        people: whose they are.
        folder: where the default user's key is, in the file `api-key` with mode 0600.
    """

    def __init__(self, store: Store, clock: Clock, people: People, folder: Path):
        self._store = store
        self._clock = clock
        self._people = people
        self._key_file = folder / "api-key"
        self.others: list[Callable[[str], Caller | None]] = []
        """How other credentials than keys are recognized, e.g. OAuth's access tokens."""

    def default(self) -> tuple[str, str]:
        """The default user's key and organization; both are created at the first start."""
        users = self._people.users()
        if users and self._key_file.exists():
            own = self._people.organizations_of(users[0])
            return self._key_file.read_text(encoding="ascii"), own[0].id
        with self._store.transaction():
            if users:
                user, organization = users[0], self._people.organizations_of(users[0])[0]
            else:
                user, organization = self._people.create_user(
                    "developer@example.com", "Local Developer", organization="Local"
                )
            _, secret = self.create_key(user, "default")
            self._key_file.touch(mode=0o600)
            self._key_file.write_text(secret, encoding="ascii")
        return secret, organization.id

    def caller(self, secret: str) -> Caller:
        """The caller whose API key or access token it is.

        Raises:
            Unauthorized: the secret is unknown.
        """
        digest = _digest(secret)
        for key in self._store.all(ApiKey):
            if hmac.compare_digest(key.digest, digest):
                user = self._people.user(key.user_id)
                if user is not None:
                    return self._with_key(user, self._seen(key))
        for recognize in self.others:
            if (caller := recognize(secret)) is not None:
                return caller
        raise Unauthorized("authorization failed: the key is not known")

    def personal(
        self,
        user: User,
        method: Method,
        credential_id: str,
        *,
        scopes: frozenset[str] | None = None,
    ) -> Caller:
        """A user with all that they reach, by another credential than a key.

        Args:
            scopes: what the credential is limited to; None: nothing but the user's own reach.
        """
        memberships = self._people.memberships(user)
        own = {member.id for member in memberships}
        granted = {
            grant.project_id: grant.level
            for grant in self._store.all(ProjectGrant)
            if grant.member_id in own
        }
        organizations = {member.org_id: member.role for member in memberships}
        shared = frozenset(
            permission.project_id
            for permission in self._store.all(Permission)
            if permission.granted_to_email.casefold() == user.email.casefold()
        )
        return Caller(
            user,
            method,
            credential_id,
            organizations,
            shared=shared,
            granted=granted,
            scopes=scopes,
        )

    def create_key(
        self, user: User, name: str, *, org_id: str | None = None, project_id: str | None = None
    ) -> tuple[ApiKey, str]:
        """A new key, and its secret, which is shown once and not kept."""
        secret = ids.api_key()
        with self._store.transaction():
            number = max((key.number for key in self._store.all(ApiKey)), default=0) + 1
            key = ApiKey(
                id=str(number),
                number=number,
                name=name,
                digest=_digest(secret),
                user_id=user.id,
                created_at=self._clock.now(),
                org_id=org_id,
                project_id=project_id,
            )
            self._store.insert(key)
        return key, secret

    def keys(self, *, user: User | None = None, org_id: str | None = None) -> list[ApiKey]:
        """The keys of an organization, or a person's own."""
        return [
            key
            for key in self._store.all(ApiKey)
            if key.org_id == org_id and (user is None or key.user_id == user.id)
        ]

    def revoke(self, number: int, *, user: User | None = None, org_id: str | None = None) -> ApiKey:
        """Delete a key; it is refused from now on.

        Raises:
            NotFound: there is no such key.
        """
        with self._store.transaction():
            for key in self.keys(user=user, org_id=org_id):
                if key.number == number:
                    self._store.delete(key)
                    return key
        raise NotFound("API key not found")

    def organization(self, caller: Caller, id: str) -> Organization:  # noqa: A002
        """An organization that the caller is in.

        Raises:
            NotFound: the caller is in no organization with that id.
        """
        organization = self._people.organization(id)
        if organization is None or id not in caller.organizations:
            raise NotFound("organization not found")
        return organization

    def readable(self, caller: Caller, id: str) -> Organization:  # noqa: A002
        """An organization of which the caller may read who is in it, and which keys it has.

        Raises:
            NotFound: the caller is in none of that id.
            Forbidden: with the key of one project, or as a collaborator: neither has access to
                the organization itself (https://neon.com/docs/manage/user-permissions).
        """
        organization = self.organization(caller, id)
        if caller.project_id is not None:
            raise Forbidden("a key of one project cannot do this")
        if caller.organizations[id] == "collaborator":
            raise Forbidden("collaborators cannot do this")
        return organization

    def administered(self, caller: Caller, id: str) -> Organization:  # noqa: A002
        """An organization that the caller may change.

        Raises:
            NotFound: the caller is in none of that id.
            Forbidden: as somebody else than an admin, or with the key of one project.
        """
        organization = self.readable(caller, id)
        member = self._people.member(id, caller.user)
        if not caller.is_organization and (member is None or member.role != "admin"):
            raise Forbidden("only admins of the organization can do this")
        return organization

    def home_of(self, caller: Caller) -> Organization:
        """The organization that is meant where a request names none.

        Raises:
            NotFound: the caller is in none any more.
        """
        if caller.org_id is not None:
            return self.organization(caller, caller.org_id)
        own = self._people.organizations_of(caller.user)
        if not own:
            raise NotFound("organization not found")
        return own[0]

    def _with_key(self, user: User, key: ApiKey) -> Caller:
        if key.org_id is None:
            return self.personal(user, "api_key_user", str(key.number))
        return Caller(
            user,
            "api_key_org",
            str(key.number),
            {key.org_id: "admin"},
            org_id=key.org_id,
            project_id=key.project_id,
        )

    def _seen(self, key: ApiKey) -> ApiKey:
        """The key, with its use written down.

        Raises:
            Unauthorized: it has just been revoked.
        """
        now = self._clock.now()
        if key.last_used_at and (now - key.last_used_at).total_seconds() < _SEEN_SECONDS:
            return key

        def used(current: ApiKey) -> ApiKey:
            if current.digest != key.digest:  # numbers of revoked keys are given again
                raise NotFound("API key not found")
            return replace(current, last_used_at=now)

        try:
            return self._store.update(ApiKey, key.id, used)
        except NotFound:
            raise Unauthorized("authorization failed: the key is not known") from None


def _digest(secret: str) -> str:
    # Keys are random and long: what makes a password's hash slow would add nothing.
    return hashlib.sha256(secret.encode()).hexdigest()
