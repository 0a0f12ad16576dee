"""What an organization's plan allows a project to have.

The code of too many branches is Neon's; that of too many snapshots is formed like it. Both are
422: the document names no status of their own for them.
"""

from __future__ import annotations

from neonup_emulator.neon.accounts import plans
from neonup_emulator.neon.accounts.model import Plan
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.errors import Forbidden, LimitExceeded
from neonup_emulator.neon.model import Branch, Project, Snapshot


def plan_of(neon: LocalNeon, project: Project) -> Plan:
    """The plan of the organization that a project belongs to."""
    organization = neon.people.organization(project.org_id)
    return organization.plan if organization else "free"


def check_branches(neon: LocalNeon, project: Project, more: int = 1) -> None:
    """Refuse more branches than the plan allows a project.

    Raises:
        LimitExceeded: the plan allows no more.
    """
    limit = plans.limits(plan_of(neon, project)).branches
    if len(neon.store.all(Branch, project_id=project.id)) + more > limit:
        raise LimitExceeded("branches", limit)


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
