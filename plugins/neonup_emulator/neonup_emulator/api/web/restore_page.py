"""Restoring a branch: from where, what will happen, and doing it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from neonup_emulator.api.web.changes import moment
from neonup_emulator.api.web.visit import ConsoleVisit, does, show, shows
from neonup_emulator.neon import branches, snapshots
from neonup_emulator.neon.accounts.project_access import Level
from neonup_emulator.neon.changes import branch_restoration, snapshot_restoration
from neonup_emulator.neon.data import point_in_time
from neonup_emulator.neon.errors import NotFound, Refused, Unprocessable
from neonup_emulator.neon.model import Branch, Snapshot
from neonup_emulator.neon.requests.branches import RestoreBranch
from neonup_emulator.neon.requests.snapshots import RestoreSnapshot
from neonup_pages import forms, wording

_PATH = "/projects/{project_id}/branches/{branch_id}/restore"


def routes() -> list[Route]:
    """The page and its form."""
    return [
        Route(_PATH, shows(_ask, least=Level.EDITOR), methods=["GET"]),
        Route(_PATH, does(_restore, back=_PATH), methods=["POST"]),
    ]


@dataclass(frozen=True)
class RestorePlan:
    """A restore as it would be.

    Args:
        source: a branch or a snapshot.
        at: the moment of a branch; None: now.
    """

    source: Branch | Snapshot
    at: datetime | None
    preserve: str
    happens: list[str]


def _ask(visit: ConsoleVisit) -> Response:
    project, branch = visit.project, visit.branch
    plan, error = None, ""
    if visit.asked("source"):
        try:
            plan = _plan(visit, branch, visit.asked("source"), visit.asked("at"))
        except Refused as refused:
            error = refused.message
    if plan is not None:
        return show(
            visit,
            "ask.html",
            project=project,
            title=f"Restore {branch.name}?",
            happens=plan.happens,
            button="Restore the branch",
            obstacle="",
            danger=False,
            values={
                "source": plan.source.id,
                "at": wording.iso(plan.at) if plan.at else "",
                "preserve": plan.preserve,
            },
        )
    others = visit.neon.store.all(Branch, project_id=project.id)
    return show(
        visit,
        "restore.html",
        status=422 if error else 200,
        project=project,
        branch=branch,
        others=[other for other in others if other.id != branch.id],
        snapshots=snapshots.all_of(visit.neon, project)[::-1],
        source=visit.asked("source"),
        at=visit.asked("at") or wording.field(visit.neon.clock.now()),
        error=error[:1].upper() + error[1:],
    )


def _restore(visit: ConsoleVisit) -> Response:
    project, branch = visit.project, visit.branch
    plan = _plan(visit, branch, visit.text("source"), visit.text("at"))
    if isinstance(plan.source, Snapshot):
        wanted = RestoreSnapshot(target_branch_id=branch.id, finalize_restore=True)
        snapshot_restoration.restore(visit.neon, project, plan.source, wanted)
    else:
        body = RestoreBranch(
            source_branch_id=plan.source.id,
            source_timestamp=plan.at,
            preserve_under_name=visit.text("preserve")[:256] or plan.preserve,
        )
        branch_restoration.restore(visit.neon, project, branch, body)
    forms.tell(visit.request, f"{branch.name} is restored; what it had is kept in another branch")
    return RedirectResponse(f"/projects/{project.id}", 303)


def _plan(visit: ConsoleVisit, branch: Branch, source_id: str, at: str) -> RestorePlan:
    """What a restore would do.

    Raises:
        Refused: there is no such source, or the moment cannot be reached.
    """
    project = visit.project
    stays = (
        "Its connection strings and passwords stay as they are. Connections that are open now are "
        "closed."
    )
    snapshot = visit.neon.store.get(Snapshot, source_id)
    if snapshot is not None and snapshot.project_id == project.id:
        return RestorePlan(
            snapshot,
            None,
            "",
            [
                f"{branch.name} gets the data of the snapshot {snapshot.name}, as it was on "
                f"{wording.when(snapshot.at)}.",
                stays,
                f"What it has now is kept as the branch {branch.name} (old).",
            ],
        )
    try:
        source = branches.find(visit.neon, project, source_id)
    except NotFound:
        raise Unprocessable("choose a branch or a snapshot to restore from") from None
    time = moment(visit, at)
    if source.id == branch.id and time is None:
        raise Unprocessable("a branch is restored from its own past: choose a moment")
    point_in_time.target(visit.neon, project, source, time=time, lsn=None)
    preserve = f"{branch.name} before {visit.neon.clock.now():%Y-%m-%d %H:%M:%S}"
    as_of = f"as it was on {wording.when(time)}" if time else "as it is now"
    return RestorePlan(
        source,
        time,
        preserve,
        [
            f"{branch.name} gets the data of {source.name}, {as_of}.",
            stays,
            f"What it has now is kept as the branch {preserve}. Nothing is lost.",
        ],
    )
