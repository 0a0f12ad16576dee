"""Deleting at once or after a time, keeping, recovering, and sweeping."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from neonup_cloud import NeonClient
from neonup_cloud.fleets import Label, Lifecycle, Naming, errors
from tests.cloud.fleets.fleets import Asked

MONTH = timedelta(days=30)


def later(by: timedelta) -> datetime:
    return datetime.now(UTC) + by


def test_deleted_at_once_and_recovered(fleet: Asked, owner: NeonClient) -> None:
    made = fleet(lambda fleet: fleet.provision("anna", "free"))
    url = fleet(lambda fleet: fleet.connection("anna", pooled=False))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS n")
    gone = fleet(lambda fleet: fleet.delete("anna"))
    assert gone.deleted
    assert gone.project.project_id == made.project_id
    assert gone.snapshot_id is not None
    assert fleet(lambda fleet: fleet.find("anna")) is None
    assert fleet(lambda fleet: fleet.delete("anna")) is None
    back = fleet(lambda fleet: fleet.undelete("anna"))
    assert (back.project_id, back.lifecycle) == (made.project_id, Lifecycle.ACTIVE)
    assert list(owner.snapshots.list(made.project_id)) == []
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (1,)


def test_it_waits_and_nobody_connects_meanwhile(fleet: Asked, owner: NeonClient) -> None:
    made = fleet(lambda fleet: fleet.provision("anna", "free"))
    url = fleet(lambda fleet: fleet.connection("anna", pooled=False))
    waiting = fleet(lambda fleet: fleet.delete("anna", wait=MONTH))
    assert not waiting.deleted
    assert abs(waiting.due - later(MONTH)) < timedelta(minutes=5)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)
    for ask in (
        lambda fleet: fleet.provision("anna", "free"),
        lambda fleet: fleet.connection("anna"),
        lambda fleet: fleet.resume("anna"),
    ):
        with pytest.raises(errors.DeletionPending, match="anna"):
            fleet(ask)
    swept = fleet(lambda fleet: fleet.sweep(now=later(MONTH - timedelta(hours=1))))
    assert swept.deleted == ()
    swept = fleet(lambda fleet: fleet.sweep(now=later(MONTH)))
    assert [one.project_id for one in swept.deleted] == [made.project_id]
    assert fleet(lambda fleet: fleet.find("anna")) is None


def test_kept_after_all(fleet: Asked, owner: NeonClient) -> None:
    made = fleet(lambda fleet: fleet.provision("anna", "free"))
    url = fleet(lambda fleet: fleet.connection("anna", pooled=False))
    fleet(lambda fleet: fleet.delete("anna", wait=MONTH))
    assert len(list(owner.snapshots.list(made.project_id))) == 1
    kept = fleet(lambda fleet: fleet.undelete("anna"))
    assert (kept.project_id, kept.lifecycle, kept.label.due) == (
        made.project_id,
        Lifecycle.ACTIVE,
        None,
    )
    assert list(owner.snapshots.list(made.project_id)) == []
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert fleet(lambda fleet: fleet.sweep(now=later(2 * MONTH))).deleted == ()


def test_the_earlier_date_counts_and_one_snapshot_is_enough(
    fleet: Asked, owner: NeonClient
) -> None:
    made = fleet(lambda fleet: fleet.provision("anna", "free"))
    first = fleet(lambda fleet: fleet.delete("anna", wait=MONTH))
    longer = fleet(lambda fleet: fleet.delete("anna", wait=2 * MONTH))
    shorter = fleet(lambda fleet: fleet.delete("anna", wait=timedelta(days=1)))
    assert longer.due == first.due
    assert shorter.due < first.due
    assert {first.snapshot_id, longer.snapshot_id, shorter.snapshot_id} == {first.snapshot_id}
    assert [one.id for one in owner.snapshots.list(made.project_id)] == [first.snapshot_id]


def test_without_a_snapshot(fleet: Asked, owner: NeonClient) -> None:
    made = fleet(lambda fleet: fleet.provision("anna", "free"))
    assert fleet(lambda fleet: fleet.delete("anna", snapshot=False, wait=MONTH)).snapshot_id is None
    assert list(owner.snapshots.list(made.project_id)) == []
    assert fleet(lambda fleet: fleet.delete("anna", snapshot=False)).deleted


def test_nobody_to_keep(fleet: Asked) -> None:
    with pytest.raises(errors.NoProject):
        fleet(lambda fleet: fleet.undelete("anna"))


def test_of_several_deleted_projects_the_last_is_recovered(fleet: Asked) -> None:
    for _ in range(2):
        fleet(lambda fleet: fleet.provision("anna", "free"))
        last = fleet(lambda fleet: fleet.delete("anna", snapshot=False)).project.project_id
    assert fleet(lambda fleet: fleet.undelete("anna")).project_id == last


def test_second_projects_are_swept_once_nobody_can_want_them(
    fleet: Asked, owner: NeonClient, prefix: str
) -> None:
    """What a process leaves behind that is killed after it lost a race."""
    made = fleet(lambda fleet: fleet.provision("anna", "free"))
    naming = Naming(prefix)
    left = owner.projects.create(name=naming.name(Label(naming.key("anna"), "free"))).project
    assert fleet(lambda fleet: fleet.provision("anna", "free")).project_id == made.project_id
    assert fleet(lambda fleet: fleet.sweep()).duplicates == ()
    swept = fleet(lambda fleet: fleet.sweep(now=later(timedelta(hours=2))))
    assert [one.project_id for one in swept.duplicates] == [left.id]
    assert [one.project_id for one in fleet(lambda fleet: fleet.projects())] == [made.project_id]


def test_a_user_with_a_second_project_is_left_with_none(
    fleet: Asked, owner: NeonClient, prefix: str
) -> None:
    made = fleet(lambda fleet: fleet.provision("anna", "free"))
    naming = Naming(prefix)
    owner.projects.create(name=naming.name(Label(naming.key("anna"), "free")))
    fleet(lambda fleet: fleet.delete("anna", snapshot=False))
    assert fleet(lambda fleet: fleet.projects()) == []
    assert fleet(lambda fleet: fleet.undelete("anna")).project_id == made.project_id
