"""``client.users``, ``client.organizations`` and ``client.consumption``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Generic

import msgspec

from neonup.http.calls import Call
from neonup.neon.answers import Granularity, Operations, Organization, ProjectConsumption, User
from neonup.neon.api import Pages, path
from neonup.neon.groups.group import Group, S, listing, operation

METRICS = (
    "compute_unit_seconds",
    "root_branch_bytes_month",
    "child_branch_bytes_month",
    "public_network_transfer_bytes",
)
"""What consumption is asked for unless other metrics are named."""
MOST_AT_ONCE = 400
"""Projects in one transfer (OpenAPI document, ``transferProjectsFromOrgToOrg``)."""
PAGE = 100
"""Projects in one page of consumption."""


class _Organizations(msgspec.Struct):
    organizations: list[Organization]


class _Cursor(msgspec.Struct):
    cursor: str | None = None


class _Consumption(msgspec.Struct):
    projects: list[ProjectConsumption]
    pagination: _Cursor | None = None


class Users(Group[S], Generic[S]):
    """Who the key belongs to."""

    @operation
    def me(self) -> Call[User]:
        """The key's user; an organization's key has none: NotFound."""
        return (yield from self.api.send("GET", "/users/me", User))


class Organizations(Group[S], Generic[S]):
    """Organizations of the key's user."""

    @listing
    def list(self) -> Pages[Organization]:
        """The organizations; Neon answers all of them at once."""
        return self.api.pages(
            "/users/me/organizations",
            _Organizations,
            lambda found: found.organizations,
            lambda found: None,
        )

    @operation
    def transfer_projects(self, org_id: str, *, to: str, project_ids: Sequence[str]) -> Call[None]:
        """Move projects into another organization; up to 400 a request, several if need be.

        Takes a personal key of somebody who belongs to both.

        Args:
            org_id: where they are.
            to: where they shall be.
            project_ids: which.

        Raises:
            Forbidden: it is an organization's key.
        """
        for first in range(0, len(project_ids), MOST_AT_ONCE):
            yield from self.api.send(
                "POST",
                path("/organizations/{org_id}/projects/transfer", org_id=org_id),
                Operations,
                body={
                    "destination_org_id": to,
                    "project_ids": project_ids[first : first + MOST_AT_ONCE],
                },
            )


class Consumption(Group[S], Generic[S]):
    """What projects consume. Reading it wakes nothing."""

    @listing
    def projects(
        self,
        *,
        org_id: str,
        since: datetime,
        until: datetime,
        granularity: Granularity = "daily",
        metrics: Sequence[str] = METRICS,
        project_ids: Sequence[str] | None = None,
    ) -> Pages[ProjectConsumption]:
        """The consumption of an organization's projects.

        Args:
            since: the first moment; Neon's ``from``.
            until: the last one; Neon's ``to``.
            granularity: the length of the spans that it is told for.
            metrics: which figures; bytes, seconds, or bytes times months, as their names say.
            project_ids: of these projects only.
        """
        return self.api.pages(
            "/consumption_history/v2/projects",
            _Consumption,
            lambda found: found.projects,
            lambda found: found.pagination.cursor if found.pagination else None,
            query={
                "org_id": org_id,
                "from": since,
                "to": until,
                "granularity": granularity,
                "metrics": ",".join(metrics),
                "project_ids": ",".join(project_ids) if project_ids else None,
                "limit": PAGE,
            },
        )
