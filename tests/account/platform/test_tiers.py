"""Tiers as data, and from a table."""

from __future__ import annotations

import tomllib

import pytest

from neonup.errors import SettingsError
from neonup.neon.platform import Quota, Tier, Tiers

TABLE = """
[free]
max_cu = 0.25
suspend_timeout_seconds = 300
quota = { active_time_seconds = 36000, logical_size_bytes = 500_000_000 }

[pro]
min_cu = 0.5
max_cu = 8
org_id = "org-paid"
"""


def test_a_table() -> None:
    tiers = Tiers.from_table(tomllib.loads(TABLE))
    assert list(tiers) == ["free", "pro"]
    assert tiers["free"] == Tier(
        "free", Quota(36_000, logical_size_bytes=500_000_000), None, 0.25, 300
    )
    assert tiers.organizations("org-mine") == ["org-mine", "org-paid"]


def test_tiers_in_one_organization() -> None:
    assert Tiers([Tier("a"), Tier("b", org_id="o")]).organizations("o") == ["o"]


def test_what_is_unlimited_is_said_so() -> None:
    assert set(Tier("pro").project["settings"]["quota"].values()) == {0}


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({}, "at least one tier"),
        ({"free": 5}, "table"),
        ({"free": {"max_cu": "large"}}, "max_cu"),
        ({"free": {"maximum": 1}}, "no maximum"),
        ({"free": {"maxcu": 1}}, "did you mean max_cu"),
        ({"free": {"quota": {"activ": 1}}}, "no quota.activ"),
        ({"free": {"quota": 5}}, "quota"),
        ({"free": {"name": "other"}}, "no name"),
        ({"Free!": {}}, "Free!"),
        ({"free": {"min_cu": 2, "max_cu": 1}}, "min_cu"),
    ],
)
def test_tables_that_cannot_be_used(table: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        Tiers.from_table(table)


def test_two_of_one_name() -> None:
    with pytest.raises(SettingsError, match="Two tiers"):
        Tiers([Tier("free"), Tier("free")])


def test_one_that_is_not_there() -> None:
    with pytest.raises(SettingsError, match="gold"):
        Tiers([Tier("free")]).named("gold")
