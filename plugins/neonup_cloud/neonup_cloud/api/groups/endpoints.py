"""``client.endpoints``."""

from __future__ import annotations

from typing import Generic

import msgspec

from neonup.plugin.http import Call
from neonup_cloud.api.answers import ChangedEndpoint, Endpoint, Operations
from neonup_cloud.api.groups.group import ApiGroup, S, listing, operation
from neonup_cloud.api.requests import Pages, Values, path


class _Endpoints(msgspec.Struct):
    endpoints: list[Endpoint]


class _Endpoint(msgspec.Struct):
    endpoint: Endpoint


class Endpoints(ApiGroup[S], Generic[S]):
    """Compute endpoints: what branches are reached by."""

    @listing
    def list(self, project_id: str, *, branch_id: str | None = None) -> Pages[Endpoint]:
        """The endpoints of a project.

        Args:
            branch_id: only this branch's.
        """
        where = path("/projects/{id}", id=project_id)
        if branch_id is not None:
            where += path("/branches/{id}", id=branch_id)
        return self.api.whole(f"{where}/endpoints", _Endpoints, lambda answer: answer.endpoints)

    @operation
    def get(self, project_id: str, endpoint_id: str) -> Call[Endpoint]:
        """One endpoint."""
        answer = yield from self.api.send("GET", _of(project_id, endpoint_id), _Endpoint)
        return answer.endpoint

    @operation
    def create(
        self,
        project_id: str,
        *,
        branch_id: str,
        type: str = "read_write",  # noqa: A002 - Neon's name
        autoscaling_limit_min_cu: float | None = None,
        autoscaling_limit_max_cu: float | None = None,
        suspend_timeout_seconds: int | None = None,
        settings: Values | None = None,
    ) -> Call[ChangedEndpoint]:
        """A new endpoint of a branch.

        Args:
            type: ``read_write``, of which a branch has one, or ``read_only``.
            autoscaling_limit_min_cu: compute units at least, from 0.25 on.
            autoscaling_limit_max_cu: compute units at most.
            suspend_timeout_seconds: idle seconds before it is suspended; 0 is Neon's default, -1
                never.
            settings: ``pg_settings``, ``preload_libraries``.
        """
        endpoint = {
            "branch_id": branch_id,
            "type": type,
            "autoscaling_limit_min_cu": autoscaling_limit_min_cu,
            "autoscaling_limit_max_cu": autoscaling_limit_max_cu,
            "suspend_timeout_seconds": suspend_timeout_seconds,
            "settings": settings,
        }
        return (
            yield from self.api.send(
                "POST",
                path("/projects/{id}/endpoints", id=project_id),
                ChangedEndpoint,
                body={"endpoint": endpoint},
            )
        )

    @operation
    def update(
        self,
        project_id: str,
        endpoint_id: str,
        *,
        autoscaling_limit_min_cu: float | None = None,
        autoscaling_limit_max_cu: float | None = None,
        suspend_timeout_seconds: int | None = None,
        disabled: bool | None = None,
        settings: Values | None = None,
    ) -> Call[ChangedEndpoint]:
        """Change an endpoint; what is None stays. For the parameters see `create`.

        Args:
            disabled: whether it refuses connections.
        """
        endpoint = {
            "autoscaling_limit_min_cu": autoscaling_limit_min_cu,
            "autoscaling_limit_max_cu": autoscaling_limit_max_cu,
            "suspend_timeout_seconds": suspend_timeout_seconds,
            "disabled": disabled,
            "settings": settings,
        }
        return (
            yield from self.api.send(
                "PATCH",
                _of(project_id, endpoint_id),
                ChangedEndpoint,
                body={"endpoint": endpoint},
            )
        )

    @operation
    def delete(self, project_id: str, endpoint_id: str) -> Call[Operations]:
        """Delete an endpoint; its branch keeps its data."""
        return (yield from self.api.delete(_of(project_id, endpoint_id)))

    @operation
    def start(self, project_id: str, endpoint_id: str) -> Call[ChangedEndpoint]:
        """Start an endpoint; a connection does so too."""
        return (yield from self._command(project_id, endpoint_id, "start"))

    @operation
    def suspend(self, project_id: str, endpoint_id: str) -> Call[ChangedEndpoint]:
        """Suspend an endpoint: its connections end."""
        return (yield from self._command(project_id, endpoint_id, "suspend"))

    @operation
    def restart(self, project_id: str, endpoint_id: str) -> Call[ChangedEndpoint]:
        """Restart an endpoint: its connections end."""
        return (yield from self._command(project_id, endpoint_id, "restart"))

    def _command(self, project_id: str, endpoint_id: str, command: str) -> Call[ChangedEndpoint]:
        """Send a command; sending it twice does no harm."""
        return self.api.send(
            "POST", f"{_of(project_id, endpoint_id)}/{command}", ChangedEndpoint, repeatable=True
        )


def _of(project_id: str, endpoint_id: str) -> str:
    return path("/projects/{project_id}/endpoints/{id}", project_id=project_id, id=endpoint_id)
