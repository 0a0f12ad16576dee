"""Neon branches whose git branch was deleted, and which of them nobody can miss."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from neonup import Settings, owner
from neonup.plugin.project import StateStore, git_branch_names
from neonup_cloud import NeonClient
from neonup_cloud.account import location as locations
from neonup_cloud.account.git_branches import GitBranches, GitBranchRecord
from neonup_cloud.api.answers import Branch
from neonup_cloud.api.errors import NeonError, NotFound
from neonup_cloud.options import AccountOptions

_RUNNING = "active"
"""The state of an endpoint that somebody uses, or has used within the last minutes."""


@dataclass(frozen=True)
class GoneGitBranch:
    """A git branch that was deleted, and its Neon branch.

    Args:
        name: of the git branch.
        record: its Neon branch.
        stays: why that is still wanted, as far as this machine knows; None: nothing says so.
    """

    name: str
    record: GitBranchRecord
    stays: str | None


def gone(home: Path, records: GitBranches) -> Iterator[GoneGitBranch]:
    """The git branches of a project that were deleted, whose Neon branches were created for them.

    No request is sent. There are none where git does not say which branches there are.
    """
    project = records.project()
    here = git_branch_names(project[0]) if project else None
    remote = git_branch_names(project[0], remote=True) if project else None
    if here is None or remote is None:
        return
    store = StateStore(home, "account")
    first = {(store.read(name) or {}).get("id") for name in store.names()}
    for name, record in records.all().items():
        is_ours = record.created or record.id in first
        if record.id and is_ours and name not in here:
            yield GoneGitBranch(name, record, _stays(home, name, record, remote))


def _stays(home: Path, name: str, record: GitBranchRecord, remote: frozenset[str]) -> str | None:
    if name in remote:
        return f"a remote has {name} still (`git fetch --prune` where it was deleted there, too)"
    for use in owner.uses(home, "account", record.id):
        if owner.names(use, "account", record.id):
            return f"{use.env_file} names it"
    return None


def branch_of(neon: NeonClient, record: GitBranchRecord) -> tuple[Branch | None, str | None]:
    """The Neon branch of a record, None where it is gone; and why it cannot be deleted, or None.

    Raises:
        NeonError: Neon refused, or did not answer.
    """
    try:
        location = locations.now_on(neon, locations.parse(record.id), record.host)
        branch = locations.branch_of(neon, location)
        branches = list(neon.branches.list(location.project))
        endpoints = list(neon.endpoints.list(location.project))
    except NotFound:
        return None, None
    if location.branch is None or branch.default:
        return branch, "it is its project's default branch"
    if branch.protected:
        return branch, "it is protected"
    children = [other.name for other in branches if other.parent_id == branch.id]
    if children:
        return branch, f"the Neon branch {children[0]} is made of it"
    if any(
        endpoint.branch_id == branch.id and endpoint.current_state == _RUNNING
        for endpoint in endpoints
    ):
        return branch, "its compute is running"
    return branch, None


def let_expire(neon: NeonClient, settings: Settings, wanted: AccountOptions) -> list[str]:
    """Let the Neon branches of deleted git branches expire, where ``git_branch_days`` says so.

    Under the project's lock. A branch that cannot expire, or of which Neon says nothing now, is
    left to ``neonup prune``.

    Returns:
        What to say of each.
    """
    if wanted.git_branch_days is None:
        return []
    records, remarks = GitBranches.of(settings), []
    moment = datetime.now(UTC).replace(microsecond=0) + timedelta(days=wanted.git_branch_days)
    for git_branch in gone(settings.home, records):
        if git_branch.stays or git_branch.record.expires:
            continue
        try:
            branch, stays = branch_of(neon, git_branch.record)
            if branch is None or stays:
                continue
            neon.operations.settle(branch.project_id)
            neon.branches.update(branch.project_id, branch.id, expires_at=moment)
        except NeonError:
            continue
        records.change(git_branch.name, expires=True)
        remarks.append(
            f"git branch {git_branch.name} was deleted, and its Neon branch {branch.name} expires "
            f"on {moment:%d %b %Y}"
        )
    return remarks
