"""The Neon branches of deleted git branches that ``neonup prune`` deletes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from neonup import Database, NeonupError, owner, resolve
from neonup.plugin.project import project_lock
from neonup_cloud.account import git_leftovers
from neonup_cloud.account.git_branches import GitBranches
from neonup_cloud.account.git_leftovers import GoneGitBranch
from neonup_cloud.account.provider import AccountProvider
from neonup_cloud.options import AccountOptions
from neonup_local.servers import Leftover


def leftovers(home: Path) -> list[Leftover]:
    """Those of this machine; Neon is asked only where there are any."""
    return [
        _leftover(records, git_branch)
        for records in GitBranches.everywhere(home)
        for git_branch in git_leftovers.gone(home, records)
    ]


def delete(home: Path, chosen: Sequence[Leftover]) -> list[Leftover]:
    """Delete Neon branches; those stay that somebody has come to use, or that Neon keeps."""
    ids = {leftover.id for leftover in chosen}
    return [
        left
        for records in GitBranches.everywhere(home)
        for git_branch in list(git_leftovers.gone(home, records))
        if git_branch.record.id in ids and (left := _deleted(records, git_branch)).stays is not None
    ]


def _leftover(records: GitBranches, git_branch: GoneGitBranch) -> Leftover:
    """What is to be said of a deleted git branch's Neon branch, as it is now."""
    leftover = Leftover(git_branch.record.id, f"its git branch {git_branch.name} was deleted", 0)
    if git_branch.stays:
        return replace(leftover, stays=git_branch.stays)
    try:
        provider = _provider(records)
        with provider.connect(AccountOptions.of(provider.settings), _database(git_branch)) as neon:
            branch, stays = git_leftovers.branch_of(neon, git_branch.record)
    except NeonupError as error:
        return replace(leftover, stays=f"it could not be looked at: {error.message}")
    if branch is None:
        return replace(leftover, why=f"{leftover.why}, and Neon has no such branch any more")
    why = f"{leftover.why}: the Neon branch {branch.name}"
    return replace(leftover, why=why, stays=stays, size=branch.logical_size or 0)


def _deleted(records: GitBranches, git_branch: GoneGitBranch) -> Leftover:
    """Delete a Neon branch unless it stays; what is true now counts, a start waits meanwhile."""
    provider = _provider(records)
    with project_lock(provider.settings):
        home, name = provider.settings.home, git_branch.name
        now = next(
            (other for other in git_leftovers.gone(home, records) if other.name == name), None
        )
        if now is None or now.record != git_branch.record:
            return Leftover(git_branch.record.id, "", 0, stays="it has come to be used meanwhile")
        leftover = _leftover(records, now)
        if leftover.stays is not None:
            return leftover
        try:
            provider.delete(_database(now))
        except NeonupError as error:
            return replace(leftover, stays=f"it could not be deleted: {error.message}")
        records.drop(name)
        owner.forget(home, "account", now.record.id)
    return leftover


def _provider(records: GitBranches) -> AccountProvider:
    """The provider with the settings of the project whose records these are."""
    project = records.project()
    assert project is not None  # noqa: S101 - else there is no record of a git branch
    folder, env_file, key = project
    return AccountProvider(resolve(folder, env_file=env_file, key=key))


def _database(git_branch: GoneGitBranch) -> Database:
    record = git_branch.record
    return Database(f"postgresql://{record.host}/", "account", record.id)
