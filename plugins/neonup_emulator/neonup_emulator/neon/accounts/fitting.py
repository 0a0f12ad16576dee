"""Whether the plan of an organization allows projects that are transferred to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from neonup.plugin.plans import LIMITS, PlanLimits
from neonup_emulator.neon.accounts import plans
from neonup_emulator.neon.accounts.model import Organization
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.errors import Unsatisfied
from neonup_emulator.neon.metering import usage
from neonup_emulator.neon.model import Branch, Endpoint, Project, Snapshot


@dataclass(frozen=True)
class Excess:
    """A limit of a plan that would be exceeded.

    Args:
        code: in the form of Neon's `PROJECTS_LIMIT_EXCEEDED`.
        message: for a person.
        allowed: by the plan.
        actual: how much it would be.
    """

    code: str
    message: str
    allowed: float
    actual: float


def check_transfer_request(
    neon: LocalNeon, project: Project, target: Organization, *, any_size: bool = False
) -> None:
    """Refuse a project that an organization cannot own, as `acceptProjectTransferRequest` does.

    Args:
        any_size: whether only the number of projects counts, and not what the project has.

    Raises:
        Unsatisfied: with all of the reasons.
    """
    excesses = _too_many(neon, [project], target)
    if not any_size:
        excesses += exceeded(neon, project, _of(target))
    if excesses:
        reasons = [{"code": excess.code, "message": excess.message} for excess in excesses]
        reason = "; ".join(excess.message for excess in excesses)
        raise Unsatisfied(
            f"the plan of {target.name} does not allow it: {reason}", {"reasons": reasons}
        )


def check_transfer(neon: LocalNeon, projects: Sequence[Project], target: Organization) -> None:
    """Refuse projects that an organization cannot own, as `transferProjectsFromOrgToOrg` does.

    Raises:
        Unsatisfied: with the limits, of which the document knows the number of projects and
            the plan.
    """
    limits = [
        {
            "name": "projects_count",
            "expected": f"{excess.allowed:g}",
            "actual": f"{excess.actual:g}",
        }
        for excess in _too_many(neon, projects, target)
    ]
    reasons = ["it would have too many projects"] if limits else []
    unfit = {project.id: exceeded(neon, project, _of(target)) for project in projects}
    if any(unfit.values()):
        wanted = next(
            (
                plan
                for plan, limits in LIMITS.items()
                if not any(exceeded(neon, project, limits) for project in projects)
            ),
            "enterprise",
        )
        limits.append({"name": "subscription_type", "expected": wanted, "actual": target.plan})
        reasons += [
            f"{id_}: {excess.message}" for id_, excesses in unfit.items() for excess in excesses
        ]
    if limits:
        raise Unsatisfied(
            f"the plan of {target.name} does not allow it: {'; '.join(reasons)}", {"limits": limits}
        )


def exceeded(neon: LocalNeon, project: Project, limits: PlanLimits) -> list[Excess]:
    """The limits of a plan that a project exceeds."""
    branches = len(neon.store.all(Branch, project_id=project.id))
    snapshots = sum(snapshot.manual for snapshot in neon.store.all(Snapshot, project_id=project.id))
    endpoints = neon.store.all(Endpoint, project_id=project.id)
    defaults = project.default_endpoint_settings
    sizes = [endpoint.autoscaling_limit_max_cu for endpoint in endpoints]
    sizes.append(float(defaults.get("autoscaling_limit_max_cu", 0)))
    waits = [endpoint.suspend_timeout_seconds for endpoint in endpoints]
    waits.append(int(defaults.get("suspend_timeout_seconds", 0)))
    # 0 is the default of five minutes, -1 never.
    shortest = min((wait for wait in waits if wait > 0), default=limits.min_suspend_seconds)
    history = project.history_retention_seconds
    stored = usage.of_project(neon, project).storage_bytes
    most = [
        _excess("BRANCHES", "branches", limits.branches, branches),
        _excess("SNAPSHOTS", "manual snapshots", limits.manual_snapshots, snapshots),
        _excess("COMPUTE", "compute units", limits.max_cu, max(sizes)),
        _excess("HISTORY", "seconds of history", limits.history_seconds, history),
        _excess("STORAGE", "bytes of storage", limits.storage_bytes or stored, stored),
    ]
    exceeding = [excess for excess in most if excess.actual > excess.allowed]
    if shortest < limits.min_suspend_seconds:
        what = "seconds until a compute suspends"
        exceeding.append(_excess("SUSPEND_TIMEOUT", what, limits.min_suspend_seconds, shortest))
    return exceeding


def _too_many(neon: LocalNeon, added: Sequence[Project], target: Organization) -> list[Excess]:
    own = [
        project
        for project in neon.store.all(Project)
        if project.org_id == target.id and project.deleted_at is None
    ]
    count, allowed = len(own) + len(added), _of(target).projects
    return [_excess("PROJECTS", "projects", allowed, count)] if count > allowed else []


def _excess(code: str, what: str, allowed: float, actual: float) -> Excess:
    bound = "at least" if code == "SUSPEND_TIMEOUT" else "up to"
    message = f"{bound} {allowed:g} {what} are allowed, not {actual:g}"
    return Excess(f"{code}_LIMIT_EXCEEDED", message, allowed, actual)


def _of(organization: Organization) -> PlanLimits:
    return plans.limits(organization.plan)
