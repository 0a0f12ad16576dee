"""``client.operations``."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Generic

import msgspec

from neonup.plugin.http import Call, Pause
from neonup_cloud.api.answers import Operation
from neonup_cloud.api.errors import OperationFailed
from neonup_cloud.api.groups.group import ApiGroup, S, listing, operation
from neonup_cloud.api.requests import Pages, path

DONE = frozenset({"finished", "skipped", "cancelled"})
FAILED = frozenset({"failed", "error"})
INTERVAL = 0.2
"""Seconds before the second look at an operation; each pause is half as long again, up to 2 s."""


PAGE = 1000
"""The most that Neon answers at once."""
_LATEST = 50
"""How many of the latest operations are read to find those that still run."""


class _Cursor(msgspec.Struct):
    cursor: str | None = None


class _Operations(msgspec.Struct):
    operations: list[Operation]
    pagination: _Cursor | None = None


class _Operation(msgspec.Struct):
    operation: Operation


class OperationsOfProject(ApiGroup[S], Generic[S]):
    """Operations that Neon runs in the background."""

    @listing
    def list(self, project_id: str) -> Pages[Operation]:
        """The operations of a project, newest first."""
        return self._pages(project_id, PAGE)

    @operation
    def get(self, project_id: str, operation_id: str) -> Call[Operation]:
        """One operation."""
        return (yield from self._get(project_id, operation_id))

    @operation
    def settle(self, project_id: str, *, timeout: float = 300) -> Call[None]:
        """Wait until nothing is under way in a project.

        Args:
            timeout: seconds.

        Raises:
            OperationFailed: something did not end in time.
        """
        latest, _ = yield from self._pages(project_id, _LATEST).page(None)
        under_way = [operation for operation in latest if operation.status not in DONE | FAILED]
        yield from self._wait(under_way, timeout)

    @operation
    def wait(self, operations: Iterable[Operation], *, timeout: float = 300) -> Call[None]:
        """Wait until operations have ended; a project is locked while one runs.

        Args:
            operations: as an answer lists them.
            timeout: seconds for all of them.

        Raises:
            OperationFailed: one ended without success, or not in time.
        """
        yield from self._wait(operations, timeout)

    def _wait(self, operations: Iterable[Operation], timeout: float) -> Call[None]:
        deadline = time.monotonic() + timeout
        for pending in operations:
            pause = INTERVAL
            while pending.status not in DONE:
                if pending.status in FAILED:
                    reason = f": {pending.error}" if pending.error else ""
                    raise OperationFailed(
                        f"Neon: {pending.action} failed{reason}.",
                        checked=(f"operation {pending.id} of {pending.project_id}",),
                    )
                if time.monotonic() + pause > deadline:
                    raise OperationFailed(
                        f"Neon: {pending.action} has not ended within {timeout:g} s.",
                        checked=(
                            f"operation {pending.id} of {pending.project_id}: {pending.status}",
                        ),
                        remedy="It may still end. Look again later.",
                    )
                yield Pause(pause)
                pause = min(2.0, pause * 1.5)
                pending = yield from self._get(  # noqa: PLW2901 - as it is now
                    pending.project_id, pending.id
                )

    def _pages(self, project_id: str, limit: int) -> Pages[Operation]:
        return self.api.pages(
            path("/projects/{project_id}/operations", project_id=project_id),
            _Operations,
            lambda answer: answer.operations,
            lambda answer: answer.pagination.cursor if answer.pagination else None,
            query={"limit": limit},
        )

    def _get(self, project_id: str, operation_id: str) -> Call[Operation]:
        answer = yield from self.api.send(
            "GET",
            path("/projects/{project}/operations/{id}", project=project_id, id=operation_id),
            _Operation,
        )
        return answer.operation
