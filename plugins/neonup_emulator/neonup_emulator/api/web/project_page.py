"""The page of a project: its branches over time, how they are reached, and its snapshots."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from starlette.responses import Response
from starlette.routing import Route

from neonup_emulator.api.web import branch_tree, usage_view
from neonup_emulator.api.web.console import busy
from neonup_emulator.api.web.visit import ConsoleVisit, show, shows
from neonup_emulator.neon import activity, project_members, snapshots
from neonup_emulator.neon.compute import addresses
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.model import Branch, Endpoint, Operation, Project, Snapshot
from neonup_local.engine import sizes


def routes() -> list[Route]:
    """The pages."""
    return [
        Route("/projects/{project_id}", shows(_overview), methods=["GET"], name="project"),
        Route("/projects/{project_id}/activity", shows(_activity), methods=["GET"]),
    ]


@dataclass(frozen=True)
class Compute:
    """An endpoint and whether its server runs."""

    endpoint: Endpoint
    host: str
    active: bool


@dataclass(frozen=True)
class BranchView:
    """A branch in the list.

    Args:
        origin: where its data comes from, in words.
        size: bytes of its data on the disk.
        delete_obstacle: why it cannot be deleted, in words; empty where it can.
        rooted: whether it is a root branch, of which snapshots can be taken.
    """

    branch: Branch
    origin: str
    computes: list[Compute]
    size: int
    delete_obstacle: str
    rooted: bool


def computes(neon: LocalNeon, branch: Branch) -> list[Compute]:
    """A branch's endpoints, the one that writes first."""
    opened = neon.store.all(Endpoint, branch_id=branch.id)
    opened.sort(key=lambda endpoint: endpoint.type != "read_write")
    return [
        Compute(endpoint, addresses.host(endpoint), activity.is_active(neon, endpoint))
        for endpoint in opened
    ]


def delete_obstacle(branch: Branch, branches: list[Branch]) -> str:
    """Why a branch cannot be deleted; empty where it can."""
    if branch.default:
        return "it is the default branch"
    if branch.protected:
        return "it is protected"
    if any(other.parent_id == branch.id for other in branches):
        return "other branches were made from it"
    return ""


def _overview(visit: ConsoleVisit) -> Response:
    neon, project = visit.neon, visit.project
    branches = neon.store.all(Branch, project_id=project.id)
    project_snapshots = snapshots.all_of(neon, project)
    tree = branch_tree.draw(branches, project_snapshots, neon.clock.now())
    by_id = {branch.id: branch for branch in branches}
    rank = {line.id: place for place, line in enumerate(tree.lines)}
    ordered = sorted(branches, key=lambda branch: rank.get(branch.id, len(rank)))
    return show(
        visit,
        "project.html",
        project=project,
        tab="branches",
        organization=neon.people.organization(project.org_id),
        tree=tree,
        shown=[_shown(neon, branch, branches, project_snapshots) for branch in ordered],
        branches=branches,
        snapshots=project_snapshots[::-1],
        by_id=by_id,
        members=project_members.listed(neon, visit.caller, project),
        usage=usage_view.of_project(neon, project),
        earliest=_earliest(neon, project),
        busy=busy(neon, project),
    )


def _activity(visit: ConsoleVisit) -> Response:
    neon, project = visit.neon, visit.project
    operations = neon.store.all(Operation, project_id=project.id)
    names = {branch.id: branch.name for branch in neon.store.all(Branch, project_id=project.id)}
    return show(
        visit,
        "activity.html",
        project=project,
        tab="activity",
        operations=operations[:-101:-1],
        names=names,
        busy=busy(neon, project),
    )


def _shown(
    neon: LocalNeon, branch: Branch, branches: list[Branch], snapshots: list[Snapshot]
) -> BranchView:
    return BranchView(
        branch,
        _origin(branch, branches, snapshots),
        computes(neon, branch),
        sizes.size(neon.clusters.folder(branch.cluster_id)),
        delete_obstacle(branch, branches),
        branch.parent_id is None,
    )


def _origin(branch: Branch, branches: list[Branch], snapshots: list[Snapshot]) -> str:
    if branch.restored_from is not None:
        name = next(
            (snapshot.name for snapshot in snapshots if snapshot.id == branch.restored_from), None
        )
        return f"from the snapshot {name}" if name else "from a snapshot"
    if branch.parent_id is None:
        return "a root branch"
    name = next((other.name for other in branches if other.id == branch.parent_id), "a branch")
    what = ", schema only" if branch.init_source == "schema-only" else ""
    return f"from {name}{what}"


def _earliest(neon: LocalNeon, project: Project) -> object:
    """The first moment that branches can be made from."""
    window_start = neon.clock.now() - timedelta(seconds=project.history_retention_seconds)
    return max(window_start, project.created_at)
