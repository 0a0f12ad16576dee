"""What the forms of a project's pages do; each leads back to a page that says what came of it."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from neonup_emulator.api.web.project_page import delete_obstacle
from neonup_emulator.api.web.visit import ConsoleVisit, does, show, shows
from neonup_emulator.neon import branches, endpoints, projects, snapshots
from neonup_emulator.neon.accounts.project_access import Level
from neonup_emulator.neon.changes import branch_creation, snapshot_creation
from neonup_emulator.neon.errors import Unprocessable
from neonup_emulator.neon.model import Branch, BranchDatabase, Endpoint
from neonup_emulator.neon.requests.branches import BranchEndpoint, CreateBranch, NewBranch
from neonup_emulator.neon.requests.endpoints import NewEndpoint
from neonup_emulator.neon.requests.snapshots import Slug
from neonup_pages import forms, wording

_PROJECT = "/projects/{project_id}"
_BRANCH = f"{_PROJECT}/branches/{{branch_id}}"
_ENDPOINT = f"{_PROJECT}/endpoints/{{endpoint_id}}"
_SNAPSHOT = f"{_PROJECT}/snapshots/{{snapshot_id}}"
_LONGEST_NAME = 256
_LIVES = {"1h": timedelta(hours=1), "1d": timedelta(days=1), "7d": timedelta(days=7)}


def routes() -> list[Route]:
    """The forms."""
    handlers = {
        f"{_PROJECT}/branches": _create_branch,
        f"{_BRANCH}/delete": _delete_branch,
        f"{_BRANCH}/endpoints": _create_endpoint,
        f"{_ENDPOINT}/start": _start,
        f"{_ENDPOINT}/suspend": _suspend,
        f"{_PROJECT}/snapshots": _create_snapshot,
        f"{_SNAPSHOT}/delete": _delete_snapshot,
    }
    delete_project = does(_delete_project, back=_PROJECT, least=Level.ADMIN)
    return [
        *(Route(path, does(do, back=_PROJECT), methods=["POST"]) for path, do in handlers.items()),
        Route(f"{_BRANCH}/delete", shows(_ask_branch, least=Level.EDITOR), methods=["GET"]),
        Route(f"{_SNAPSHOT}/delete", shows(_ask_snapshot, least=Level.EDITOR), methods=["GET"]),
        Route(f"{_PROJECT}/delete", shows(_ask_project, least=Level.ADMIN), methods=["GET"]),
        Route(f"{_PROJECT}/delete", delete_project, methods=["POST"]),
    ]


def moment(visit: ConsoleVisit, text: str) -> datetime | None:
    """What is in a field for a moment; None: now.

    Raises:
        Unprocessable: it is no moment.
    """
    try:
        return wording.from_field(text)
    except ValueError:
        raise Unprocessable("that is no date and time: write 2026-01-31T12:00:00") from None


def _to(visit: ConsoleVisit, notice: str) -> Response:
    forms.tell(visit.request, notice)
    return RedirectResponse(f"/projects/{visit.request.path_params['project_id']}", 303)


def _create_branch(visit: ConsoleVisit) -> Response:
    life = _LIVES.get(visit.text("lives"))
    spec = NewBranch(
        name=visit.text("name")[:_LONGEST_NAME] or None,
        parent_id=visit.text("parent") or None,
        parent_timestamp=moment(visit, visit.text("at")),
        init_source="schema-only" if visit.text("schema_only") else "parent-data",
        expires_at=visit.neon.clock.now() + life if life else None,
    )
    wanted = CreateBranch(branch=spec, endpoints=[BranchEndpoint(type="read_write")])
    branch, _, _ = branch_creation.create(visit.neon, visit.project, wanted)
    ready = "is being copied" if branch.is_unfinished else "is ready"
    return _to(visit, f"The branch {branch.name} {ready}.")


def _delete_branch(visit: ConsoleVisit) -> Response:
    branch, _ = branches.delete(visit.neon, visit.project, visit.branch)
    return _to(visit, f"The branch {branch.name} is deleted.")


def _create_endpoint(visit: ConsoleVisit) -> Response:
    branch = visit.branch
    wanted = NewEndpoint(branch_id=branch.id, type="read_write")
    endpoints.create(visit.neon, visit.project, branch, wanted)
    return _to(visit, f"{branch.name} can be connected to now.")


def _endpoint(visit: ConsoleVisit) -> Endpoint:
    return endpoints.find(visit.neon, visit.project, visit.request.path_params["endpoint_id"])


def _start(visit: ConsoleVisit) -> Response:
    endpoints.start(visit.neon, visit.project, _endpoint(visit))
    return _to(visit, "The compute runs.")


def _suspend(visit: ConsoleVisit) -> Response:
    endpoints.suspend(visit.neon, visit.project, _endpoint(visit))
    return _to(visit, "The compute sleeps until somebody connects.")


def _create_snapshot(visit: ConsoleVisit) -> Response:
    life = _LIVES.get(visit.text("lives"))
    project = visit.project
    snapshot, _ = snapshot_creation.create(
        visit.neon,
        project,
        branches.find(visit.neon, project, visit.text("branch")),
        name=visit.text("name")[:_LONGEST_NAME] or None,
        slug=_slug(visit.text("slug")),
        time=moment(visit, visit.text("at")),
        lsn=None,
        expires_at=visit.neon.clock.now() + life if life else None,
    )
    return _to(visit, f"The snapshot {snapshot.name} is kept.")


def _slug(text: str) -> str | None:
    """What was typed as a slug; None where nothing was.

    Raises:
        Unprocessable: it has another form.
    """
    try:
        return msgspec.convert(text, Slug) if text else None
    except msgspec.ValidationError:
        raise Unprocessable(
            "a slug has a-z, 0-9 and -, begins with a letter, and is up to 63 characters long"
        ) from None


def _delete_snapshot(visit: ConsoleVisit) -> Response:
    project = visit.project
    snapshot = snapshots.find(visit.neon, project, visit.request.path_params["snapshot_id"])
    snapshots.delete(visit.neon, project, snapshot)
    return _to(visit, f"The snapshot {snapshot.name} is deleted.")


def _delete_project(visit: ConsoleVisit) -> Response:
    deleted = projects.delete(visit.neon, visit.project)
    days = projects.RECOVERABLE.days
    forms.tell(visit.request, f"{deleted.name} is deleted. The API can recover it for {days} days.")
    return RedirectResponse("/", 303)


def _ask_branch(visit: ConsoleVisit) -> Response:
    project, branch = visit.project, visit.branch
    obstacle = delete_obstacle(branch, visit.neon.store.all(Branch, project_id=project.id))
    names = [
        database.name for database in visit.neon.store.all(BranchDatabase, branch_id=branch.id)
    ]
    happens = [
        f"Its data goes, in all its databases: {', '.join(names)}." if names else "Its data goes.",
        "Its connection strings stop working; who is connected is cut off.",
        "Its history goes as well: it cannot be undone.",
    ]
    return _ask(visit, f"Delete the branch {branch.name}?", happens, "Delete the branch", obstacle)


def _ask_snapshot(visit: ConsoleVisit) -> Response:
    snapshot = snapshots.find(visit.neon, visit.project, visit.request.path_params["snapshot_id"])
    happens = [
        f"The state of {wording.when(snapshot.at)} is gone, unless the history still leads to it.",
        "Branches that were made from it stay.",
    ]
    return _ask(visit, f"Delete the snapshot {snapshot.name}?", happens, "Delete the snapshot")


def _ask_project(visit: ConsoleVisit) -> Response:
    project = visit.project
    branches = visit.neon.store.all(Branch, project_id=project.id)
    happens = [
        f"{wording.counted(len(branches), 'branch', 'branches')} and all computes are stopped.",
        "Its connection strings stop working.",
        f"For {projects.RECOVERABLE.days} days the API can recover it, with its data.",
    ]
    obstacle = "a branch of it is protected" if any(branch.protected for branch in branches) else ""
    return _ask(
        visit, f"Delete the project {project.name}?", happens, "Delete the project", obstacle
    )


def _ask(
    visit: ConsoleVisit, title: str, happens: list[str], button: str, obstacle: str = ""
) -> Response:
    return show(
        visit,
        "ask.html",
        project=visit.project,
        title=title,
        happens=happens,
        button=button,
        obstacle=obstacle,
        danger=True,
        values={},
    )
