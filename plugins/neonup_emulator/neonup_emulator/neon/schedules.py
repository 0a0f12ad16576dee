"""Schedules of snapshots: when a branch is kept as it is, without anybody asking."""

from __future__ import annotations

import logging
from calendar import monthrange
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from msgspec import to_builtins
from msgspec.structs import replace

from neonup_emulator.neon import branches
from neonup_emulator.neon.accounts import allowances
from neonup_emulator.neon.changes import snapshot_creation
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.errors import Locked, Refused, Unprocessable
from neonup_emulator.neon.model import Branch, Project, Snapshot
from neonup_emulator.neon.requests.snapshots import BackupSchedule
from neonup_emulator.neon.state.store import setting

log = logging.getLogger(__name__)

_DAYS_OF_WEEK = 7


def set_schedule(neon: LocalNeon, project: Project, branch: Branch, wanted: BackupSchedule) -> None:
    """Say when snapshots of a branch are to be created; an empty list: never.

    Raises:
        Forbidden: the organization's plan has no schedules.
        Unprocessable: the branch is no root branch, or a week has no such day.
    """
    for item in wanted.schedule:
        if item.frequency == "weekly" and isinstance(item.day, int) and item.day > _DAYS_OF_WEEK:
            raise Unprocessable("the day of a weekly schedule is 1, Monday, to 7, Sunday")
    schedule = [to_builtins(item) for item in wanted.schedule]
    now = neon.clock.now()
    new = {"backup_schedule": schedule, "backup_looked": [now] * len(schedule), "updated_at": now}
    with neon.journal.alone(project) as current:
        if schedule:
            allowances.check_schedules(neon, current)
        if branches.find(neon, project, branch.id).parent_id is not None:
            raise Unprocessable("snapshots can be created of root branches only")
        neon.store.update(Branch, branch.id, setting(**new))


def run(neon: LocalNeon) -> None:
    """Create the snapshots that are due: one for each item, however often it was missed."""
    for branch in neon.store.dated(Branch, "backup_schedule[0]"):
        project = neon.store.get(Project, branch.project_id)
        if project is None or project.deleted_at is not None:
            continue
        for number, item in enumerate(branch.backup_schedule):
            with suppress(Refused):  # something else is under way: later
                _run(neon, project, branch.id, number, item)


def due(item: dict[str, Any], now: datetime) -> datetime:
    """The last moment until now at which an item of a schedule wanted a snapshot.

    Hours are those of UTC. A day that a month does not have is its last one.
    """
    frequency, day = item["frequency"], item.get("day", 1)
    if frequency == "hourly":
        return now.replace(minute=0, second=0, microsecond=0)
    today = now.replace(hour=item.get("hour", 0), minute=0, second=0, microsecond=0)
    if frequency == "daily":
        return today if today <= now else today - timedelta(days=1)
    if frequency == "weekly":
        day_due = today - timedelta(days=(today.isoweekday() - day) % _DAYS_OF_WEEK)
        return day_due if day_due <= now else day_due - timedelta(days=_DAYS_OF_WEEK)
    month = item.get("month", now.month) if frequency == "yearly" else now.month
    day_due = _on(today, now.year, month, day)
    if day_due <= now:
        return day_due
    if frequency == "yearly":
        return _on(today, now.year - 1, month, day)
    before = now.replace(day=1) - timedelta(days=1)
    return _on(today, before.year, before.month, day)


def keeps(neon: LocalNeon, snapshot: Snapshot) -> bool:
    """Whether a snapshot outlives its retention: while its schedule is active, the newest one does
    (Neon's changelog, September 2026)."""
    branch = neon.store.get(Branch, snapshot.source_branch_id)
    if snapshot.manual or branch is None or not branch.backup_schedule:
        return False
    return not any(
        other.created_at > snapshot.created_at
        for other in neon.store.all(Snapshot, project_id=snapshot.project_id)
        if other.source_branch_id == branch.id and not other.manual and not other.is_unfinished
    )


def _on(moment: datetime, year: int, month: int, day: int) -> datetime:
    last = monthrange(year, month)[1]
    return moment.replace(year=year, month=month, day=min(day, last))


def _run(
    neon: LocalNeon, project: Project, branch_id: str, number: int, item: dict[str, Any]
) -> None:
    branch, now = branches.find(neon, project, branch_id), neon.clock.now()
    if branch.backup_schedule[number : number + 1] != [item]:
        return  # it was set anew meanwhile
    if not _looked(branch)[number] < due(item, now):
        return
    keep = item.get("retention_seconds")

    def looked() -> None:
        neon.store.update(Branch, branch_id, look)

    def look(current: Branch) -> Branch:
        if current.backup_schedule != branch.backup_schedule:
            return current  # it was set anew meanwhile
        moments = _looked(current)
        return replace(current, backup_looked=[*moments[:number], now, *moments[number + 1 :]])

    try:
        snapshot_creation.create(
            neon,
            project,
            branch,
            name=None,
            time=None,
            lsn=None,
            expires_at=now + timedelta(seconds=keep) if keep else None,
            manual=False,
            also=looked,
        )
    except Locked:
        raise
    except Refused as refused:  # it is not tried again and again, but the next time
        log.warning("A snapshot of %s could not be created: %s", branch.id, refused.message)
        with neon.journal.alone(project):
            looked()


def _looked(branch: Branch) -> list[datetime]:
    """Until when each item was carried out; not before it was set."""
    return branch.backup_looked or [branch.updated_at] * len(branch.backup_schedule)
