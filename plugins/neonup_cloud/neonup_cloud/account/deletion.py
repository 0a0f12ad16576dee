"""Deleting what neonup created in an account, and nothing else."""

from __future__ import annotations

from pathlib import Path

from neonup import ProviderError
from neonup_cloud import NeonClient
from neonup_cloud.account.git_branches import GitBranches
from neonup_cloud.account.location import DatabaseLocation
from neonup_cloud.api.errors import NotFound


def delete(neon: NeonClient, location: DatabaseLocation, *, org: str | None) -> None:
    """Delete a project, or only a branch of it; it may be deleted already.

    Args:
        org: the organization that it is in; None: the key's own.

    Raises:
        ProviderError: the project is not one that neonup created, or cannot be found.
        NeonError: Neon refused, or did not answer.
    """
    if location.branch:
        _delete_branch(neon, location.project, location.branch)
        return
    try:
        neon.projects.delete(location.project)
    except NotFound:
        # Gone already, also where an earlier request's answer was lost: Neon lists it for a while.
        deleted = neon.projects.list(org_id=org, search=location.project, recoverable=True)
        if all(project.id != location.project for project in deleted):
            raise _unknown(location.project) from None


def check_alone(neon: NeonClient, location: DatabaseLocation, home: Path) -> None:
    """Refuse to delete a project that has the Neon branches of other git branches.

    Args:
        home: the folder of neonup's state, in which they are recorded.

    Raises:
        ProviderError: it has such.
        NeonError: Neon refused, or did not answer.
    """
    if location.branch:
        return
    others = {
        record.id.partition("/")[2]: git_branch
        for records in GitBranches.everywhere(home)
        for git_branch, record in records.all().items()
        if record.id.startswith(f"{location.project}/")
    }
    if not others:
        return
    try:
        branches = [branch.id for branch in neon.branches.list(location.project)]
    except NotFound:
        return
    names = sorted(others[id_] for id_ in branches if id_ in others)
    if names:
        raise ProviderError(
            f"The project {location.project} has the data of other git branches as well: "
            f"{', '.join(names)}.",
            remedy="Delete it on each of them first: check the branch out, then neonup destroy; of "
            "deleted git branches: neonup prune.",
        )


def _delete_branch(neon: NeonClient, project_id: str, branch_id: str) -> None:
    try:
        branch = neon.branches.get(project_id, branch_id)
    except NotFound:
        try:
            neon.projects.get(project_id)
        except NotFound:
            raise _unknown(project_id) from None
        return
    if branch.default:
        raise ProviderError(
            f"The project {project_id} was not created by neonup in this account, so it is not "
            "deleted.",
            remedy="Delete it in the Neon console, https://console.neon.tech, and remove the "
            "lines from .env.",
        )
    operations = neon.branches.delete(project_id, branch_id).operations
    neon.operations.wait(operations)


def _unknown(project_id: str) -> ProviderError:
    return ProviderError(
        f"The project {project_id} was not found: it was deleted long ago, or this key does not "
        "reach it.",
        remedy="Use the key of the account that it is in; if it is gone, remove its lines from "
        ".env.",
    )
