"""The tools for versions and branches of the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from mcp.server.mcpserver import MCPServer
from pydantic import Field

from neonup import NeonupError, Version, VersionBranch, urls
from neonup.plugin.project import named, restore
from neonup_mcp.project import ServedProject
from neonup_mcp.result import ToolResult, add_tool


class VersionInfo(ToolResult):
    """A kept state of the database."""

    id: str
    name: str
    created_at: datetime
    size_bytes: int | None
    automatic: bool = Field(description="Whether neonup took it by itself.")

    @classmethod
    def of(cls, version: Version) -> VersionInfo:
        """A version of the provider's."""
        return cls(
            id=version.id,
            name=version.name,
            created_at=version.created_at,
            size_bytes=version.size,
            automatic=version.automatic,
        )

    def text(self) -> str:
        """One line."""
        by = ", automatic" if self.automatic else ""
        return f"version {self.name} (id {self.id}), {self.created_at:%Y-%m-%d %H:%M:%S %Z}{by}"


class VersionList(ToolResult):
    """The versions of the database, newest first."""

    versions: list[VersionInfo]

    def text(self) -> str:
        """A line for each."""
        return "\n".join(version.text() for version in self.versions) or "There are no versions."


class BranchInfo(ToolResult):
    """A copy beside the database. No password: get_connection_url returns it."""

    id: str
    name: str
    url: str = Field(description="The connection URL with *** for the password.")
    expires_at: datetime | None = Field(description="When it is deleted by itself; null: never.")

    @classmethod
    def of(cls, branch: VersionBranch) -> BranchInfo:
        """A branch of the provider's."""
        return cls(
            id=branch.id,
            name=branch.name,
            url=urls.mask(branch.url),
            expires_at=branch.expires_at,
        )

    def text(self) -> str:
        """One line."""
        until = f", until {self.expires_at:%Y-%m-%d %H:%M:%S %Z}" if self.expires_at else ""
        return f"branch {self.name} (id {self.id}): {self.url}{until}"


class BranchList(ToolResult):
    """The branches of the database."""

    branches: list[BranchInfo]

    def text(self) -> str:
        """A line for each."""
        return "\n".join(branch.text() for branch in self.branches) or "There are no branches."


class RestoreResult(ToolResult):
    """What a restore did. The database's URL is as before."""

    restored: str = Field(description="The version's name, or the moment.")
    before: VersionInfo | None = Field(description="What there was before, kept as a version.")
    kept_branch: str | None = Field(description="The branch that has what there was before.")

    def text(self) -> str:
        """One or two lines."""
        lines = [
            f"The database is back at {self.restored}.",
            f"What there was before is kept: {self.before.text()}" if self.before else None,
            f"What there was before is on the branch {self.kept_branch}."
            if self.kept_branch
            else None,
        ]
        return "\n".join(filter(None, lines))


class Deleted(ToolResult):
    """What was deleted."""

    deleted: str

    def text(self) -> str:
        """One line."""
        return f"Deleted {self.deleted}."


Name = Annotated[str, Field(description="A name that is not taken.")]
VersionName = Annotated[
    str, Field(description="The version's name or id, as list_versions has it.")
]


@dataclass(frozen=True)
class VersionTools:
    """Tools over the versions of one project's database.

    Args:
        project: the project.
        allow_writes: whether the database may be brought back, and versions and branches deleted.
    """

    project: ServedProject
    allow_writes: bool

    def register(self, server: MCPServer[Any]) -> None:
        """Add the tools that are allowed."""
        add_tool(server, self.list_versions, title="List versions", read_only=True)
        add_tool(server, self.list_branches, title="List branches", read_only=True)
        add_tool(server, self.checkpoint, title="Keep a version")
        add_tool(server, self.create_branch, title="Create a branch")
        if self.allow_writes:
            for tool, title in (
                (self.restore, "Bring the database back to a version"),
                (self.delete_version, "Delete a version"),
                (self.delete_branch, "Delete a branch"),
            ):
                add_tool(server, tool, title=title, destructive=True)

    def list_versions(self) -> VersionList:
        """List the kept states of the database, newest first."""
        history = self.project.versions().history()
        return VersionList(versions=[VersionInfo.of(version) for version in history])

    def list_branches(self) -> BranchList:
        """List the branches of the database. Other tools take a branch's name as `branch`."""
        branches = self.project.versions().branches()
        return BranchList(branches=[BranchInfo.of(branch) for branch in branches])

    def checkpoint(
        self,
        name: Annotated[
            str | None, Field(description="A name that is not taken; made of the time if omitted.")
        ] = None,
    ) -> VersionInfo:
        """Keep the database as it is now as a version, e.g. before a migration."""
        return VersionInfo.of(self.project.changeable_versions().checkpoint(name))

    def create_branch(
        self,
        name: Annotated[
            str | None, Field(description="A name that is not taken; not with version.")
        ] = None,
        version: Annotated[
            str | None,
            Field(description="A version's name or id: the branch has its data."),
        ] = None,
        hours: Annotated[
            float | None, Field(description="Delete it by itself after so long.", gt=0)
        ] = None,
    ) -> BranchInfo:
        """Copy the database as it is now, or one of its versions, to try something on.

        The database stays as it is. Pass the branch's name as `branch` to the other tools.
        """
        if (name is None) == (version is None):
            raise NeonupError("Give a name, or a version to have a branch of; not both.")
        versions = self.project.changeable_versions()
        until = None if hours is None else datetime.now(UTC) + timedelta(hours=hours)
        if name is not None:
            return BranchInfo.of(versions.branch(name, expires_at=until))
        chosen = named(versions.history(), version or "")
        return BranchInfo.of(versions.preview(chosen, expires_at=until))

    def restore(self, version: VersionName) -> RestoreResult:
        """Bring the database back to a version. Everything since then is gone from it.

        Connections are closed; the URL stays. Where the provider can, what there was before is kept
        as a version, which the result names.
        """
        versions = self.project.changeable_versions()
        chosen = named(versions.history(), version)
        restored = restore(self.project.settings, versions, chosen)
        before = None if restored.before is None else VersionInfo.of(restored.before)
        return RestoreResult(
            restored=restored.name, before=before, kept_branch=restored.kept_branch
        )

    def delete_version(self, version: VersionName) -> Deleted:
        """Delete a version for good. The database and branches stay."""
        versions = self.project.changeable_versions()
        self.project.check_owner("deleted")
        chosen = named(versions.history(), version)
        versions.delete(chosen)
        return Deleted(deleted=f"version {chosen.name}")

    def delete_branch(
        self, branch: Annotated[str, Field(description="The branch's name or id.")]
    ) -> Deleted:
        """Delete a branch with its data for good."""
        versions = self.project.changeable_versions()
        self.project.check_owner("deleted")
        chosen = self.project.branch(branch)
        versions.delete_branch(chosen)
        return Deleted(deleted=f"branch {chosen.name}")
