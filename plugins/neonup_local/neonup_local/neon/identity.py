"""Users, organizations and the keys of the API, and what a key reaches."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from neonup_local.neon import ids
from neonup_local.neon.clock import Clock
from neonup_local.neon.errors import NotFound, Unauthorized
from neonup_local.neon.model import ApiKey, Organization, Project, User
from neonup_local.neon.store import Store

_SEEN_SECONDS = 60
"""A key's last use is written down at most this often."""


@dataclass(frozen=True)
class Caller:
    """Who asks.

    Args:
        user: the person whose key it is, or who created the organization's key.
        key: the key.
    """

    user: User
    key: ApiKey

    @property
    def is_organization(self) -> bool:
        """Whether it is an organization's key, which is no person's."""
        return self.key.org_id is not None

    def reaches(self, project: Project) -> bool:
        """Whether the key may use a project."""
        if self.key.project_id is not None:
            return project.id == self.key.project_id
        return self.key.org_id in (None, project.org_id)


class Identity:
    """The people of one local Neon.

    Args:
        store: where they are kept.
        folder: where the default user's key is, in the file `api-key` with mode 0600.
    """

    def __init__(self, store: Store, clock: Clock, folder: Path):
        self._store = store
        self._clock = clock
        self._key_file = folder / "api-key"

    def default(self) -> tuple[str, str]:
        """The default user's key and organization; both are created at the first start."""
        users = self._store.all(User)
        if users and self._key_file.exists():
            return self._key_file.read_text(encoding="ascii"), self._store.all(Organization)[0].id
        now = self._clock.now()
        with self._store.transaction():
            if users:
                user, organization = users[0], self._store.all(Organization)[0]
            else:
                user = User(
                    id=str(uuid.uuid4()),
                    email="developer@example.com",
                    name="Local Developer",
                    created_at=now,
                )
                organization = Organization(
                    id=ids.organization(), name="Local", handle="local", created_at=now
                )
                self._store.put(user, organization)
            _, secret = self.create_key(user, "default")
            self._key_file.touch(mode=0o600)
            self._key_file.write_text(secret, encoding="ascii")
        return secret, organization.id

    def caller(self, secret: str) -> Caller:
        """Whose key it is.

        Raises:
            Unauthorized: nobody's.
        """
        digest = _digest(secret)
        for key in self._store.all(ApiKey):
            if hmac.compare_digest(key.digest, digest):
                user = self._store.get(User, key.user_id)
                if user is not None:
                    return Caller(user, self._seen(key))
        raise Unauthorized("authorization failed: the key is not known")

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
            self._store.put(key)
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
        for key in self.keys(user=user, org_id=org_id):
            if key.number == number:
                self._store.delete(key)
                return key
        raise NotFound("API key not found")

    def organization(self, caller: Caller, id: str) -> Organization:  # noqa: A002
        """An organization that the caller is in.

        Raises:
            NotFound: there is none.
        """
        found = self._store.get(Organization, id)
        if found is None or caller.key.org_id not in (None, id):
            raise NotFound("organization not found")
        return found

    def organizations(self) -> list[Organization]:
        """All of them: every user of a local Neon is in each."""
        return self._store.all(Organization)

    def users(self) -> list[User]:
        """All of them."""
        return self._store.all(User)

    def _seen(self, key: ApiKey) -> ApiKey:
        now = self._clock.now()
        if key.last_used_at and (now - key.last_used_at).total_seconds() < _SEEN_SECONDS:
            return key
        changed = replace(key, last_used_at=now)
        self._store.put(changed)
        return changed


def _digest(secret: str) -> str:
    # Keys are random and long: what makes a password's hash slow would add nothing.
    return hashlib.sha256(secret.encode()).hexdigest()
