"""``client.consumption``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Generic

import msgspec

from neonup_cloud.api.answers import Granularity, ProjectConsumption
from neonup_cloud.api.groups.group import ApiGroup, S, listing
from neonup_cloud.api.requests import Pages

METRICS = (
    "compute_unit_seconds",
    "root_branch_bytes_month",
    "child_branch_bytes_month",
    "public_network_transfer_bytes",
)
"""What is asked for unless others are named: what most plans bill."""
PAGE = 100
"""The most projects that Neon answers at once."""


class _Cursor(msgspec.Struct):
    cursor: str | None = None


class _Consumption(msgspec.Struct):
    projects: list[ProjectConsumption]
    pagination: _Cursor | None = None


class Consumption(ApiGroup[S], Generic[S]):
    """What projects consume. Reading it wakes no compute; Neon renews it every 15 minutes or so,
    and takes about 30 requests a minute."""

    @listing
    def projects(
        self,
        *,
        start: datetime,
        end: datetime,
        granularity: Granularity,
        org_id: str | None = None,
        project_ids: Sequence[str] | None = None,
        metrics: Sequence[str] = METRICS,
        page: int = PAGE,
    ) -> Pages[ProjectConsumption]:
        """What each project of an organization consumed, newest project first.

        Args:
            start: of the span, rounded by the granularity; hourly figures are kept 168 hours,
                daily ones 60 days, monthly ones a year.
            end: of the span.
            granularity: ``hourly``, ``daily`` or ``monthly``.
            org_id: whose projects; ``NEON_ORG_ID`` if None.
            project_ids: only these, 100 at most.
            metrics: Neon's names.
            page: how many projects are asked for at once, 100 at most.

        Raises:
            SettingsError: no organization was named.
        """
        query = {
            "from": start,
            "to": end,
            "granularity": granularity,
            "org_id": self.api.needed_org_id(org_id),
            "project_ids": project_ids,
            "metrics": metrics,
            "limit": page,
        }
        return self.api.pages(
            "/consumption_history/v2/projects",
            _Consumption,
            lambda answer: answer.projects,
            lambda answer: answer.pagination.cursor if answer.pagination else None,
            query=query,
        )
