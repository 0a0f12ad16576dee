"""What an organization's plan allows a project to have.

The code of too many branches is Neon's; the others are formed like it. All are 422: the document
names no status of their own for them. What a project has by a claim or a transfer stays, whatever
its plan: only what a request changes is looked at.
"""

from __future__ import annotations

from neonup_emulator.neon.accounts import plans
from neonup_emulator.neon.accounts.model import Plan
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.errors import Forbidden, LimitExceeded
from neonup_emulator.neon.metering import usage
from neonup_emulator.neon.model import Branch, Project, Snapshot


def plan_of(neon: LocalNeon, project: Project) -> Plan:
    """The plan of the organization that a project belongs to."""
    organization = neon.people.organization(project.org_id)
    return organization.plan if organization else "free"


def check_branches(neon: LocalNeon, project: Project, more: int = 1) -> None:
    """Refuse more branches than the plan allows a project, and any where it stores too much.

    Raises:
        LimitExceeded: the plan allows no more.
    """
    limits = plans.limits(plan_of(neon, project))
    if len(neon.store.all(Branch, project_id=project.id)) + more > limits.branches:
        raise LimitExceeded("branches", limits.branches)
    storage = limits.storage_bytes
    if storage is not None and usage.of_project(neon, project).storage_bytes > storage:
        raise LimitExceeded("storage", storage, "bytes")


def check_history(neon: LocalNeon, project: Project, *, before: int = 0) -> None:
    """Refuse a history that is longer than the plan's.

    Args:
        before: how many seconds it had; no more than these are granted.

    Raises:
        LimitExceeded: the plan keeps less.
    """
    limit = plans.limits(plan_of(neon, project)).history_seconds
    if project.history_retention_seconds > max(limit, before):
        raise LimitExceeded("history", limit, "seconds")


def check_compute(neon: LocalNeon, project: Project, units: float, *, before: float = 0) -> None:
    """Refuse a compute that may grow larger than the plan's.

    Args:
        units: that it is to have at the most.
        before: how many it had; no more than these are granted.

    Raises:
        LimitExceeded: the plan has smaller ones.
    """
    limit = plans.limits(plan_of(neon, project)).max_cu
    if units > max(limit, before):
        raise LimitExceeded("compute", limit, "compute units")


def check_snapshots(neon: LocalNeon, project: Project, more: int = 1) -> None:
    """Refuse more manual snapshots than the plan allows a project.

    Raises:
        LimitExceeded: the plan allows no more.
    """
    limit = plans.limits(plan_of(neon, project)).manual_snapshots
    manual = [
        snapshot for snapshot in neon.store.all(Snapshot, project_id=project.id) if snapshot.manual
    ]
    if len(manual) + more > limit:
        raise LimitExceeded("snapshots", limit)


def check_schedules(neon: LocalNeon, project: Project) -> None:
    """Refuse a schedule of snapshots where the plan has none.

    Raises:
        Forbidden: that takes a paid plan (setSnapshotSchedule in Neon's document), and not one for
            agent platforms (its documentation, October 2026).
    """
    plan = plan_of(neon, project)
    if not plans.limits(plan).schedules:
        raise Forbidden(f"backup schedules are not part of the plan {plan}")
