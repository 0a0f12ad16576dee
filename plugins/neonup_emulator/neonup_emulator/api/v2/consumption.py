"""The history of consumption."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, get_args

from neonup_emulator.api.v2 import serializers
from neonup_emulator.api.v2.operations import Answer, RequestContext, operation
from neonup_emulator.api.v2.paging import page
from neonup_emulator.neon import projects
from neonup_emulator.neon.accounts.model import Organization, Plan
from neonup_emulator.neon.errors import Forbidden, Refused
from neonup_emulator.neon.metering import frames, usage
from neonup_emulator.neon.metering.frames import Frame
from neonup_emulator.neon.model import Project

Spans = list[tuple[datetime, datetime]]
Show = Callable[[Frame], serializers.Shown]

_MOST_IDS = 100


@dataclass(frozen=True)
class _Consumed:
    """What a project or branch consumed; its id is that one's."""

    id: str
    project: Project
    frames: list[Frame]


_LEGACY: dict[str, Callable[[Frame], float]] = {
    "active_time_seconds": lambda frame: frame.tally.active,
    "compute_time_seconds": lambda frame: frame.tally.compute,
    "written_data_bytes": lambda frame: frame.tally.written,
    "synthetic_storage_size_bytes": lambda frame: frame.size + frame.tally.written,
    "data_storage_bytes_hour": lambda frame: frame.size_hours,
    "logical_size_bytes": lambda frame: frame.size,
    "logical_size_bytes_hour": lambda frame: frame.size_hours,
}
_ALWAYS = list(_LEGACY)[:4]
"""Those that the document requires of each timeframe."""
_OF_BRANCHES: dict[str, Callable[[Frame], float]] = {
    "compute_unit_seconds": lambda frame: frame.tally.compute,
    "root_branch_bytes_month": lambda frame: frame.root,
    "child_branch_bytes_month": lambda frame: frame.child,
    "instant_restore_bytes_month": lambda frame: frame.history,
    "public_network_transfer_bytes": lambda frame: frame.tally.sent,
    "private_network_transfer_bytes": lambda frame: 0,  # there is no other network
}
"""Bytes a month are bytes times hours, of which 744 make a month
(https://neon.com/docs/introduction/usage-calculations)."""
_OF_PROJECTS: dict[str, Callable[[Frame], float]] = {
    **_OF_BRANCHES,
    "extra_branches_month": lambda frame: 0,  # here no branch costs extra
    "snapshot_storage_bytes_month": lambda frame: frame.snapshots,
}


@operation("getConsumptionHistoryPerProject", "GET /consumption_history/projects")
def get_consumption_history_per_project(call: RequestContext) -> Answer:
    organization = _organization(call, ("scale", "business", "enterprise"), named=False)
    spans = _spans(call)
    metrics = _metrics(call, _LEGACY)
    if not metrics and call.flag("include_v1_metrics"):
        metrics = ["data_storage_bytes_hour"]
    names = dict.fromkeys([*_ALWAYS, *metrics])

    def show(frame: Frame) -> serializers.Shown:
        return _timeframe(frame) | {name: int(_LEGACY[name](frame)) for name in names}

    return _of_projects(call, organization, spans, show)


@operation("getConsumptionHistoryPerProjectV2", "GET /consumption_history/v2/projects")
def get_consumption_history_per_project_v2(call: RequestContext) -> Answer:
    """Measured; branches beyond a plan's cost nothing here, and there is no private network."""
    organization = _organization(call, ("launch", "scale", "agent", "business", "enterprise"))
    return _of_projects(call, organization, _spans(call), _values(call, _OF_PROJECTS))


@operation("getConsumptionHistoryPerBranchV2", "GET /consumption_history/v2/branches")
def get_consumption_history_per_branch_v2(call: RequestContext) -> Answer:
    organization = _organization(call, ("launch", "scale", "agent", "enterprise"))
    if not call.listed("project_ids"):
        raise Refused("the parameter project_ids is missing")
    spans, show = _spans(call), _values(call, _OF_BRANCHES)
    wanted = _ids(call, "branch_ids")
    branches = [
        _Consumed(id=branch_id, project=project, frames=consumed)
        for project in sorted(_projects(call, organization), key=lambda project: project.id)
        for branch_id, consumed in sorted(frames.of_branches(call.neon, project, spans).items())
        if not wanted or branch_id in wanted
    ]
    shown, cursor = page(
        call,
        branches,
        lambda branch: f"{branch.project.id}/{branch.id}",
        descending=False,
        default=100,
        largest=1000,
    )
    answer = {
        "branches": [
            {
                "project_id": branch.project.id,
                "branch_id": branch.id,
                "periods": _periods(call, organization, branch.project, branch.frames, show),
            }
            for branch in shown
        ]
    }
    return answer | ({"pagination": {"cursor": cursor}} if cursor else {})


