"""Copies that pages make: the same one again while there is time, and one change at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from neonup_local.service.databases import LocalDatabases
from neonup_studio import copies
from neonup_studio.copies import Copies
from tests.versions.shop import Shop


def test_a_copy_is_opened_again_until_its_time_is_short(neonup_home: Path) -> None:
    shop = Shop(LocalDatabases(neonup_home))
    shop.make()
    version = shop.versions.checkpoint("good")
    now = datetime.now(UTC)
    made = Copies()
    first = made.of_version(shop.versions, version, now)
    assert first.expires_at == now.replace(microsecond=0) + timedelta(hours=2)
    later = now + timedelta(minutes=100)
    assert made.of_version(shop.versions, version, later).id == first.id
    soon_over = now + timedelta(minutes=115)
    second = made.of_version(shop.versions, version, soon_over)
    assert second.id != first.id
    shop.versions.delete_branch(second)
    third = made.of_version(shop.versions, version, soon_over)
    assert third.id not in {first.id, second.id}
    over = now + timedelta(hours=3)
    assert [branch.id for branch in copies.present(shop.versions, over)] == [third.id]


def test_one_change_at_a_time() -> None:
    made = Copies()
    for _ in range(2):
        with made.changing() as first:
            assert first
            with made.changing() as second:
                assert not second
            with made.changing() as third:  # the second has freed nothing
                assert not third
