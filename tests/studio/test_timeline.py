"""How a history is arranged: any number of versions, by day and a page at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from neonup import Version
from neonup_studio import timeline

_NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def history(count: int, *, hours: float = 5) -> list[Version]:
    """So many versions, newest first."""
    return [
        Version(f"ver-{number}", f"Step {number}", _NOW - timedelta(hours=hours * number))
        for number in range(count)
    ]


def shown(found: timeline.Timeline) -> list[str]:
    """The names on the page, from top to bottom."""
    return [version.name for day in found.days for version in day.versions]


def test_none_and_one() -> None:
    none = timeline.arrange([])
    assert (none.days, none.found, none.newer, none.older) == ([], 0, None, None)
    one = timeline.arrange(history(1), first=400)
    assert shown(one) == ["Step 0"]
    assert (one.newer, one.older) == (None, None)


def test_each_of_two_hundred_is_on_one_page() -> None:
    every = history(200)
    seen, first = [], 0
    for _ in range(4):
        found = timeline.arrange(every, first=first)
        assert found.newer == (first - timeline.PAGE if first else None)
        seen += shown(found)
        dates = [day.date for day in found.days]
        assert dates == sorted(set(dates), reverse=True)
        first = found.older or 0
    assert first == 0
    assert seen == [version.name for version in every]
    assert timeline.arrange(every, first=10_000).first == 150
    assert timeline.arrange(every, first=-1).first == 0


def test_a_part_of_a_name_is_found_in_any_case() -> None:
    assert shown(timeline.arrange(history(30), search="STEP 2")) == [
        "Step 2",
        *(f"Step {number}" for number in range(20, 30)),
    ]
    assert timeline.arrange(history(30), search="nothing").days == []


def test_days_are_those_of_utc() -> None:
    east = timezone(timedelta(hours=9))
    version = Version("ver-1", "early", datetime(2026, 11, 30, 3, tzinfo=east))
    [day] = timeline.arrange([version]).days
    assert day.date.isoformat() == "2026-11-29"


def test_an_undo_goes_to_no_state_that_a_restore_has_replaced() -> None:
    replaced = Version("ver-r", "before-restore-1", _NOW, automatic=True)
    of_migration = Version("ver-m", "migrate-1", _NOW, automatic=True)
    by_hand = Version("ver-h", "before-restore", _NOW)
    assert timeline.latest([replaced, of_migration, by_hand]) == of_migration
    assert timeline.latest([replaced]) is None
    assert [timeline.keeper(each) for each in (replaced, of_migration, by_hand)] == [
        "before a restore",
        "by neonup",
        "by hand",
    ]
