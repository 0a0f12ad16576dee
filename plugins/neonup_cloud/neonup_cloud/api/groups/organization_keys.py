"""``client.organization_keys``."""

from __future__ import annotations

import builtins
from typing import Generic

from neonup.plugin.http import Call
from neonup_cloud.api.access_answers import ApiKey, NewApiKey
from neonup_cloud.api.groups.group import ApiGroup, S, listing, operation
from neonup_cloud.api.requests import Pages, path


class OrganizationKeys(ApiGroup[S], Generic[S]):
    """API keys of an organization, and of single projects of it.

    A key of one project has a member's access: it reaches nothing else, and cannot delete the
    project (https://neon.com/docs/manage/api-keys). ``org_id`` is ``NEON_ORG_ID`` where it is None.
    """

    @listing
    def list(self, *, org_id: str | None = None) -> Pages[ApiKey]:
        """All keys, without their secrets. Neon answers them at once."""
        return self.api.whole(self._path(org_id), builtins.list[ApiKey], lambda answer: answer)

    @operation
    def create(
        self, name: str, *, project_id: str | None = None, org_id: str | None = None
    ) -> Call[NewApiKey]:
        """A new key; its secret is in the answer, and nowhere else.

        Neon takes at most 10 of these requests a second.

        Args:
            name: at most 64 characters; need not be unique.
            project_id: the only project that it reaches.

        Raises:
            Forbidden: this takes a personal key of an admin of the organization.
            AnswerLost: it may have been created, and nobody knows its secret: look for it by its
                name, and revoke it.
        """
        body = {"key_name": name, "project_id": project_id}
        return (yield from self.api.send("POST", self._path(org_id), NewApiKey, body=body))

    @operation
    def revoke(self, key_id: int, *, org_id: str | None = None) -> Call[None]:
        """Refuse a key from now on; repeatable where the answer was lost.

        Args:
            key_id: its number, which lists have.

        Raises:
            NotFound: there is no such key.
        """
        yield from self.api.delete(f"{self._path(org_id)}/{key_id}")

    def _path(self, org_id: str | None) -> str:
        return path("/organizations/{id}/api_keys", id=self.api.needed_org_id(org_id))
