"""The branches of a project beside the one that its database is on."""

from __future__ import annotations

from datetime import datetime
from typing import Generic

from neonup import VersionBranch
from neonup.plugin.http import Call
from neonup_cloud.agents import project_state
from neonup_cloud.agents.project_state import ProjectState
from neonup_cloud.agents.steps import Steps
from neonup_cloud.api.answers import Branch
from neonup_cloud.api.client import Groups
from neonup_cloud.api.connection_urls import direct_url
from neonup_cloud.api.groups.group import ApiGroup, S, operation


class ProjectBranches(ApiGroup[S], Generic[S]):
    """The part of `ProjectVersions` that is about branches; for the parameters see there."""

    def __init__(
        self,
        neon: Groups[S],
        project_id: str,
        *,
        endpoint_id: str | None = None,
        database: str | None = None,
    ):
        super().__init__(neon.api, neon.sender)
        self._neon = Groups(neon.api, None)
        self._steps = Steps(self._neon, project_id)
        self._project = project_id
        self._endpoint = endpoint_id
        self._database = database

    @operation
    def branch(self, name: str, *, expires_at: datetime | None = None) -> Call[VersionBranch]:
        """A branch of the database as it is now, e.g. to develop on.

        Args:
            name: it must not be taken.
            expires_at: when Neon deletes it; aware; never if None.

        Raises:
            Conflict: there is a branch of the name.
        """
        state = yield from self._settled()
        state.check_free(name)
        made = yield from self._steps.branch(state.branch, name, expires_at)
        return (yield from self._reached(made))

    @operation
    def current(self) -> Call[Branch]:
        """The branch that the database is on. After a restore it is another one."""
        state = yield from project_state.read(self._neon, self._project, self._endpoint)
        return state.branch

    @operation
    def branches(self) -> Call[list[Branch]]:
        """The project's other branches: those of `preview` and `branch`, and kept ones."""
        state = yield from project_state.read(self._neon, self._project, self._endpoint)
        return state.others

    @operation
    def open(self, branch: str) -> Call[VersionBranch]:
        """Another branch with its URL, e.g. one that a restore has kept.

        Args:
            branch: its id or name.

        Raises:
            NotFound: there is no such branch.
        """
        state = yield from project_state.read(self._neon, self._project, self._endpoint)
        other = state.other(branch)
        yield from self._steps.endpoint(other)
        return (yield from self._reached(other))

    @operation
    def delete_branch(self, branch: VersionBranch | str) -> Call[None]:
        """Delete a branch with its data, and a replaced branch that only waited for that.

        Args:
            branch: the branch, or its id or name.

        Raises:
            Invalid: it is the database's own, or branches were made of it.
            NotFound: there is no such branch.
        """
        state = yield from self._settled()
        other = state.other(branch.id if isinstance(branch, VersionBranch) else branch)
        yield from self._steps.delete_branch(other)
        state = yield from project_state.read(self._neon, self._project, self._endpoint)
        yield from self._steps.delete_left(state)

    def _settled(self) -> Call[ProjectState]:
        yield from self._neon.operations.settle(self._project)
        return (yield from project_state.read(self._neon, self._project, self._endpoint))

    def _reached(self, branch: Branch) -> Call[VersionBranch]:
        url = yield from direct_url(self._neon, branch, self._database)
        return VersionBranch(branch.id, branch.name, url, branch.expires_at)
