"""Names belong to exactly one user, and say all that a fleet has to remember."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neonup.errors import SettingsError
from neonup_cloud.fleets import Label, Lifecycle, Naming

LONGEST_NAME = 256
"""Characters that Neon allows (OpenAPI document, ``ProjectCreateRequest``)."""
NAMING = Naming("acme")
USERS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=200)
MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(9999, 1, 1)).map(
    lambda found: found.replace(microsecond=0, tzinfo=UTC)
)


def label(user: str, **more: object) -> Label:
    return Label(NAMING.key(user), "free", **more)  # type: ignore[arg-type]


@given(USERS, st.sampled_from(["active", "suspended"]) | MOMENTS, st.booleans())
def test_a_name_says_what_went_in(user: str, lifecycle: str | datetime, changing: bool) -> None:
    due = lifecycle if isinstance(lifecycle, datetime) else None
    made = Label(
        NAMING.key(user),
        "free",
        Lifecycle.DELETING if due else Lifecycle(str(lifecycle)),
        due,
        changing,
    )
    name = NAMING.name(made)
    assert NAMING.read(name) == made
    assert made.user in (user, None)
    assert NAMING.search(made.key) in name
    assert len(name) <= LONGEST_NAME
    assert name.isascii()
    assert name.isprintable()


def test_the_longest_name_fits() -> None:
    naming = Naming("p" * 40)
    due = datetime(2026, 1, 1, tzinfo=UTC)
    long = Label(naming.key("u" * 128), "t" * 40, Lifecycle.DELETING, due, changing=True)
    assert long.user == "u" * 128
    assert len(naming.name(long)) <= LONGEST_NAME


@given(USERS, USERS)
def test_two_users_have_two_keys(one: str, other: str) -> None:
    for naming in (NAMING, Naming("acme", hashed=True)):
        assert (naming.key(one) == naming.key(other)) == (one == other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("u1", "u10"),
        ("u1", "U1"),
        ("a/b", "a%2Fb"),
        ("~", "%7E"),
        ("caf\u00e9", "cafe\u0301"),
        ("a ", "a"),
    ],
)
def test_no_name_is_found_for_another_user(one: str, other: str) -> None:
    assert label(one) != label(other)
    found = NAMING.read(NAMING.name(label(one)))
    assert found is not None
    assert found.key != NAMING.key(other)


def test_a_key_that_looks_like_a_hash_is_none() -> None:
    hashed = NAMING.key("x" * 1000)
    assert hashed.startswith("~")
    assert Label(hashed, "free").user is None
    assert NAMING.key(hashed) != hashed
    assert label(hashed).user == hashed


def test_hashes_show_no_key_and_depend_on_the_secret() -> None:
    plain, secret = (Naming("acme", hashed=True, secret=one) for one in ("", "pepper"))
    assert "anna" not in secret.name(Label(secret.key("anna@example.com"), "free"))
    assert plain.key("anna") != secret.key("anna")
    assert "pepper" not in repr(secret)


@pytest.mark.parametrize("user", ["", "\ud800", 5, None])
def test_keys_that_are_none(user: str) -> None:
    with pytest.raises(SettingsError, match="key"):
        NAMING.key(user)


@pytest.mark.parametrize("prefix", ["", "a/b", "-a", "a" * 41, "ü"])
def test_prefixes_that_cannot_be_used(prefix: str) -> None:
    with pytest.raises(SettingsError, match="prefix"):
        Naming(prefix)


@pytest.mark.parametrize(
    "name",
    [
        "shop",
        "acme",
        "acme/anna",
        "acme//free",
        "acme/~anna/free",
        "acme/an na/free",
        "acme/%61nna/free",
        "acme/%FF/free",
        "acme2/anna/free",
        "acme/anna/free/",
        "acme/anna/free/changing/suspended",
        "acme/anna/free/suspended/delete@2026-01-01T00:00:00Z",
        "acme/anna/free/delete@2026-1-1T00:00:00Z",
        "acme/anna/free/delete@soon",
    ],
)
def test_other_projects_are_left_alone(name: str) -> None:
    assert NAMING.read(name) is None
