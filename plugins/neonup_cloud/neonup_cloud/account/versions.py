"""The versions of a database in an account, as the commands use them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal

from neonup import Database, Restored, Version, VersionBranch, Versions, urls
from neonup.plugin.http import Sender
from neonup.plugin.project import REPLACED
from neonup_cloud import NeonClient
from neonup_cloud.account import location as locations
from neonup_cloud.account.location import DatabaseLocation
from neonup_cloud.agents import ProjectVersions
from neonup_cloud.api.answers import Branch
from neonup_cloud.api.errors import Invalid, QuotaExceeded


class AccountVersions(Versions):
    """Snapshots and branches of the project that a database is in.

    Args:
        connect: opens a client of the account.
        location: where the database is.
        database: the database, as it is recorded.
    """

    def __init__(
        self,
        connect: Callable[[], AbstractContextManager[NeonClient]],
        location: DatabaseLocation,
        database: Database,
    ):
        self._connect = connect
        self._location = location
        self._database = database

    def checkpoint(
        self, name: str | None = None, *, automatic: bool = False, replace_oldest: bool = False
    ) -> Version:
        """A snapshot of the database's branch. One that nobody asked for may take the place of
        another such."""
        replaced: bool | Literal["automatic"] = replace_oldest
        if automatic and not replace_oldest:
            replaced = "automatic"
        with self._versions() as versions:
            return versions.checkpoint(name, automatic=automatic, replace_oldest=replaced)

    def history(self) -> list[Version]:
        """The project's snapshots."""
        with self._versions() as versions:
            return versions.history()

    def preview(self, version: Version, *, expires_at: datetime | None = None) -> VersionBranch:
        """A branch with a snapshot's data."""
        with self._versions() as versions:
            return versions.preview(version, expires_at=expires_at)

    def restore(self, version: Version) -> Restored:
        """What there was before is kept as a version where the plan allows one more."""
        with self._versions() as versions:
            return self._restored(versions, lambda: versions.restore(version))

    def restore_to(self, moment: datetime) -> Restored:
        """To a moment within the time for which Neon keeps the project's history."""
        with self._versions() as versions:
            return self._restored(versions, lambda: versions.undo(timestamp=moment))

    def delete(self, version: Version) -> None:
        """Delete a snapshot."""
        with self._versions() as versions:
            versions.delete(version)

    def branch(self, name: str, *, expires_at: datetime | None = None) -> VersionBranch:
        """A branch of the database's one."""
        with self._versions() as versions:
            return versions.branch(name, expires_at=expires_at)

    def branches(self) -> list[VersionBranch]:
        """The project's previews, and the branches of the database's one."""
        with self._versions() as versions:
            now = versions.current()
            branches = [branch for branch in versions.branches() if _is_of(branch, now)]
            return [versions.open(branch.id) for branch in branches]

    def delete_branch(self, branch: VersionBranch) -> None:
        """Delete a branch."""
        with self._versions() as versions:
            versions.delete_branch(branch)

    def _restored(
        self, versions: ProjectVersions[Sender], restore: Callable[[], Restored]
    ) -> Restored:
        """Take a version of the present data if the plan allows one more, then restore.

        It replaces none: that could be the one to restore.
        """
        before = None
        with suppress(QuotaExceeded, Invalid):  # Invalid: it is no root branch, and has no versions
            name = f"{REPLACED}{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
            before = versions.checkpoint(name, automatic=True)
        done = replace(restore(), before=before)
        if self._location.branch is None:
            return done
        return replace(done, database_id=str(replace(self._location, branch=done.branch_id)))

    @contextmanager
    def _versions(self) -> Iterator[ProjectVersions[Sender]]:
        with self._connect() as neon:
            endpoint = locations.endpoint_of(neon, self._location.project, self._database.url, {})
            yield ProjectVersions(
                neon,
                self._location.project,
                endpoint_id=endpoint.id if endpoint else None,
                database=urls.parse(self._database.url).dbname,
            )


def _is_of(branch: Branch, current: Branch) -> bool:
    """Whether a branch is a preview, or one of the database's own branch."""
    return branch.restored_from is not None or branch.parent_id == current.id
