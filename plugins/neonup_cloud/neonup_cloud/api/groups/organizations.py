"""``client.organizations``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic

import msgspec

from neonup.plugin.http import Call
from neonup_cloud.api.answers import Organization
from neonup_cloud.api.groups.group import ApiGroup, S, listing, operation
from neonup_cloud.api.requests import Pages, path


class _Organizations(msgspec.Struct):
    organizations: list[Organization]


class Organizations(ApiGroup[S], Generic[S]):
    """Organizations, whose projects are billed together."""

    @listing
    def list(self) -> Pages[Organization]:
        """The organizations of the user; an organization's key has no user, and answers 404."""
        return self.api.whole(
            "/users/me/organizations", _Organizations, lambda answer: answer.organizations
        )

    @operation
    def get(self, org_id: str) -> Call[Organization]:
        """One organization."""
        return (
            yield from self.api.send("GET", path("/organizations/{id}", id=org_id), Organization)
        )

    @operation
    def transfer_projects(
        self, org_id: str, project_ids: Sequence[str], *, destination_org_id: str
    ) -> Call[None]:
        """Move projects to another organization, all or none, e.g. to one with another plan.

        Connection strings and data stay. Needs a personal key: an organization's is refused.

        Args:
            org_id: where they are.
            project_ids: 1 to 400.

        Raises:
            Forbidden: the key is an organization's.
            Invalid: the other organization's limits do not allow it.
            AnswerLost: they may have been moved; look where they are.
        """
        yield from self.api.send(
            "POST",
            path("/organizations/{id}/projects/transfer", id=org_id),
            object,
            body={"destination_org_id": destination_org_id, "project_ids": list_of(project_ids)},
        )


def list_of(ids: Sequence[str]) -> list[str]:
    """Several ids; one alone is a mistake that would be taken for its letters."""
    if isinstance(ids, str):
        raise TypeError("project_ids is one string; a list is needed")
    return list(ids)
