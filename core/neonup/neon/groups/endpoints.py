"""``client.endpoints``."""

from __future__ import annotations

from typing import Generic

import msgspec

from neonup.http.calls import Call
from neonup.neon.answers import ChangedEndpoint, Endpoint, Operations
from neonup.neon.api import Pages, path
from neonup.neon.groups.group import Group, S, listing, operation


class _Endpoints(msgspec.Struct):
    endpoints: list[Endpoint]


class _Endpoint(msgspec.Struct):
    endpoint: Endpoint


class Endpoints(Group[S], Generic[S]):
    """The computes of a project, and the hosts that lead to them."""

    @listing
    def list(self, project_id: str, *, branch_id: str | None = None) -> Pages[Endpoint]:
        """The endpoints of a project; Neon answers all of them at once.

        Args:
            branch_id: of this branch only.
        """
        of = path("/projects/{project_id}", project_id=project_id)
        if branch_id is not None:
            of += path("/branches/{branch_id}", branch_id=branch_id)
        return self.api.pages(
            f"{of}/endpoints", _Endpoints, lambda found: found.endpoints, lambda found: None
        )

    @operation
    def get(self, project_id: str, endpoint_id: str) -> Call[Endpoint]:
        """One endpoint."""
        found = yield from self.api.send("GET", _of(project_id, endpoint_id), _Endpoint)
        return found.endpoint

    @operation
    def create(
        self,
        project_id: str,
        branch_id: str,
        *,
        type: str = "read_write",  # noqa: A002 - Neon's name
        suspend_timeout_seconds: int | None = None,
        autoscaling_limit_min_cu: float | None = None,
        autoscaling_limit_max_cu: float | None = None,
    ) -> Call[ChangedEndpoint]:
        """A new endpoint of a branch.

        Args:
            type: ``read_write``, of which a branch has at most one, or ``read_only``.
            suspend_timeout_seconds: of idleness; 0 is Neon's default, -1 never.
            autoscaling_limit_min_cu: the smallest size, in compute units.
            autoscaling_limit_max_cu: the largest.
        """
        endpoint = {
            "branch_id": branch_id,
            "type": type,
            "suspend_timeout_seconds": suspend_timeout_seconds,
            "autoscaling_limit_min_cu": autoscaling_limit_min_cu,
            "autoscaling_limit_max_cu": autoscaling_limit_max_cu,
        }
        return (
            yield from self.api.send(
                "POST",
                path("/projects/{project_id}/endpoints", project_id=project_id),
                ChangedEndpoint,
                body={"endpoint": endpoint},
            )
        )

    @operation
    def delete(self, project_id: str, endpoint_id: str) -> Call[Operations]:
        """Delete an endpoint; its host is gone for good."""
        return (yield from self.api.send("DELETE", _of(project_id, endpoint_id), Operations))

    @operation
    def start(self, project_id: str, endpoint_id: str) -> Call[ChangedEndpoint]:
        """Wake an endpoint."""
        return (yield from self._change(project_id, endpoint_id, "start"))

    @operation
    def suspend(self, project_id: str, endpoint_id: str) -> Call[ChangedEndpoint]:
        """Stop an endpoint until somebody connects."""
        return (yield from self._change(project_id, endpoint_id, "suspend"))

    def _change(self, project_id: str, endpoint_id: str, what: str) -> Call[ChangedEndpoint]:
        of = _of(project_id, endpoint_id)
        return (yield from self.api.send("POST", f"{of}/{what}", ChangedEndpoint, repeatable=True))


def _of(project_id: str, endpoint_id: str) -> str:
    return path("/projects/{project_id}/endpoints/{id}", project_id=project_id, id=endpoint_id)
