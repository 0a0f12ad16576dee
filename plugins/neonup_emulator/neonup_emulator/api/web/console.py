"""The console's first page: what this is, or the projects of who is signed in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from neonup_emulator.api.web import branch_tree, session
from neonup_emulator.api.web.page import page
from neonup_emulator.api.web.visit import ConsoleVisit, does, show, shows
from neonup_emulator.neon import activity, projects
from neonup_emulator.neon.changes import project_creation
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.model import Branch, Endpoint, Operation, Project, Snapshot
from neonup_emulator.neon.requests.projects import FirstBranch, NewProject
from neonup_local.engine import sizes
from neonup_pages import forms

_SHARED = "shared"
"""Stands for an organization in the address: the projects that others share."""
_LONGEST_NAME = 256


def routes() -> list[Route]:
    """The pages."""
    return [
        Route("/", _home, methods=["GET"], name="console"),
        Route("/projects", shows(lambda _: RedirectResponse("/", 303)), methods=["GET"]),
        Route("/projects", does(_create), methods=["POST"]),
    ]


@dataclass(frozen=True)
class Summary:
    """A project in the list.

    Args:
        active: whether a server of it runs.
        size: bytes of its data on the disk.
        branches: how many.
        seen: when something last happened in it.
    """

    project: Project
    active: bool
    size: int
    branches: int
    seen: datetime


def summary(neon: LocalNeon, project: Project) -> Summary:
    """How a project is; no server is woken for that."""
    branches = neon.store.all(Branch, project_id=project.id)
    opened = neon.store.all(Endpoint, project_id=project.id)
    seen = [project.updated_at, *(branch.updated_at for branch in branches)]
    seen += [at for endpoint in opened for at in (endpoint.last_active, endpoint.started_at) if at]
    return Summary(
        project,
        any(activity.is_active(neon, endpoint) for endpoint in opened),
        sum(sizes.size(neon.clusters.folder(branch.cluster_id)) for branch in branches),
        len(branches),
        max(seen),
    )


def busy(neon: LocalNeon, project: Project) -> bool:
    """Whether a change of the project is being carried out."""
    operations = neon.store.all(Operation, project_id=project.id)
    return any(operation.is_running for operation in operations[-20:])


async def _home(request: Request) -> Response:
    if await to_thread.run_sync(session.user, request) is None:
        return await to_thread.run_sync(_start, request)
    return await shows(_projects)(request)


def _start(request: Request) -> Response:
    base = f"{request.url.scheme}://{request.url.netloc}"
    api = base.replace("//127.0.0.1", "//localhost")
    return page(request, "start.html", base=base, api=api, tree=_example())


def _projects(visit: ConsoleVisit) -> Response:
    neon, caller = visit.neon, visit.caller
    organizations = neon.people.organizations_of(caller.user)
    shared = projects.shared_with(neon, caller)
    asked = visit.asked("org")
    chosen = next(
        (organization for organization in organizations if organization.id == asked), None
    )
    if chosen is None and organizations and not (asked == _SHARED and shared):
        chosen = organizations[0]
    listed = shared
    if chosen is not None:
        listed = projects.all_of(neon, caller, org_id=chosen.id, deleted=False)
    search = visit.asked("search")
    wanted = search.casefold()
    matching = [
        project for project in listed if wanted in project.name.casefold() or search == project.id
    ]
    return show(
        visit,
        "projects.html",
        organizations=organizations,
        shared=bool(shared),
        chosen=chosen,
        search=search,
        any_project=bool(listed),
        summaries=[summary(neon, project) for project in matching],
        base=f"{visit.request.url.scheme}://{visit.request.url.netloc}",
    )


def _create(visit: ConsoleVisit) -> Response:
    name = visit.text("name")[:_LONGEST_NAME]
    wanted = NewProject(
        name=name or None,
        org_id=visit.text("org") or None,
        branch=FirstBranch(name=visit.text("branch")[:_LONGEST_NAME] or "main"),
    )
    created = project_creation.create(visit.neon, visit.caller, wanted)
    forms.tell(
        visit.request, f"{created.project.name} is ready. Its server starts when you connect."
    )
    return RedirectResponse(f"/projects/{created.project.id}", 303)


def _example() -> branch_tree.Tree:
    """A project to look at before there is one."""
    now = datetime.fromisoformat("2026-01-31T12:00:00Z")

    def branch(name: str, parent: str | None, days: float, **more: object) -> Branch:
        at = now - timedelta(days=days)
        return Branch(
            id=name,
            project_id="",
            name=name,
            cluster_id="",
            created_at=at,
            updated_at=at,
            parent_id=parent,
            **more,  # type: ignore[arg-type]
        )

    branches = [
        branch("main", None, 30, default=True, protected=True),
        branch("staging", "main", 21),
        branch("preview/sign-up", "staging", 9, expires_at=now + timedelta(days=4)),
        branch("try-an-index", "main", 4),
    ]
    taken = [now - timedelta(days=days) for days in (25, 14, 6)]
    snapshots = [
        Snapshot(
            id=str(at),
            project_id="",
            name="nightly",
            source_branch_id="main",
            cluster_id="",
            created_at=at,
            at=at,
        )
        for at in taken
    ]
    return branch_tree.draw(branches, snapshots, now)