def _of_projects(
    call: RequestContext, organization: Organization, spans: Spans, show: Show
) -> Answer:
    projects = _projects(call, organization)
    shown, cursor = page(
        call, projects, lambda project: project.created_at, descending=True, default=10, largest=100
    )
    answer: dict[str, Any] = {
        "projects": [
            {
                "project_id": project.id,
                "periods": _periods(
                    call,
                    organization,
                    project,
                    frames.of_project(call.neon, project, spans),
                    show,
                ),
            }
            for project in shown
        ]
    }
    return answer | ({"pagination": {"cursor": cursor}} if cursor else {})


def _organization(
    call: RequestContext, plans: tuple[Plan, ...], *, named: bool = True
) -> Organization:
    """The organization that is asked about.

    Raises:
        NotFound: the caller is in none of that id.
        Forbidden: its plan has no such history.
    """
    org_id = call.query.get("org_id")
    if org_id is None and named:
        raise Refused("the parameter org_id is missing")
    identity = call.neon.identity
    organization = (
        identity.home_of(call.caller)
        if org_id is None
        else identity.organization(call.caller, org_id)
    )
    if organization.plan not in plans:
        raise Forbidden(
            "this endpoint is not available: it is supported with the plans "
            f"{', '.join(plans)} only"
        )
    return organization


def _projects(call: RequestContext, organization: Organization) -> list[Project]:
    wanted = _ids(call, "project_ids")
    in_organization = projects.all_of(call.neon, call.caller, org_id=organization.id, deleted=False)
    return [project for project in in_organization if not wanted or project.id in wanted]


def _ids(call: RequestContext, name: str) -> set[str]:
    ids = call.listed(name)
    if len(ids) > _MOST_IDS:
        raise Refused(f"invalid parameter {name}: at most {_MOST_IDS} ids are allowed")
    return set(ids)


def _spans(call: RequestContext) -> Spans:
    granularity = call.choice("granularity", get_args(frames.Granularity))
    begin, end = _moment(call, "from"), _moment(call, "to")
    return frames.edges(begin, end, granularity, call.neon.clock.now())  # type: ignore[arg-type]


def _moment(call: RequestContext, name: str) -> datetime:
    moment = call.moment(name)
    if moment is None:
        raise Refused(f"the parameter {name} is missing")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise Refused(f"invalid parameter {name}: it is out of range") from None


def _metrics(call: RequestContext, known: dict[str, Callable[[Frame], float]]) -> list[str]:
    metrics = list(dict.fromkeys(call.listed("metrics")))
    for name in metrics:
        if name not in known:
            raise Refused(f"invalid parameter metrics: it may have {', '.join(known)}")
    return metrics


def _values(call: RequestContext, known: dict[str, Callable[[Frame], float]]) -> Show:
    metrics = _metrics(call, known)
    if not metrics:
        raise Refused("the parameter metrics is missing")

    def show(frame: Frame) -> serializers.Shown:
        values = [{"metric_name": name, "value": int(known[name](frame))} for name in metrics]
        return _timeframe(frame) | {"metrics": values}

    return show


def _timeframe(frame: Frame) -> serializers.Shown:
    return {
        "timeframe_start": serializers.moment(frame.begin),
        "timeframe_end": serializers.moment(frame.end),
    }


def _periods(
    call: RequestContext,
    organization: Organization,
    project: Project,
    consumed: list[Frame],
    show: Show,
) -> list[serializers.Shown]:
    """The frames by their months, which are the periods here."""
    now = call.neon.clock.now()
    periods: dict[datetime, serializers.Shown] = {}
    for frame in consumed:
        begin, end = usage.period(frame.begin)
        if begin not in periods:
            id = uuid.uuid5(uuid.NAMESPACE_URL, f"{project.id}/{begin.isoformat()}")  # noqa: A001
            periods[begin] = {
                "period_id": str(id),
                "period_plan": organization.plan,
                "period_start": serializers.moment(begin),
                **({"period_end": serializers.moment(end)} if end <= now else {}),
                "consumption": [],
            }
        periods[begin]["consumption"].append(show(frame))
    return list(periods.values())
